"""What a machine with an accelerator has not: python-flint, what the pages need, the history of the code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from numerics.gpt import load
from numerics.training.checkpoint import read_checkpoint
from verify import output
from verify.findings import record, runs
from verify.findings.entry import Options
from verify.findings.networks import Network
from verify.findings.settings import SIZES, config

ROOT = Path(output.__file__).resolve().parents[1]
ENTRY_POINTS = ("finding1", "finding2", "finding3", "finding4", "finding5", "fig5", "fig13", "fig14", "unlearning")
BLOCKED = """
import sys
from importlib import metadata
for name in ("flint", "latex2mathml", "pylatexenc", "jsonschema"):
    sys.modules[name] = None
known = metadata.version
def version(name):
    if name == "python-flint":
        raise metadata.PackageNotFoundError(name)
    return known(name)
metadata.version = version
"""
TRAINED = """
import json
from pathlib import Path
from verify.findings.command import Options, run
from verify.findings.findings import finding
made = run(finding("finding1"), "tiny", 1, Options(Path(sys.argv[1]), 1))
print(json.dumps([made["verdict"], made["versions"]]))
"""


def python(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [*(f"verify.{name}" for name in ENTRY_POINTS), "verify.bench"])
def test_entry_points_that_train_need_no_balls_and_no_pages(name):
    """--help imports all that the command line does."""
    code = "import runpy\nsys.argv = ['x', '--help']\n"
    code += (
        f"try:\n    runpy.run_module({name!r}, run_name='__main__')\nexcept SystemExit as end:\n    sys.exit(end.code)"
    )
    assert "usage" in python(code)


def test_a_record_is_made_without_them(tmp_path):
    verdict, versions = json.loads(python(TRAINED, str(tmp_path)).splitlines()[-1])
    assert verdict in (record.REPRODUCED, record.NOT_REPRODUCED)
    assert "python-flint" not in versions and versions["torch"] == torch.__version__


def test_the_revision_can_be_told_where_there_is_no_history(monkeypatch):
    assert output.revision() != "unknown"
    monkeypatch.setenv(output.REVISION, "abc")
    assert output.revision() != "abc"
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: (_ for _ in ()).throw(FileNotFoundError("git")))
    assert output.revision() == "abc"
    monkeypatch.delenv(output.REVISION)
    assert output.revision() == "unknown"


def test_the_record_names_the_device(monkeypatch):
    assert record.device_name("cpu") == "cpu" and record.device_name("cuda") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H100")
    assert record.device_name("cuda") == "cuda (H100)" and record.device_name("cpu") == "cpu"


def test_a_finished_network_keeps_no_moments_and_is_not_trained_again(tmp_path):
    own = Network(config(SIZES["tiny"], 0))
    folder = runs.ensured(own, tmp_path)
    kept = read_checkpoint(folder / "checkpoint.safetensors")
    assert kept.step == own.phase.iterations and "generator" in kept.tensors
    assert all(name.startswith("model.") for name in kept.tensors if name != "generator")
    weights = load(folder).state_dict()
    # Killed before it was called finished: the next call finds nothing left to do.
    (folder / runs.FINISHED).unlink()
    assert runs.ensured(own, tmp_path) == folder
    again = load(folder).state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    # What is finetuned from it begins at its weights.
    assert runs.ensured(Network(own.config, "icl"), tmp_path).is_dir()


def test_a_record_is_kept_where_a_picture_cannot_be_drawn(tmp_path, monkeypatch):
    from verify.findings import command

    made = command.run(command.finding("finding1"), "tiny", 1, Options(tmp_path / "runs", 1))
    monkeypatch.setattr(command, "draw", lambda made, out: (_ for _ in ()).throw(OSError("no room")))
    arguments = ["--out", str(tmp_path / "out"), "--device", "cpu"]
    assert command.main("finding1", arguments, lambda *a: made) == 2
    kept = json.loads((tmp_path / "out" / "finding.json").read_text(encoding="utf-8"))
    assert kept["networks"] == json.loads(json.dumps(made["networks"]))
