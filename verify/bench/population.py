"""The run: a table of all methods on the same worlds, growth with each size, the closed forms."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch

from numerics.population import population_size
from numerics.world import World
from verify.bench.closed import SIZES, Closed, closed
from verify.bench.growth import Curve, grown, steps, sweeps
from verify.bench.methods import PLAIN, Difference, Method, difference, hat_difference, methods
from verify.bench.plan import Plan
from verify.bench.timing import Ratio, Refused, Timed, interleaved, ratio


class Stages(Protocol):
    """Shows how far a run is: a stage with its number of steps gives what is called after each of them."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[], None]]: ...


@dataclass(frozen=True)
class Case:
    """A world of the table."""

    name: str
    world: World
    n_demos: int

    @property
    def sequences(self) -> int:
        return population_size(self.world, self.n_demos)


@dataclass(frozen=True)
class Row:
    """One method on one world. ratio, difference: None where the plain enumerator was not run, or nothing is compared."""

    case: Case
    method: Method
    timed: Timed | Refused
    ratio: Ratio | None
    difference: Difference | None


@dataclass(frozen=True)
class Result:
    plan: Plan
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...]
    closed: Closed
    seconds: float
    load: tuple[float, ...]

    @property
    def problems(self) -> list[str]:
        """What keeps the run from exit status 0: numbers that disagree.  Times are no problem."""
        found = [
            f"{row.method.title} on {row.case.name}: {row.difference.largest:.2g} of the largest entry from the plain enumeration"
            for row in self.rows
            if row.difference is not None and not row.difference.agrees
        ]
        wrong = [p.M for p in self.closed.points if p.equal is False]
        return found + [f"closed forms at M = {M}: not equal to the sums over the table" for M in wrong]


def cases(quick: bool) -> tuple[Case, ...]:
    """Balanced and unbalanced worlds, ascending by sequences; the first two small enough for exact enumeration."""
    small = (
        Case("balanced M=16 L=2 U=4 M_ft=8 m=3", World.balanced(16, 2, 4, 8, seed=1), 2),
        Case("random M=24 L=3 U=5 M_ft=12 m=3", World.random(24, 3, 5, 12, seed=1), 2),
    )
    if quick:
        return small
    return (
        *small,
        Case("balanced M=32 L=2 U=4 M_ft=16 m=4", World.balanced(32, 2, 4, 16, seed=1), 3),
        Case("random M=48 L=4 U=8 M_ft=24 m=4", World.random(48, 4, 8, 24, seed=1), 3),
        Case("random M=64 L=4 U=16 M_ft=40 m=4", World.random(64, 4, 16, 40, seed=1), 3),
        Case("random M=32 L=4 U=8 M_ft=16 m=6", World.random(32, 4, 8, 16, seed=1), 5),
    )


def table(plan: Plan, ways: tuple[Method, ...], done: Callable[[], None]) -> list[Row]:
    """All methods on all worlds.  One that looks at every sequence is left out where that would take over the budget."""
    rows: list[Row] = []
    rate: dict[str, float] = {}
    for case in cases(plan.quick):
        jobs: dict[str, Callable[[], Any]] = {}
        found: dict[str, Timed | Refused] = {}
        for way in ways:
            seconds = case.sequences / rate[way.name] if way.sequencewise and way.name in rate else 0.0
            if seconds > plan.budget:
                reason = f"a call would take about {seconds:.2g} s, more than {plan.budget:g} s"
                found[way.name] = Refused(reason)
                for _ in range(plan.rounds + 1):
                    done()
            else:
                jobs[way.name] = partial(way.call, case.world, case.n_demos, plan.device)
        found |= interleaved(jobs, plan.rounds, plan.once, done, plan.now)
        plain = found[PLAIN]
        for way in ways:
            timed = found[way.name]
            if isinstance(timed, Refused):
                rows.append(Row(case, way, timed, None, None))
                continue
            rate[way.name] = case.sequences / timed.seconds
            apart, faster = None, None
            if way.objective == "hat":
                apart = hat_difference(timed.result, case.world, case.n_demos)
            elif isinstance(plain, Timed) and way.name != PLAIN:
                apart = difference(timed.result, plain.result)
            if isinstance(plain, Timed):
                faster = ratio(plain, timed)
            rows.append(Row(case, way, timed, faster, apart))
    return rows


def run(plan: Plan, stages: Stages) -> Result:
    """The whole job; the number of torch's threads is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        return _run(plan, stages)
    finally:
        torch.set_num_threads(before)


def _run(plan: Plan, stages: Stages) -> Result:
    begun, ways = time.perf_counter(), methods()
    with stages("the same worlds", len(cases(plan.quick)) * len(ways) * (plan.rounds + 1)) as done:
        rows = table(plan, ways, done)
    curves: list[Curve] = []
    for sweep in sweeps(plan.quick):
        with stages(f"growth with {sweep.parameter}", steps(sweep, len(ways), plan.rounds)) as done:
            curves += grown(sweep, ways, plan, done)
    with stages("closed forms", len(SIZES)) as done:
        forms = closed(plan, done)
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return Result(plan, tuple(rows), tuple(curves), forms, time.perf_counter() - begun, load)
