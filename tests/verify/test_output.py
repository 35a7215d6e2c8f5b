"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest

from verify import output
from verify.output import revision, versions, write_json


def test_written_whole(tmp_path):
    target = tmp_path / "é x.json"
    write_json(target, {"b": [1, "ü\n"], "a": None})
    assert target.read_text(encoding="utf-8").endswith("}\n")
    assert json.loads(target.read_text(encoding="utf-8")) == {"b": [1, "ü\n"], "a": None}
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json("x.json", [])
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == "[]\n"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, {"deep": [1, {"er": math.nan}]}])
def test_numbers_that_are_not_finite_are_refused(tmp_path, bad):
    target = tmp_path / "x.json"
    target.write_text("kept", encoding="utf-8")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(target, {"value": bad})
    assert target.read_text(encoding="utf-8") == "kept" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("bad", [object(), {1, 2}, np.float32(1.0), b"bytes"])
def test_values_that_json_does_not_know_are_refused(tmp_path, bad):
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", bad)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["replace", "chmod", "fdopen"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_on_the_way_leaves_the_old_file(tmp_path, monkeypatch, call, error):
    def fail(*args, **kwargs):
        raise error

    target = tmp_path / "x.json"
    target.write_text("kept", encoding="utf-8")
    monkeypatch.setattr(output.os, call, fail)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        write_json(target, {"a": 1})
    monkeypatch.undo()
    assert target.read_text(encoding="utf-8") == "kept" and list(tmp_path.iterdir()) == [target]


def test_a_reader_never_sees_a_part(tmp_path, monkeypatch):
    """At the moment of the renaming the new file is complete and the old one still there."""
    target = tmp_path / "x.json"
    write_json(target, {"old": True})
    seen = []
    rename = os.replace

    def watch(source, destination):
        seen.append((json.loads(target.read_text()), json.loads(Path(source).read_text())))
        rename(source, destination)

    monkeypatch.setattr(output.os, "replace", watch)
    write_json(target, {"new": list(range(10000))})
    assert seen == [({"old": True}, {"new": list(range(10000))})]


def test_a_link_is_followed(tmp_path):
    real, link = tmp_path / "folder" / "real.json", tmp_path / "link.json"
    real.parent.mkdir()
    real.write_text("{}", encoding="utf-8")
    link.symlink_to(real)
    write_json(link, [1])
    assert link.is_symlink() and json.loads(real.read_text()) == [1]
    assert list(real.parent.iterdir()) == [real]


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_json(tmp_path / "no" / "x.json", {})


def test_what_it_was_made_with():
    found = versions()
    assert set(found) == {"python", *output.PACKAGES} and all(re.match(r"\d+\.\d+", v) for v in found.values())
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", revision())


def test_outside_a_checkout(monkeypatch):
    def missing(*args, **kwargs):
        raise FileNotFoundError("git")

    monkeypatch.setattr(output.subprocess, "run", missing)
    assert revision() == "unknown"
