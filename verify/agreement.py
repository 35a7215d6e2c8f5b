"""Do the witnesses agree at the user's setting? Every coordinate, every entry; equality of rationals, 1e-12 in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified import CertifiedGradients
from numerics.population.gradients import Gradients
from numerics.updates import initial_weights
from verify.coefficients import Row
from verify.evidence import Evidence, Route
from verify.judges.compare import arrays, fact
from verify.tolerances import STUDENT_7, tolerance
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
    return found + _true(w, label)


NAMES = ("kq_subj", "ov_rel", "kq_rel")


def _true(w: Witnesses, label: str) -> list[Evidence]:
    """The true gradients: autograd and enumeration in float64, the proven enclosures, an estimate; whichever were heard."""
    found = []
    if w.autograd_true is not None and w.plain is not None:
        for which in NAMES:
            a, b = (_per_step(w, which, getattr(g, which)) for g in (w.autograd_true, w.plain))
            found.append(arrays(Route.AUTOGRAD, label, f"{which}, true: autograd = enumerated", a, b))
    if w.certified is None:
        return found
    if w.plain is not None:
        for which in NAMES:
            scale = _summands(w, w.plain, which)
            found.append(_inside(w, which, getattr(w.plain, which), scale, label, "enumerated in float64"))
    if w.halves is not None:
        for which in NAMES:
            found.append(_overlap(w, which, w.halves, label))
    if w.sampled is not None:
        for which in ("kq_subj", "kq_rel"):
            found.append(_within_errors(w, which, label))
    return found


def _summands(w: Witnesses, plain: Gradients, which: str) -> float:
    """The size of the terms that a float64 enumeration adds: its roundings are of that size, even where the terms cancel.

    kq_subj sums alpha_j (r_j - rbar), r linear in W_OV^subj: 0 on every sequence where all finetuning subjects have the same
    facts.  kq_rel sums terms of the size of eta_ov ov_rel.  ov_rel sums (pi - h(y)) xbar^T, which do not cancel.
    """
    if which == "kq_subj":
        return float(
            np.abs(initial_weights(w.world, w.setting.N_ft, w.setting.window, w.setting.reading).ov_subj).max()
        )
    return abs(float(w.setting.eta_ov)) * float(np.abs(plain.ov_rel).max()) if which == "kq_rel" else 0.0


def _inside(w: Witnesses, which: str, plain: NDArray, scale: float, label: str, name: str) -> Evidence:
    """A float64 witness within the proven radius, plus its own rounding: 1e-12 of its largest entry, or of the terms that it adds."""
    centre, radius = getattr(w.certified, which), getattr(w.certified, f"{which}_radius")
    own = tolerance(Route.AUTOGRAD).value * max(float(np.abs(plain).max()), scale)
    excess = float((np.abs(plain - centre) - radius).max())
    return fact(
        Route.CERTIFIED,
        label,
        f"{which}, true: {name} lies in the certified enclosure",
        f"largest excess over the radius {excess:.2g}",
        f"at most {own:.2g}",
        excess <= own,
        "the proven radius, and for the float64 witness 1e-12 of its largest entry or of the terms that it adds",
    )


def _overlap(w: Witnesses, which: str, other: CertifiedGradients, label: str) -> Evidence:
    """Two certified enclosures by different methods must overlap, entry by entry, and both must be narrow."""
    gap = np.abs(getattr(w.certified, which) - getattr(other, which))
    room = getattr(w.certified, f"{which}_radius") + getattr(other, f"{which}_radius")
    apart = int(np.sum(gap > room))
    return fact(
        Route.CERTIFIED,
        label,
        f"{which}, true: enclosures by {other.method} overlap",
        f"{gap.size - apart} of {gap.size} entries overlap",
        f"{gap.size}",
        apart == 0,
        "proven radii of both",
    )


def _within_errors(w: Witnesses, which: str, label: str) -> Evidence:
    """Every entry of the estimate within Student's bound of the enclosure; entries never drawn have error 0 and are exact."""
    assert w.sampled is not None
    gap = np.abs(getattr(w.certified, which) - getattr(w.sampled, which)) - getattr(w.certified, f"{which}_radius")
    error = getattr(w.sampled, f"{which}_error")
    room = STUDENT_7.value * error + 1e-14 * np.abs(getattr(w.sampled, which)).max()
    apart = int(np.sum(gap > room))
    return fact(
        Route.SAMPLED,
        label,
        f"{which}, true: sampled estimate within its errors of the enclosure",
        f"{gap.size - apart} of {gap.size} entries",
        f"{gap.size}",
        apart == 0,
        STUDENT_7.why,
    )
