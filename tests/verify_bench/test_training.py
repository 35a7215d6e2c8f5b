"""The trainer's benchmark: documented JSON, the same losses, exit status."""

import json
from pathlib import Path

import jsonschema
import pytest

from numerics.training import ModelConfig, RunConfig, WorldConfig
from verify.bench import __main__ as command
from verify.bench import training

SCHEMA = Path(command.__file__).resolve().parents[1] / "schema" / "bench-training.schema.json"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    config = RunConfig(world=WorldConfig(8, 2, 4), model=ModelConfig(d_h=8), S=3, n_tr=2, n_demos=2)
    monkeypatch.setattr(training, "settings", lambda quick: (config, 2))


def test_the_command_line(tmp_path, capsys):
    made, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    assert command.main(["training", "--quick", "--json", str(made), "--plot", str(picture)]) == 0
    record, schema = json.loads(made.read_text()), json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(record)
    assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size < 300_000
    for phase in training.PHASES:
        forms = record["phases"][phase]["forms"]
        assert [one["form"] for one in forms] == ["dense", "gathers", "distinct"]
        assert all(len(one["all_ms"]) == 2 and one["floor_ms"] > 0 for one in forms)
        assert forms[2]["times_slower_than_distinct"] == 1
    assert "distinct tokens (ours)" in capsys.readouterr().out


def test_a_form_that_computes_something_else_fails(monkeypatch):
    real = training.differences
    monkeypatch.setattr(training, "differences", lambda *a: real(*a) | {"gathers": 0.1})
    assert command.main(["training", "--quick"]) == 1


def test_differences_are_rounding():
    config = training.settings(True)[0]
    for phase in training.PHASES:
        assert max(training.differences(config, phase, "cpu").values()) < training.SAME
