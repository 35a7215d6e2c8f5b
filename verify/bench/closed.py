"""The balanced closed forms of the hat gradients: evaluated at any M in the same time, whatever the population.

Every class of every matrix is evaluated exactly at M subjects, half of them finetuning subjects.  Where the world is small
enough to be made, the same coefficients are taken from its hat gradients, entry by entry, and must be equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import sympy as sp

from numerics.population import hat_gradients
from numerics.world import World
from theory.finetuning import balanced_coefficients
from theory.rational import evaluate
from verify.bench.fit import Law, power_law
from verify.bench.plan import Plan
from verify.bench.timing import Refused, Timed, interleaved
from verify.classes import kq_classes, ov_classes

STEPS = ("kq_subj", "ov_rel", "kq_rel")
#: Every M is twice a multiple of U, so that a balanced world exists.
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
L, U, m = 4, 5, 6

Forms = dict[str, dict[Any, sp.Expr]]


@dataclass(frozen=True)
class ClosedPoint:
    """Seconds of all closed forms at M, and of the exact sums over the world's table (None: not run); equal: whether all
    coefficients are, None where there is nothing to compare with."""

    M: int
    sequences: int
    seconds: float
    table_seconds: float | None
    equal: bool | None


@dataclass(frozen=True)
class Closed:
    """deriving: seconds that the derivation took, once; growth: exponent in M of the evaluation."""

    deriving: float
    points: tuple[ClosedPoint, ...]

    @property
    def growth(self) -> Law | None:
        return power_law([p.M for p in self.points], [p.seconds for p in self.points])

    @property
    def table_growth(self) -> Law | None:
        """Of the sums over the table, where they were run."""
        run = [(p.M, p.table_seconds) for p in self.points if p.table_seconds is not None]
        return power_law([M for M, _ in run], [seconds for _, seconds in run])


def values(forms: Forms, M: int) -> dict[str, dict[Any, Fraction]]:
    """Every coefficient at M subjects, M_ft = M / 2."""
    point: dict[str, int | Fraction] = {"M": M, "M_ft": M // 2, "L": L, "U": U, "m": m, "eta_ov": Fraction(1)}

    def at(expression: sp.Expr) -> Fraction:
        return evaluate(expression, {symbol: point[symbol.name] for symbol in expression.free_symbols})

    return {step: {key: at(expression) for key, expression in found.items()} for step, found in forms.items()}


def equal(coefficients: dict[str, dict[Any, Fraction]], world: World) -> bool:
    """Whether each entry of the world's exact hat gradients is the coefficient of its class.  Cost O(V^2)."""
    gradients = hat_gradients(world, m - 1, Fraction(1))
    kq, ov = kq_classes(world, 3 * m - 1), ov_classes(world)
    for step in STEPS:
        classes = ov.ravel() if step == "ov_rel" else kq
        entries = getattr(gradients, step).fractions.ravel()
        if any(entry != coefficients[step][key] for key, entry in zip(classes, entries, strict=True)):
            return False
    return True


def closed(plan: Plan, done: Callable[[], None]) -> Closed:
    """Times at all SIZES, the sums over the table up to plan.table subjects.  done() is called len(SIZES) times."""
    start = plan.now()
    forms: Forms = {step: balanced_coefficients(step) for step in STEPS}
    deriving = plan.now() - start
    points = []
    for M in SIZES:
        jobs: dict[str, Callable[[], Any]] = {"forms": partial(values, forms, M)}
        world = None
        if plan.table >= M:
            world = World.balanced(M, L, U, M // 2, n_grammar=4, seed=1)
            jobs["table"] = partial(hat_gradients, world, m - 1, Fraction(1))
        found = interleaved(jobs, plan.rounds, plan.once, clock=plan.now)
        forms_time, table_time = found["forms"], found.get("table", Refused("not run"))
        assert isinstance(forms_time, Timed)
        points.append(
            ClosedPoint(
                M,
                L * (M // 2) ** m,
                forms_time.seconds,
                table_time.seconds if isinstance(table_time, Timed) else None,
                None if world is None else equal(forms_time.result, world),
            )
        )
        done()
    return Closed(deriving, tuple(points))
