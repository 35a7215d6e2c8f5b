"""`python -m verify.divergence`: its JSON against the schema, what is printed, bad input, interruption; the committed record."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from numerics.corpus.bayes import bayes_accuracy
from numerics.corpus.config import selected
from numerics.pretraining.chains import divergence, transition_pool
from verify import divergence as command

SMALL = [
    "--G",
    "2",
    "--L",
    "2",
    "--pool",
    "40",
    "--S",
    "3",
    "6",
    "--div",
    "0.1",
    "0.5",
    "--seeds",
    "2",
    "--paths",
    "50",
]
COMMITTED = Path(__file__).resolve().parents[2] / "results" / "divergence"


def schema() -> jsonschema.Draft202012Validator:
    text = resources.files("verify").joinpath("schema/divergence.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def undescribed(node, path="") -> list[str]:
    """Properties of a schema that say nothing about themselves."""
    if isinstance(node, list):
        return [x for value in node for x in undescribed(value, path)]
    if not isinstance(node, dict):
        return []
    refer = [k for k, v in node.get("properties", {}).items() if not v.get("description") and "$ref" not in v]
    return [f"{path}.{key}" for key in refer] + [x for k, v in node.items() for x in undescribed(v, f"{path}.{k}")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Everything there is, once: exit status, JSON, picture."""
    folder = tmp_path_factory.mktemp("divergence")
    status = command.main([*SMALL, "--json", str(folder / "d.json"), "--plot", str(folder / "d.png")])
    assert sorted(p.name for p in folder.iterdir()) == ["d.json", "d.png"]
    return status, json.loads((folder / "d.json").read_text()), (folder / "d.png").read_bytes()


def test_the_json_is_as_the_schema_says(whole):
    status, data, picture = whole
    validator = schema()
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    assert undescribed(validator.schema) == [] and validator.schema["additionalProperties"] is False
    assert [e.message for e in validator.iter_errors(data)] == []
    assert status == 0 and picture.startswith(b"\x89PNG")
    assert data["setting"]["seeds"] == [0, 1] and data["setting"]["starts"] == 40


def test_the_same_again(whole):
    _, data, _ = whole
    options = command.parser().parse_args(SMALL)
    again = json.loads(json.dumps(command.check(command.read(options))))
    assert again["readings"] == data["readings"] and again["reach_all"] == data["reach_all"]


def test_the_schema_refuses(whole):
    _, data, _ = whole
    reading = data["readings"][0]
    for change in (
        {"extra": 1},
        {"seconds": -1},
        {"readings": []},
        {"readings": [{**reading, "norm": "l1"}]},
        {"readings": [{**reading, "requests": [{**reading["requests"][0], "reached": "yes"}]}]},
        {"readings": [{k: v for k, v in reading.items() if k != "largest"}]},
        {"reach_all": [{"norm": "rows"}]},
    ):
        assert not schema().is_valid({**data, **change}), change


def test_what_is_printed(capsys):
    assert command.main(SMALL) == 0
    out = capsys.readouterr().out
    assert all(norm in out for norm in ("entries", "rows", "variation", "operator", "max_row"))
    assert "Bayes S=6" in out and "Div 0.1, 0.5 all reached:" in out and "nan" not in out and "None" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--G", "1"], "--G must be an integer >= 2 (one token tells no types apart), got 1"),
        (["--L", "1"], "--L must be an integer >= 2, got 1"),
        (["--L", "41"], "--pool must be an integer >= 41 (--L), got 40"),
        (["--alpha", "0"], "--alpha must be a positive number, got 0.0"),
        (["--alpha", "nan"], "--alpha must be a positive number, got nan"),
        (["--alpha", "x"], "'x' is not a number"),
        (["--S", "0"], "--S must be an integer >= 1, got 0"),
        (["--S"], "argument --S: expected at least one argument"),
        (["--S", "10000000"], "--S 10000000: with 50 paths more than"),
        (["--pool", "1000000000"], "--pool 1000000000: with G = 2 the pool has more than"),
        (["--div", "-1"], "--div must be a positive number, got -1.0"),
        (["--div", "0"], "--div must be a positive number, got 0.0"),
        (["--seed", "-1"], "--seed must be an integer >= 0, got -1"),
        (["--seeds", "21"], "--seeds must be an integer in 1..20, got 21"),
        (["--paths", "0"], "--paths must be an integer in 1..1000000, got 0"),
        (["--plot", "/tmp"], "--plot /tmp: is a folder"),
        (["--plot", "/tmp/picture.txt"], "must end in one of .png, .svg, .pdf"),
        (["--plot", "/tmp/one.png", "--json", "/tmp/../tmp/one.png"], "--plot /tmp/one.png: is the file of --json"),
        (["--json", "/nowhere/at/all.json"], "the folder /nowhere/at does not exist"),
    ],
)
def test_bad_input(arguments, message, capsys):
    try:
        status = command.main([*SMALL, *arguments])
    except SystemExit as stop:
        status = stop.code
    out, error = capsys.readouterr()
    assert status == 2 and out == ""
    assert message in error and error.startswith("python -m verify.divergence: ") and error.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
def test_nothing_is_left_behind(error, monkeypatch, capsys, tmp_path):
    def stopped(*_, **__):
        raise error

    monkeypatch.setattr(command, "write_json", stopped)
    assert command.main([*SMALL, "--json", str(tmp_path / "d.json")]) == (130 if error is KeyboardInterrupt else 2)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def committed():
    return json.loads((COMMITTED / "divergence.json").read_text(encoding="utf-8"))


def test_the_committed_record_follows_the_schema_and_the_rule(committed):
    assert [e.message for e in schema().iter_errors(committed)] == []
    reached = []
    for one in committed["readings"]:
        chosen = [[s["reached"] for s in request["by_seed"]] for request in one["requests"]]
        asked = committed["setting"]["div"]
        if all(abs(x - div) < 0.05 for div, row in zip(asked, chosen, strict=True) for x in row):
            reached.append({"norm": one["norm"], "alpha": one["alpha"]})
    assert reached == committed["reach_all"]


def test_one_cell_of_the_committed_record_again(committed):
    one = next(r for r in committed["readings"] if (r["norm"], r["alpha"]) == ("variation", 1.0))
    setting = committed["setting"]
    pool = transition_pool(setting["pool"], setting["G"], 1.0, setting["seeds"][0])
    for request in one["requests"]:
        chains = selected(pool, setting["L"], "variation", request["div"])
        recorded = request["by_seed"][0]
        assert divergence(chains, "variation") == pytest.approx(recorded["reached"])
        # Other paths: the two samples differ by less than the sum of their margins, each missed once in 20.
        again = bayes_accuracy(chains, 20, 4000, seed=9)
        margin = (again.high - again.low) / 2 + recorded["accuracies"][0]["high"] - recorded["accuracies"][0]["low"]
        assert abs(again.value - recorded["accuracies"][0]["value"]) < margin


@pytest.mark.long
def test_the_committed_record_is_what_is_computed(committed):
    setting = {k: v for k, v in committed["setting"].items() if k not in ("starts", "printed", "confidence")}
    sizes = command.Sizes(**{k: tuple(v) if isinstance(v, list) else v for k, v in setting.items()})
    again = json.loads(json.dumps(command.check(sizes)))
    assert again["reach_all"] == committed["reach_all"]
    for one, other in zip(again["readings"], committed["readings"], strict=True):
        assert one["least"] == pytest.approx(other["least"]) and one["largest"] == pytest.approx(other["largest"])
        for request, recorded in zip(one["requests"], other["requests"], strict=True):
            assert request["mean"] == [pytest.approx(mean) for mean in recorded["mean"]]
