import pytest
import torch

from numerics.training import ModelConfig, PhaseConfig, RunConfig, WorldConfig
from numerics.training.bench_model import bench, multiply_adds

torch.set_num_threads(1)
SMALL = RunConfig(
    world=WorldConfig(M=16, L=2, U=4, n_grammar=2),
    model=ModelConfig(d_h=16),
    S=4,
    n_tr=2,
    pretraining=PhaseConfig(1, batch=8),
    finetuning=PhaseConfig(1, batch=8),
)


@pytest.mark.parametrize("phase", ["pretraining", "finetuning"])
def test_every_form_is_timed_in_one_run(phase):
    told = []
    found = bench(SMALL, phase, rounds=3, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert set(found.timings) == {"dense", "gathers", "distinct"}
    for timing in found.timings.values():
        assert len(timing.all_ms) == 3
        assert 0 < timing.least_ms <= timing.median_ms <= max(timing.all_ms)
        assert timing.floor_ms == max(timing.operations_ms, timing.bytes_ms) > 0
        # No measurement is below its floor; the rates were taken in the same run.
        assert timing.least_ms > timing.floor_ms
    assert found.speedup("dense", "dense") == 1


def test_multiply_adds_are_those_of_the_products():
    # Counted by torch itself for the two forms that are plain products with autograd.
    from torch.utils.flop_counter import FlopCounterMode

    from numerics.training.bench_model import FORMS

    world = SMALL.world.build()
    for positions in ("relative", "absolute"):
        model = ModelConfig(d_h=16, positions=positions).build(world.V, SMALL.T, "float32", "cpu")
        tokens = torch.randint(world.V, (8, SMALL.T), generator=torch.Generator().manual_seed(0))
        for form in ("gathers", "distinct", "dense"):
            with FlopCounterMode(display=False) as counter:
                FORMS[form](model, tokens, tokens).loss.backward()
            counted, said = counter.get_total_flops() / 2, multiply_adds(form, model, tokens, False)
            assert said == pytest.approx(counted, rel=0.1), (form, positions)


def test_errors():
    with pytest.raises(ValueError, match="phase must be"):
        bench(SMALL, "x")
    with pytest.raises(ValueError, match="forms must be among dense, gathers, distinct"):
        bench(SMALL, forms=("x",))
    with pytest.raises(ValueError, match="rounds must be an integer >= 1, got 0"):
        bench(SMALL, rounds=0)
