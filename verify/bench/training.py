"""The trainer's benchmark: dense one-hot, plain gathers and distinct tokens on the same batches in one interleaved run.

Both phases, pretraining and finetuning, at the setting of Section 4 (quick: a smaller one).  Times are the wall's, a form after
the other within a round; beside them the floor that operations and bytes set on this machine in this run
(numerics.training.bench_model).
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch

from numerics.sampling import IclSampler, PretrainingSampler
from numerics.training import ModelConfig, RunConfig, WorldConfig, to_json
from numerics.training.bench_model import FORMS, Bench, bench
from numerics.training.run import FinetuningSource, PretrainingSource
from verify.output import revision, versions

SCHEMA = "contextual-recall-referee/bench-training/1"
PHASES = ("pretraining", "finetuning")
TITLES = {"dense": "dense one-hot", "gathers": "plain gathers", "distinct": "distinct tokens (ours)"}
#: Largest relative difference of two forms' losses in single precision: a few thousand additions of either.
SAME = 1e-4


class Stages(Protocol):
    """Shows how far a run is."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[], None]]: ...


@dataclass(frozen=True)
class Result:
    """By phase: the timings, and the largest relative difference of a form's loss from the dense one's on one batch."""

    quick: bool
    device: str
    threads: int
    rounds: int
    config: RunConfig
    phases: dict[str, Bench]
    differences: dict[str, dict[str, float]]
    seconds: float
    load: tuple[float, ...]

    @property
    def problems(self) -> list[str]:
        """What keeps the run from exit status 0: forms that do not compute the same.  Times are no problem."""
        return [
            f"{phase}, {TITLES[form]}: loss {apart:.2g} from the dense one, at most {SAME:g} is rounding"
            for phase, found in self.differences.items()
            for form, apart in found.items()
            if not apart <= SAME
        ]


def settings(quick: bool) -> tuple[RunConfig, int]:
    """What is timed, and in how many rounds."""
    if quick:
        return RunConfig(world=WorldConfig(64, 4, 16), model=ModelConfig(d_h=64)), 3
    return RunConfig(), 8


def differences(config: RunConfig, phase: str, device: str) -> dict[str, float]:
    """Of each form's loss from the dense one's, on one batch of 8 at the initial weights."""
    world = config.world.build()
    source: PretrainingSource | FinetuningSource
    if phase == "pretraining":
        source = PretrainingSource(PretrainingSampler(world, config.S, config.n_tr, config.p_G, device=device))
    else:
        source = FinetuningSource(IclSampler(world, config.n_demos, device=device))
    tokens, targets = source.batch(8)
    model = config.model.build(world.V, config.T, config.dtype, device)
    with torch.no_grad():
        losses = {form: float(loss(model, tokens, targets).loss) for form, loss in FORMS.items()}
    return {form: abs(loss - losses["dense"]) / abs(losses["dense"]) for form, loss in losses.items()}


def _each(done: Callable[[], None]) -> Callable[[int, int], None]:
    return lambda at, total: done()


def run(quick: bool, device: str, threads: int, stages: Stages) -> Result:
    """The whole job; the number of torch's threads is put back."""
    before, begun = torch.get_num_threads(), time.perf_counter()
    config, rounds = settings(quick)
    phases, apart = {}, {}
    torch.set_num_threads(threads)
    try:
        for phase in PHASES:
            apart[phase] = differences(config, phase, device)
            with stages(phase, rounds) as done:
                phases[phase] = bench(config, phase, rounds, device, progress=_each(done))
    finally:
        torch.set_num_threads(before)
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return Result(quick, device, threads, rounds, config, phases, apart, time.perf_counter() - begun, load)


def as_json(result: Result) -> dict[str, Any]:
    """Every time, rate and floor, and what they were made with."""
    phases = {}
    for phase, found in result.phases.items():
        phases[phase] = {
            "multiply_adds_per_second": found.multiply_adds_per_second,
            "bytes_per_second": found.bytes_per_second,
            "forms": [
                asdict(timing)
                | {
                    "all_ms": list(timing.all_ms),
                    "floor_ms": timing.floor_ms,
                    "times_slower_than_distinct": found.speedup(form),
                    "loss_difference": result.differences[phase][form],
                }
                for form, timing in found.timings.items()
            ],
        }
    return {
        "schema": SCHEMA,
        "setting": {
            "quick": result.quick,
            "device": result.device,
            "threads": result.threads,
            "rounds": result.rounds,
            "device_name": torch.cuda.get_device_name()
            if result.device == "cuda"
            else platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load_average": list(result.load),
            "config": to_json(result.config),
        },
        "phases": phases,
        "problems": result.problems,
        "versions": versions(),
        "revision": revision(),
        "seconds": result.seconds,
    }
