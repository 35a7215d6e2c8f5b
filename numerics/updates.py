"""The weights after finetuning, per unit beta: initial construction minus gradient steps.

    [sep] column of W_KQ^subj:  sum_j h(s_j) - eta_kq_subj kq_subj
    [sep] column of W_KQ^rel:   sum_l h(r_l) + sum_{i < w} h(p_-i) - eta_kq_rel kq_rel
    W_OV^rel:                   initial - eta_ov ov_rel (I - h(sep) h(sep)^T)
    W_OV^subj:                  initial

eta_ov is the one at which kq_rel was taken.  Exact gradients and rational steps give arrays of fractions.Fraction.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_real
from numerics.population.certified.result import CertifiedGradients
from numerics.population.construction import initial_kq_rel, initial_kq_subj, initial_ov_rel, initial_ov_subj
from numerics.population.exact import ExactGradients, projected
from numerics.population.gradients import Gradients
from numerics.population.layout import Layout
from numerics.population.rational import Rational
from numerics.population.sampled import SampledGradients
from numerics.world import World


@dataclass(frozen=True, eq=False)
class UpdatedWeights:
    """kq_subj (V+T,), kq_rel (V+T,): score of every token and, at V + i, of position p_-i, per unit beta;
    ov_subj (V, V), ov_rel (V, V) [output, input].  dtype object (fractions.Fraction or int, exact) or float64."""

    kq_subj: NDArray[Any]
    kq_rel: NDArray[Any]
    ov_subj: NDArray[Any]
    ov_rel: NDArray[Any]


def _exact_step(name: str, step: float | Fraction) -> Fraction:
    return step if isinstance(step, Fraction) else Fraction(checked_real(name, step))


def _exact_difference(initial: NDArray[np.int64], gradient: Rational, step: Fraction) -> NDArray[np.object_]:
    """initial - step * gradient as an array of Fractions: over one denominator, so that every entry is made once."""
    moved = gradient.times(step)
    return Rational.of(initial.astype(object) * moved.denominator - moved.numerators, moved.denominator).fractions


def initial_weights(world: World, n_demos: int, window: int | None = None, reading: str = "set") -> UpdatedWeights:
    """The weights before finetuning, in float64.

    Raises ValueError for n_demos < 1, window < 1, an unknown reading.  Cost O(V^2).
    """
    layout = Layout(n_demos)
    return UpdatedWeights(
        initial_kq_subj(world, layout.T).astype(np.float64),
        initial_kq_rel(world, layout.T, layout.width(window)).astype(np.float64),
        initial_ov_subj(world, reading).astype(np.float64),
        initial_ov_rel(world).astype(np.float64),
    )


def updated_weights(
    world: World,
    gradients: Gradients | SampledGradients | ExactGradients | CertifiedGradients,
    eta_kq_subj: float | Fraction = 1,
    eta_kq_rel: float | Fraction = 1,
) -> UpdatedWeights:
    """The weights after both steps; window, reading, n_demos and eta_ov are those of the gradients.

    ExactGradients give dtype object (Fractions; float steps count as the exact rationals they are), others float64.
    Raises ValueError for a step that is not finite, and for an eta_kq_subj other than the one of the gradients if they
    were taken at one.  Cost O(V^2).
    """
    layout = Layout(gradients.n_demos)
    kq_subj = initial_kq_subj(world, layout.T)
    kq_rel = initial_kq_rel(world, layout.T, layout.width(gradients.window))
    ov_subj, ov_rel = initial_ov_subj(world, gradients.reading), initial_ov_rel(world)
    if isinstance(gradients, ExactGradients):
        ov_gradient = Rational(projected(gradients.ov_rel.numerators, world), gradients.ov_rel.denominator)
        return UpdatedWeights(
            _exact_difference(kq_subj, gradients.kq_subj, _exact_step("eta_kq_subj", eta_kq_subj)),
            _exact_difference(kq_rel, gradients.kq_rel, _exact_step("eta_kq_rel", eta_kq_rel)),
            ov_subj.astype(object),
            _exact_difference(ov_rel, ov_gradient, gradients.eta_ov),
        )
    if gradients.eta_kq_subj is not None and gradients.eta_kq_subj != eta_kq_subj:
        raise ValueError(
            f"eta_kq_subj must be {gradients.eta_kq_subj!r}, at which the second step was taken, got {eta_kq_subj!r}"
        )
    return UpdatedWeights(
        kq_subj - checked_real("eta_kq_subj", eta_kq_subj) * gradients.kq_subj,
        kq_rel - checked_real("eta_kq_rel", eta_kq_rel) * gradients.kq_rel,
        ov_subj.astype(np.float64),
        ov_rel - gradients.eta_ov * projected(gradients.ov_rel, world),
    )
