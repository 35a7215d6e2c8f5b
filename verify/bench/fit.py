"""Laws of growth fitted to times: t = c x^p and t = c b^x, by least squares on log t.

With y = log t and u = log x (power) or u = x (exponential), slope = sum (u - mean)(y - mean) / sum (u - mean)^2, and its
standard error is sqrt(sum residual^2 / (n - 2) / sum (u - mean)^2); of b = exp(slope) it is b times that (delta method).
The residuals are the law's misfit as much as noise: overheads at small sizes bend the line.  So every law is fitted twice,
to all points and to the last three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TAIL = 3


@dataclass(frozen=True)
class Law:
    """value: the exponent p or the base b; error: its standard error, None with fewer than three points."""

    value: float
    error: float | None
    points: int


def _line(u: Sequence[float], y: Sequence[float]) -> tuple[float, float | None] | None:
    n = len(u)
    if n < 2:
        return None
    mean_u, mean_y = sum(u) / n, sum(y) / n
    spread = sum((a - mean_u) ** 2 for a in u)
    if spread == 0:
        return None
    slope = sum((a - mean_u) * (b - mean_y) for a, b in zip(u, y, strict=True)) / spread
    if n == 2:
        return slope, None
    residual = sum((b - mean_y - slope * (a - mean_u)) ** 2 for a, b in zip(u, y, strict=True))
    return slope, math.sqrt(residual / (n - 2) / spread)


def _checked(x: Sequence[float], t: Sequence[float]) -> None:
    if len(x) != len(t):
        raise ValueError(f"t must have as many values as x ({len(x)}), got {len(t)}")
    bad = [value for value in (*x, *t) if not value > 0 or math.isinf(value)]
    if bad:
        raise ValueError(f"x and t must be positive numbers, got {bad[0]!r}")


def power_law(x: Sequence[float], t: Sequence[float]) -> Law | None:
    """p of t = c x^p; None with fewer than two different x.  Raises ValueError for values that are not positive."""
    _checked(x, t)
    found = _line([math.log(a) for a in x], [math.log(b) for b in t])
    return None if found is None else Law(found[0], found[1], len(x))


def exponential_law(x: Sequence[float], t: Sequence[float]) -> Law | None:
    """b of t = c b^x; None with fewer than two different x.  Raises ValueError for values that are not positive."""
    _checked(x, t)
    found = _line(list(x), [math.log(b) for b in t])
    if found is None:
        return None
    base = math.exp(found[0])
    return Law(base, None if found[1] is None else base * found[1], len(x))
