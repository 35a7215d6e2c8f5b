"""The explanation: its page and JSON on small tables, what the words claim against exact decisions, bad input."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from numerics.conclusion import decide
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from theory.finetuning.tables import diagnose
from verify import theorem1
from verify.conclude import Conclusion
from verify.explain import __main__ as command
from verify.explain import explanation
from verify.explain.page import _code, _conclusion, _plain, _text, share
from verify.worlds import frequencies

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--M", "8", "--L", "2", "--U", "2", "--N-ft", "1", "--device", "cpu"]
TABLE = 'who,town|s,u*\n"a\nb",`x`,1\nb,_y_,2\nc<d>,`x`,2\nd|,x|y,1\ne,`x`,1\nf,_y_,2\n'


def undescribed(node, path="") -> list[str]:
    if isinstance(node, list):
        return [x for value in node for x in undescribed(value, path)]
    if not isinstance(node, dict):
        return []
    here = [f"{path}.{key}" for key, value in node.get("properties", {}).items() if not value.get("description")]
    return here + [x for key, value in node.items() for x in undescribed(value, f"{path}.{key}")]


def consistent(data) -> list[str]:
    """Where theorem, exact decision, measured gaps and network do not say the same of hat steps."""
    wrong = []
    for pool, theorem in data["theorem"].items():
        exact = data["conclusion"]["hat"][pool]
        if theorem["holds"] != (exact["right"] == exact["total"]):
            wrong.append(f"{pool}: the theorem says {theorem['holds']}")
        heads = {"subject": "subj", "relation": "rel", "target": "output"}
        for head, short in heads.items():
            said = all(c["holds"] for c in theorem["conditions"] if c["head"] == head)
            seen = [
                m["holds"] for m in data["measured"] if (m["objective"], m["pool"], m["head"]) == ("hat", pool, short)
            ]
            # An exact tie is not told from a near one in float64.
            if None not in seen and said != all(seen):
                wrong.append(f"{pool}: {head} head")
        runs = [r for r in data["network"] if r["objective"] == "hat" and pool_of(r) == pool]
        if any((r["outcome"] != "right") and theorem["holds"] for r in runs):
            wrong.append(f"{pool}: the network fails where nothing should")
        if not theorem["holds"] and all(r["outcome"] == "right" for r in runs):
            wrong.append(f"{pool}: no failing sequence is shown")
    return wrong


def pool_of(one) -> str:
    return "heldout" if "held-out" in one["sequence"] else "seen"


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--M-ft", "6"],
        ["--M-ft", "8"],
        ["--M-ft", "6", "--eta-ov", "1e-30"],
        ["--M-ft", "7", "--eta-ov", "1e30"],
        ["--M-ft", "6", "--eta-kq-subj", "1e-30"],
        ["--eta-kq-rel", "1e-30"],
        ["--L", "1", "--M-ft", "3"],
    ],
    ids=str,
)
def test_theorem_decision_gaps_and_network_agree(more, run):
    data, page = run(*SMALL, *more)
    assert consistent(data) == [] and data["missing"] is None
    assert "nan" not in page and "None" not in page
    held = "**Held-out queries**" in page
    assert held == ("8" not in more[more.index("--M-ft") + 1 :][:1] if "--M-ft" in more else True)


def test_a_wrong_theorem_is_noticed(run):
    data, _ = run(*SMALL, "--M-ft", "6")
    assert data["theorem"]["seen"]["holds"] is True
    for pool in ("seen", "heldout"):
        flipped = {**data["theorem"][pool], "holds": False}
        assert consistent({**data, "theorem": {**data["theorem"], pool: flipped}})
    head = [{**c, "holds": False} if c["head"] == "relation" else c for c in data["theorem"]["seen"]["conditions"]]
    flipped = {**data["theorem"]["seen"], "conditions": head}
    assert consistent({**data, "theorem": {**data["theorem"], "seen": flipped}})
    runs = [{**r, "outcome": "wrong"} for r in data["network"]]
    assert consistent({**data, "network": runs})


def test_the_schema_says_all_and_refuses(run, schema):
    jsonschema.Draft202012Validator.check_schema(schema.schema)
    assert undescribed(schema.schema) == [] and schema.schema["additionalProperties"] is False
    data, _ = run(*SMALL)
    for change in (
        {"extra": 1},
        {"schema": "contextual-recall-referee/theorem1/1"},
        {"columns": [{**data["columns"][0], "values": "2"}]},
        {"network": [{**data["network"][0], "outcome": "perhaps"}]},
        {"conclusion": {"hat": data["conclusion"]["hat"]}},
    ):
        assert not schema.is_valid({**data, **change}), change


def test_words_of_a_page(run):
    _, failing = run(*SMALL)
    assert "**Seen queries**: not right on every sequence. What fails: *attribute over query*" in failing
    _, right = run(*SMALL, "--M-ft", "6")
    assert "What fails" not in right
    assert (
        "**Seen queries**: right on every sequence. All inequalities hold; the one that needs the most data:" in right
    )
    assert "1 demonstration in a sequence" in right and "formal number" in right


ABSENT = "s,t,b\np,u,1\nq,u,2\nr,v,1\nz,w,3\ny,u,1\n"


def test_all_that_fails_is_named_in_the_order_of_the_table(run, tmp_path: Path):
    """Held-out queries have values that nobody shows, and the query outweighs attributes besides."""
    facts = tmp_path / "absent.csv"
    facts.write_text(ABSENT, encoding="utf-8")
    data, page = run("--facts", str(facts), "--M-ft", "3", "--N-ft", "2", "--device", "cpu")
    for pool, words in (("seen", "**Seen queries**"), ("heldout", "**Held-out queries**")):
        (line,) = [line for line in page.splitlines() if line.startswith(words)]
        failing = [c["name"] for c in data["theorem"][pool]["conditions"] if not c["holds"]]
        assert len(failing) > 1
        said = line.split(" Of these, ")[0]
        assert re.findall(r"\*(attribute[a-z ]*|target[a-z ]*|query[a-z ]*)\*", said) == failing
    assert line.endswith("Of these, no number of copies mends *target seen*.")


def test_statements_are_plain_text(run, capsys):
    """Every statement there is, and the page on a terminal: no LaTeX."""
    found = diagnose(frequencies(World.balanced(8, 2, 2, 4)), 2, *(Fraction(1),) * 3, "heldout").conditions
    for c in found:
        assert not re.search(r"[$\\]", re.sub(r"\\([_<>|\[\]])", r"\1", _plain(c.statement))), c.statement
    assert _plain(found[-1].statement).startswith(r"(v) eta\_ov(m-1)/(wL) f\_max (f\_max - f\_y) \< 1 for every")
    assert command.main([*SMALL]) == 0
    assert "$" not in capsys.readouterr().out


def test_one_type_alone_is_right_although_inequalities_fail(run):
    data, page = run("--M", "3", "--L", "1", "--U", "1", "--M-ft", "1", "--N-ft", "1", "--device", "cpu")
    assert data["conclusion"]["hat"]["seen"]["right"] == data["conclusion"]["hat"]["seen"]["total"]
    assert "although 3 inequalities fail: a head attends something else there" in page
    assert "1 finetuning sequence." in page and "1 type of facts" in page


@pytest.mark.parametrize("more", [["--S", "1"], ["--reading", "literal"], ["--M-ft", "4", "--S", "1"]])
def test_where_the_theorem_is_not_stated(more, run):
    """No inequality names a sequence: of every pool that fails the decision does, and the network fails there too."""
    data, page = run(*SMALL, "--M-ft", "6", *more)
    assert data["theorem"] == {} and data["missing"] in page
    network = page.split("## What the network does")[1]
    for objective in ("hat", "true"):
        decided = data["conclusion"][objective]
        runs = [r for r in data["network"] if r["objective"] == objective]
        assert {pool_of(r) for r in runs} == {
            p for p in ("seen", "heldout") if decided[p]["right"] < decided[p]["total"]
        }
        for r in runs:
            example = decided[pool_of(r)]["counterexample"]
            assert (r["tokens"], r["target"], r["predicted"]) == tuple(
                example[key] for key in ("tokens", "target", "predicted")
            )
            assert r["outcome"] != "right" and "the smallest failing sequence" in r["sequence"]
            assert " ".join(r["tokens"]) in network
        unshown = (
            f"{objective.capitalize()} steps: not run, since no sequence fails and no inequality names a tightest one."
        )
        assert (unshown in network) == (not runs)


def test_steps_without_a_network_to_load_say_so(run, monkeypatch):
    """The decision's sequence is named all the same."""
    monkeypatch.setattr(explanation, "CertifiedGradients", ())
    data, page = run(*SMALL)
    assert {r["objective"] for r in data["network"]} == {"hat"}
    (line,) = [line for line in page.splitlines() if line.startswith("True steps: not run, since")]
    example = data["conclusion"]["true"]["seen"]["counterexample"]
    assert "no gradients in float64 with proven radii" in line
    assert _text(f"Seen queries: on [{' '.join(example['tokens'])}]") in line and "Held-out queries: on " in line


def test_after_true_steps_a_sequence_need_not_fail_that_fails_after_hat_steps(run, tmp_path: Path):
    facts = tmp_path / "three.csv"
    facts.write_text("s,t\nx,a\ny,b\nz,c\n", encoding="utf-8")
    data, _ = run("--facts", str(facts), "--M-ft", "2", "--N-ft", "1", "--device", "cpu")
    assert data["conclusion"]["hat"]["holds"] is False and data["conclusion"]["true"]["holds"] is True
    for r in data["network"]:
        if r["objective"] == "true":
            assert r["outcome"] == "right" and "after hat steps" in r["sequence"]


UNEVEN = "name,A,B\nx0,a,p\nx1,a,q\nx2,b,p\nx3,b,r\nx4,c,q\n"


def test_the_gap_of_the_output_is_said_to_be_conditional(run, tmp_path: Path):
    """Where the relation head attends the query, it is positive though the smallest margin is not."""
    facts = tmp_path / "uneven.csv"
    facts.write_text(UNEVEN, encoding="utf-8")
    data, page = run("--facts", str(facts), "--M-ft", "3", "--N-ft", "1", "--device", "cpu")
    (gap,) = [m for m in data["measured"] if (m["objective"], m["pool"], m["head"]) == ("hat", "seen", "output")]
    assert gap["low"] > 0 > data["conclusion"]["hat"]["seen"]["min_margin"]
    assert "| output if they do: the target | other tokens | 0.01111 |" in page
    assert (
        "would be if on every sequence the subject head attended the query alone and the relation head attributes"
        in page
    )
    for name in ("explain", "theorem1"):
        text = resources.files("verify").joinpath(f"schema/{name}.schema.json").read_text(encoding="utf-8")
        assert "Smallest gap of every comparison over all sequences" not in text
        assert "no margin of the network where a head does not" in text


def test_counts_are_marked_wherever_the_bounds_are_not_a_point():
    """Also on rows that fail for certain; ties apart from the right ones."""
    world = World.balanced(8, 2, 2, 4)
    d = decide(world, 1, updated_weights(world, hat_gradients(world, 1)), "seen")
    assert d.holds is False
    rights, ties = (d.right, d.right + 1), (0, d.ties + 1)
    rows = []
    for change in ({}, {"right_bounds": rights}, {"ties_bounds": ties}, {"right_bounds": (0, d.total)}):
        method = (
            d.method if change.get("right_bounds") == (0, d.total) else f"{d.method} at the centre of the enclosures"
        )
        opened = replace(d, exact=not change, method=method, **change)
        rows.append(_conclusion(Conclusion("true", "", {"seen": opened}, None, opened.holds))[0])
    marks = [["at the centre" in cell for cell in row[2:4]] for row in rows]
    assert marks == [[False, False], [True, False], [False, True], [False, False]]
    assert [row[4] for row in rows] == ["**fails**", "**fails**", "**fails**", "open"] and "not proven" in rows[3][2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s,t,u\n[sep],a,p\ny,b,q\n", "a subject and the separator would both be printed as [sep]"),
        ("s,t,u\nt=a,a,p\ny,b,q\n", "a subject and a value of 't' would both be printed as t=a"),
        ("s,t,u\nr[t],a,p\ny,b,q\n", "a subject and a relation would both be printed as r[t]"),
        ("s,t,u\ng0,a,p\ny,b,q\n", "a subject and a grammar token would both be printed as g0"),
        ('s,t,u\n"a\nb",a,p\na b,b,q\n', "a subject and a subject would both be printed as a b"),
        ("s,t,u\nx,A  B,p\ny,A B,q\n", "as t=A B (t=A␣␣B and t=A␣B differ in white space alone)"),
        ("s,t,t=a\nx,a=b,b\ny,b,q\n", "a value of 't' and a value of 't=a' would both be printed as t=a=b"),
        ("s,t,u\nx,a,p\n x ,b,q\n", "row 3: subject 'x' is already in row 2"),
    ],
)
def test_tokens_that_would_be_printed_alike(text, words, tmp_path: Path, capsys):
    """Among them names that only the white space around the cells tells apart, which is dropped."""
    facts = tmp_path / "alike.csv"
    facts.write_text(text, encoding="utf-8")
    for main in (command.main, theorem1.main):
        assert main(["--facts", str(facts), "--N-ft", "1", "--device", "cpu"]) == 2
        out, error = capsys.readouterr()
        assert out == "" and words in error and error.count("\n") == 1


def test_space_around_cells_is_dropped(run, tmp_path: Path):
    facts = tmp_path / "spaces.csv"
    facts.write_text("s, t ,u\n x , 3,p\ny,3 ,q\n", encoding="utf-8")
    data, _ = run("--facts", str(facts), "--M-ft", "2", "--N-ft", "1", "--device", "cpu")
    assert (data["columns"][0]["name"], data["columns"][0]["least"]) == ("t", ["t=3", 2])


def test_any_name_stays_text(run, tmp_path: Path):
    """Names hold line breaks, bars, stars and backticks: rows keep their cells, and no name turns into markup."""
    table = tmp_path / "odd.csv"
    table.write_text(TABLE, encoding="utf-8")
    data, page = run("--facts", str(table), "--N-ft", "1", "--device", "cpu")
    assert consistent(data) == []
    for block in page.split("\n\n"):
        rows = [line.replace("\\|", "") for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    assert "`` a b [sep] town|s=`x`" in page and "\\_y\\_" in page and "\nb" not in page


def test_text_and_code():
    assert _text("a|b*`c`\n_d_") == "a\\|b\\*\\`c\\` \\_d\\_"
    assert _code("plain") == "`plain`" and _code("a`b``c") == "``` a`b``c ```"


def test_a_share_is_not_rounded_to_all_or_nothing():
    assert [share(1), share(0), share(0.5)] == ["1", "0", "0.5"]
    assert share(1 - 1e-9) == "1 - 1e-09" and share(1e-12) == "1e-12"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beta", "3"], "--beta 3: the explanation is of beta = inf; leave it out"),
        (["--output", "/tmp"], "--output /tmp: is a folder"),
        (["--output", "/nowhere/at/all.md"], "the folder /nowhere/at does not exist"),
        (["--output", "/tmp/one.md", "--json", "/tmp/../tmp/one.md"], "--output /tmp/one.md: is the file of --json"),
        (["--U", "3"], "--U 3: must divide M = 8"),
        (["--N-ft", "0"], "--N-ft 0: must be at least 1"),
        (["--eta-ov", "nan"], "'nan' is not a number"),
        (["--eta-ov", "-1"], "--eta-ov -1: must be positive"),
        (["--facts", "nowhere.csv"], "--M: not with --facts"),
        (["--M", "10000000000000"], "--M 10000000000000 --L 2 --U 2: the world does not fit into memory"),
    ],
)
def test_bad_input(arguments, message, capsys):
    try:
        status = command.main([*SMALL, *arguments])
    except SystemExit as stop:
        status = stop.code
    out, error = capsys.readouterr()
    assert status == 2 and out == ""
    assert message in error and error.startswith("python -m verify.explain: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("who\na\nb\n", "1 column(s); valid: at least 2 columns"),
        ("not a table\n", "1 column(s)"),
        ("who,town\n", "a header but no rows"),
        ("who,town\na,x,y\n", "3 cell(s)"),
        ("", "empty file"),
    ],
)
def test_bad_tables(text, message, tmp_path: Path, capsys):
    table = tmp_path / "t.csv"
    table.write_text(text, encoding="utf-8")
    assert command.main(["--facts", str(table), "--device", "cpu"]) == 2
    out, error = capsys.readouterr()
    assert out == "" and message in error and error.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
def test_nothing_is_left_behind(error, monkeypatch, capsys, tmp_path: Path):
    def stopped(*_, **__):
        raise error

    monkeypatch.setattr(command, "explained", stopped)
    files = ["--json", str(tmp_path / "e.json"), "--output", str(tmp_path / "e.md")]
    assert command.main([*SMALL, *files]) == (130 if error is KeyboardInterrupt else 2)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_quiet_is_a_line_for_each_objective(capsys):
    assert command.main([*SMALL, "--quiet"]) == 0
    lines = "After hat steps: not right on every sequence.\nAfter true steps: not right on every sequence.\n"
    assert capsys.readouterr().out == lines


@pytest.mark.long
def test_the_worked_example_is_what_the_command_writes(tmp_path: Path):
    made = tmp_path / "worked.md"
    arguments = ["--facts", "examples/countries.csv", "--M-ft", "96", "--seed", "0", "--output", str(made)]
    subprocess.run([sys.executable, "-m", "verify.explain", *arguments], cwd=ROOT, check=True, timeout=600)
    assert made.read_text(encoding="utf-8") == (ROOT / "examples/worked.md").read_text(encoding="utf-8")
