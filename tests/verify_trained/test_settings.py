"""Presets, variants, and the table and initialisation that the trainer does not have."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from verify.trained.choices import LinearDefault, UniqueFirst
from verify.trained.settings import PRESETS, jobs, varied
from verify.trained.trained import folder_of, sources


def test_the_paper_preset_is_the_papers():
    relative, absolute = jobs("paper", "relative")[0].config, jobs("paper", "absolute")[0].config
    for config in (relative, absolute):
        assert (config.world.M, config.world.L, config.S, config.n_tr, config.n_demos) == (256, 8, 10, 5, 5)
        assert (config.model.d_h, config.model.n_heads, config.p_G) == (256, 3, 0.0)
        for phase in (config.pretraining, config.finetuning):
            assert (phase.lr, phase.weight_decay, phase.batch) == (1e-3, 1e-3, 64)
        assert (config.pretraining.schedule, config.finetuning.schedule) == ("cosine", "constant")
    assert (relative.pretraining.iterations, relative.finetuning.iterations) == (2000, 1000)
    assert (absolute.pretraining.iterations, absolute.finetuning.iterations) == (5000, 2000)
    assert relative.world.U == 32
    assert list(absolute.world.U) == [256] + [32] * 7
    assert absolute.model.positions == "absolute"
    assert len([job for job in jobs("paper", "relative") if job.variant == "base"]) >= 5


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("positions", ["relative", "absolute"])
def test_jobs_are_different_networks_in_worlds_that_can_be_built(preset, positions):
    found = jobs(preset, positions)
    made_by = sources()
    assert len({folder_of(job, Path(), made_by) for job in found}) == len(found)
    world = found[0].config.world.build()
    assert len(world.heldout) == world.M // 2
    assert found[0].variant == "base"


def test_seeds_in_place_of_the_presets():
    found = jobs("quick", "relative", 1)
    assert [(job.variant, job.seed) for job in found if job.variant == "base"] == [("base", 0)]
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        jobs("quick", "relative", 0)
    with pytest.raises(ValueError, match="preset, positions must be of"):
        jobs("huge", "relative")
    with pytest.raises(ValueError, match="variant must be one of base"):
        varied(found[0].config, "none")


def test_the_first_type_is_a_list_of_all_subjects():
    world = UniqueFirst(16, 3, (16, 4, 4), seed=3).build()
    assert sorted(world.table[:, 0]) == list(range(16))
    assert world.U == (16, 4, 4)
    again = UniqueFirst(16, 3, (16, 4, 4), seed=4).build()
    assert not np.array_equal(world.table[:, 0], again.table[:, 0])
    with pytest.raises(ValueError, match=r"U must be \(M, U_2, .., U_L\) with M = 16, got 4"):
        UniqueFirst(16, 3, 4).build()


def test_linear_default_is_that_of_nn_linear():
    V, T, d_h = 40, 20, 64
    model = LinearDefault(2, d_h, seed=1).build(V, T, "float32", "cpu")
    reference = {
        "key": torch.nn.Linear(V + T, d_h, bias=False).weight,
        "output": torch.nn.Linear(d_h, V, bias=False).weight,
    }
    for name, weight in reference.items():
        mine = getattr(model, name).detach()
        bound = 1 / math.sqrt(V + T if name == "key" else d_h)
        assert float(mine.abs().max()) <= bound
        assert float(mine.std()) == pytest.approx(float(weight.detach().std()), rel=0.1)
    assert not torch.equal(model.key, LinearDefault(2, d_h, seed=2).build(V, T, "float32", "cpu").key)
