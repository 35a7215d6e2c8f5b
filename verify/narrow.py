"""Tables of a console's width in which no word is broken: columns share what is left beyond their longest words; where not even
these fit, every row is lines of its own, a heading before each cell."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

#: Columns from which a table stays one whatever stands in it: only numbers of dozens of digits still break there.
WIDE = 120


def fitted(console: Console, table: Table) -> RenderableType:
    """The table with widths of its columns (set in place) or stacked; as it is where it needs neither."""
    free = console.options.update(width=10_000)
    whole = Measurement.get(console, free, table)
    if whole.maximum <= console.width or not table.columns:
        return table
    if whole.minimum > console.width:
        return table if console.width >= WIDE else _stacked(console, table)
    sizes = [_size(console, column) for column in table.columns]
    # Without padding and borders, which the table measures with its cells, and indents, which it does not measure.
    indented = sum(size.minimum for size in sizes) - sum(
        _size(console, column, indents=False).minimum for column in table.columns
    )
    left = console.width - whole.minimum - indented
    if left < 0:
        return table if console.width >= WIDE else _stacked(console, table)
    wanted = sum(size.maximum - size.minimum for size in sizes)
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size.minimum + left * (size.maximum - size.minimum) // max(wanted, 1)
    return table


def _size(console: Console, column: Column, indents: bool = True) -> Measurement:
    """Of the cells and the heading: the longest word, a first one with its indent, and the longest line."""
    free = console.options.update(width=10_000)
    cells = (column.header, *column.cells)
    found = [Measurement.get(console, free, cell) for cell in cells]
    most = max(one.maximum for one in found)
    words = [one.minimum for one in found] + ([_first_word(cell) for cell in cells] if indents else [])
    return Measurement(most if column.no_wrap else max(words), most)


def _first_word(cell: RenderableType) -> int:
    """Its length with the spaces before it, with which it moves to another line."""
    plain = _text(cell, "").plain if isinstance(cell, str | Text) else ""
    return cell_len(plain) - cell_len(plain.lstrip()) + cell_len(next(iter(plain.split()), ""))


def _stacked(console: Console, table: Table) -> RenderableType:
    parts: list[RenderableType] = [] if table.title is None else [_text(table.title, "italic")]
    above: RenderableType = ""
    headings = [column.header for column in table.columns]
    for row in zip(*(column.cells for column in table.columns), strict=True):
        # A row under a name that is written once is that name's too.
        above = row[0] if row[0] != "" or headings[0] == "" else above
        cells = zip(headings, (above, *row[1:]), strict=True)
        parts += _packed(console, [(heading, cell) for heading, cell in cells if cell != ""])
    return Group(*parts, *([] if table.caption is None else [_text(table.caption, "dim")]))


def _packed(console: Console, cells: list[tuple[RenderableType, RenderableType]]) -> list[RenderableType]:
    """Short cells beside each other, as many as a line has room for; a long one, its heading before it, on lines of its own."""
    parts: list[RenderableType] = []
    line = Text()
    for heading, cell in cells:
        words = Text.assemble(_text(heading, "dim"), " " if heading else "", _text(cell, ""))
        if line and line.cell_len + 3 + words.cell_len > console.width:
            parts.append(line)
            line = Text()
        if words.cell_len <= console.width:
            line = Text.assemble(line, "   " if line else "", words)
        else:
            lines = Table.grid(Column(style="dim", no_wrap=True), Column(overflow="fold"), padding=(0, 1))
            lines.add_row(heading, cell)
            parts.append(lines)
    return [*parts, Padding(line, (0, 0, 1, 0))]


def _text(words: RenderableType, style: str) -> Text:
    if isinstance(words, Text):
        return words
    if not isinstance(words, str):
        raise TypeError(f"cells must be text, got {type(words)}")
    found = Text.from_markup(words)
    found.stylize_before(style)
    return found
