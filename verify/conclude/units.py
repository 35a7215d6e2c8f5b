"""Weights after the true steps in units of the steps, in which float64's roundings are of one size, and back to logits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.decision import Decision
from numerics.population.sampled import SampledGradients
from numerics.updates import UpdatedWeights, initial_weights
from verify.evidence import Route
from verify.tolerances import tolerance
from verify.witnesses import Witnesses


def in_units(w: Witnesses, g: Any, unit: float) -> UpdatedWeights:
    """The weights after the true steps, each part in units of its own step.

    The argmax does not change if the scores of a head, or all logits, are divided by a positive number. Scores of the
    subject head are divided by eta_kq_subj, those of the relation head by eta_kq_rel times the unit, logits by the unit
    (about eta_ov). Then float64's roundings are of one size in all of them, and the same tolerance is right at every step
    size; 1 - eta * gradient, rounded, would lose the gradient of a small step, and logits that differ by 1 would tie
    within the tolerance of scores that a large step has made large.
    """
    s = w.setting
    start = initial_weights(w.world, s.N_ft, s.window, s.reading)

    def moved(initial: NDArray[Any], gradient: NDArray[Any], step: Fraction, size: Fraction) -> NDArray[np.object_]:
        pairs = zip(initial.tolist(), gradient.tolist(), strict=True)
        return np.array([Fraction(i) / (step * size) - Fraction(x) / size for i, x in pairs], dtype=object)

    ov = g.ov_rel.copy()
    ov[:, w.world.sep_token] = 0.0
    return UpdatedWeights(
        moved(start.kq_subj, g.kq_subj, s.eta_kq_subj, Fraction(1)),
        moved(start.kq_rel, g.kq_rel, s.eta_kq_rel, Fraction(unit)),
        start.ov_subj / unit,
        start.ov_rel / unit - float(s.eta_ov) / unit * ov,
    )


def between(weights: UpdatedWeights, g: SampledGradients, unit: float, w: Witnesses) -> tuple[Any, Any]:
    """Entrywise bounds of the weights of `in_units`: 5 standard errors around the sampled gradients."""
    n = tolerance(Route.SAMPLED).value
    ov_error = g.ov_rel_error.copy()
    ov_error[:, w.world.sep_token] = 0.0
    ov_rel = n * float(w.setting.eta_ov) / unit * ov_error

    def exact(errors: NDArray[Any], size: float) -> NDArray[np.object_]:
        return np.array([Fraction(n) * Fraction(x) / Fraction(size) for x in errors.tolist()], dtype=object)

    kq_subj, kq_rel = exact(g.kq_subj_error, 1.0), exact(g.kq_rel_error, unit)

    def shifted(sign: int) -> SimpleNamespace:
        return SimpleNamespace(
            kq_subj=weights.kq_subj + sign * kq_subj,
            kq_rel=weights.kq_rel + sign * kq_rel,
            ov_subj=weights.ov_subj,
            ov_rel=weights.ov_rel + sign * ov_rel,
        )

    return shifted(-1), shifted(1)


def margin_in(d: Decision, unit: float | Fraction) -> Decision:
    """The decision with margins and the counterexample's logits in logits, not in units of the step."""
    size = Fraction(unit)
    bounds, example = d.min_margin_bounds, d.counterexample
    return replace(
        d,
        min_margin=None if d.min_margin is None else d.min_margin * size,
        min_margin_bounds=None if bounds is None else (bounds[0] * size, bounds[1] * size),
        counterexample=None if example is None else example.in_logits(size),
    )
