"""Slopes and ranks within a seed, and t intervals over seeds (95 %, two-sided)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata, t

TAIL = 0.025


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Least squares.  Raises ValueError for fewer than two points or x all the same."""
    if len(x) != len(y) or len(set(x)) < 2:
        raise ValueError(f"x, y must have the same length and x two different values, got {list(x)!r}, {list(y)!r}")
    return float(np.polyfit(x, y, 1)[0])


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's, ties by mean ranks; 0 where one of the two is constant."""
    a, b = rankdata(x), rankdata(y)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def mean_interval(values: Sequence[float]) -> dict[str, Any]:
    """mean, the t interval of the mean (None for one value), and of how many.  Raises ValueError for none."""
    n = len(values)
    if n < 1:
        raise ValueError("values must be at least one, got none")
    mean = math.fsum(values) / n
    if n == 1:
        return {"mean": mean, "interval": None, "of": 1}
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    half = float(t.ppf(1 - TAIL, n - 1)) * deviation / math.sqrt(n)
    return {"mean": mean, "interval": [mean - half, mean + half], "of": n}


def difference(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """Mean of the first less mean of the second with Welch's interval (None where a side has one value)."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not len(a) or not len(b):
        raise ValueError("first, second must have at least one value each")
    gap = float(a.mean() - b.mean())
    if len(a) < 2 or len(b) < 2:
        return {"mean": gap, "interval": None, "of": [len(a), len(b)]}
    parts = [a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)]
    total = sum(parts)
    if total == 0:
        return {"mean": gap, "interval": [gap, gap], "of": [len(a), len(b)]}
    freedom = total**2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = float(t.ppf(1 - TAIL, freedom)) * math.sqrt(total)
    return {"mean": gap, "interval": [gap - half, gap + half], "of": [len(a), len(b)]}


def above(found: dict[str, Any], least: float = 0.0) -> bool:
    """Is the whole interval above `least`?  Not where there is none."""
    return found["interval"] is not None and found["interval"][0] > least
