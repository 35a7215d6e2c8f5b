"""Finite beta: from which inverse temperature on the updated weights answer every sequence, bracketed from both sides.

Sufficient: verify.region.sufficient proves every sequence right from a beta on.
Necessary: the largest beta at which one of the named worst sequences is answered wrongly by the literal softmax.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.conditions import Condition
from numerics.conclusion.setting import make_setting
from numerics.updates import UpdatedWeights
from numerics.world import World
from verify.region.sufficient import Bound, log2_range, sufficient_beta
from verify.region.tempered import Tempered

FloatArray = NDArray[np.float64]
Named = tuple[str, int, tuple[int, ...]]


@dataclass(frozen=True)
class FiniteBeta:
    """sufficient: from here on every sequence is right (None: not proven for any beta); fails_at: the largest beta found at
    which a named sequence (pool, type, subjects) is not answered right (None: none found)."""

    objective: str
    sufficient: float | None
    fails_at: float | None
    sequence: Named | None

    def as_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "sufficient": self.sufficient,
            "fails_at": self.fails_at,
            "sequence": None
            if self.sequence is None
            else {"pool": self.sequence[0], "type": self.sequence[1], "subjects": list(self.sequence[2])},
        }

    def words(self) -> str:
        enough = "no beta is proven to suffice on every sequence"
        if self.sufficient is not None:
            enough = f"beta >= {self.sufficient:.5g} suffices on every sequence"
        if self.fails_at is None:
            return f"{enough}; of the sequences tried none fails at a smaller one"
        return f"{enough}; at beta = {self.fails_at:.5g} a named sequence still fails"


def margin(
    weights: UpdatedWeights,
    tokens: NDArray[np.int64],
    target: int,
    beta: float,
    steps: tuple[float, float] = (1.0, 1.0),
) -> float:
    """logit[target] - max of the others of one sequence at finite beta: the network, written out. Cost O(T V)."""
    T, V = len(tokens), len(weights.ov_subj)
    logits = np.zeros(V)
    heads = ((weights.kq_subj, weights.ov_subj), (weights.kq_rel, weights.ov_rel))
    for (kq, ov), step in zip(heads, steps, strict=True):
        scores = kq[tokens] + kq[V + np.arange(T - 1, -1, -1)]
        share = np.exp(beta * step * (scores - scores.max()))
        logits += ov[:, tokens] @ (share / share.sum())
    return float(logits[target] - np.delete(logits, target).max())


def finite_beta(
    world: World,
    n_demos: int,
    objective: str,
    between: Tempered,
    found: dict[str, list[Condition]],
    draws: int = 64,
    seed: int = 0,
) -> FiniteBeta:
    """Both sides of the threshold for weights between bounds; `found`: their sharp conditions by pool of queries.

    The sequences tried are the one on which the bound ends, the worst ones of every condition and `draws` random ones, with the weights
    in the middle.
    """
    generator = np.random.default_rng(seed)
    bound = Bound(world, n_demos, between, found)
    sufficient = sufficient_beta(bound, between)
    tried: dict[Named, None] = {}
    if bound.sequence is not None:
        ell, subjects = bound.sequence
        tried["seen" if subjects[-1] in world.finetune else "heldout", ell, subjects] = None
    for pool, some in found.items():
        setting = make_setting(world, n_demos, pool, "finetune")
        tried |= dict.fromkeys((pool, ell, c.subjects) for c in some for ell in range(world.L))
        for _ in range(draws):
            context = generator.choice(setting.contexts, n_demos)
            subjects = (*(int(j) for j in context), int(generator.choice(setting.queries)))
            tried[pool, int(generator.integers(world.L)), subjects] = None
    worst, which = -math.inf, None
    setting = make_setting(world, n_demos, "seen", "finetune")
    weights, steps = between.floats(), (float(between.steps[0]), float(between.steps[1]))
    least, largest = log2_range(between)
    for one in tried:
        tokens, target = np.array(setting.tokens(one[1], one[2])), int(world.attribute_token[one[2][-1], one[1]])

        def wrong(log2: float, tokens: NDArray[np.int64] = tokens, target: int = target) -> bool:
            return margin(weights, tokens, target, 2.0**log2, steps) <= 0

        # From above, no further than the worst so far: the first step down at which it fails, then bisection within it.
        below = next((x for x in np.arange(largest, max(least, worst - 1), -1.0) if wrong(float(x))), None)
        if below is None:
            continue
        low, high = float(below), float(below) + 1
        while high - low > 1e-4:
            middle = (low + high) / 2
            low, high = (middle, high) if wrong(middle) else (low, middle)
        if low > worst:
            worst, which = low, one
    fails_at = None if which is None else 2.0**worst
    return FiniteBeta(objective, sufficient, fails_at, which)
