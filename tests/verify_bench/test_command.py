"""The command line: what a quick run writes, and what it says of bad input."""

import json
import time
from pathlib import Path

import jsonschema
import pytest

from verify.bench import __main__ as command
from verify.bench import population
from verify.bench.methods import methods
from verify.bench.plot import spread

SCHEMA = Path(command.__file__).resolve().parents[1] / "schema" / "bench-population.schema.json"


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A quick run: exit status, seconds of this process (others may hold the processor), its JSON and its plot."""
    folder = tmp_path_factory.mktemp("bench")
    start = time.process_time()
    arguments = ["population", "--quick", "--device", "cpu"]
    status = command.main([*arguments, "--json", str(folder / "run.json"), "--plot", str(folder / "run.png")])
    seconds = time.process_time() - start
    return status, seconds, json.loads((folder / "run.json").read_text()), (folder / "run.png").read_bytes()


def test_a_quick_run_is_quick_and_agrees(quick):
    status, seconds, found, _ = quick
    assert status == 0 and found["problems"] == []
    assert seconds < 20


def test_json_is_as_documented(quick):
    found, schema = quick[2], json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(found)
    assert found["setting"]["quick"] is True
    names = [way.name for way in methods()]
    assert [one["name"] for one in found["methods"]] == names
    assert [row["method"] for row in found["table"]] == names * len(population.cases(True))
    assert {(curve["parameter"], curve["method"]) for curve in found["growth"]} == {
        (parameter, name) for parameter in ("M_ft", "m", "L", "U") for name in names
    }
    assert {"python", "torch"} <= set(found["versions"]) and found["revision"]


def test_rows_are_consistent(quick):
    rows = quick[2]["table"]
    run = [row for row in rows if row["not_run"] is None]
    assert {row["method"] for row in run} == {way.name for way in methods()}
    for row in run:
        size = row["sizes"]["sequences"]
        assert size == row["sizes"]["L"] * row["sizes"]["M_ft"] ** row["sizes"]["m"]
        assert row["sequences_per_second"] == pytest.approx(size / row["seconds"])
        assert row["method"] == "plain" or row["difference"]["agrees"]
        assert row["ratio_to_plain"]["least"] <= row["ratio_to_plain"]["median"] <= row["ratio_to_plain"]["largest"]
    for row in rows:
        assert row["not_run"] is None or "would take about" in row["not_run"]


def test_closed_forms_are_checked_and_reach_a_million(quick):
    forms = quick[2]["closed_forms"]
    assert [point["M"] for point in forms["points"]] == [10**k for k in range(2, 7)]
    assert forms["points"][0]["equal"] is True
    assert abs(forms["exponent"]["value"]) < 0.5


def test_the_plot_is_a_picture(quick):
    assert quick[3].startswith(b"\x89PNG")


def test_labels_keep_apart():
    assert spread([0.5, 0.1, 0.51], 0.05) == pytest.approx([0.5, 0.1, 0.55])
    assert spread([0.2, 0.2, 0.2], 0.1) == pytest.approx([0.2, 0.3, 0.4])


def test_a_disagreement_is_exit_status_1(monkeypatch, capsys, tmp_path):
    """A method that returns another objective's gradients."""
    hat = methods()[-1]
    honest = methods()
    wrong = honest[1].__class__("autograd", "wrong", hat.call)
    monkeypatch.setattr(population, "methods", lambda: (honest[0], wrong))
    monkeypatch.setattr(population, "cases", lambda quick: population_cases[:1])
    monkeypatch.setattr(population, "sweeps", lambda quick: ())
    assert command.main(["population", "--quick", "--device", "cpu"]) == 1
    assert "wrong on balanced" in capsys.readouterr().out


population_cases = population.cases(True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: what"),
        (["speed"], "invalid choice: 'speed'"),
        (["population", "--threads", "0"], "'0' is not a whole number of at least 1"),
        (["population", "--json", "/nowhere/at/all.json"], "the folder /nowhere/at does not exist"),
        (["population", "--plot", "/tmp"], "is a folder"),
        (["population", "--plot", "/tmp/plot.pdf"], "give a name that ends in .png"),
        (["population", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["gpt", "--threads", "99999999"], "--threads 99999999: there are"),
        (["gpt", "--json", "/tmp/one.png", "--plot", "/tmp/one.png"], "is also the file of --json"),
    ],
)
def test_bad_input(arguments, message, capsys):
    try:
        status = command.main(arguments)
    except SystemExit as stop:
        status = stop.code
    out, error = capsys.readouterr()
    assert status == 2 and out == ""
    assert message in error and error.startswith("python -m verify.bench: ") and error.count("\n") == 1


def test_no_accelerator(monkeypatch, capsys):
    monkeypatch.setattr(command.torch.cuda, "is_available", lambda: False)
    assert command.main(["population", "--device", "cuda"]) == 2
    assert "no CUDA device is available here; use cpu or auto" in capsys.readouterr().err


def test_interrupted(monkeypatch, capsys, tmp_path):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(population, "table", stopped)
    target = tmp_path / "run.json"
    assert command.main(["population", "--quick", "--json", str(target)]) == 130
    assert capsys.readouterr().err == "python -m verify.bench: interrupted, nothing written\n"
    assert not list(tmp_path.iterdir())
