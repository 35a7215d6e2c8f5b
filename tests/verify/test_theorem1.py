"""The main job on small worlds: its JSON against the schema, its decisions against the definitions, its files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from importlib import resources
from itertools import groupby
from pathlib import Path

import jsonschema
import pytest

from numerics.world import World
from verify import ledger, output, theorem1
from verify.docket import theorem_entries
from verify.witnesses import Witnesses


def schema(name: str) -> jsonschema.Draft202012Validator:
    text = resources.files("verify").joinpath(f"schema/{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def described(node, path="") -> list[str]:
    """Properties of a schema that say nothing about themselves."""
    found = []
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            if "description" not in value:
                found.append(f"{path}.{key}")
        for key, value in node.items():
            found += described(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            found += described(value, path)
    return found


@pytest.mark.parametrize("name", ["theorem1", "ledger", "check"])
def test_schemas_are_schemas(name):
    validator = schema(name)
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    assert described(validator.schema) == []
    assert validator.schema["additionalProperties"] is False


def test_the_committed_ledger_is_valid():
    assert list(schema("ledger").iter_errors(ledger.load())) == []


def test_the_schema_refuses(run_json):
    _, data, _ = run_json("--M", "4", "--L", "1", "--U", "2", "--M-ft", "2", "--N-ft", "1")
    validator = schema("theorem1")
    for change in (
        {"extra": 1},
        {"seconds": -1},
        {"schema": "another"},
        {"setting": {**data["setting"], "reading": "bag"}},
        {"setting": {**data["setting"], "eta_ov": "0.5"}},
        {"claims": [{**data["claims"][0], "verdict": "fine"}]},
        {"conclusion": {**data["conclusion"], "hat": {"holds": True}}},
    ):
        assert not validator.is_valid({**data, **change}), change
    assert not validator.is_valid({key: value for key, value in data.items() if key != "problems"})


SMALL = {
    "balanced": (8, 2, 2, 4, 1, None, "set", ()),
    "two demonstrations": (8, 2, 2, 4, 2, None, "set", ()),
    "holds": (12, 2, 2, 6, 1, None, "set", ()),
    "U per type": (8, 2, (2, 4), 4, 1, None, "set", ()),
    "literal": (8, 2, 2, 4, 1, None, "literal", ()),
    "literal, U per type": (8, 2, (2, 4), 4, 1, None, "literal", (1, 1000, 1)),
    "window": (8, 2, 2, 4, 2, 3, "set", ()),
    "window of three": (8, 2, 2, 4, 1, 1, "set", ()),
    "M_ft = M": (4, 2, 2, 4, 1, None, "set", ()),
    "L = 1": (6, 1, 2, 4, 2, None, "set", ()),
    "U = 1": (4, 2, 1, 2, 1, None, "set", ()),
    "steps": (8, 2, 2, 4, 1, 2, "set", (Fraction(1, 3), 100, Fraction(5, 2))),
    "not equally often": (12, 2, 4, 6, 1, None, "set", ()),
    "one finetuning subject": (2, 2, 1, 1, 1, None, "set", ()),
}


@pytest.mark.parametrize("case", SMALL)
def test_small_balanced_worlds(run_json, plain_of, case):
    M, L, U, M_ft, n, S, reading, eta = SMALL[case]
    arguments = ["--M", M, "--L", L, "--M-ft", M_ft, "--N-ft", n, "--reading", reading, "--G", 2]
    arguments += ["--U", ",".join(map(str, U)) if isinstance(U, tuple) else U]
    arguments += [] if S is None else ["--S", S]
    for name, value in zip(("--eta-kq-subj", "--eta-ov", "--eta-kq-rel"), eta, strict=False):
        arguments += [name, value]
    status, data, printed = run_json(*map(str, arguments))
    world = World.balanced(M, L, U, M_ft, n_grammar=2, seed=0)
    steps = tuple(Fraction(x) for x in eta) or (Fraction(1),) * 3
    T = 3 * n + 2
    window = None if S is None or S + 2 >= T else S + 2
    expected = plain_of(world, n, window=window, reading=reading, eta=steps)
    _same(data, expected, heldout=M_ft < M)
    _other_window(data, plain_of(world, n, reading=reading, eta=steps), window)
    assert status == 0 and data["problems"] == []
    assert list(schema("theorem1").iter_errors(data)) == []
    assert data["setting"]["window"] == window
    assert data["setting"]["population"] == L * M_ft ** (n + 1)
    _witnesses(data)
    assert len(printed.rstrip("\n").splitlines()[-1]) > 0 and "all verdicts as recorded" in printed


def _same(data, expected, heldout: bool) -> None:
    """Coefficients of every class and the decisions after hat steps, against the definitions."""
    gradients = dict(zip(("W_KQ^subj", "W_OV^rel", "W_KQ^rel"), expected.hat_gradients(), strict=True))
    largest = {
        weight: max([abs(v) for v in column.values()], default=Fraction(0)) for weight, column in gradients.items()
    }
    for weight in ("W_KQ^subj", "W_KQ^rel"):
        found = [
            Fraction(v) for row in data["coefficients"] if row["weight"] == weight for v in row["derived"]["exact"]
        ]
        assert max(abs(v) for v in found) == largest[weight], weight
    weights = expected.weights()
    pools = {
        "seen": ("seen", "finetune"),
        "heldout": ("heldout", "finetune"),
        "heldout_any_context": ("heldout", "all"),
    }
    right = []
    for name, (query, context) in pools.items():
        decision = data["conclusion"]["hat"][name]
        counts = expected.decide(query, context, weights)
        assert {key: decision[key] for key in counts} == counts, name
        assert decision["vacuous"] == (counts["total"] == 0)
        assert decision["total"] > 0 or name != "seen"
        if counts["total"] == 0:
            assert not heldout and decision["accuracy"] is None and decision["counterexample"] is None
            continue
        assert decision["accuracy"] == counts["right"] / counts["total"]
        assert (decision["counterexample"] is None) == (counts["right"] == counts["total"])
        if context == "finetune":
            right.append(counts["right"] == counts["total"])
    assert data["conclusion"]["hat"]["holds"] is all(right)


def _other_window(data, full, window) -> None:
    """Where the window cuts the sequence, the decision at T <= S + 2 stands beside it."""
    other = data["conclusion"]["other_S"]
    assert (other is None) == (window is None)
    if other is not None:
        assert other["S"] == full.T - 2
        counts = full.decide()
        assert {key: other["hat"]["seen"][key] for key in counts} == counts


def _witnesses(data) -> None:
    """Every comparison agrees, and there is one of each witness."""
    assert all(e["agrees"] for e in data["agreement"])
    quantities = " ".join(e["quantity"] for e in data["agreement"])
    for words in (
        "derived = sums over draws",
        "enumerated = sums",
        "hat: autograd = exact",
        "true: autograd = enumerated",
    ):
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            assert any(
                words.split("=")[0] in e["quantity"] and e["quantity"].startswith(which) for e in data["agreement"]
            ), (
                which,
                words,
                quantities,
            )
    for row in data["coefficients"]:
        assert row["derived"]["exact"] == row["exact"]["exact"], row


FACTS = """name,city,"favourite ""drink\"""
Ann,Rome,tea
"Bob, Jr.",Rome,café
Çelik,"Oslo, N",tea
Dana,"Oslo, N","tea "
Emil,Zürich,"a ""b"" c"
Fay,Rome,水
"""


@pytest.mark.parametrize("more", [(), ("--seed", "3"), ("--reading", "literal"), ("--M-ft", "6"), ("--S", "2")])
def test_a_fact_table(run_json, plain, tmp_path, more):
    """Any strings; values that occur only outside the finetuning rows; all rows finetuned."""
    file = tmp_path / "my facts.csv"
    file.write_text(FACTS, encoding="utf-8")
    size = () if "--M-ft" in more else ("--M-ft", "4")
    status, data, printed = run_json("--facts", str(file), "--N-ft", "1", "--G", "1", *size, *more)
    world = World.from_csv(file, M_ft=6 if "--M-ft" in more else 4, n_grammar=1, seed=3 if "--seed" in more else None)
    rows = [
        ("Rome", "tea"),
        ("Rome", "café"),
        ("Oslo, N", "tea"),
        ("Oslo, N", "tea"),
        ("Zürich", 'a "b" c'),
        ("Rome", "水"),
    ]
    reading = "literal" if "literal" in more else "set"
    expected = plain(tuple(rows), tuple(world.finetune), 1, 1, window=4 if "--S" in more else None, reading=reading)
    _same(data, expected, heldout="--M-ft" not in more)
    assert status == 0
    assert data["setting"]["facts"] == "my facts.csv" and data["setting"]["U"] == [3, 4]
    assert "my facts.csv" in printed
    assert list(schema("theorem1").iter_errors(data)) == []
    _witnesses(data)


def test_finite_beta(run_json):
    """Close to hard attention at a large beta, and counts over both populations."""
    world = ("--M", "8", "--L", "2", "--U", "2", "--M-ft", "4", "--N-ft", "1")
    status, data, printed = run_json(*world, "--beta", "30")
    found = data["conclusion"]["finite_beta"]
    assert status == 0 and found["beta"] == 30.0 and found["why_not"] is None
    assert data["setting"]["beta"] == 30.0
    for objective in ("hat", "true"):
        for pool, total in (("seen", 2 * 4**2), ("heldout", 2 * 4 * 4)):
            assert found["accuracy"][objective][pool]["total"] == total
            right, ties = (found["accuracy"][objective][pool][key] for key in ("right", "ties"))
            assert 0 <= right <= right + ties <= total
    assert all(
        0 <= change < 1e-6 for name, change in found["relative_change_against_beta_inf"].items() if name != "kq_rel"
    )
    assert "beta = 30" in printed
    assert list(schema("theorem1").iter_errors(data)) == []
    _, softer, _ = run_json(*world, "--beta", "1")
    change = softer["conclusion"]["finite_beta"]["relative_change_against_beta_inf"]
    assert max(change.values()) > max(found["relative_change_against_beta_inf"].values()) > 0


def test_beta_inf_is_no_finite_beta(run_json):
    _, data, _ = run_json("--M", "4", "--L", "1", "--U", "2", "--M-ft", "2", "--N-ft", "1", "--beta", "inf")
    assert data["setting"]["beta"] == "inf" and data["conclusion"]["finite_beta"] is None


def test_same_seed_same_answer(run_json):
    """Everything but times and the revision repeats."""
    arguments = ("--M", "8", "--L", "2", "--U", "2", "--M-ft", "4", "--N-ft", "1", "--seed", "5")
    first, second = run_json(*arguments)[1], run_json(*arguments)[1]
    for data in (first, second):
        for key in ("seconds", "stages", "revision"):
            del data[key]
    text = [_without_seconds(data) for data in (first, second)]
    assert text[0] == text[1]


def _without_seconds(value):
    if isinstance(value, dict):
        return {k: _without_seconds(v) for k, v in value.items() if k != "seconds"}
    return [_without_seconds(v) for v in value] if isinstance(value, list) else value


SMALLEST = ("--M", "4", "--L", "1", "--U", "2", "--M-ft", "2", "--N-ft", "1")


@pytest.mark.parametrize("stage", ["rows", "agreement", "hat", "true", "tried", "as_json"])
def test_an_interrupted_run_leaves_nothing(few_claims, monkeypatch, tmp_path, capsys, stage):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(theorem1, stage, interrupt)
    assert theorem1.main([*SMALLEST, "--json", str(tmp_path / "x.json")]) == 130
    out = capsys.readouterr()
    assert out.err == "python -m verify.theorem1: interrupted, nothing written\n" and out.out == ""
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_writing(few_claims, monkeypatch, tmp_path, capsys):
    """The old file stays, the temporary one goes."""
    target = tmp_path / "x.json"
    target.write_text("kept", encoding="utf-8")

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(output.os, "replace", interrupt)
    assert theorem1.main([*SMALLEST, "--json", str(target)]) == 130
    assert target.read_text(encoding="utf-8") == "kept" and list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_one_line(few_claims, monkeypatch, tmp_path, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "replace", full)
    target = tmp_path / "x.json"
    assert theorem1.main([*SMALLEST, "--json", str(target)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and str(target) in err and "No space left" in err
    assert list(tmp_path.iterdir()) == []


def test_rows_are_in_the_order_of_the_steps(few_claims, tmp_path):
    """Also at M_ft = M, where classes of subjects outside have no row."""
    for M_ft in ("4", "2"):
        target = tmp_path / "x.json"
        theorem1.main(["--M", "4", "--L", "1", "--U", "2", "--M-ft", M_ft, "--N-ft", "1", "--json", str(target)])
        found = [row["weight"] for row in json.loads(target.read_text(encoding="utf-8"))["coefficients"]]
        assert [name for name, _ in groupby(found)] == ["W_KQ^subj", "W_OV^rel", "W_KQ^rel"]


def test_problems_decide_the_exit_status(few_claims, monkeypatch, capsys):
    """A verdict other than the recorded one, and witnesses that disagree."""
    changed = {**ledger.recorded("set"), "lemC2": "false"}
    monkeypatch.setattr(theorem1.ledger, "recorded", lambda reading: changed)
    assert theorem1.main([*SMALLEST]) == 1
    assert "lemC2: verdict exact, recorded false" in capsys.readouterr().out


def test_disagreeing_witnesses_decide_the_exit_status(few_claims, monkeypatch, capsys):

    right = Witnesses.derived_kq

    def wrong(self, which):
        column = right(self, which).copy()
        column[-1] += Fraction(1, 10**9)
        return column

    monkeypatch.setattr(Witnesses, "derived_kq", wrong)
    assert theorem1.main([*SMALLEST]) == 1
    out = capsys.readouterr().out
    assert "witnesses disagree: kq_subj" in out and "DISAGREE" in out


@pytest.mark.long
def test_the_whole_job_as_a_process(tmp_path: Path):
    """All claims of the theorem, from another folder, on a pipe."""
    target = tmp_path / "out.json"
    arguments = ["--M", "8", "--L", "2", "--U", "2", "--M-ft", "4", "--N-ft", "1", "--json", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "verify.theorem1", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(target.read_text(encoding="utf-8"))
    assert list(schema("theorem1").iter_errors(data)) == []
    recorded = ledger.recorded("set")
    assert {c["id"]: c["verdict"] for c in data["claims"]} == {name: recorded[name] for name in theorem_entries()}
    assert all(math.isfinite(c["seconds"]) and c["survivors"] == [] for c in data["claims"])
    assert list(tmp_path.iterdir()) == [target]
