"""Unusable input: one line that names the parameter, its value and what would be valid; status 2; nothing written."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from numerics.world import World
from verify import __main__ as verify_main
from verify import prop1, theorem1
from verify.arguments import parser, writable_folder
from verify.explain import __main__ as explain
from verify.setting import Setting, SettingError, checked
from verify.witnesses import Witnesses

WHOLE = ("--M", "--L", "--U", "--M-ft", "--G", "--N-ft", "--S", "--seed")
STEPS = ("--eta-kq-subj", "--eta-ov", "--eta-kq-rel")


@pytest.fixture
def refused(tmp_path: Path, capsys, monkeypatch):
    """Runs main on bad arguments and checks everything that is common to all refusals; returns the line."""

    def never(*args, **kwargs):
        raise AssertionError("the job was started")

    monkeypatch.setattr(theorem1, "run", never)

    def check(*arguments: str, names: tuple[str, ...] = (), target: bool = True) -> str:
        old = tmp_path / "old.json"
        old.write_text("kept", encoding="utf-8")
        before = sorted(p.name for p in tmp_path.iterdir())
        more = ["--json", str(old)] if target else []
        try:
            status = theorem1.main([*arguments, *more])
        except SystemExit as exit_:
            status = exit_.code
        out = capsys.readouterr()
        assert status == 2
        assert out.out == ""
        assert out.err.endswith("\n") and len(out.err.splitlines()) == 1, out.err
        assert "Traceback" not in out.err
        for name in names:
            assert name in out.err
        assert old.read_text(encoding="utf-8") == "kept"
        assert sorted(p.name for p in tmp_path.iterdir()) == before
        return out.err

    return check


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--M", "10", "--L", "1", "--U", "3"), ("--U 3", "divide M = 10", "1, 2, 5, 10")),
        (("--M", "8", "--L", "1", "--U", "8", "--M-ft", "4"), ("--U 8", "at most M_ft = 4")),
        (("--M", "8", "--L", "1", "--U", "2", "--M-ft", "9"), ("--M-ft 9", "at most M = 8")),
        (("--M", "8", "--L", "2", "--U", "2,4,8"), ("--U 2,4,8", "one number, or one per type", "L = 2")),
        (("--M", "8", "--L", "2", "--U", "2,3"), ("--U 3", "divide M = 8")),
        (("--M", "8", "--L", "2", "--U", "2,,4"), ("'2,,4'", "separated by commas")),
        (("--M", "1", "--L", "1", "--U", "1"), ("--M-ft 0", "at least 1")),
        (("--beta", "0"), ("--beta 0", "positive")),
        (("--beta", "-1"), ("--beta -1", "positive")),
        (("--beta", "nan"), ("--beta", "nan", "positive number, or inf")),
        (("--beta", "hot"), ("--beta", "hot", "positive number, or inf")),
        (("--beta", "1e400"), ("--beta", "'1e400' is out of range", "up to 1.8e+308, or inf")),
        (("--facts", ""), ("--facts ''", "the name of a CSV file")),
        (("--beta=-inf",), ("--beta -inf", "positive")),
        (("--reading", "bag"), ("--reading", "bag", "set", "literal")),
        (("--device", "tpu"), ("--device", "tpu", "cpu", "cuda")),
        (("--bogus", "1"), ("--bogus",)),
        (("--M_ft", "4"), ("--M_ft",)),
        (("--M",), ("--M", "expected one argument")),
        (("--bad\noption",), ("--bad option",)),
        (("--seed", "-1"), ("--seed -1", "at least 0")),
    ],
)
def test_refusals(refused, arguments, names):
    refused(*arguments, names=names)


@pytest.mark.parametrize("option", WHOLE)
@pytest.mark.parametrize("value", ["0", "-3", "2.5", "many", "", "1e3", "nan"])
def test_whole_numbers(refused, option, value):
    """Every count, at 0, below, and as something that is no whole number. A seed may be 0."""
    if (option, value) == ("--seed", "0"):
        assert parser("p", "").parse_args([option, value]).seed == 0
        return
    line = refused(option, value, names=(option,))
    if value in ("0", "-3"):
        assert f"{option} {value}: must be at least" in line
    else:
        assert f"{value!r} is not a whole number" in line


@pytest.mark.parametrize("option", STEPS)
@pytest.mark.parametrize("value", ["0", "-1", "-1/3", "x", "", "nan", "inf", "-inf", "infinity", "1/0", "1//2"])
def test_step_sizes(refused, option, value):
    line = refused(f"{option}={value}", names=(option, value))
    assert "positive" in line or "is not a number (a decimal or a fraction" in line


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--eta-ov", "0/3", "--eta-ov 0: must be positive"),
        ("--beta", "1e-400", "'1e-400' is out of range (valid: positive numbers from 4.94e-324 on, or inf)"),
        ("--beta", "1e400", "'1e400' is out of range"),
        ("--beta", "0.0", "--beta 0.0: must be"),
    ],
)
def test_zeros_and_numbers_too_small(refused, option, value, words):
    refused(option, value, names=(words,))


@pytest.mark.parametrize("value", ["1e400", "1e999999999", "1e-400", "1e-999999999", "1e101", "1/1e300"])
def test_step_sizes_beyond_float64(refused, value):
    """Not a traceback after the work, and not minutes spent on writing out the digits."""
    refused("--eta-ov", value, names=("--eta-ov", value))


@pytest.mark.parametrize(("value", "exact"), [("1/3", "1/3"), ("0.1", "1/10"), ("1e-3", "1/1000"), ("2", "2")])
def test_good_steps_are_exact(value, exact):
    assert str(parser("p", "").parse_args(["--eta-ov", value]).eta_ov) == exact


FACTS = {
    "empty": (b"", ("empty",)),
    "header only": (b"name,city\n", ("no rows",)),
    "one column": (b"name\nAnn\n", ("row 1", "at least 2 columns")),
    "ragged": (b"name,city\nAnn,Rome\nBob\n", ("row 3", "1 cell(s)", "valid: 2")),
    "ragged long": (b"name,city\nAnn,Rome,Oslo\n", ("row 2", "3 cell(s)")),
    "empty cell": (b"name,city\nAnn,Rome\nBob,\n", ("row 3", "'city'", "empty")),
    "duplicate": (b"name,city\nAnn,Rome\nAnn,Oslo\n", ("row 3", "'Ann'", "row 2", "distinct")),
    "binary": (bytes(range(256)) * 4, ()),
    "zero bytes": (b"name,city\nAnn,Ro\0me\n", ("row 2", "UTF-8")),
    "latin": ("name,city\nAnn,Zürich\n".encode("latin-1"), ("UTF-8",)),
    "escape": (b"name,city\nAnn,\x1b[31mRome\n", ("'\\x1b[31mRome'", "control character")),
    "open quote": (b'name,city\nAnn,"Rome\n', ("CSV",)),
    "semicolons": (b"name;city\nAnn;Rome\n", ("row 1", "separated by commas")),
    "blank first": (b"\nname,city\nAnn,Rome\n", ("row 1", "is empty")),
    "blank between": (b"name,city\nAnn,Rome\n\nBob,Oslo\n", ("row 3", "is empty", "at the end alone")),
}


@pytest.mark.parametrize("case", FACTS)
def test_fact_tables(refused, tmp_path, case):
    content, names = FACTS[case]
    file = tmp_path / "facts.csv"
    file.write_bytes(content)
    line = refused("--facts", str(file), names=(str(file), *names))
    assert "valid" in line


def test_fact_table_paths(refused, tmp_path):
    refused("--facts", str(tmp_path / "none.csv"), names=("none.csv", "no such file"))
    refused("--facts", str(tmp_path), names=(str(tmp_path), "not a file"))
    refused("--facts", f"{tmp_path}/two\nlines.csv", names=("no such file",))


def test_fact_table_against_other_options(refused, tmp_path):
    file = tmp_path / "facts.csv"
    file.write_text("name,city\nAnn,Rome\nBob,Oslo\n", encoding="utf-8")
    for option in ("--M", "--L", "--U"):
        refused("--facts", str(file), option, "2", names=(f"{option}: not with --facts",))
    refused("--facts", str(file), "--M-ft", "3", names=("--M-ft", "3", "2"))
    refused("--facts", str(file), "--M-ft", "0", names=("--M-ft", "0"))
    refused("--facts", str(file), "--G", "0", names=("--G 0", "at least 1"))
    refused("--facts", str(file), "--N-ft", "0", names=("--N-ft 0", "at least 1"))
    refused("--facts", str(file), "--seed", "-2", names=("--seed -2", "at least 0"))


def test_targets(refused, tmp_path):
    """A target that cannot be written is found before the work."""
    small = ("--M", "4", "--L", "1", "--U", "2", "--N-ft", "1")
    refused(*small, "--json", str(tmp_path / "no" / "x.json"), names=("--json", "does not exist"), target=False)
    refused(*small, "--json", str(tmp_path), names=("--json", "is a folder"), target=False)
    refused(*small, "--json", "/dev/null", names=("--json /dev/null", "not a regular file"), target=False)
    refused(*small, "--json", "/proc/x.json", names=("--json /proc/x.json", "nothing can be written"), target=False)
    refused(*small, "--json", "", names=("--json ''", "the name of a file"), target=False)
    refused(*small, "--json", "-", names=("--json -", "./-"), target=False)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(
        *small, "--json", str(tmp_path / "loop" / "x.json"), names=("passes a link that leads to itself",), target=False
    )
    refused(*small, "--json", str(tmp_path / "loop"), names=("a link that leads to itself",), target=False)
    refused(*small, "--json", str(tmp_path / ("x" * 250)), names=("File name too long",), target=False)
    refused(*small, "--json", str(tmp_path / ("x" * 300)), names=("the name is too long",), target=False)
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    refused(*small, "--json", str(tmp_path / "file" / "x.json"), names=("file is not one",), target=False)


@pytest.mark.parametrize("path", ["facts.csv", "folder/../facts.csv", "link.csv", "hard.csv"])
@pytest.mark.parametrize(
    ("command", "option"), [(theorem1, "--json"), (explain, "--json"), (explain, "--output"), (prop1, "--json")]
)
def test_the_input_is_not_replaced(tmp_path, monkeypatch, capsys, command, option, path):
    """By whatever path an output names the file of --facts."""
    monkeypatch.chdir(tmp_path)
    facts = tmp_path / "facts.csv"
    facts.write_text("name,city\nAnn,Rome\nBob,Oslo\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(facts)
    (tmp_path / "hard.csv").hardlink_to(facts)
    assert command.main(["--facts", str(facts), "--N-ft", "1", option, path]) == 2
    assert f"{option} {path}: is the file of --facts; give another one" in capsys.readouterr().err
    assert facts.read_text(encoding="utf-8").startswith("name,city")


def test_two_outputs_are_two_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        verify_main.main(["--json", "x", "--junit", str(tmp_path / "x")])
    assert raised.value.code == 2 and "is the file of --json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_world_beyond_memory_is_refused_before_it_is_built(refused, monkeypatch):
    monkeypatch.setattr("verify.arguments.World.balanced", lambda *a, **k: pytest.fail("built"))
    refused("--M", "1000000000000", names=("--M 1000000000000", "memory", "smaller"))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (
            ("--G", "1000000000", "--M", "16", "--L", "2", "--U", "4"),
            ("--M 16 --L 2 --U 4 --G 1000000000", "1000000027 tokens"),
        ),
        (("--M", "1000000"), ("--M 1000000: the vocabulary has 1000269 tokens", "up to 200000")),
        (("--L", "1000000", "--M", "16", "--U", "4"), ("5000021 tokens",)),
        (("--L", "10000", "--M", "1000", "--U", "1"), ("10000000 facts", "up to 2000000")),
    ],
)
def test_worlds_without_an_end_are_refused(refused, arguments, names):
    refused(*arguments, names=names)


def test_a_world_beyond_memory(refused, monkeypatch):
    def full(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("verify.arguments.World.balanced", full)
    refused("--M", "8", "--L", "1", "--U", "2", names=("--M 8", "memory", "smaller"))


@pytest.mark.parametrize(
    ("module", "arguments", "name"),
    [
        ("verify.theorem1", ("--M", "10", "--U", "3", "--L", "1"), "--U 3"),
        ("verify.theorem1", ("--beta", "nan"), "--beta"),
        ("verify", ("appeal",), "appeal"),
        ("verify", ("record", "--json", "x.json"), "--json x.json"),
    ],
)
def test_as_a_process(tmp_path, module, arguments, name):
    """Exit status 2 and one line, from any folder."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and name in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ledger_target(tmp_path, capsys):
    for target in (tmp_path, tmp_path / "no" / "x.json", Path("/dev/null")):
        with pytest.raises(SystemExit) as raised:
            verify_main.main(["ledger", "--json", str(target)])
        assert raised.value.code == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1 and f"--json {target}" in err


def test_populations_beyond_float64_are_refused():
    """Up front, with the largest number of demonstrations that is not."""
    made = Setting(M=256, L=8, U=(32,) * 8, M_ft=128, N_ft=150)
    with pytest.raises(SettingError, match=r"--N-ft 150: .* valid: at most 140 with this M_ft"):
        checked(made)
    assert f"{checked(replace(made, N_ft=140)).population:.6g}" == "1.0464e+298"
    with pytest.raises(SettingError):
        checked(replace(made, N_ft=141))
    assert checked(replace(made, M_ft=1, U=(1,) * 8, N_ft=300)).population == 8
    with pytest.raises(SettingError, match="--N-ft 301: must be at most 300"):
        checked(replace(made, M_ft=1, U=(1,) * 8, N_ft=301))


def test_no_sample_of_very_long_sequences():
    """32 of them a replicate are more than the sample may cost; of the paper's length they are not."""
    for N_ft, heard in ((5, True), (300, False)):
        setting = checked(Setting(M=8, L=2, U=(2, 2), M_ft=8, N_ft=N_ft, G=1))
        w = Witnesses(setting, World.balanced(8, 2, 2, 8, n_grammar=1))
        if N_ft == 5:
            vars(w)["autograd_feasible"] = lambda: False
        assert not w.autograd_feasible() and (w.autograd_sampled is not None) is heard


def test_commands_that_begin_at_the_same_time_may_write_to_one_folder(tmp_path):
    folder = tmp_path / "runs"
    before = sys.getswitchinterval()

    def begun(_):
        return [writable_folder("--runs", str(folder)) for _ in range(400)]

    # Threads change places after every step, as processes do.
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(found == [folder] * 400 for found in pool.map(begun, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for name, words in (
        (" ", "must be the name of a folder"),
        (str(tmp_path / "file" / "runs"), "no folder that can be written"),
    ):
        with pytest.raises(SettingError, match=words):
            writable_folder("--runs", name)
