"""Timings of the three forms of the same network, interleaved in one run: dense one-hot, gathers, distinct tokens.

A measurement is a whole iteration (loss, gradient, AdamW step) on the same batches.  Beside it stands a floor: the
multiply-adds of the products at the rate of a large matrix product, and the bytes that the optimizer and the logits must
move at the rate of a large copy, both measured in the same run.  No form can be faster than the larger of the two.

Multiply-adds of an iteration, forward 1 and backward 2 (1 for a weight behind a constant one-hot input), per head:

    dense      6 B T d d_h + 2 T d d_h + 3 B T d d_h (output) + 9 B T^2 d_h      (6 B T^2 d_h with absolute positions)
    gathers    3 B T V d_h (output) + 9 B T^2 d_h
    distinct   3 N V d_h (rows) + 3 B T D V (logits) + 3 N^2 d_h + 3 N T d_h + 4 B T^2 D + 2 B T D^2 + B D T^2

At the last position alone (finetuning): gathers 3 B V d_h + 9 B T d_h, distinct 3 B V d_h + 3 B N d_h + 3 (N + T) d_h for one
query token; the dense form still computes all of them.
"""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from numerics.arguments import checked_integer
from numerics.models.factored import Factored
from numerics.models.factored_dense import dense_logits
from numerics.models.fast_loss import Loss, fast_loss, gathers_loss, loss_through
from numerics.models.fast_tokens import distinct
from numerics.sampling.icl import IclSampler
from numerics.sampling.pretraining import PretrainingSampler
from numerics.training.config import PhaseConfig, RunConfig
from numerics.training.loop import adamw
from numerics.training.run import FinetuningSource, PretrainingSource

FORMS: dict[str, Callable[..., Loss]] = {
    "dense": loss_through(dense_logits),
    "gathers": gathers_loss,
    "distinct": fast_loss,
}


@dataclass(frozen=True)
class Timing:
    """Of one form: milliseconds per iteration (median, least, all), tokens per second at the median, peak MiB of an iteration
    beyond what was held before it (None where the system does not say), multiply-adds and bytes, and the floor in ms."""

    form: str
    median_ms: float
    least_ms: float
    all_ms: tuple[float, ...]
    tokens_per_second: float
    peak_mib: float | None
    multiply_adds: int
    bytes_moved: int
    operations_ms: float
    bytes_ms: float

    @property
    def floor_ms(self) -> float:
        """The larger of the two."""
        return max(self.operations_ms, self.bytes_ms)


@dataclass(frozen=True)
class Bench:
    """Timings by form, and what they were measured with: phase, device, threads, rates of this machine in this run."""

    timings: dict[str, Timing]
    phase: str
    device: str
    threads: int
    multiply_adds_per_second: float
    bytes_per_second: float

    def speedup(self, over: str, form: str = "distinct") -> float:
        """Median of `over` over the median of `form`."""
        return self.timings[over].median_ms / self.timings[form].median_ms


def multiply_adds(form: str, model: Factored, tokens: Tensor, last: bool) -> int:
    """Of one iteration (module text); with `last` the query, the logits and (distinct) the rows are of one position."""
    (B, T), V, d_h = tokens.shape, model.V, model.d_h
    d = V + model.T
    relative = 3 if model.positions == "relative" else 2
    queries = 1 if last else T
    if form == "dense":
        # The dense form computes every position also where the last one alone counts.
        return model.n_heads * d_h * (6 * B * T * d + 2 * T * d + 3 * B * T * d + 3 * relative * B * T * T)
    if form == "gathers":
        return model.n_heads * d_h * (3 * B * queries * V + 9 * B * queries * T)
    found = distinct(tokens, V)
    N, D = found.N, found.D
    if last:
        return model.n_heads * d_h * (3 * B * V + 3 * B * N + 3 * N + 3 * T)
    rows = 3 * N * V * d_h + 3 * N * N * d_h + 3 * N * T * d_h
    return model.n_heads * (rows + 3 * B * T * D * V + 4 * B * T * T * D + 2 * B * T * D * D + B * D * T * T)


def bytes_moved(model: Factored, tokens: Tensor, last: bool) -> int:
    """AdamW reads weight, gradient and two moments and writes three of them; logits are written, normalised and read twice."""
    size = model.key.element_size()
    weights = sum(weight.numel() for weight in model.parameters())
    logits = len(tokens) * (1 if last else tokens.shape[1]) * model.V
    return size * (7 * weights + 5 * logits)


def _synchronised(device: str) -> float:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _rates(dtype: torch.dtype, device: str) -> tuple[float, float]:
    """Multiply-adds per second of a (1536)^3 product and bytes per second of a copy (64 MiB read and written), best of 5."""
    n, size = 1536, 64 << 20
    a = torch.ones((n, n), dtype=dtype, device=device)
    source = torch.ones(size // 4, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    best = [float("inf")] * 2
    for _ in range(5):
        for k, work in enumerate((lambda: a @ a, lambda: target.copy_(source))):
            began = _synchronised(device)
            work()
            best[k] = min(best[k], _synchronised(device) - began)
    return n**3 / best[0], 2 * size / best[1]


def _resident(field: str) -> int:
    """A memory field of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def peak_mib(work: Callable[[], object], device: str) -> float | None:
    """Memory that `work` needs at its peak beyond what was held before it; None where the system does not say."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - held) / 2**20
    try:
        # Give back what earlier work freed, and start the high-water mark of the process anew.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        held = _resident("VmRSS")
        work()
        return max(_resident("VmHWM") - held, 0) / 2**20
    except (OSError, AttributeError, StopIteration):
        return None


def bench(
    config: RunConfig | None = None,
    phase: str = "pretraining",
    rounds: int = 8,
    device: str = "cpu",
    forms: tuple[str, ...] = tuple(FORMS),
    progress: Callable[[int, int], None] | None = None,
) -> Bench:
    """One iteration of every form in turn, `rounds` times after one that is not counted.  Default: the setting of Section 4.

    Raises ValueError for rounds < 1, an unknown phase or form.
    """
    config = RunConfig() if config is None else config
    rounds = checked_integer("rounds", rounds, 1)
    if phase not in ("pretraining", "finetuning"):
        raise ValueError(f"phase must be 'pretraining' or 'finetuning', got {phase!r}")
    if not forms or not set(forms) <= set(FORMS):
        raise ValueError(f"forms must be among {', '.join(FORMS)}, got {forms!r}")
    world = config.world.build()
    settings: PhaseConfig = getattr(config, phase)
    source: PretrainingSource | FinetuningSource
    if phase == "pretraining":
        source = PretrainingSource(PretrainingSampler(world, config.S, config.n_tr, config.p_G, device=device))
    else:
        source = FinetuningSource(IclSampler(world, config.n_demos, device=device))
    models = {form: config.model.build(world.V, config.T, config.dtype, device) for form in forms}
    optimizers = {form: adamw(models[form], settings) for form in forms}
    tokens, targets = source.batch(settings.batch)
    last = targets.ndim == 1

    def iteration(form: str) -> None:
        optimizers[form].zero_grad(set_to_none=True)
        FORMS[form](models[form], tokens, targets).loss.backward()
        optimizers[form].step()

    for form in forms:
        iteration(form)
    times: dict[str, list[float]] = {form: [] for form in forms}
    for number in range(rounds):
        tokens, targets = source.batch(settings.batch)
        for form in forms:
            began = _synchronised(device)
            iteration(form)
            times[form].append(1e3 * (_synchronised(device) - began))
        if progress is not None:
            progress(number + 1, rounds)
    rate, bandwidth = _rates(models[forms[0]].key.dtype, device)
    timings = {}
    for form in forms:
        ordered = sorted(times[form])
        median = (ordered[(rounds - 1) // 2] + ordered[rounds // 2]) / 2
        operations, moved = multiply_adds(form, models[form], tokens, last), bytes_moved(models[form], tokens, last)
        timings[form] = Timing(
            form,
            median,
            ordered[0],
            tuple(times[form]),
            1e3 * tokens.numel() / median,
            peak_mib(partial(iteration, form), device),
            operations,
            moved,
            1e3 * operations / rate,
            1e3 * moved / bandwidth,
        )
    return Bench(timings, phase, device, torch.get_num_threads(), rate, bandwidth)
