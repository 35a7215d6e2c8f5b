"""The option --unembedding: what it reaches, and that tied networks and others are never taken for each other."""

import json

import pytest
import torch

from numerics.gpt import load
from verify.findings import command, record
from verify.findings.command import Options
from verify.findings.findings import finding
from verify.findings.networks import Network, folder_of, sources
from verify.findings.precision import compared, unembedding_of
from verify.findings.runs import RunError
from verify.findings.settings import SIZES, config
from verify.representations import command as representations


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Finding 2 at tiny, tied and with an unembedding of its own; and where its networks are."""
    runs = tmp_path_factory.mktemp("runs")
    shown = finding("finding2")
    return runs, {name: command.run(shown, "tiny", 1, Options(runs, 1, unembedding=name)) for name in ("tied", "own")}


def test_it_reaches_every_network_and_the_record(made):
    runs, found = made
    for name, record_ in found.items():
        assert unembedding_of(record_) == name
        assert record_["setting"] == record.rounded(record.setting(SIZES["tiny"], unembedding=name))
    assert found["own"]["setting"]["says"].endswith(" (with an unembedding of its own, as in minGPT)")
    assert "minGPT" not in found["tied"]["setting"]["says"]
    folders = {path.parent for path in runs.glob("*/finished.json")}
    tied = {path: json.loads((path / "network.json").read_text())["config"]["model"]["tied"] for path in folders}
    assert sorted(tied.values()) == [False] * 4 + [True] * 4
    for path, one in tied.items():
        assert (load(path).unembedding is None) == one


def test_finetuning_goes_on_from_the_pretrained_unembedding(made):
    """And not from a copy of the embedding, as the variant `untied` of a tied network does: one step of AdamW moves a number by its
    rate and what decays at most, and a phase by so many times that."""
    runs, _ = made
    wanted = Network(config(SIZES["tiny"], 0), "icl").at("float32", "own")
    assert wanted.before is not None
    own, start = (load(folder_of(one, runs, sources())) for one in (wanted, wanted.before))
    phase = wanted.config.finetuning
    with torch.no_grad():
        far = (start.unembedding - start.token).abs().max()
        moved = (own.unembedding - start.unembedding).abs().max()
    assert moved <= 10 * phase.lr * phase.iterations and far > 2 * moved > 0


def test_they_are_other_networks_and_other_records(made):
    _, found = made
    tied, own = found["tied"], found["own"]
    assert tied["networks"][0] != own["networks"][0]
    half = own | {"config": own["config"] | {"autocast": "bfloat16"}}
    with pytest.raises(ValueError, match="records must be of one configuration but for the precision"):
        compared(tied, half)
    with pytest.raises(ValueError, match="unembedding must be one of 'tied', 'own', got 'mine'"):
        Network(config(SIZES["tiny"], 0)).at("float32", "mine")


@pytest.mark.parametrize("name", ["finding2", "fig5", "finding5"])
def test_what_is_asked_for_at_the_command_line_is_trained(name, tmp_path, monkeypatch, capsys):
    """With the precision, and without either; nothing is trained here."""
    asked = []

    def making(shown, preset, seeds, where, progress=None):
        asked.append((where.unembedding, where.precision))
        raise RunError("not trained")

    monkeypatch.setattr(representations, "run", lambda *rest: making(None, *rest))
    for options in (["--unembedding", "own", "--precision", "bfloat16"], []):
        arguments = [*options, "--runs", str(tmp_path), "--device", "cpu"]
        status = representations.main(arguments) if name == "finding5" else command.main(name, arguments, making)
        assert status == 2 and "not trained" in capsys.readouterr().err
    assert asked == [("own", "bfloat16"), ("tied", "float32")]


def test_another_one_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit) as left:
        command.main("finding2", ["--unembedding", "mine"])
    said = capsys.readouterr().err
    assert left.value.code == 2 and said.count("\n") == 1 and "'tied', 'own'" in said
