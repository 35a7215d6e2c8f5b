"""Finite beta: from which inverse temperature on the updated weights answer every sequence, bracketed from both sides.

Weights per unit beta; a head's attention is softmax(beta * score). Let gamma_s be the least gap by which the query leads in
the subject head, gamma_r the least gap by which EVERY attribute leads everything else in the relation head, mu the least
margin of the target when both heads attend only what they should (numerics.conclusion.conditions; a mixture of attributes
has at least the margin of the worst one). Off the query lies at most (T - 1) exp(-beta gamma_s), off the attributes at most
(T - N_ft) exp(-beta gamma_r) / N_ft. Moving a share x of attention changes a difference of two logits by at most x times
twice the spread of the head's columns. So beta suffices once
    2 spread_s (T - 1) exp(-beta gamma_s) + 2 spread_r (T - N_ft) exp(-beta gamma_r) / N_ft < mu.
Necessary: the largest beta at which one of the named worst sequences is answered wrongly by the literal softmax.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.conditions import Condition, conditions
from numerics.conclusion.setting import make_setting
from numerics.population.layout import Layout
from numerics.updates import UpdatedWeights
from numerics.world import World
from verify.region.point import pools

LARGEST_LOG2, SMALLEST_LOG2 = 60.0, -10.0


@dataclass(frozen=True)
class FiniteBeta:
    """sufficient: from here on every sequence is right (None: no such bound); fails_at: the largest beta found at which a named
    sequence (pool, type, subjects) is not answered right (None: none found)."""

    objective: str
    sufficient: float | None
    fails_at: float | None
    sequence: tuple[str, int, tuple[int, ...]] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "sufficient": self.sufficient,
            "fails_at": self.fails_at,
            "sequence": None
            if self.sequence is None
            else {"pool": self.sequence[0], "type": self.sequence[1], "subjects": list(self.sequence[2])},
        }


def margin(world: World, weights: UpdatedWeights, tokens: NDArray[np.int64], target: int, beta: float) -> float:
    """logit[target] - max of the others of one sequence at finite beta: the network, written out. Cost O(T V)."""
    T, V = len(tokens), world.V
    logits = np.zeros(V)
    for kq, ov in ((weights.kq_subj, weights.ov_subj), (weights.kq_rel, weights.ov_rel)):
        scores = (kq[tokens] + kq[V + np.arange(T - 1, -1, -1)]).astype(np.float64)
        share = np.exp(beta * (scores - scores.max()))
        logits += ov[:, tokens].astype(np.float64) @ (share / share.sum())
    return float(logits[target] - np.delete(logits, target).max())


def _every_attribute(world: World, n_demos: int, kq: NDArray[np.float64]) -> float:
    """The least gap of any attribute of a context over anything else in the relation head, whatever the sequence."""
    layout, V = Layout(n_demos), world.V
    place = kq[V:][::-1]
    tokens = np.unique(world.attribute_token[world.finetune_array])
    least = kq[tokens].min() + place[layout.attributes].min()
    rivals = (
        kq[: world.M].max() + place[layout.subjects[-1]],
        kq[world.finetune_array].max() + place[layout.subjects[:-1]].max(),
        kq[world.sep_token] + place[layout.seps].max(),
    )
    return float(least - max(rivals))


def sufficient_beta(
    world: World, n_demos: int, weights: UpdatedWeights, found: dict[str, list[Condition]]
) -> float | None:
    """The beta from which the inequality above holds, by bisection (its left side decreases in beta); None if a gap is not positive."""
    kq_rel = np.asarray(weights.kq_rel, dtype=np.float64)
    gamma_r = _every_attribute(world, n_demos, kq_rel)
    gamma_s = min(c.low for pool in found.values() for c in pool if c.head == "subj")
    mu = min(c.low for pool in found.values() for c in pool if c.head == "output")
    if min(gamma_r, gamma_s, mu) <= 0:
        return None
    T = Layout(n_demos).T
    inputs = slice(0, world.M + world.n_attributes)
    spread = [float(np.ptp(ov[:, inputs].astype(np.float64), axis=0).max()) for ov in (weights.ov_subj, weights.ov_rel)]

    def lost(beta: float) -> float:
        on_subject = spread[0] * (T - 1) * math.exp(-beta * gamma_s)
        return 2 * on_subject + 2 * spread[1] * (T - n_demos) / n_demos * math.exp(-beta * gamma_r)

    low, high = SMALLEST_LOG2, LARGEST_LOG2
    if lost(2.0**high) >= mu:
        return None
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if lost(2.0**middle) < mu else (middle, high)
    return 2.0**high


def finite_beta(
    world: World, n_demos: int, objective: str, weights: UpdatedWeights, draws: int = 64, seed: int = 0
) -> FiniteBeta:
    """Both sides of the threshold for given weights. The sequences tried are the worst ones of every condition and `draws` random ones."""
    found = {pool: conditions(world, n_demos, weights, weights, pool) for pool in pools(world)}
    generator = np.random.default_rng(seed)
    tried: list[tuple[str, int, tuple[int, ...]]] = []
    for pool, some in found.items():
        setting = make_setting(world, n_demos, pool, "finetune")
        tried += [(pool, ell, c.subjects) for c in some for ell in range(world.L)]
        for _ in range(draws):
            context = generator.choice(setting.contexts, n_demos)
            subjects = (*(int(j) for j in context), int(generator.choice(setting.queries)))
            tried.append((pool, int(generator.integers(world.L)), subjects))
    worst, which = None, None
    setting = make_setting(world, n_demos, "seen", "finetune")
    floats = UpdatedWeights(
        *(np.asarray(a, dtype=np.float64) for a in (weights.kq_subj, weights.kq_rel, weights.ov_subj, weights.ov_rel))
    )
    for one in tried:
        tokens, target = np.array(setting.tokens(one[1], one[2])), int(world.attribute_token[one[2][-1], one[1]])

        def wrong(log2: float, tokens: NDArray[np.int64] = tokens, target: int = target) -> bool:
            return margin(world, floats, tokens, target, 2.0**log2) <= 0

        # From above: the first power of 2 at which the sequence fails, then bisection between it and the next.
        below = next((x for x in np.arange(LARGEST_LOG2, SMALLEST_LOG2, -1.0) if wrong(float(x))), None)
        if below is None:
            continue
        low, high = float(below), float(below) + 1
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (middle, high) if wrong(middle) else (low, middle)
        if worst is None or 2.0**low > worst:
            worst, which = 2.0**low, one
    return FiniteBeta(objective, sufficient_beta(world, n_demos, floats, found), worst, which)
