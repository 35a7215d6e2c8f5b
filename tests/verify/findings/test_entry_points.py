"""The entry points on networks that take seconds: records, pictures, exit codes, a network that is trained once."""

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import pytest
import torch

from numerics.gpt import finetune, load
from verify import finding1
from verify.findings import command, pictures, record, runs
from verify.findings.findings import FINDINGS
from verify.findings.measured import Trained, curve_of
from verify.findings.networks import FINISHED, Network, folder_of, sources
from verify.findings.pictures import draw
from verify.findings.settings import SIZES, config, grid, nested

SCHEMA = json.loads(resources.files("verify").joinpath("schema/finding.schema.json").read_text(encoding="utf-8"))
SIZE = SIZES["tiny"]


@pytest.fixture(scope="module")
def made(options):
    """The records of all findings on tiny networks, one seed each."""
    return {name: command.run(shown, "tiny", 1, options) for name, shown in FINDINGS.items()}


@pytest.mark.parametrize("name", list(FINDINGS))
def test_records_are_as_the_schema_says(made, name):
    found = made[name]
    jsonschema.validate(found, SCHEMA)
    json.dumps(found, allow_nan=False)
    # Networks of four iterations show nothing.
    assert found["verdict"] == "not reproduced"
    assert not found["setting"]["papers_sizes"]
    assert found["seeds"] == [0]


def test_a_schema_violation_is_noticed(made):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made["finding1"] | {"verdict": "probably"}, SCHEMA)


def test_curves_start_before_training_and_end_with_the_network(made, options):
    shown = made["finding2"]["networks"][0]
    start, end = (made["finding1"]["networks"][0]["pretraining"][-1], shown["finetuned"][0])
    assert start["icl_heldout"] == end["icl_heldout"]
    assert [point["step"] for point in shown["finetuned"]] == [0, 2, 4]
    network = Network(config(SIZE, 0), "icl")
    folder = folder_of(network, options.runs, sources())
    rounded = record.rounded(curve_of(Trained(network, folder), SIZE.final, "cpu"))
    assert rounded[-1] == shown["finetuned"][-1]
    assert rounded[0] == record.rounded(shown["scratch"][0])


def test_pictures_are_drawn(made, tmp_path):
    for found in made.values():
        paths = draw(found, tmp_path)
        assert [path.name for path in paths] == found["pictures"]
        assert all(10_000 < path.stat().st_size < 300_000 and path.read_bytes()[:4] == b"\x89PNG" for path in paths)
    with pytest.raises(ValueError, match="picture must be one of"):
        draw(made["finding1"] | {"pictures": ["fig99.png"]}, tmp_path)


def test_a_heavy_picture_is_kept_in_few_colours(made, tmp_path, monkeypatch):
    [whole] = draw(made["finding1"], tmp_path)
    before = whole.stat().st_size
    monkeypatch.setattr(pictures, "HEAVY", before)
    [light] = draw(made["finding1"], tmp_path)
    assert light.stat().st_size < before


def test_finished_networks_are_read_and_shared(made, options, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in options.runs.glob(f"*/{FINISHED}")}

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(runs, "_train", never)
    again = command.run(FINDINGS["finding3"], "tiny", 1, options)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    ignored = {"seconds", "revision"}
    assert {k: v for k, v in again.items() if k not in ignored} == {
        k: v for k, v in made["finding3"].items() if k not in ignored
    }


def test_what_decides_a_network_names_it():
    base = Network(config(SIZE, 0), "icl")
    others = [
        Network(config(SIZE, 1), "icl"),
        Network(config(SIZE, 0), "icl+grm"),
        Network(config(SIZE, 0), "icl", scratch=True),
        Network(config(SIZE, 0), "icl", (0, 1)),
        Network(config(SIZE, 0), "icl", objective="last"),
        Network(config(SIZE, 0), "icl", untied=True),
        Network(config(SIZE, 0, S=6), "icl"),
        Network(config(SIZE, 0)),
    ]
    assert len({json.dumps(one.identity(), sort_keys=True) for one in [base, *others]}) == 9
    assert Network(config(SIZE, 0), "icl", (0, 1, 2, 3)).identity() == base.identity()
    assert Network(config(SIZE, 0), "icl").before == Network(config(SIZE, 0))
    assert Network(config(SIZE, 0), "icl", scratch=True).before is None
    assert Network(config(SIZE, 0), "icl", objective="last").before == Network(config(SIZE, 0))
    assert Network(config(SIZE, 0), "icl", untied=True).before == Network(config(SIZE, 0))
    with pytest.raises(ValueError, match="untied must be False for a network that is not pretrained, got True"):
        Network(config(SIZE, 0), "icl", scratch=True, untied=True)
    for more in ({"scratch": True}, {"objective": "last"}, {"untied": True}):
        with pytest.raises(ValueError, match="kind must be"):
            Network(config(SIZE, 0), "pretraining", **more)
    with pytest.raises(ValueError, match="objective must be"):
        Network(config(SIZE, 0), "icl", objective="first")
    with pytest.raises(ValueError, match="kind must be one of"):
        Network(config(SIZE, 0), "pt")


def test_the_loss_of_the_last_token_is_another_finetuning_of_the_same_pretraining(options, made):
    """Trained again by hand: the curve in the record is that of a config with this loss."""
    own = config(SIZE, 0)
    start = runs.ensured(Network(own), options.runs)
    found = runs.ensured(Network(own, "icl", objective="last"), options.runs)
    again = finetune(replace(own, loss="last"), options.runs / "by hand", start, "icl")
    for name, weight in load(found).named_parameters():
        assert torch.equal(weight, dict(again.named_parameters())[name])
    shown = made["finding2"]["networks"][0]
    assert shown["last_run"] == found.name and shown["last"][0] == shown["finetuned"][0]
    assert shown["last"][-1] != shown["finetuned"][-1]


def test_finding_3_is_asked_with_a_loss_of_attributes_alone_too(options, made):
    wanted = Network(config(SIZE, 0), "icl+grm", objective="attributes")
    assert FINDINGS["finding3"].needed(SIZE, 0)[-1] == wanted
    assert wanted not in FINDINGS["finding2"].needed(SIZE, 0)
    shown = made["finding3"]["networks"][0]
    assert shown["attributes_run"] == runs.ensured(wanted, options.runs).name
    assert shown["attributes"][0] == shown["finetuned"][0]
    assert shown["attributes"][-1] not in (shown["finetuned"][-1], shown["last"][-1])


def test_the_pretrained_network_is_the_one_that_is_finetuned(options, made, tmp_path):
    network = Network(config(SIZE, 0), "icl", (1, 3))
    folder = runs.finetuned(network.config, "icl", (1, 3), runs=options.runs)
    start = runs.pretrained(network.config, runs=options.runs)
    again = finetune(network.config, tmp_path, start, "icl", subjects=(1, 3))
    assert torch.equal(load(folder).token, again.token)


@pytest.mark.long
def test_two_processes_train_the_same_networks(made, options, tmp_path):
    networks = FINDINGS["finding2"].needed(SIZE, 0)
    for network, folder in zip(networks, runs.train_all(networks, tmp_path, 2), strict=True):
        one = folder_of(network, options.runs, sources())
        assert torch.equal(load(one).token, load(folder).token)


def test_a_network_that_cannot_be_trained_is_named(tmp_path):
    network = Network(config(SIZE, 0))
    folder = folder_of(network, tmp_path, sources())
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_text("none")
    with pytest.raises(runs.RunError, match="pretraining, seed 0: ValueError: checkpoint must be"):
        runs.train_all([network], tmp_path, 1)


def test_exit_codes_and_files(options, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "PRESETS", ("tiny", "paper"))
    arguments = ["--preset", "tiny", "--seeds", "1", "--runs", str(options.runs), "--processes", "1"]
    out = tmp_path / "new" / "folder"
    assert command.main("finding1", [*arguments, "--out", str(out)]) == 1
    written = json.loads((out / "finding.json").read_text())
    jsonschema.validate(written, SCHEMA)
    assert sorted(path.name for path in out.iterdir()) == sorted(["finding.json", *written["pictures"]])
    assert "not reproduced" in capsys.readouterr().out
    (tmp_path / "file").touch()
    assert command.main("finding1", [*arguments, "--out", str(tmp_path / "file" / "x")]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    assert command.main("finding1", arguments, interrupted) == 130
    assert "trained networks are kept" in capsys.readouterr().err


def test_bad_arguments_are_one_line(capsys):
    for arguments in (["--preset", "huge"], ["--seeds", "0"], ["--nonsense"]):
        with pytest.raises(SystemExit) as found:
            command.main("finding1", arguments)
        assert found.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
    for preset, seeds in (("huge", 1), ("tiny", 0)):
        with pytest.raises(ValueError, match="must be"):
            command.run(FINDINGS["finding1"], preset, seeds)


def test_committed_records(tmp_path, made):
    with pytest.raises(ValueError, match="finding must have a committed record, got 'finding1' without"):
        record.committed("finding1", tmp_path)
    (tmp_path / "finding1").mkdir()
    (tmp_path / "finding1" / "finding.json").write_text(json.dumps(made["finding1"]))
    assert record.committed("finding1", tmp_path)["finding"] == "finding1"
    assert finding1.NAME == "finding1"


def test_the_paper_preset_is_the_papers():
    own = config(SIZES["paper"], 0)
    assert (own.corpus.M, own.corpus.L, own.corpus.U, own.corpus.M_ft) == (256, 8, (256, *(32,) * 7), 128)
    assert (own.S, own.n_tr, own.p_G, own.n_demos, own.S_ft, own.corpus.div) == (80, 5, 0.2, 16, (1, 2, 3, 4, 5), 0.5)
    assert (own.pretraining.iterations, own.finetuning.iterations) == (20000, 2000)
    for phase in (own.pretraining, own.finetuning):
        assert (phase.lr, phase.weight_decay, phase.batch, phase.schedule) == (1e-4, 1e-3, 64, "constant")
    assert (own.model.d, own.model.n_layers, own.model.n_heads) == (256, 2, 1)
    assert config(SIZES["paper"], 0, S=20).S_ft == (1, 2, 3, 4)
    assert (64, *(32,) * 7) == config(SIZES["paper"], 0, M=64).corpus.U
    assert record.papers_sizes(SIZES["paper"]) and not record.papers_sizes(SIZES["tiny"])
    first, second = grid(SIZES["paper"])
    assert len(first) == len(second) == 9


def test_the_reduced_preset_is_the_papers_but_for_lengths_and_rates():
    reduced, paper = config(SIZES["reduced"], 0), config(SIZES["paper"], 0, S=20)
    assert (reduced.corpus, reduced.S, reduced.n_tr, reduced.p_G) == (paper.corpus, paper.S, paper.n_tr, paper.p_G)
    assert (reduced.n_demos, reduced.S_ft, reduced.model.d) == (paper.n_demos, paper.S_ft, paper.model.d)
    assert reduced.finetuning.lr == paper.finetuning.lr and reduced.untrained == paper.untrained
    assert reduced.pretraining.iterations < paper.pretraining.iterations
    told = record.setting(SIZES["reduced"])
    assert not told["papers_sizes"] and "seed 0 (" in told["says"]


def test_the_short_paper_preset_is_a_point_of_finding_4_at_the_papers_sizes():
    short, paper = SIZES["paper-short"], SIZES["paper"]
    assert config(short, 1) == config(paper, 1, S=20, div=0.5)
    assert {"S": 20, "Div": 0.5} in grid(paper)[0]
    assert Network(config(short, 1)) in FINDINGS["finding4"].needed(paper, 1)
    told = record.setting(short)
    assert not told["papers_sizes"] and "20 grammar tokens" in told["says"] and "search" not in told["says"]


def test_subjects_are_nested():
    assert nested(range(8), (2, 4)) == [(0, 1), (0, 1, 2, 3)]
    for bad in ((), (0,), (9,)):
        with pytest.raises(ValueError, match=r"counts must be in 1\.\.8"):
            nested(range(8), bad)
