"""Setting and weights made ready: integer weights, ranked levels, slot groups. Both methods start from here."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from numerics.conclusion.levels import Ranks, head_ranks, slot_groups
from numerics.conclusion.rational import Exact, Weights, exact_weights
from numerics.conclusion.setting import Setting

HEADS = ("subj", "rel")


def as_tolerance(tie_tolerance: float | Fraction) -> Fraction:
    """tie_tolerance as an exact rational. Raises ValueError unless it is a finite number >= 0."""
    try:
        tolerance = Fraction(tie_tolerance)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"tie_tolerance = {tie_tolerance!r}: must be a finite number >= 0") from None
    if tolerance < 0:
        raise ValueError(f"tie_tolerance = {tie_tolerance!r}: must be a finite number >= 0")
    return tolerance


@dataclass(frozen=True)
class Problem:
    """query, context: subject indices of the pools; attribute (L, |C|) and target (L, |Q|): token ids; ranks per
    head."""

    setting: Setting
    exact: Exact
    ranks: tuple[Ranks, Ranks]
    groups: list[list[int]]
    attribute: np.ndarray
    target: np.ndarray
    tolerance: Fraction

    @property
    def score_gap(self) -> dict[str, Fraction | None]:
        return {name: ranks.gap for name, ranks in zip(HEADS, self.ranks, strict=True)}


def prepare(setting: Setting, weights: Weights, tolerance: Fraction) -> Problem:
    """Cost O(V^2 + n L |C|) big-integer operations. Raises ValueError for unusable weights."""
    world = setting.world
    # A mean over the query and the k <= n + 1 attended seps must stay integral.
    exact = exact_weights(weights, world.V, setting.T, tolerance, lcm(*range(1, setting.n + 3)))
    subj, rel = (head_ranks(setting, kq, exact.kq_denominator, tolerance) for kq in exact.kq)
    table = np.asarray(world.attribute_token, dtype=np.int64)
    attribute, target = table[setting.contexts].T, table[setting.queries].T
    return Problem(setting, exact, (subj, rel), slot_groups((subj, rel)), attribute, target, tolerance)
