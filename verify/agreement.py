"""Do the witnesses agree at the user's setting? Every coordinate, every entry; equality of rationals, 1e-12 in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verify.coefficients import Row
from verify.evidence import Evidence, Route
from verify.judges.compare import arrays, fact
from verify.tolerances import STUDENT_7
from verify.witnesses import Witnesses


def _equal(a: NDArray, b: NDArray, name: str, label: str, route: Route) -> Evidence:
    apart = int(np.sum(a != b))
    return fact(
        route, label, name, f"{a.size - apart} of {a.size} equal", f"{a.size}", apart == 0, "equality of rationals"
    )


def _per_step(w: Witnesses, which: str, gradient: NDArray) -> NDArray:
    """kq_rel per unit of eta_ov, others as they are.

    kq_rel is a sum of terms of size eta_ov: roundings are of that size even where the softmax saturates and the terms
    cancel, and for a small eta_ov all of it is small, which must not make the comparison one with zero.
    """
    return gradient / float(w.setting.eta_ov) if which == "kq_rel" else gradient


def sampled_agreement(rows: list[Row]) -> list[Evidence]:
    """Class means of the literal network on drawn sequences against the derived class means, where both are single numbers."""
    found = []
    for row in rows:
        if (
            row.autograd_error is None
            or row.derived is None
            or row.autograd is None
            or row.derived[0] != row.derived[1]
        ):
            continue
        gap, value = abs(row.autograd[0] - float(row.derived[0])), f"{row.autograd[0]:.6g} ± {row.autograd_error:.1g}"
        # A class that no drawn sequence touches is exactly zero in every replicate; then the derived value must be 0 too.
        limit = STUDENT_7.value * row.autograd_error + 1e-15
        found.append(
            fact(
                Route.SAMPLED,
                "this setting",
                f"{row.weight}, {row.words}: literal network on drawn sequences",
                value,
                f"{float(row.derived[0]):.6g}",
                gap <= limit,
                STUDENT_7.why,
            )
        )
    return found


def agreement(w: Witnesses) -> list[Evidence]:
    """The comparisons that this setting admits. Cost O(V^2)."""
    label, found = "this setting", []
    if w.marginal is not None:
        for which in ("kq_subj", "kq_rel"):
            exact = getattr(w.marginal, which).fractions
            found.append(
                _equal(w.derived_kq(which), exact, f"{which}: derived = sums over draws", label, Route.SYMBOLIC)
            )
        found.append(
            _equal(
                w.derived_ov, w.marginal.ov_rel.fractions, "ov_rel: derived = sums over draws", label, Route.SYMBOLIC
            )
        )
    if w.enumerated is not None and w.marginal is not None:
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            a, b = getattr(w.enumerated, which), getattr(w.marginal, which)
            found.append(
                _equal(a.fractions, b.fractions, f"{which}: enumerated = sums over draws", label, Route.ENUMERATED)
            )
    if w.autograd_hat is not None and w.exact is not None:
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            found.append(
                arrays(
                    Route.AUTOGRAD,
                    label,
                    f"{which}, hat: autograd = exact",
                    _per_step(w, which, getattr(w.autograd_hat, which)),
                    _per_step(w, which, getattr(w.exact, which).floats),
                )
            )
    if w.autograd_true is not None and w.true is not None and not getattr(w.true, "sampled", False):
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            found.append(
                arrays(
                    Route.AUTOGRAD,
                    label,
                    f"{which}, true: autograd = enumerated",
                    _per_step(w, which, getattr(w.autograd_true, which)),
                    _per_step(w, which, getattr(w.true, which)),
                )
            )
    return found
