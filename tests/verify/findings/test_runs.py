"""Networks of the findings: a stopped training goes on near where it was stopped."""

from dataclasses import replace

import pytest
import torch

from numerics.training.checkpoint import read_checkpoint
from verify.findings import runs, settings
from verify.findings.networks import Network

torch.set_num_threads(1)
STOPPED, ITERATIONS = 34, 40


@pytest.mark.parametrize("kind", ["pretraining", "icl"])
def test_a_stopped_training_loses_a_tenth_at_most(kind, tmp_path):
    size = settings.SIZES["tiny"]
    longer = {
        name: replace(getattr(size, name), iterations=ITERATIONS, checkpoint_every=1000)
        for name in ("pretraining", "finetuning")
    }
    network = Network(settings.config(replace(size, **longer), 0), kind)

    class Stop(Exception):
        pass

    seen: list[int] = []

    def stopping(step: int, _: int) -> None:
        seen.append(step)
        # Finetuning comes after a pretraining of as many iterations.
        if seen.count(STOPPED) == (1 if kind == "pretraining" else 2):
            raise Stop

    with pytest.raises(Stop):
        runs.ensured(network, tmp_path / "stopped", progress=stopping)
    again: list[int] = []
    folder = runs.ensured(network, tmp_path / "stopped", progress=lambda step, _: again.append(step))
    assert STOPPED - ITERATIONS // 10 < again[0] <= STOPPED
    whole = runs.ensured(network, tmp_path / "whole")
    one, other = (read_checkpoint(path / "checkpoint.safetensors").tensors for path in (folder, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)
