"""The entry points on networks that take seconds: records, pictures, exit codes, a network that is trained once."""

import json
from importlib import resources

import jsonschema
import pytest
import torch

from verify import fig9_10
from verify.trained import command, record, runs
from verify.trained.figures import FIGURES
from verify.trained.measured import Network
from verify.trained.pictures import draw
from verify.trained.runs import RunError, train_all
from verify.trained.settings import jobs
from verify.trained.trained import FINISHED

SCHEMA = json.loads(resources.files("verify").joinpath("schema/figure.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def made(folder):
    """The records of all figures on tiny networks."""
    return {name: command.run(shown, "tiny", 1, folder, 2) for name, shown in FIGURES.items()}


@pytest.mark.parametrize("name", list(FIGURES))
def test_records_are_as_the_schema_says(made, name):
    found = made[name][0]
    jsonschema.validate(found, SCHEMA)
    json.dumps(found, allow_nan=False)
    assert {network["variant"] for network in found["networks"]} == set(found["seeds"])
    for entry in found["statements"]:
        assert entry["base"]["count"] == sum(entry["by_seed"]["base"].values())
    # Networks of 30 iterations have no mechanism.
    assert found["verdict"] == "not reproduced"


def test_a_schema_violation_is_noticed(made):
    broken = made["fig9_10"][0] | {"verdict": "probably"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_pictures_are_drawn(made, tmp_path):
    for name in ("fig11_12", "fig19_21"):
        found, networks = made[name]
        trained, measured = networks[command.representative(found)]
        paths = draw(found, Network.of(trained), measured, tmp_path)
        assert [path.name for path in paths] == found["pictures"]
        assert all(path.stat().st_size > 10_000 and path.read_bytes()[:4] == b"\x89PNG" for path in paths)
    assert not list(tmp_path.glob(".*"))


def test_finished_networks_are_read(made, folder, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{FINISHED}")}
    monkeypatch.setattr(runs, "_work", None)
    again = command.run(FIGURES["fig9_10"], "tiny", 1, folder)[0]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    first = made["fig9_10"][0]
    ignored = {"seconds", "revision"}
    assert {k: v for k, v in again.items() if k not in ignored} == {k: v for k, v in first.items() if k not in ignored}


def test_a_network_that_cannot_be_trained_is_named(tmp_path):
    job = jobs("tiny", "relative", 1)[0]
    path = runs.folder_of(job, tmp_path, runs.sources())
    path.mkdir()
    (path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="variant base, seed 0: ValueError: out_dir must be new or hold the same run"):
        train_all([job], 16, tmp_path)


def test_exit_codes_and_files(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "PRESETS", ("tiny", "paper"))
    arguments = ["--preset", "tiny", "--seeds", "1", "--runs", str(folder)]
    out = tmp_path / "new" / "folder"
    assert command.main("fig9_10", [*arguments, "--out", str(out)]) == 1
    written = json.loads((out / "figure.json").read_text())
    jsonschema.validate(written, SCHEMA)
    assert sorted(path.name for path in out.iterdir()) == sorted(["figure.json", *written["pictures"]])
    assert "not reproduced" in capsys.readouterr().out
    (tmp_path / "file").touch()
    assert command.main("fig9_10", ["--out", ""]) == 2
    assert "--out '': must be the name of a folder" in capsys.readouterr().err
    assert command.main("fig9_10", ["--runs", str(tmp_path / "file"), "--out", str(tmp_path / "unused")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "unused").exists()
    assert command.main("fig9_10", [*arguments, "--out", str(tmp_path / "file" / "x")]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train_all", interrupted)
    assert command.main("fig9_10", arguments) == 130
    assert "trained networks are kept" in capsys.readouterr().err


def test_bad_arguments_are_one_line(capsys):
    for arguments in (["--preset", "huge"], ["--seeds", "0"], ["--nonsense"]):
        with pytest.raises(SystemExit) as found:
            command.main("fig9_10", arguments)
        assert found.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_committed_records(tmp_path, made):
    with pytest.raises(ValueError, match="figure must have a committed record, got 'fig9_10' without"):
        record.committed("fig9_10", tmp_path)
    (tmp_path / "fig9_10").mkdir()
    (tmp_path / "fig9_10" / "figure.json").write_text(json.dumps(made["fig9_10"][0]))
    assert record.committed("fig9_10", tmp_path)["figure"] == "fig9_10"
    assert fig9_10.NAME == "fig9_10"
