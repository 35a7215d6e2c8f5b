"""Resuming an interrupted recomputation, and what the command may remove."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from importlib import resources
from multiprocessing import Pipe
from pathlib import Path

import jsonschema
import pytest

from verify import __main__ as verify_main
from verify import junit, recompute
from verify import state as state_of_runs
from verify.recompute import trial
from verify.records import numbers
from verify.setting import SettingError
from verify.state import State, source_key

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


def left_by_a_killed_run(key, *whiches):
    run = key / "run-killed"
    run.mkdir(parents=True)
    for which in whiches:
        (run / f"{which[0]}.{which[1]}.json").write_text("{}", encoding="utf-8")
    return run


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    """It is tried for a while, since another run may be removing it, and no longer."""
    monkeypatch.setattr(state_of_runs, "TURN", 0.0)
    for name, target in (("loop", "loop"), ("nowhere", "/proc/nothing/of/this")):
        (tmp_path / name).symlink_to(target)
    for folder in (Path("/proc/x"), tmp_path / "nowhere", tmp_path / "loop"):
        with pytest.raises(SettingError, match="cannot be made or locked"):
            State(folder)


def test_a_link_to_nothing_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    State(tmp_path / "link").keep(QUICK[0], {})
    assert (tmp_path / "target" / source_key()).is_dir()


def test_runs_of_other_sources_are_removed(tmp_path):
    old, mine = tmp_path / "0123456789abcdef", tmp_path / source_key()
    for folder in (old, mine):
        left_by_a_killed_run(folder, QUICK[0])
    assert State(tmp_path).found(QUICK[0]) == {}
    assert not old.exists() and mine.exists()
    state = State(tmp_path, fresh=True)
    assert list(mine.iterdir()) == [state.folder] and state.found(QUICK[0]) is None


def test_a_run_touches_no_other_that_lives(tmp_path):
    """Neither by starting, fresh or from other sources, nor by finishing; a trial that it can read is read."""
    first = State(tmp_path / "state")
    first.keep(QUICK[0], {"id": "index"})
    second, third = State(tmp_path / "state"), State(tmp_path / "state", fresh=True)
    assert second.found(QUICK[0]) == {"id": "index"} and third.found(QUICK[0]) is None
    second.clear()
    third.clear()
    assert first.found(QUICK[0]) == {"id": "index"}
    first.keep(QUICK[1], {"id": "lemC2"})
    other = first.key.rename(first.key.with_name("0123456789abcdef"))
    State(tmp_path / "state").clear()
    assert sorted(path.name for path in (other / first.folder.name).iterdir()) == ["index.set.json", "lemC2.set.json"]


def test_what_a_killed_run_has_left_goes_trial_by_trial(tmp_path):
    """A run of one claim keeps what a killed run of all has finished of the others."""
    run = left_by_a_killed_run(tmp_path / "state" / source_key(), QUICK[0], QUICK[1])
    for which, left in ((QUICK[0], ["lemC2.set.json"]), (QUICK[2], ["lemC2.set.json"])):
        state = State(tmp_path / "state")
        assert (state.found(which) is None) == (which == QUICK[2])
        state.keep(which, {})
        state.clear()
        assert [path.name for path in run.iterdir()] == left
    state = State(tmp_path / "state")
    assert state.found(QUICK[1]) == {}
    state.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_removed_by_hand_costs_no_run(tmp_path):
    state = State(tmp_path / "state")
    shutil.rmtree(tmp_path / "state")
    state.keep(QUICK[0], {})
    state.clear()
    assert list(tmp_path.iterdir()) == []


LIVES = """
import sys
from pathlib import Path
from verify.state import State
for turn in range(40):
    state = State(Path(sys.argv[1]), fresh=turn % 5 == 0)
    for n in range(5):
        state.found((f"c{n}", "set"))
        state.keep((f"c{n}", "set"), {"n": n})
        assert state.found((f"c{n}", "set")) == {"n": n}
    state.clear()
"""


def test_many_at_once(tmp_path):
    """Four processes that start, keep and finish over and over: none loses a file, and no folder is left."""
    runs = [subprocess.Popen([sys.executable, "-c", LIVES, str(tmp_path / "state")]) for _ in range(4)]
    assert [run.wait(timeout=300) for run in runs] == [0] * 4
    assert list(tmp_path.iterdir()) == []


def test_commands_at_once(tmp_path):
    """Two checks and a show in one folder, beside what a killed check has left of another claim."""
    kept = left_by_a_killed_run(tmp_path / ".verify-run" / "ledger" / source_key(), QUICK[1])
    run = [sys.executable, "-m", "verify"]
    here = {**os.environ, "PYTHONPATH": str(Path(verify_main.__file__).parents[1])}
    commands = (["show", "index"], ["--only", "index", "--jobs", "1"], ["--only", "index,subj.E_Cy", "--jobs", "1"])
    made = [subprocess.Popen([*run, *c], cwd=tmp_path, env=here, stdout=subprocess.DEVNULL) for c in commands]
    assert [one.wait(timeout=300) for one in made] == [0, 0, 0]
    assert [path.name for path in (tmp_path / ".verify-run" / "ledger").glob("*/*/*")] == ["lemC2.set.json"]
    assert kept.is_dir()


KILLED = """
import os, signal, sys
from verify import recompute
from verify.__main__ import main
right = recompute.trial
def trial(which):
    if which == ("subj.E_Cy", "set"):
        os.kill(os.getpid(), signal.SIGKILL)
    return right(which)
recompute.trial = trial
main(["--only", "index,subj.E_Cy", "--jobs", "1", "--state", sys.argv[1]])
"""


def test_resumed_after_a_kill(tmp_path, monkeypatch, capsys):
    """kill -9 in the second trial: the next run tries the rest alone, and leaves nothing."""
    state = tmp_path / "state"
    assert subprocess.run([sys.executable, "-c", KILLED, str(state)], timeout=300).returncode == -signal.SIGKILL
    assert [path.name for path in state.glob("*/*/*")] == ["index.set.json"]
    tried = []

    def trying(which):
        tried.append(which)
        return trial(which)

    monkeypatch.setattr(recompute, "trial", trying)
    assert verify_main.main(["--only", "index,subj.E_Cy", "--jobs", "1", "--state", str(state)]) == 0
    assert ("index", "set") not in tried and len(tried) == 3
    assert list(tmp_path.iterdir()) == []


def test_show_keeps_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert verify_main.main(["show", "index"]) == 0
    assert "rerun: python -m verify show index" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


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


def test_an_interrupt_ends_the_workers_and_keeps_what_they_finished(tmp_path):
    """Ctrl-C as a terminal sends it, to all processes: a line, within seconds, and every finished claim as it should be."""
    # The claims of a chunk take seconds together.
    command = [sys.executable, "-m", "verify", "--jobs", "2", "--state", str(tmp_path / "state")]
    here = {**os.environ, "PYTHONPATH": str(Path(verify_main.__file__).parents[1])}
    made = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (kept := list(tmp_path.glob("state/*/*/*.json"))):
        assert made.poll() is None
        time.sleep(0.05)
    os.killpg(made.pid, signal.SIGINT)
    # Pipes are at their end when no process is left that could write to them.
    out, err = made.communicate(timeout=60)
    assert (made.returncode, out) == (130, "")
    assert err == f"python -m verify: interrupted; the same command goes on from {tmp_path / 'state'}\n"
    name, reading = kept[0].name.split(".json")[0].rsplit(".", 1)
    seen = []
    found = recompute.recompute([(name, reading)], 1, State(tmp_path / "state"), lambda *news: seen.append(news))
    assert seen == [((name, reading), True)]
    assert numbers(found[name, reading]) == numbers(json.loads(json.dumps(trial((name, reading)))))


def test_a_worker_that_is_killed_is_one_line(tmp_path, monkeypatch, capsys):
    """What is finished by then is kept."""

    def killed(missing, jobs):
        yield QUICK[0], trial(QUICK[0])
        mine, theirs = Pipe()
        theirs.close()
        recompute._received(mine, QUICK[1])

    monkeypatch.setattr(recompute, "_computed", killed)
    state = tmp_path / "state"
    assert verify_main.main(["--only", "index,lemC2", "--state", str(state)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("python -m verify: lemC2 (set): its process was ended") and err.count("\n") == 1
    assert f"goes on from {state}" in err and [path.name for path in state.glob("*/*/*")] == ["index.set.json"]


def test_an_error_in_a_worker_is_shown_as_it_was(monkeypatch):
    monkeypatch.setattr(recompute, "trial", lambda which: 1 / 0)
    mine, theirs = Pipe()
    theirs.send(recompute._tried(QUICK[0]))
    with pytest.raises(RuntimeError, match=r"(?s)index \(set\), in a worker process:.*ZeroDivisionError"):
        recompute._received(mine, QUICK[0])


def test_nothing_is_cleared_before_it_is_written(tmp_path, monkeypatch, capsys):
    """A disk that is full at the end costs no recomputation."""

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recompute, "trial", lambda which: {"id": which[0]})
    monkeypatch.setattr(verify_main, "compared", lambda records, whole: {})
    monkeypatch.setattr(verify_main, "write_json", full)
    state = tmp_path / "state"
    assert verify_main.main(["--only", "index", "--json", str(tmp_path / "x.json"), "--state", str(state)]) == 2
    assert "No space left on device; the same command goes on from" in capsys.readouterr().err
    assert len(list(state.glob("*/*/*"))) == 2


def test_a_torn_file_is_computed_again(tmp_path):
    state = State(tmp_path)
    (state.folder / "index.set.json").write_text('{"id": "ind', encoding="utf-8")
    assert state.found(QUICK[0]) is None
    assert recompute.recompute(QUICK[:1], 1, state, ignored)[QUICK[0]]["id"] == "index"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--jobs", "0"], "--jobs 0"),
        (["--jobs", "two"], "--jobs two"),
        (["--jobs", "100000"], "--jobs 100000: must be a whole number from 1 to"),
        (["--latex"], "--latex: not with check"),
        (["derive", "kq_rel", "--jobs", "2"], "--jobs 2: not with derive"),
        (["show", "index", "--fresh"], "--fresh: not with show"),
        (["ledger", "--state", "x"], "--state x: not with ledger"),
        (["report", "-o", "/proc/x"], "-o /proc/x: the folder /proc cannot be written to"),
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
