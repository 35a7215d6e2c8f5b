"""Tables at every width: no word that a line has room for is broken, no cell is lost, nothing is wider than the console."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from verify import progress
from verify.narrow import WIDE, fitted

WORD = st.text("abcdefgh0123456789", min_size=1, max_size=18)
CELL = st.lists(WORD, min_size=1, max_size=8).map(" ".join)


def printed(table, width):
    out = io.StringIO()
    console = Console(file=out, width=width)
    console.print(fitted(console, table))
    return out.getvalue()


def made(headings, rows, **options):
    table = Table(**options)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


@given(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.tuples(*[CELL] * n), min_size=1, max_size=5)), st.integers(40, 119)
)
@settings(max_examples=200, deadline=None)
def test_no_word_is_broken_and_nothing_is_lost(rows, width):
    headings = [f"head{k}" for k in range(len(rows[0]))]
    shown = printed(made(headings, rows), width)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    words = "".join(c if c.isalnum() else " " for c in shown).split()
    for row in rows:
        for word in " ".join(row).split():
            assert word in words
    assert set(headings) <= set(words)


@given(
    st.lists(st.tuples(st.integers(0, 3), WORD, CELL), min_size=1, max_size=5),
    st.integers(40, 180),
)
@settings(max_examples=200, deadline=None)
def test_an_indented_word_is_not_broken(rows, width):
    table = made(("name", "what"), [(" " * indent + name, f"{what} " * 10) for indent, name, what in rows])
    shown = printed(table, width)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    words = "".join(c if c.isalnum() else " " for c in shown).split()
    assert all(name in words for _, name, _ in rows)


def test_an_indent_counts_where_the_words_just_fit():
    table = made(("statement", "what"), [("short", "a " * 100), ("  rises_own_format", "b " * 100)])
    assert "  rises_own_format" in printed(table, 150)
    table = made(("statement", "what"), [("  " + "9" * 20, "8" * 20)])
    # 22 and 20 letters, 7 of borders and padding: at 48 the one word fits, its indent does not.
    assert "9" * 20 in printed(table, 48) and "┃" not in printed(table, 48)


def test_what_fits_and_what_is_wide_enough_is_left_alone():
    rows = [("yes", "certified", "9" * 30 + " " + "8" * 30)]
    table = made(("a", "b", "c"), rows)
    before = Console(file=(out := io.StringIO()), width=WIDE)
    before.print(table)
    assert printed(table, WIDE) == out.getvalue()
    long = made(("a", "b"), [("1" * 150, "2" * 150)])
    Console(file=(out := io.StringIO()), width=WIDE).print(long)
    assert printed(long, WIDE) == out.getvalue()
    assert [column.width for column in long.columns] == [None, None]
    assert printed(Table(), 40) == "\n"


def test_rows_below_each_other():
    rows = [("W", "first", "1" * 20), ("", "second", "2" * 20), ("V", "third", "")]
    table = made(("weight", "what", "number"), rows, title="The [bold]title[/bold]", caption="The caption")
    assert printed(table, 30).split("\n") == [
        "The title",
        "weight W   what first",
        "number 11111111111111111111".ljust(30),
        "".ljust(30),
        "weight W   what second",
        "number 22222222222222222222".ljust(30),
        "".ljust(30),
        "weight V   what third".ljust(30),
        "".ljust(30),
        "The caption",
        "",
    ]


def test_a_long_cell_stands_below_itself():
    shown = printed(made(("claim", "words"), [("thm", "one two three four five six"), ("x" * 25, "y")]), 24)
    assert [line.rstrip() for line in shown.splitlines()][:4] == [
        "claim thm",
        "words one two three four",
        "      five six",
        "",
    ]


def test_cells_that_are_no_text_cannot_be_stacked():
    table = Table("a", "b")
    table.add_row(Text("x" * 30), Table())
    with pytest.raises(TypeError, match="cells must be text"):
        printed(table, 20)


def test_the_console_of_the_entry_points_does_so(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "30")
    with progress.paged() as console:
        console.print(made(("a", "b"), [("1" * 20, "2" * 20)]))
    words = capsys.readouterr().out.split()
    assert words == ["a", "1" * 20, "b", "2" * 20]
