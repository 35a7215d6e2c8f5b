"""The command line: its JSON against the schema, bad input, interruption, a reader that has gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from verify.progress import paged
from verify.region import __main__ as command

SMALL = ["--M", "8", "--L", "2", "--U", "2", "--N-ft", "1", "--device", "cpu"]


def schema(name: str) -> jsonschema.Draft202012Validator:
    text = resources.files("verify").joinpath(f"schema/{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def undescribed(node, path="") -> list[str]:
    """Properties of a schema that say nothing about themselves."""
    if isinstance(node, list):
        return [x for value in node for x in undescribed(value, path)]
    if not isinstance(node, dict):
        return []
    here = [f"{path}.{key}" for key, value in node.get("properties", {}).items() if not value.get("description")]
    return here + [x for key, value in node.items() for x in undescribed(value, f"{path}.{key}")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Everything there is, once: exit status, JSON, picture."""
    folder = tmp_path_factory.mktemp("region")
    more = ["--M-ft", "6", "--sweep-U", "2,4", "--sweep-N-ft", "1,2"]
    status = command.main([*SMALL, *more, "--json", str(folder / "r.json"), "--plot", str(folder / "r.png")])
    assert sorted(p.name for p in folder.iterdir()) == ["r.json", "r.png"]
    return status, json.loads((folder / "r.json").read_text()), (folder / "r.png").read_bytes()


def test_the_json_is_as_the_schema_says(whole):
    status, data, picture = whole
    validator = schema("region")
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    assert undescribed(validator.schema) == [] and validator.schema["additionalProperties"] is False
    assert [e.message for e in validator.iter_errors(data)] == []
    assert status == 0 and data["open"] == [] and picture.startswith(b"\x89PNG")
    assert [(c["U"], c["N_ft"]) for c in data["sweep"]] == [(2, 1), (2, 2), (4, 1), (4, 2)]
    assert data["boundary"]["hat_closed_form"] == data["boundary"]["hat"]["first"] == 6
    assert data["points"][0]["limits"]["true"] and data["points"][0]["finite_beta"]["hat"]["sufficient"] > 0


def test_the_schema_refuses(whole):
    _, data, _ = whole
    point = data["points"][0]
    for change in (
        {"extra": 1},
        {"seconds": -1},
        {"sizes": {**data["sizes"], "L": 1}},
        {"boundary": {**data["boundary"], "true": None}},
        {"points": [{**point, "limits": {"hat": [{**point["limits"]["hat"][0], "proven": "yes"}]}}]},
        {"points": [{k: v for k, v in point.items() if k != "answers"}]},
    ):
        assert not schema("region").is_valid({**data, **change}), change


def test_what_is_printed(capsys):
    assert command.main(SMALL) == 0
    out = capsys.readouterr().out
    assert (
        "hat steps, closed form" in out and "M_ft = 4 (as given)" in out and "FAILS at beta = inf (relation head" in out
    )
    assert "M_ft = 6 (the first where both hold)" in out and "every sequence is right at every finite beta >=" in out
    assert "nan" not in out and "None" not in out


def test_open_questions_are_exit_status_1(capsys):
    assert command.main([*SMALL, "--eta-ov", "1e30"]) == 1
    assert "open: U = 2, N_ft = 1, M_ft = 8, after true steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--U", "3"], "--U 3: must divide M = 8"),
        (["--U", "2,4"], "'2,4' is not a whole number"),
        (["--L", "1"], "--L 1: must be at least 2"),
        (["--N-ft", "0"], "--N-ft 0: must be at least 1"),
        (["--M-ft", "9"], "--M-ft 9: must be at most M = 8"),
        (["--M", "1000000000"], "--M 1000000000: with L = 2, U = 2, G = 4 the vocabulary has"),
        (["--eta-ov", "-1"], "--eta-ov -1: must be positive"),
        (["--eta-ov", "nan"], "'nan' is not a number"),
        (["--eta-kq-rel", "0"], "--eta-kq-rel 0: must be positive"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--sweep-U"], "argument --sweep-U: expected one argument"),
        (["--sweep-U", "2,"], "'2,' must be whole numbers separated by commas"),
        (["--sweep-U", "3"], "--sweep-U 3: must divide M = 8"),
        (["--sweep-N-ft", "2"], "--sweep-N-ft: only with --sweep-U"),
        (["--plot", "/tmp"], "--plot /tmp: is a folder"),
        (["--plot", "/tmp/picture.txt"], "must end in one of .png, .svg, .pdf"),
        (["--plot", "/tmp/one.png", "--json", "/tmp/../tmp/one.png"], "--plot /tmp/one.png: is the file of --json"),
        (["--U", "1", "--plot", "/tmp/one.png"], "--plot: with U = 1 alone there is nothing to draw"),
        (["--json", "/nowhere/at/all.json"], "the folder /nowhere/at does not exist"),
        (["--device", "tpu"], "invalid choice: 'tpu'"),
    ],
)
def test_bad_input(arguments, message, capsys):
    try:
        status = command.main([*SMALL, *arguments])
    except SystemExit as stop:
        status = stop.code
    out, error = capsys.readouterr()
    assert status == 2 and out == ""
    assert message in error and error.startswith("python -m verify.region: ") and error.count("\n") == 1


def test_the_sweep_has_its_own_M_ft():
    options = command.parser().parse_args([*SMALL, "--M-ft", "2", "--sweep-U", "4,2,4"])
    assert command.read(options)[1:] == ([2, 4], [1])


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
def test_nothing_is_left_behind(error, monkeypatch, capsys, tmp_path: Path):
    def stopped(*_, **__):
        raise error

    monkeypatch.setattr(command, "write_json", stopped)
    monkeypatch.setattr(command, "draw", lambda *_: None)
    target = tmp_path / "r.json"
    status = command.main([*SMALL, "--boundary-only", "--json", str(target)])
    assert status == (130 if error is KeyboardInterrupt else 2)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_showing_ends_where_nobody_reads(monkeypatch, capsys):
    """A closed pipe, no standard output at all, a full disk: no traceback; only the last is an error."""
    ends = os.pipe()
    os.close(ends[0])
    with open(ends[1], "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with paged() as console:
            console.print("nobody reads this")
    monkeypatch.setattr(sys, "stdout", None)
    with paged() as console:
        console.print("nobody")
    with pytest.raises(SystemExit) as stop, open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with paged() as console:
            console.print("x")
    assert stop.value.code == 2 and "standard output: No space left on device" in capsys.readouterr().err


@pytest.mark.long
def test_a_reader_that_has_gone(tmp_path: Path):
    """`| true`: the file is written, no traceback, and the status is that of the result."""
    target = tmp_path / "r.json"
    run = f"{sys.executable} -m verify.region {' '.join(SMALL)} --boundary-only --json {target}"
    done = subprocess.run(
        ["bash", "-c", f"{run} | true; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "") and json.loads(target.read_text())["open"] == []
