"""Does one named sequence surely fail, for every weights between bounds?

The highest scores lie among the positions whose upper bound reaches the largest lower bound. A head attends a non-empty
set of them, its output is in the convex hull of their columns, so with columns between lo and hi the margin is at most
    min over v != y of   max_i (hi[y, i] - lo[v, i])_subj + max_i (hi[y, i] - lo[v, i])_rel,
i over those positions. If that is not positive, the target is not strictly first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from numerics.conclusion.conditions import ROUNDING, TINY, Condition
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import Setting, make_setting
from numerics.world import World

HEADS = (("kq_subj", "ov_subj"), ("kq_rel", "ov_rel"))


def largest_margin(
    setting: Setting, lower: Weights, upper: Weights, relation_type: int, subjects: Sequence[int]
) -> float:
    """An upper bound on logit[target] - max of the others for the sequence (type, j_1..j_m).  Cost O(T V)."""
    world = setting.world
    tokens = np.array(setting.tokens(relation_type, subjects))
    target = int(world.attribute_token[subjects[-1], relation_type])
    places = world.V + np.arange(setting.T - 1, -1, -1)
    margin = np.zeros(world.V)
    for kq, ov in HEADS:
        low, high = (np.asarray(getattr(w, kq), dtype=np.float64) for w in (lower, upper))
        # At most 6 u of the largest score: two conversions of two numbers, their sum, and the pad itself.
        pad = 2 * ROUNDING * max(np.abs(low).max(), np.abs(high).max()) + TINY
        at_least, at_most = low[tokens] + low[places] - pad, high[tokens] + high[places] + pad
        attended = tokens[at_most >= at_least.max()]
        least = np.asarray(getattr(lower, ov)[:, attended], dtype=np.float64)
        most = np.asarray(getattr(upper, ov)[target, attended], dtype=np.float64)
        margin += (most[None, :] - least).max(axis=1) + ROUNDING * (np.abs(least).max() + np.abs(most).max()) + TINY
    margin[target] = np.inf
    return float(margin.min())


def surely_fails(
    world: World, n_demos: int, lower: Weights, upper: Weights, query: str, context: str, condition: Condition
) -> tuple[int, tuple[int, ...]] | None:
    """A sequence on which the target is surely not strictly first, sought where a condition fails: (type, subjects) or None.

    Tried for every type with the condition's query: its own contexts, and contexts that all hold the value of the type whose
    score is lowest (a head that fails for one type fails there for others).  None says nothing.  Cost O(L T V).
    """
    setting = make_setting(world, n_demos, query, context)
    score = np.asarray(lower.kq_rel, dtype=np.float64) + np.asarray(upper.kq_rel, dtype=np.float64)
    contexts = setting.contexts
    for ell in range(world.L):
        lowest = int(contexts[np.argmin(score[np.asarray(world.attribute_token)[contexts, ell]])])
        for chosen in (condition.subjects, (lowest,) * n_demos + condition.subjects[-1:]):
            if largest_margin(setting, lower, upper, ell, chosen) <= 0:
                return ell, tuple(chosen)
    return None
