"""Writing the folder: whole or not at all, and never over what is no report."""

from __future__ import annotations

import os

import pytest

from verify.__main__ import main
from verify.report.folder import MANIFEST, ReportError, checked, replaced

FILES = {"index.html": "<p>1</p>", "claims/a.html": "<p>2</p>"}


def contents(path) -> dict[str, str]:
    return {str(f.relative_to(path)): f.read_text() for f in path.rglob("*") if f.is_file() and f.name != MANIFEST}


def test_new_folder(tmp_path):
    path = replaced(tmp_path / "out", FILES)
    assert contents(path) == FILES
    assert os.listdir(tmp_path) == ["out"]
    assert path.stat().st_mode & 0o777 == 0o755


def test_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    assert contents(replaced(tmp_path / "out", FILES)) == FILES


def test_an_earlier_report_is_replaced_as_a_whole(tmp_path):
    replaced(tmp_path / "out", {**FILES, "old.html": ""})
    assert contents(replaced(tmp_path / "out", FILES)) == FILES
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(ReportError, match=r"is not empty and holds no earlier report; give a new or an empty folder"):
        replaced(tmp_path / "out", FILES)
    assert contents(tmp_path / "out") == {"thesis.tex": "years of work"}


def test_a_stranger_in_an_earlier_report_is_left_alone(tmp_path):
    path = replaced(tmp_path / "out", FILES)
    (path / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"holds 'notes.txt', which the earlier report did not write"):
        replaced(path, FILES)
    assert (path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "another/1", "files": []}', '{"files": []}'])
def test_a_foreign_manifest_is_no_report(tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text(text)
    with pytest.raises(ReportError, match="holds no earlier report"):
        replaced(tmp_path / "out", FILES)


def test_a_file_and_a_missing_parent(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="is a file; give the name of a folder"):
        replaced(tmp_path / "file", FILES)
    with pytest.raises(ReportError, match="does not exist"):
        replaced(tmp_path / "no" / "out", FILES)


def test_nothing_is_left_where_writing_fails(tmp_path):
    replaced(tmp_path / "out", FILES)
    with pytest.raises(UnicodeEncodeError):
        replaced(tmp_path / "out", {**FILES, "bad.html": "\ud800"})
    assert os.listdir(tmp_path) == ["out"]
    assert contents(tmp_path / "out") == FILES


def test_a_folder_that_cannot_be_made(tmp_path):
    """Found out before the work, also where permissions do not say so."""
    with pytest.raises(ReportError, match=r"^-o /proc/x: the folder /proc cannot be written to \("):
        checked("/proc/x")
    with pytest.raises(ReportError, match=r"^-o '': must be the name of a folder"):
        checked("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ReportError, match="is a file"):
        checked(tmp_path / "loop")
    assert os.listdir(tmp_path) == ["loop"]


def refused(arguments: list[str], capsys) -> str:
    """What the command line says on standard error when it exits with 2."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr()
    assert stopped.value.code == 2 and said.out == "" and said.err.count("\n") == 1
    return said.err


def test_command_line_refuses_in_one_line(tmp_path, capsys):
    (tmp_path / "precious").write_text("")
    assert "is not empty" in refused(["report", "-o", str(tmp_path)], capsys)
    assert os.listdir(tmp_path) == ["precious"]


def test_command_line_needs_a_folder(capsys):
    assert "-o DIR" in refused(["report"], capsys)
    assert "-o x" in refused(["ledger", "-o", "x"], capsys)


def test_command_line_writes(tmp_path, capsys):
    assert main(["report", "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"written: {tmp_path / 'out' / 'index.html'}\n"
    assert (tmp_path / "out" / "claims" / "thm2.accuracy.html").is_file()
