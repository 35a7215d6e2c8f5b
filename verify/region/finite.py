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
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.conditions import Condition
from numerics.conclusion.setting import make_setting
from numerics.population.layout import Layout
from numerics.updates import UpdatedWeights
from numerics.world import World

#: log2 of beta times the step of a head: between these it is sought.
LARGEST_LOG2, SMALLEST_LOG2 = 60.0, -10.0
#: A float64 difference of two sums of two entries is right to this part of their sizes.
ROUNDING = 1e-15

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
            enough = f"beta >= {self.sufficient:.4g} suffices on every sequence"
        if self.fails_at is None:
            return f"{enough}; of the sequences tried none fails at a smaller one"
        return f"{enough}; at beta = {self.fails_at:.4g} a named sequence still fails"


@dataclass(frozen=True)
class Tempered:
    """Bounds of the weights; a head's scores are times beta * step (verify.region.point.between)."""

    lower: UpdatedWeights
    upper: UpdatedWeights
    steps: tuple[Fraction, Fraction]

    def floats(self) -> UpdatedWeights:
        """The middle, in float64."""
        pairs = (
            (getattr(self.lower, name), getattr(self.upper, name))
            for name in ("kq_subj", "kq_rel", "ov_subj", "ov_rel")
        )
        return UpdatedWeights(
            *((np.asarray(a, np.float64) if a is b else np.asarray((a + b) / 2, np.float64)) for a, b in pairs)
        )


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


def _gap(least: tuple[float, ...], most: tuple[float, ...]) -> float:
    """sum(least) - sum(most), rounded down."""
    return sum(least) - sum(most) - ROUNDING * sum(map(abs, (*least, *most)))


def _scores(w: UpdatedWeights, name: str) -> tuple[FloatArray, FloatArray]:
    """Scores of tokens (V,) and of the positions of a sequence from the left (T,)."""
    kq = np.asarray(getattr(w, name), dtype=np.float64)
    V = len(w.ov_subj)
    return kq[:V], kq[V:][::-1]


def gaps(world: World, n_demos: int, between: Tempered) -> tuple[float, float]:
    """Lower bounds of (gamma_s, gamma_r), in units of the steps: the query over everything else in the subject head, any
    attribute of a context over everything else in the relation head, on every sequence."""
    layout = Layout(n_demos)
    F, tokens = world.finetune_array, np.unique(world.attribute_token[world.finetune_array])

    def kinds(kq: FloatArray, place: FloatArray, most: bool) -> dict[str, tuple[float, float]]:
        end = np.max if most else np.min
        return {
            "query": (float(end(kq[: world.M])), float(place[layout.subjects[-1]])),
            "context": (float(end(kq[F])), float(end(place[layout.subjects[:-1]]))),
            "attribute": (float(end(kq[tokens])), float(end(place[layout.attributes]))),
            "sep": (float(kq[world.sep_token]), float(end(place[layout.seps]))),
        }

    found = []
    for name, wanted in (("kq_subj", "query"), ("kq_rel", "attribute")):
        least = kinds(*_scores(between.lower, name), most=False)[wanted]
        most = kinds(*_scores(between.upper, name), most=True)
        found.append(min(_gap(least, rival) for kind, rival in most.items() if kind != wanted))
    return found[0], found[1]


def sufficient_beta(world: World, n_demos: int, between: Tempered, found: dict[str, list[Condition]]) -> float | None:
    """The beta from which the inequality above holds, by bisection (its left side decreases in beta); None if a gap is not positive."""
    gamma_s, gamma_r = gaps(world, n_demos, between)
    mu = min(c.low for pool in found.values() for c in pool if c.head == "output")
    if min(gamma_r, gamma_s, mu) <= 0:
        return None
    T = Layout(n_demos).T
    inputs = slice(0, world.M + world.n_attributes)
    spread = []
    for name in ("ov_subj", "ov_rel"):
        least, most = (np.asarray(getattr(w, name)[:, inputs], np.float64) for w in (between.lower, between.upper))
        spread.append(float((most.max(axis=0) - least.min(axis=0)).max()) * (1 + ROUNDING))
    steps = [float(step) for step in between.steps]

    def lost(beta: float) -> float:
        on_subject = spread[0] * (T - 1) * math.exp(-beta * steps[0] * gamma_s)
        return 2 * on_subject + 2 * spread[1] * (T - n_demos) / n_demos * math.exp(-beta * steps[1] * gamma_r)

    low, high = _range(between)
    if lost(2.0**high) >= mu:
        return None
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if lost(2.0**middle) < mu else (middle, high)
    return 2.0**high


def _range(between: Tempered) -> tuple[float, float]:
    """log2 of beta, from and to."""
    sizes = [math.log2(step) for step in between.steps]
    return SMALLEST_LOG2 - max(sizes), LARGEST_LOG2 - min(sizes)


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

    The sequences tried are the worst ones of every condition and `draws` random ones, with the weights in the middle.
    """
    generator = np.random.default_rng(seed)
    tried: dict[Named, None] = {}
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
    least, largest = _range(between)
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
    return FiniteBeta(objective, sufficient_beta(world, n_demos, between, found), fails_at, which)
