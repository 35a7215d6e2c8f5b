"""How the time of every method grows with one size, the others fixed: M_ft, m, L and U, each varied alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from numerics.population import population_size
from numerics.world import World
from verify.bench.fit import TAIL, Law, exponential_law, power_law
from verify.bench.methods import Method
from verify.bench.plan import Plan
from verify.bench.timing import Refused, interleaved


@dataclass(frozen=True)
class Shape:
    """A balanced world and a number m of subjects in a sequence."""

    M: int
    L: int
    U: int
    M_ft: int
    m: int

    @property
    def world(self) -> World:
        return World.balanced(self.M, self.L, self.U, self.M_ft, n_grammar=4, seed=1)

    @property
    def sequences(self) -> int:
        return self.L * self.M_ft**self.m


@dataclass(frozen=True)
class Sweep:
    """The shapes of one parameter, ascending."""

    parameter: str
    shapes: tuple[Shape, ...]

    def values(self) -> list[int]:
        return [getattr(shape, self.parameter) for shape in self.shapes]


def sweeps(quick: bool) -> tuple[Sweep, ...]:
    """One for each size; the first sizes last a few milliseconds, at the last ones no method is left that enumerates."""
    if quick:
        return (
            Sweep("M_ft", tuple(Shape(32, 2, 2, Q, 3) for Q in (4, 8, 16, 32))),
            Sweep("m", tuple(Shape(8, 2, 2, 4, m) for m in (2, 3, 4, 5))),
            Sweep("L", tuple(Shape(16, L, 2, 8, 3) for L in (2, 4, 8))),
            Sweep("U", tuple(Shape(16, 2, U, 8, 3) for U in (2, 4, 8))),
        )
    return (
        Sweep("M_ft", tuple(Shape(128, 2, 4, Q, 4) for Q in (8, 12, 16, 24, 32, 48, 64, 96, 128))),
        Sweep("m", tuple(Shape(16, 2, 4, 8, m) for m in (2, 3, 4, 5, 6, 7, 8, 10, 12))),
        Sweep("L", tuple(Shape(64, L, 4, 32, 3) for L in (2, 4, 8, 16, 32))),
        Sweep("U", tuple(Shape(64, 2, U, 32, 3) for U in (2, 4, 8, 16, 32))),
    )


@dataclass(frozen=True)
class Point:
    """One time: the value of the parameter, the number of sequences, median seconds of so many rounds."""

    value: int
    sequences: int
    seconds: float
    rounds: int


@dataclass
class Curve:
    """The times of one method along a sweep; left: where and why it was not timed any more."""

    method: Method
    parameter: str
    points: list[Point] = field(default_factory=list)
    left: tuple[int, str] | None = None

    def _xt(self, last: int | None) -> tuple[list[float], list[float]]:
        points = self.points if last is None else self.points[-last:]
        return [float(p.value) for p in points], [p.seconds for p in points]

    def power(self, last: int | None = None) -> Law | None:
        """The exponent, of all points or of the last few."""
        return power_law(*self._xt(last))

    def exponential(self, last: int | None = None) -> Law | None:
        """The base, likewise."""
        return exponential_law(*self._xt(last))

    @property
    def tail(self) -> int | None:
        """How many points the second fit takes; None where it would be the first one again."""
        return TAIL if len(self.points) > TAIL else None


def predicted(curve: Curve, shape: Shape) -> float | None:
    """Seconds that the next shape will take: in proportion to its sequences, or along the line through the last two points."""
    if not curve.points:
        return None
    last = curve.points[-1]
    if curve.method.sequencewise:
        return last.seconds * shape.sequences / last.sequences
    if len(curve.points) < 2:
        return None
    before, x = curve.points[-2], float(getattr(shape, curve.parameter))
    scale: Callable[[float], float] = float if curve.parameter == "m" else math.log
    slope = math.log(last.seconds / before.seconds) / (scale(last.value) - scale(before.value))
    return last.seconds * math.exp(max(0.0, slope) * (scale(x) - scale(last.value)))


def steps(sweep: Sweep, many: int, rounds: int) -> int:
    """How often `grown` calls done()."""
    return len(sweep.shapes) * many * (rounds + 1)


def grown(sweep: Sweep, ways: tuple[Method, ...], plan: Plan, done: Callable[[], None]) -> tuple[Curve, ...]:
    """The curves of all methods; at every shape those are timed that are predicted to take at most the budget."""
    curves = {way.name: Curve(way, sweep.parameter) for way in ways}
    shapes = dict(zip(sweep.values(), sweep.shapes, strict=True))
    for value, shape in shapes.items():
        world, n_demos = shape.world, shape.m - 1
        jobs = {}
        for way in ways:
            curve = curves[way.name]
            if curve.left is None:
                seconds = predicted(curve, shape)
                if seconds is not None and seconds > plan.budget:
                    curve.left = (value, f"a call would take about {seconds:.2g} s, more than {plan.budget:g} s")
                else:
                    jobs[way.name] = partial(way.call, world, n_demos, plan.device)
            if curve.left is not None:
                for _ in range(plan.rounds + 1):
                    done()
        for name, timed in interleaved(jobs, plan.rounds, plan.once, done, plan.now).items():
            if isinstance(timed, Refused):
                curves[name].left = (value, timed.reason)
            else:
                size = population_size(world, n_demos)
                curves[name].points.append(Point(value, size, timed.seconds, len(timed.rounds)))
    return tuple(curves.values())
