"""Sets of subjects, the ceiling of Prop. 2, and both figures on networks of a few steps."""

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

from numerics.descent import Network, exact_accuracy, initial
from numerics.sampling import IclSampler
from numerics.world import World
from tests.close import close
from verify import fig13, fig14
from verify.diversity import command
from verify.diversity.ceiling import ceiling
from verify.diversity.settings import sizes
from verify.diversity.subjects import chosen, levels, unique_values

SCHEMA = Path(command.__file__).resolve().parents[1] / "schema"


def test_levels_rise_from_the_fewest_values_to_the_most():
    world = World.balanced(256, 8, 32, seed=1)
    sets = levels(world, 32, 4, 0)
    counts = [unique_values(world, subjects) for subjects in sets]
    assert all(len(set(subjects)) == 32 for subjects in sets)
    low, high = counts[0], counts[-1]
    random = [unique_values(world, np.random.default_rng(k).permutation(256)[:32].tolist()) for k in range(20)]
    assert low < min(random) and max(random) < high
    for k, found in enumerate(counts):
        assert abs(found - (low + (high - low) * k / 3)) <= 2
    assert sets == levels(world, 32, 4, 0) != levels(world, 32, 4, 1)


@pytest.mark.parametrize(("call", "words"), [
    (lambda w: chosen(w, 0, None, 0), "count must be"),
    (lambda w: chosen(w, 9, None, 0), "count must be"),
    (lambda w: levels(w, 4, 1, 0), "number must be at least 2"),
    (lambda w: ceiling(w, 2, "none"), "context must be one of"),
    (lambda w: ceiling(World(w.table, range(8)), 2), "held-out subjects"),
    (lambda w: sizes("paper", seeds=0), "seeds must be at least 1"),
    (lambda w: sizes("large"), "preset must be one of"),
    (lambda w: sizes("paper", large=256), "large must be more than the 256 PT subjects"),
    (lambda w: sizes("paper", large=300), "large must be a multiple of the 32"),
    (lambda w: sizes("paper", large=32 * 10**9), "large must be at most 8192"),
])  # fmt: skip
def test_errors_name_the_parameter(call, words):
    with pytest.raises(ValueError, match=words):
        call(World.balanced(8, 2, 4, 4))


def test_another_larger_size():
    small, large = sizes("paper", seeds=1, large=2048)
    assert (small.M, large.M, large.d_h, large.seeds) == (256, 2048, 2048, 1)
    assert sizes("paper", "cuda")[1].M == 2048 and sizes("paper")[1].M == 512


def proposition_2(world: World, n_demos: int) -> Network:
    """Eqs. 4 and 5, written from them: u'_l over the values of the finetuning subjects."""
    start = initial(world, n_demos)
    kq_subj, kq_rel, ov_rel = start.kq_subj.clone(), torch.zeros_like(start.kq_rel), start.ov_rel.clone()
    kq_subj[world.V + 1] += 1.0
    seen = set(world.attribute_token[world.finetune_array].ravel().tolist())
    for ell in range(world.L):
        kq_rel[world.relation_token(ell)] = 1.0
        block = [u for u in world.attribute_range(ell) if u in seen]
        kq_rel[block] = 1.0
        ov_rel[np.ix_(block, block)] += 1.0
    return Network(kq_subj, kq_rel, start.ov_subj, ov_rel, start.beta)


@pytest.mark.parametrize("context", ["all", "heldout", "finetune"])
@pytest.mark.parametrize("finetune", [[0, 1], [2, 3, 4], list(range(6))])
def test_the_constructed_ceiling_is_the_construction_on_every_sequence(finetune, context):
    world = World(World.random(9, 2, 4, seed=4).table, finetune)
    every = exact_accuracy(proposition_2(world, 2), IclSampler(world, 2, "heldout", context))
    limit = ceiling(world, 2, context)
    assert limit.constructed == Fraction(every.right, every.total) <= limit.covered


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("diversity")


@pytest.mark.parametrize("module", [fig13, fig14])
def test_a_run_is_the_documented_json_and_is_read_the_second_time(module, runs, tmp_path):
    record = module.check("tiny", runs=runs)
    name = module.FIGURE.name
    schema = json.loads((SCHEMA / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(record, allow_nan=False)))
    assert record["seconds"] < 30 and len(record["seeds"]) == 4
    stamps = {p: p.stat().st_mtime_ns for p in runs.rglob("*.safetensors")}
    again = module.check("tiny", runs=runs)
    assert {p: p.stat().st_mtime_ns for p in runs.rglob("*.safetensors")} == stamps
    assert again["seeds"] == record["seeds"] and again["summary"] == record["summary"]
    picture = tmp_path / "figure.png"
    module.FIGURE.draw(record, str(picture))
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and picture.stat().st_size < 300_000
    points = record["seeds"][0]["points"]
    for p in points:
        cell = p["heldout"]["all"]
        assert cell["covered"]["total"] + cell["uncovered"]["total"] == cell["total"] == 64
        assert cell["covered"]["right"] + cell["uncovered"]["right"] == cell["right"]["exact"] or cell["ties"]


@pytest.mark.parametrize("module", [fig13, fig14])
def test_the_command_line(module, runs, tmp_path, monkeypatch, capsys):
    figure = module.FIGURE
    real = command.check
    monkeypatch.setattr(command, "check", lambda figure, preset, *rest: real(figure, "tiny", *rest))
    made, picture = tmp_path / "out.json", tmp_path / "out.png"
    status = command.main(figure, ["--runs", str(runs), "--json", str(made), "--plot", str(picture)])
    record = json.loads(made.read_text())
    assert status == (0 if record["summary"]["verdict"] == "reproduced" else 1) and picture.exists()
    assert record["findings"][0][:40] in " ".join(capsys.readouterr().out.split())
    for wrong in (["--plot", str(tmp_path / "a.pdf")], ["--json", str(tmp_path / "none" / "a.json")]):
        assert command.main(figure, wrong) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    for wrong in (["--preset", "huge"], ["--seeds", "0"]):
        with pytest.raises(SystemExit) as stopped:
            command.main(figure, wrong)
        assert stopped.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "check", interrupted)
    assert command.main(figure, ["--json", str(tmp_path / "never.json")]) == 130
    assert not (tmp_path / "never.json").exists()


@pytest.mark.parametrize("name", ["fig13", "fig14"])
def test_committed_records_follow_the_schema_and_the_rule(name):
    try:
        record = command.committed(name)
    except FileNotFoundError:
        pytest.skip(f"no results/{name}")
    jsonschema.Draft202012Validator(json.loads((SCHEMA / f"{name}.schema.json").read_text())).validate(record)
    module = {"fig13": fig13, "fig14": fig14}[name]
    assert close(json.loads(json.dumps(module.FIGURE.judged(record["seeds"]))), record["summary"])
    assert record["findings"] == module.FIGURE.findings(record["summary"])
