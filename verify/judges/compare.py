"""Small helpers of the checks: one piece of evidence from two arrays, or from a yes/no fact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from verify.evidence import Evidence, Route, number
from verify.tolerances import tolerance


def arrays(route: Route, setting: str, quantity: str, measured: ArrayLike, said: ArrayLike) -> Evidence:
    """Largest entrywise difference over the largest entry (at least 1 if everything is tiny), against the route's tolerance."""
    a, b = np.asarray(measured, dtype=float), np.asarray(said, dtype=float)
    bound = tolerance(route)
    if a.shape != b.shape:
        return Evidence(
            route, setting, quantity, f"shape {a.shape}", f"shape {b.shape}", np.inf, bound.value, bound.why, False
        )
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)), 1e-3)
    gap = np.abs(a - b)
    where = np.unravel_index(int(np.argmax(gap)), gap.shape) if gap.size else ()
    worst = float(gap[where]) / scale if gap.size else 0.0
    return Evidence(
        route=route,
        setting=setting,
        quantity=quantity,
        measured=number(float(a[where])) if gap.size else "",
        printed=number(float(b[where])) if gap.size else "",
        discrepancy=worst,
        tolerance=bound.value,
        why=bound.why,
        agrees=worst <= bound.value,
    )


def fact(route: Route, setting: str, quantity: str, measured: object, said: object, agrees: bool, why: str) -> Evidence:
    """A comparison that is not one of numbers within a tolerance."""
    return Evidence(route, setting, quantity, str(measured), str(said), 0.0 if agrees else 1.0, 0.0, why, agrees)
