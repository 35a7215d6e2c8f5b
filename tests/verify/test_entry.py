"""The entry points of Propositions 1-4 and Lemmas C.1, C.2, and the printed derivations."""

from __future__ import annotations

import json
import re
from importlib import import_module, resources

import jsonschema
import pytest

from verify import __main__ as command
from verify import entry
from verify.entry import Row, main
from verify.propositions import points
from verify.setting import Setting

NAMES = ("prop1", "prop2", "prop3", "prop4", "lemma_c1", "lemma_c2")
SMALL = ["--M", "4", "--L", "2", "--U", "2", "--M-ft", "2", "--N-ft", "1", "--S", "2", "--N-tr", "2", "--G", "1"]


@pytest.fixture
def quick(monkeypatch):
    """The rows at the setting without the trials, which do not depend on it and are tested elsewhere."""
    monkeypatch.setattr(entry, "trials", lambda point, setting, world: [])


def run(name: str, arguments: list[str]) -> int:
    return import_module(f"verify.{name}").main(arguments)


@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("name", NAMES)
def test_small_setting_agrees_and_validates(name, reading, quick, tmp_path, capsys):
    target = tmp_path / "out.json"
    assert run(name, [*SMALL, "--reading", reading, "--json", str(target)]) == 0
    written = json.loads(target.read_text(encoding="utf-8"))
    schema = json.loads(resources.files("verify").joinpath("schema/entry.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(written, schema)
    assert written["entry"] == name and written["setting"]["M"] == 4 and written["here"]
    assert all(row["agrees"] for row in written["here"])
    assert "At this setting" in capsys.readouterr().out


@pytest.mark.parametrize(("reading", "expected"), [("set", "yes"), ("literal", "no")])
def test_proposition_1_enumerates_beside_the_derivation(reading, expected, quick, tmp_path):
    target = tmp_path / "out.json"
    run("prop1", [*SMALL, "--reading", reading, "--json", str(target)])
    row = json.loads(target.read_text(encoding="utf-8"))["here"][0]
    # 4 (2 * 2 * 1)^2 = 64 sequences; every value is shared by two subjects.
    assert row["derived"] == expected and ("64 of 64" if expected == "yes" else "0 of 64") in row["measured"]


def test_paper_setting_is_decided_over_all_sequences(quick, tmp_path):
    target = tmp_path / "out.json"
    assert run("prop2", ["--M", "256", "--L", "8", "--json", str(target)]) == 0
    rows = {row["quantity"]: row for row in json.loads(target.read_text(encoding="utf-8"))["here"]}
    seen = rows["right on every sequence: seen queries, contexts from finetune"]
    assert seen["derived"] == "yes" and seen["measured"].startswith("35184372088832 of 35184372088832 right")
    # The sharp beta is ln(m - 1) = ln 5.
    assert "e^beta > 5)" in rows['"sufficiently large beta", seen queries, contexts from finetune']["derived"]


def test_disagreeing_witnesses_are_a_problem(monkeypatch, quick, capsys):
    made = points()["prop1"]
    wrong = entry.Point(
        made.name, made.title, made.claims, lambda setting, world, N_tr: [Row("x", None, "1", "2", "", False)]
    )
    assert entry.main(wrong, SMALL) == 1
    assert "witnesses disagree: x: 1 against 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--N-tr", "0"], "--N-tr 0: must be at least 1"),
        (["--N-tr", "1.5"], "'1.5' is not a whole number"),
        (["--M", "0"], "--M 0"),
        (["--U", "3", "--M", "8"], "--U 3"),
        (["--device", "cuda"], "--device cuda: this command computes on the CPU"),
        (["--full"], "--full: asks for gradients"),
    ],
)
@pytest.mark.parametrize("name", ["prop1", "lemma_c2"])
def test_bad_input_is_one_line(name, arguments, said, capsys):
    try:
        status = run(name, arguments)
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr().err
    assert status == 2 and said in captured and captured.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("prop1", ["--N-tr", "1000000000"], "10000000000 slots; valid: up to 1000000"),
        (
            "prop1",
            ["--N-tr", "100"],
            "1e300 PT sequences or more, beyond what float64 can hold; valid: at most 40 with",
        ),
        ("prop3", ["--S", "1000000000"], "valid: up to 1000000"),
        ("prop3", ["--S", "600"], "with S = 600, is 1e300 PT sequences or more"),
        ("prop2", ["--L", "1000000"], "--L 1000000: the vocabulary has"),
        ("lemma_c1", ["--M", "4096"], "valid: up to 3000, whose (V, V) matrices are affordable"),
    ],
)
def test_sizes_without_an_end_are_refused(name, arguments, said, capsys):
    assert run(name, arguments) == 2
    captured = capsys.readouterr().err
    assert said in captured and captured.count("\n") == 1


def test_the_largest_population_is_a_number(quick, capsys, monkeypatch):
    """256 (8 * 10 * 4^9)^40, as large as is accepted."""
    monkeypatch.setenv("COLUMNS", "400")
    assert run("prop1", ["--N-tr", "40"]) == 0
    assert re.search(r"over all \d\.\d+e\+295 PT sequences", capsys.readouterr().out)


def test_check_returns_evidence():
    found = import_module("verify.lemma_c1").check(Setting(M=8, L=2, U=(2, 2), M_ft=4, N_ft=1))
    assert found and any(not e.agrees for e in found)  # Lemma C.1 is false


def test_every_derivation_can_be_printed(capsys):
    assert command.main(["derive"]) == 0
    plain = capsys.readouterr().out
    assert "Thresholds." in plain and "p context, balanced: (U - 1)/(U m^2)" in plain
    assert command.main(["derive", "kq_subj", "--latex"]) == 0
    assert capsys.readouterr().out.count(r"\item") >= 3
    with pytest.raises(SystemExit) as stop:
        command.main(["derive", "nothing"])
    assert stop.value.code == 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--beta", "5", "--beta 5: this command takes beta to infinity and says from which on, if any; leave it out"),
        ("--eta-ov", "1/3", "--eta-ov 1/3: this command takes no steps; leave it out"),
        ("--eta-kq-rel", "2", "--eta-kq-rel 2: this command takes no steps"),
    ],
)
def test_options_that_would_change_nothing_are_refused(name, option, value, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(points()[name], [*SMALL, option, value])
    out, error = capsys.readouterr()
    assert stopped.value.code == 2 and out == "" and words in error and error.count("\n") == 1
    with pytest.raises(SystemExit):
        main(points()[name], ["--help"])
    listed = capsys.readouterr().out
    assert option not in listed and "--reading" in listed


@pytest.mark.parametrize("name", NAMES)
def test_options_without_effect_have_none_and_say_so(name, quick, capsys, tmp_path):
    point = points()[name]
    mute = ("--M-ft", "--N-ft") if point.pretraining else ("--N-tr",)
    sizes = {"--M": "8", "--L": "2", "--U": "2", "--M-ft": "4", "--N-ft": "1", "--N-tr": "2", "--S": "4"}

    def here(**other):
        chosen = [part for pair in (sizes | other).items() for part in pair]
        run(name, [*chosen, "--json", str(tmp_path / "x.json")])
        capsys.readouterr()
        return json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["here"]

    for option in mute:
        assert here(**{option: "3"}) == here()
    speaking = "--N-tr" if point.pretraining else "--N-ft"
    assert here(**{speaking: "3"}) != here()
    with pytest.raises(SystemExit):
        run(name, ["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("nothing here depends on it") == len(mute)
