"""The 2-layer network's benchmark: pretraining iterations of the trainer and of a plain loop (verify.bench.mingpt), interleaved.

An iteration is everything that one costs: sequences, loss, gradient, AdamW.  Ratios are of the same precision, round by round.
On CUDA, where drawing sequences one by one would be much of the plain loop's time and minGPT leaves it to other processes, the plain loop
is timed on sequences that wait on the device too ("ready"): a ratio against that is of the networks and optimizers alone.
Beside them stands a floor that no program of these operations beats on this machine:

    multiply-adds  3 B [T (12 n_layers d^2 + V d) + n_layers T (T + 1) d]      forward 1, gradient 2; attention over s <= t;
    bytes          28 per weight (AdamW reads weight, gradient, two moments, writes three), 18 n_layers B T d numbers (stream, q, k, v, mixed,
                   4 d of the MLP: written once, read once), 4 bytes each or 2 in bfloat16; none for the logits, which a fused loss need
                   not write

at the rates of a large product in the same precision and of a large copy, both measured in the same run.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from typing import Any, Protocol

import torch

from numerics.corpus import Corpus, CorpusConfig, PTSampler
from numerics.gpt import ModelConfig, RunConfig, build
from numerics.gpt.loss import autocast, loss_for, sequences
from numerics.gpt.run import SequenceSource
from numerics.training.loop import adamw
from verify.bench.mingpt import PlainGPT, PlainSampler, optimizer
from verify.bench.timing import Ratio, Timed, interleaved, ratio
from verify.output import revision, versions

SCHEMA = "contextual-recall-referee/bench-gpt/2"
PRESETS = ("quick", "paper")
#: Largest relative difference of the two losses in single precision: a few thousand additions of either.
SAME = 1e-4
#: Batches that wait on the device, one after the other.
READY = 8
PRECISIONS = {"cpu": ("float32", "bfloat16"), "cuda": ("float32", "tf32", "bfloat16")}


class Stages(Protocol):
    """Shows how far a run is."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[], None]]: ...


@dataclass(frozen=True)
class Form:
    """What is timed: ours or the plain loop, in a precision, compiled or not; ready: on sequences drawn before."""

    ours: bool
    precision: str
    compiled: bool = False
    ready: bool = False

    @property
    def name(self) -> str:
        """'ours, float32', 'plain, bfloat16', 'ours, bfloat16, compiled', 'plain, bfloat16, ready'."""
        more = f"{', compiled' if self.compiled else ''}{', ready' if self.ready else ''}"
        return f"{'ours' if self.ours else 'plain'}, {self.precision}{more}"


@dataclass(frozen=True)
class Floor:
    """Milliseconds that operations and bytes take at the measured rates."""

    operations_ms: float
    bytes_ms: float

    @property
    def ms(self) -> float:
        """The larger."""
        return max(self.operations_ms, self.bytes_ms)


@dataclass(frozen=True, eq=False)
class Result:
    """ms: of an iteration, every round, by form; processor_ms: median of what the processor worked for one, which other work on
    the machine does not lengthen (CPU; all threads together); sampling_ms: of the sequences alone ('ours', 'plain'); first_s: of the
    first call of a form, compilation included; difference: relative, of the two losses on one batch."""

    preset: str
    device: str
    threads: int
    config: RunConfig
    ms: dict[Form, Timed]
    processor_ms: dict[Form, float]
    sampling_ms: dict[str, Timed]
    first_s: dict[Form, float]
    multiply_adds: int
    bytes_moved: dict[str, int]
    rates: dict[str, float]
    bytes_per_second: float
    difference: float
    seconds: float
    load: tuple[float, ...]

    def floor(self, precision: str) -> Floor:
        """Of a precision."""
        return Floor(
            1e3 * self.multiply_adds / self.rates[precision], 1e3 * self.bytes_moved[precision] / self.bytes_per_second
        )

    def speedup(self, form: Form, ready: bool = False) -> Ratio | None:
        """The plain loop of the same precision over the form; ready: that on sequences drawn before, None where it was not timed."""
        plain = Form(False, form.precision, ready=ready)
        return ratio(self.ms[plain], self.ms[form]) if plain in self.ms else None

    @property
    def problems(self) -> list[str]:
        """What keeps the run from exit status 0: networks that do not compute the same.  Times are no problem."""
        if self.difference <= SAME:
            return []
        return [f"the losses differ by {self.difference:.2g}, at most {SAME:g} is rounding"]


def settings(preset: str) -> tuple[RunConfig, int]:
    """What is timed, and in how many rounds."""
    if preset == "paper":
        return RunConfig(), 3
    corpus = CorpusConfig(M=96, L=4, U=(96, 24, 24, 24), G=4, pool=100)
    return RunConfig(corpus, ModelConfig(d=128), S=16, n_tr=4, n_demos=8), 5


def multiply_adds(config: RunConfig, V: int) -> int:
    """Of one iteration (module text)."""
    T, d, n = config.pretraining_T, config.model.d, config.model.n_layers
    return 3 * config.pretraining.batch * (T * (12 * n * d * d + V * d) + n * T * (T + 1) * d)


def bytes_moved(config: RunConfig, weights: int, precision: str) -> int:
    """Of one iteration (module text)."""
    numbers = 18 * config.model.n_layers * config.pretraining.batch * config.pretraining_T * config.model.d
    return 28 * weights + (2 if precision == "bfloat16" else 4) * numbers


def _waited(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _set(precision: str) -> None:
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")


def rates(device: str) -> tuple[dict[str, float], float]:
    """Multiply-adds per second of a large product by precision and bytes per second of a large copy, best of 5.

    Of random numbers: a device that is short of power is faster on constants.  The copy is large enough on CUDA that its launch is
    nothing beside it.
    """
    n, size = (1536, 64 << 20) if device == "cpu" else (8192, 1 << 30)

    def best(work: Callable[[], object]) -> float:
        found = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            work()
            _waited(device)
            found = min(found, time.perf_counter() - began)
        return found

    out = {}
    for precision in PRECISIONS[device]:
        _set(precision)
        a = torch.randn((n, n), device=device).to(torch.bfloat16 if precision == "bfloat16" else torch.float32)
        out[precision] = n**3 / best(partial(torch.matmul, a, a))
    _set("float32")
    source = torch.ones(size // 4, device=device)
    target = torch.empty_like(source)
    return out, 2 * size / best(lambda: target.copy_(source))


def worked(work: Callable[[], None], into: list[float]) -> Callable[[], None]:
    """work that adds the seconds of the processor to `into`."""

    def watched() -> None:
        began = time.process_time()
        work()
        into.append(time.process_time() - began)

    return watched


def _cast(precision: str, device: str) -> AbstractContextManager[object]:
    return autocast("bfloat16" if precision == "bfloat16" else "none", device)


def job(form: Form, config: RunConfig, corpus: Corpus, device: str, block: int) -> Callable[[], None]:
    """A call is `block` whole iterations of the form, waited for."""
    phase, model = config.pretraining, build(config, device, corpus)
    if form.ours:
        source = SequenceSource(PTSampler(corpus, config.S, config.n_tr, config.p_G, phase.seed, device))
        loss = loss_for("all", "bfloat16" if form.precision == "bfloat16" else "none", form.compiled)
        fused = adamw(model, phase)

        def iteration() -> None:
            sequence, targets = source.batch(phase.batch)
            fused.zero_grad(set_to_none=True)
            loss(model, sequence, targets, False).loss.backward()
            fused.step()
    else:
        plain = PlainGPT(model)
        sampler = PlainSampler(corpus, config.S, config.n_tr, config.p_G, phase.seed)
        looped = optimizer(plain, phase.lr, phase.weight_decay)

        drawn = [sampler.batch(phase.batch, device) for _ in range(READY)] if form.ready else None
        batches = cycle(drawn) if drawn else iter(partial(sampler.batch, phase.batch, device), None)

        def iteration() -> None:
            tokens, following = next(batches)
            looped.zero_grad()
            with _cast(form.precision, device):
                found = plain(tokens, following)[1]
            found.backward()
            looped.step()

    def work() -> None:
        _set(form.precision)
        for _ in range(block):
            iteration()
        _waited(device)

    return work


def difference(config: RunConfig, corpus: Corpus, device: str) -> float:
    """Relative, of the plain loss from ours: the same weights, the same 8 sequences, single precision."""
    model = build(config, device, corpus)
    batch = PTSampler(corpus, config.S, config.n_tr, config.p_G, device=device).draw(8)
    with torch.no_grad():
        ours = loss_for()(model, sequences(batch.tokens, batch.following), batch.targets, False).loss
        plain = PlainGPT(model)(batch.tokens, batch.following)[1]
    return abs(float(plain) - float(ours)) / abs(float(ours))


def forms(device: str) -> list[Form]:
    """Both loops in every precision of the device; on CUDA the plain one also on ready sequences, ours also compiled."""
    found = [Form(ours, precision) for precision in PRECISIONS[device] for ours in (False, True)]
    if device == "cpu":
        return found
    ready = [Form(False, precision, ready=True) for precision in PRECISIONS[device]]
    return found + ready + [Form(True, precision, True) for precision in PRECISIONS[device]]


def run(preset: str, device: str, threads: int, stages: Stages) -> Result:
    """The whole job; the number of torch's threads and the precision of products are put back."""
    before, precision, begun = torch.get_num_threads(), torch.get_float32_matmul_precision(), time.perf_counter()
    config, rounds = settings(preset)
    # One shape for both: the network has the positions of pretraining, whatever finetuning needs.
    config = replace(config, n_demos=0, S_ft=(1,))
    block = 1 if device == "cpu" else 20
    torch.set_num_threads(threads)
    try:
        corpus = config.corpus.build()
        apart = difference(config, corpus, device)
        first: dict[Form, float] = {}
        processor: dict[Form, list[float]] = {}
        jobs = {}
        for form in forms(device):
            work = job(form, config, corpus, device, block)
            began = time.perf_counter()
            work()
            first[form] = time.perf_counter() - began
            processor[form] = []
            jobs[form.name] = worked(work, processor[form])
        ours = SequenceSource(PTSampler(corpus, config.S, config.n_tr, config.p_G, device=device))
        plain = PlainSampler(corpus, config.S, config.n_tr, config.p_G, 0)
        size = config.pretraining.batch

        def drawn() -> None:
            for _ in range(block):
                ours.batch(size)
            _waited(device)

        def written() -> None:
            for _ in range(block):
                plain.batch(size, device)
            _waited(device)

        jobs |= {"sampling, ours": drawn, "sampling, plain": written}
        with stages(preset, (rounds + 1) * len(jobs)) as done:
            times = interleaved(jobs, rounds, float("inf"), done)
        per = {}
        for name, timed in times.items():
            assert isinstance(timed, Timed)
            per[name] = Timed(tuple(1e3 * second / block for second in timed.rounds), None)
        found, bandwidth = rates(device)
        weights = sum(weight.numel() for weight in build(config, "cpu", corpus).parameters())
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision(precision)
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return Result(
        preset,
        device,
        threads,
        config,
        {form: per[form.name] for form in first},
        {form: 1e3 * statistics.median(all_) / block for form, all_ in processor.items() if device == "cpu"},
        {side: per[f"sampling, {side}"] for side in ("ours", "plain")},
        first,
        multiply_adds(config, corpus.V),
        {precision: bytes_moved(config, weights, precision) for precision in found},
        found,
        bandwidth,
        apart,
        time.perf_counter() - begun,
        load,
    )


def as_json(result: Result) -> dict[str, Any]:
    """Every time, rate and floor, and what they were made with."""
    rows = []
    iterations = result.config.pretraining.iterations
    for form, timed in result.ms.items():
        floor, faster, ready = result.floor(form.precision), result.speedup(form), result.speedup(form, True)
        assert faster is not None
        rows.append(
            {
                "form": form.name,
                "ours": form.ours,
                "precision": form.precision,
                "compiled": form.compiled,
                "ready": form.ready,
                "median_ms": timed.seconds,
                "all_ms": list(timed.rounds),
                "processor_ms": result.processor_ms.get(form),
                "first_seconds": result.first_s[form],
                "operations_ms": floor.operations_ms,
                "bytes_ms": floor.bytes_ms,
                "times_the_floor": timed.seconds / floor.ms,
                "times_faster_than_plain": [faster.median, faster.least, faster.largest],
                "times_faster_than_ready": None if ready is None else [ready.median, ready.least, ready.largest],
                "pretraining_seconds": timed.seconds * iterations / 1e3,
            }
        )
    name = torch.cuda.get_device_name() if result.device == "cuda" else platform.processor() or platform.machine()
    return {
        "schema": SCHEMA,
        "setting": {
            "preset": result.preset,
            "device": result.device,
            "device_name": name,
            "threads": result.threads,
            "cores": os.cpu_count(),
            "load_average": list(result.load),
            "config": result.config.to_json(),
        },
        "forms": rows,
        "sampling_ms": {side: list(timed.rounds) for side, timed in result.sampling_ms.items()},
        "multiply_adds": result.multiply_adds,
        "bytes_moved": result.bytes_moved,
        "multiply_adds_per_second": result.rates,
        "bytes_per_second": result.bytes_per_second,
        "loss_difference": result.difference,
        "problems": result.problems,
        "versions": versions(),
        "revision": revision(),
        "seconds": result.seconds,
    }
