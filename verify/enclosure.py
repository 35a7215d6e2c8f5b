"""Bounds of the weights after the two true steps, from gradients with proven radii."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified.result import CertifiedGradients
from numerics.updates import UpdatedWeights, initial_weights
from numerics.world import World


def _outward(centre: NDArray[np.float64], radius: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """centre -+ radius in float64, rounded outwards; an entry with radius 0 stays as it is."""
    known = radius == 0
    low = np.where(known, centre, np.nextafter(centre - radius, -np.inf))
    high = np.where(known, centre, np.nextafter(centre + radius, np.inf))
    return low, high


def enclosed(
    world: World, g: CertifiedGradients, eta_kq_subj: Fraction, eta_kq_rel: Fraction
) -> tuple[UpdatedWeights, UpdatedWeights, float]:
    """(lower, upper, unit): entrywise bounds of the updated weights, each part in units of its own step.

    The argmax does not change if the scores of a head, or all logits, are divided by a positive number. Scores of the
    subject head are divided by eta_kq_subj, those of the relation head by eta_kq_rel times the unit, logits by the unit, a
    power of 2 near eta_ov: so 1 - eta * gradient never loses the gradient of a small step. Scores are Fractions, hence
    exact; matrices are float64, rounded outwards.
    """
    unit = 2.0 ** round(math.log2(abs(g.eta_ov))) if g.eta_ov else 1.0
    start = initial_weights(world, g.n_demos, g.window, g.reading)

    def moved(
        initial: NDArray[Any], gradient: NDArray[Any], radius: NDArray[Any], step: Fraction, size: Fraction
    ) -> list[Any]:
        sides = []
        for sign in (-1, 1):
            entries = zip(initial.tolist(), gradient.tolist(), radius.tolist(), strict=True)
            sides.append(
                np.array(
                    [Fraction(i) / (step * size) + (sign * Fraction(r) - Fraction(x)) / size for i, x, r in entries],
                    dtype=object,
                )
            )
        return sides

    subj = moved(start.kq_subj, g.kq_subj, g.kq_subj_radius, eta_kq_subj, Fraction(1))
    rel = moved(start.kq_rel, g.kq_rel, g.kq_rel_radius, eta_kq_rel, Fraction(unit))
    # eta_ov / unit is exact (a power of 2); its product with the gradient is rounded once, by half a unit of its size, and
    # eta_ov itself may be the float64 of a decimal: as much again.  (kq_rel: its radius has room for that rounding.)
    factor = g.eta_ov / unit
    change, radius = -factor * g.ov_rel, abs(factor) * g.ov_rel_radius
    radius = np.where(change == 0, radius, radius * (1 + 1e-15) + 2.3e-16 * np.abs(change))
    change[:, world.sep_token], radius[:, world.sep_token] = 0.0, 0.0
    low, high = _outward(start.ov_rel / unit + change, radius)
    # One more addition, to the initial entries of the relation tokens, where nothing has moved: nothing is rounded there.
    ov_subj = start.ov_subj / unit
    return (
        UpdatedWeights(subj[0], rel[0], ov_subj, low),
        UpdatedWeights(subj[1], rel[1], ov_subj, high),
        unit,
    )
