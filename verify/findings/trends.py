"""Fig. 5 and Finding 4: trends of means over seeds.  Numbers fixed before the first network was trained.

A trend over the values x_1 < .. < x_k of what is varied: the mean at x_k is at least `effect` above that at x_1, and from no value to
the next the mean falls by more than DIP.  The t interval of the difference over seeds stands beside it.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from verify.trained.intervals import spread

# Fig. 5, "improves the model's performance": three times what 1024 drawn sequences leave open, and what the eye calls a rise.
RISE = 0.1
# Finding 4, "increasing S, Div, M improves": half of it, since curves of the paper's saturate (S = 80 at every Div).
EFFECT = 0.05
# "Monotonically": two means over two seeds of 1024 sequences each differ by .03 by chance.
DIP = 0.05
# "Comparable", at every number of subjects.
COMPARABLE = 0.1


def trend(curves: Sequence[Sequence[float]], effect: float) -> dict[str, Any]:
    """curves: for every seed its values in ascending order of what is varied.  Raises ValueError for fewer than two values."""
    if not curves or len({len(curve) for curve in curves}) != 1 or len(curves[0]) < 2:
        raise ValueError(f"curves must be at least one seed's, all of the same two or more values, got {list(curves)}")
    means = [sum(column) / len(column) for column in zip(*curves, strict=True)]
    steps = [after - before for before, after in itertools.pairwise(means)]
    rise = spread([curve[-1] - curve[0] for curve in curves])
    return {
        "means": means,
        "rise": rise,
        "worst_step": min(steps),
        "effect": effect,
        "holds": rise["mean"] >= effect and min(steps) >= -DIP,
    }


def comparable(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The means over seeds of two curves within COMPARABLE at every value.  Raises ValueError for curves of other lengths."""
    gaps = [
        sum(a) / len(a) - sum(b) / len(b)
        for a, b in zip(zip(*first, strict=True), zip(*second, strict=True), strict=True)
    ]
    largest = max(abs(gap) for gap in gaps)
    return {"gaps": gaps, "largest": largest, "holds": largest <= COMPARABLE}


def marginal(points: Mapping[tuple[tuple[str, float], ...], float], factor: str) -> dict[float, float]:
    """The mean of a full grid over everything but one factor: {value of the factor: mean}, ascending.

    points: {(("S", 20), ("Div", .1)): exact match, ..}.  Raises ValueError for a grid that is not full, which would compare
    unlike averages.
    """
    groups: dict[float, dict[tuple[tuple[str, float], ...], float]] = {}
    for key, value in points.items():
        names = dict(key)
        if factor not in names:
            raise ValueError(f"factor must be among {', '.join(names)}, got {factor!r}")
        groups.setdefault(names[factor], {})[tuple(item for item in key if item[0] != factor)] = value
    if len({frozenset(rest) for rest in groups.values()}) > 1:
        raise ValueError(f"points must be a full grid, got {sorted(points)}")
    return {x: sum(groups[x].values()) / len(groups[x]) for x in sorted(groups)}
