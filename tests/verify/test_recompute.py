"""Resuming an interrupted recomputation, and what the command may remove."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from importlib import resources

import jsonschema
import pytest

from verify import __main__ as verify_main
from verify import junit, recompute
from verify.recompute import State, source_key, trial
from verify.records import numbers
from verify.setting import SettingError

QUICK = [("index", "set"), ("lemC2", "set"), ("subj.E_Cy", "literal")]


def ignored(which, resumed) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "0123456789abcdef", "0123456789abcde", "folder"])
def test_nothing_but_earlier_runs_is_removed(tmp_path, name, fresh):
    """A folder that holds anything else is refused as it is: a file, also one with the name of a key, or a folder."""
    if name in ("folder", "0123456789abcde"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inside").write_text("kept", encoding="utf-8")
    else:
        (tmp_path / name).write_text("kept", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingError, match=rf"--state .*: holds {name}"):
        State(tmp_path, fresh)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_is_not_followed(tmp_path):
    target, folder = tmp_path / "precious", tmp_path / "state"
    target.mkdir()
    folder.mkdir()
    (folder / "0123456789abcdef").symlink_to(target)
    with pytest.raises(SettingError):
        State(folder, True)
    assert target.is_dir()


def test_the_command_refuses_such_a_folder(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("kept", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(SystemExit) as raised:
            verify_main.main(["--only", "index", "--state", str(folder)])
        assert raised.value.code == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1 and f"--state {folder}" in err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_runs_of_other_sources_are_removed(tmp_path):
    old, mine = tmp_path / "0123456789abcdef", tmp_path / source_key()
    for folder in (old, mine):
        folder.mkdir()
        (folder / "index.set.json").write_text("{}", encoding="utf-8")
    State(tmp_path)
    assert not old.exists() and mine.exists()
    State(tmp_path, fresh=True)
    assert list(mine.iterdir()) == []


def test_clearing(tmp_path):
    """The folder goes with its last run, and stays while something else is in it."""
    state = State(tmp_path / "state")
    state.keep(QUICK[0], {"id": "index"})
    state.clear()
    assert not (tmp_path / "state").exists()
    state = State(tmp_path / "state")
    (tmp_path / "state" / "note").write_text("kept", encoding="utf-8")
    state.clear()
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["note"]


def test_resumed_is_recomputed(tmp_path, monkeypatch):
    """Interrupted after the first trial; the second run tries only the others, and finds what a whole run finds."""
    whole = recompute.recompute(QUICK, 1, State(tmp_path / "whole"), ignored)
    tried = []

    def interrupting(which):
        if len(tried) == 1:
            raise KeyboardInterrupt
        tried.append(which)
        return trial(which)

    monkeypatch.setattr(recompute, "trial", interrupting)
    with pytest.raises(KeyboardInterrupt):
        recompute.recompute(QUICK, 1, State(tmp_path / "state"), ignored)
    assert tried == QUICK[:1]
    monkeypatch.setattr(recompute, "trial", trial)
    seen = []
    found = recompute.recompute(QUICK, 1, State(tmp_path / "state"), lambda *news: seen.append(news))
    assert seen == [(QUICK[0], True), (QUICK[1], False), (QUICK[2], False)]
    assert [numbers(one) for one in found.values()] == [numbers(one) for one in whole.values()]


def test_a_torn_file_is_computed_again(tmp_path):
    state = State(tmp_path)
    state._path(QUICK[0]).write_text('{"id": "ind', encoding="utf-8")
    assert state.found(QUICK[0]) is None
    assert recompute.recompute(QUICK[:1], 1, state, ignored)[QUICK[0]]["id"] == "index"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--jobs", "0"], "--jobs 0"),
        (["--jobs", "two"], "--jobs two"),
        (["--only", "nothing"], "'nothing'"),
        (["--only", ""], "''"),
        (["show"], "show needs the id"),
        (["show", "nothing"], "'nothing'"),
        (["mutants", "--json", "x"], "--json x: not with mutants"),
        (["record", "--only", "index"], "--only index: not with record"),
        (["ledger", "--junit", "x"], "--junit x: not with ledger"),
        (["report"], "report needs -o"),
        (["--junit", "/proc/x"], "--junit /proc/x"),
        (["--json", "/no/x"], "--json /no/x"),
    ],
)
def test_unusable_input(tmp_path, monkeypatch, capsys, arguments, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        verify_main.main(arguments)
    assert raised.value.code == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and name in err
    assert list(tmp_path.iterdir()) == []


def test_json_of_a_check(tmp_path, capsys):
    """Two claims through the command itself: both readings, valid by the schema, and nothing else is left behind."""
    target, state = tmp_path / "out.json", tmp_path / "state"
    arguments = ["--only", "index,subj.E_Cy", "--jobs", "1", "--json", str(target), "--state", str(state)]
    assert verify_main.main(arguments) == 0
    data = json.loads(target.read_text(encoding="utf-8"))
    text = resources.files("verify").joinpath("schema/check.schema.json").read_text(encoding="utf-8")
    assert list(jsonschema.Draft202012Validator(json.loads(text)).iter_errors(data)) == []
    tried = {(one["id"], one["reading"]) for one in data["claims"]}
    assert tried == {(name, reading) for name in ("index", "subj.E_Cy") for reading in ("set", "literal")}
    assert list(tmp_path.iterdir()) == [target]


def test_junit(tmp_path, records, monkeypatch):
    target = tmp_path / "out.xml"
    problems = {("index", "set"): ["index: <wrong> & more"], ("lemC2", "set"): []}
    junit.write_junit(target, list(records.values()), problems)
    suite = ElementTree.parse(target).getroot()
    assert suite.get("tests") == str(len(records)) and suite.get("failures") == "1"
    (failure,) = suite.iter("failure")
    assert failure.text == "index: <wrong> & more"
    old = target.read_bytes()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(junit.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        junit.write_junit(target, list(records.values()), {})
    assert target.read_bytes() == old and list(tmp_path.iterdir()) == [target]
