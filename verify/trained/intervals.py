"""Intervals over seeds: Clopper-Pearson for how many of them, Student's t for the mean of a measure.  95 %, two-sided."""

import math
from collections.abc import Sequence
from typing import Any

from scipy.stats import beta, t

TAIL = 0.025


def share(k: int, n: int) -> dict[str, Any]:
    """k of n with its Clopper-Pearson interval.  Raises ValueError unless 0 <= k <= n, n >= 1."""
    if not 0 <= k <= n or n < 1:
        raise ValueError(f"k, n must be 0 <= k <= n, n >= 1, got {k}, {n}")
    low = 0.0 if k == 0 else float(beta.ppf(TAIL, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1 - TAIL, k + 1, n - k))
    return {"count": k, "of": n, "share": k / n, "interval": [low, high]}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, least and largest, and the t interval of the mean (None for one value).  Raises ValueError for no values."""
    n = len(values)
    if n < 1:
        raise ValueError("values must be at least one, got none")
    mean = math.fsum(values) / n
    interval = None
    if n > 1:
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1))
        half = float(t.ppf(1 - TAIL, n - 1)) * deviation / math.sqrt(n)
        interval = [mean - half, mean + half]
    return {"mean": mean, "least": min(values), "largest": max(values), "interval": interval, "of": n}
