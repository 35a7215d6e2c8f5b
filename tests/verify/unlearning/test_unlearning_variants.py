"""Variants and what is measured of them, and the entry point on networks that take seconds."""

import json
from importlib import resources

import jsonschema
import pytest
import torch

from numerics.gpt import GPT, load
from verify.findings.networks import Network, folder_of, sources
from verify.findings.settings import SIZES, config
from verify.unlearning.__main__ import main, run
from verify.unlearning.picture import draw
from verify.unlearning.variants import VARIANTS, moved, networks, with_rows_of

SCHEMA = json.loads(resources.files("verify").joinpath("schema/unlearning.schema.json").read_text(encoding="utf-8"))
SIZE = SIZES["tiny"]


@pytest.fixture(scope="module")
def made(options):
    return run("tiny", 2, options)


def drawn(seed, tied=True):
    return GPT(9, 6, d=8, std=0.5, seed=seed, tied=tied, dtype=torch.float64)


@pytest.mark.parametrize("tied", [True, False])
def test_rows_are_put_back_as_inputs_alone(tied):
    model, start, rows = drawn(0, tied), drawn(1), torch.tensor([2, 5])
    kept = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = with_rows_of(model, start, rows)
    outputs = kept["token"] if tied else kept["unembedding"]
    assert torch.equal(found.unembedding, outputs)
    assert torch.equal(found.token[rows], start.token[rows])
    others = [i for i in range(9) if i not in (2, 5)]
    assert torch.equal(found.token[others], kept["token"][others])
    # The network that was given stays as it is, and sequences without these tokens have the same logits.
    assert all(torch.equal(weight, kept[name]) for name, weight in model.state_dict().items())
    assert torch.equal(found(torch.tensor([[0, 1, 3]])), model(torch.tensor([[0, 1, 3]])))
    assert not torch.equal(found(torch.tensor([[0, 2, 3]])), model(torch.tensor([[0, 2, 3]])))


def test_how_rows_moved():
    start, rows = drawn(0), torch.tensor([1, 3, 4])
    assert moved(start, start, rows) == {"length": 0.0, "common": 0.0}
    one, shift = drawn(0), torch.full((8,), 0.3, dtype=torch.float64)
    with torch.no_grad():
        one.token[rows] += shift
    found = moved(one, start, rows)
    square = start.token[rows].square().sum(1).mean().item()
    assert found["common"] == pytest.approx(1) and found["length"] == pytest.approx((8 * 0.09 / square) ** 0.5)
    with torch.no_grad():
        one.token[rows] += torch.stack((shift, -shift, 0 * shift))
    assert moved(one, start, rows)["common"] == pytest.approx(3 / 5)


def test_the_networks_differ_in_the_loss_and_in_nothing_else():
    found = networks(SIZE, 3)
    own = config(SIZE, 3)
    assert found[0] == Network(own)
    assert [one.objective for one in found[1:]] == [None, "no_subjects", "attributes", "last", None]
    assert [one.untied for one in found[1:]] == [False, False, False, False, True]
    assert all(one.config == own and one.kind == "icl" and one.before == found[0] for one in found[1:])


def test_the_record_is_as_the_schema_says(made, tmp_path):
    jsonschema.validate(made, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made | {"verdict": "perhaps"}, SCHEMA)
    assert made["seeds"] == [0, 1] and made["verdict"] == "nothing lost"
    (path,) = draw(made, tmp_path)
    assert path.name == "unlearning.png" and 10_000 < path.stat().st_size < 300_000


def test_measures_are_of_the_networks_they_name(made, options):
    one = made["networks"][0]
    start = load(options.runs / one["run"])
    subjects = torch.arange(4, 8)
    for name, network in zip(VARIANTS, networks(SIZE, 0)[1:], strict=True):
        folder = folder_of(network, options.runs, sources())
        assert one["runs"][name] == folder.name
        model = load(folder)
        assert (model.unembedding is not None) == (name == "untied")
        found = moved(model, start, subjects)
        assert one["moved"][name]["heldout"] == pytest.approx(found, rel=1e-4)
        assert one["curves"][name][0] == one["curves"]["all"][0]
    # Held-out subjects are no target and no input of finetuning: untied, only the decay of weights moves them.
    assert one["moved"]["untied"]["heldout"]["length"] < 1e-3 < 0.1 < one["moved"]["all"]["heldout"]["length"]


def test_the_command(options, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("verify.unlearning.__main__.PRESETS", (*SIZES, "none"))
    out = tmp_path / "made"
    arguments = ["--preset", "tiny", "--seeds", "1", "--runs", str(options.runs), "--processes", "1", "--device", "cpu"]
    assert main([*arguments, "--out", str(out)]) == 1
    out_text = capsys.readouterr().out
    assert "nothing lost" in out_text and "trivial" in out_text
    written = json.loads((out / "unlearning.json").read_text(encoding="utf-8"))
    jsonschema.validate(written, SCHEMA)
    assert sorted(path.name for path in out.iterdir()) == ["unlearning.json", "unlearning.png"]


def test_unusable_input(capsys):
    for arguments, words in (
        (["--seeds", "0"], "--seeds: '0' is not a whole number of at least 1"),
        (["--preset", "large"], "--preset: invalid choice: 'large'"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2 and words in capsys.readouterr().err
    with pytest.raises(ValueError, match="preset must be one of"):
        run("large")
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        run("tiny", 0)
