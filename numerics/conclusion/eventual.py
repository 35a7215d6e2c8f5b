"""Sequence by sequence, exactly, as beta grows: which token is first at every large finite beta.

A logit at an inverse temperature is, per head, sum_i e^(beta s_i) W_OV[v, x_i] / sum_i e^(beta s_i).  Times both denominators the difference of
two logits is a finite sum of exponentials in beta; with rational scores and columns its sign for all large beta is that of the
coefficient at its largest exponent, and it is 0 at every beta if all coefficients cancel.  At beta = inf (hard attention) more ties.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from numerics.conclusion.rational import Weights, common_denominator, fractions, numerators
from numerics.conclusion.setting import make_setting
from numerics.world import World

#: Sequences that are looked at: about a millisecond each.
LIMIT = 100_000


@dataclass(frozen=True)
class Eventual:
    """Counts of sequences, and of the wrong ones the first (type, subjects j_1..j_m); tied: at every beta, with some token and behind none."""

    total: int
    right: int
    tied: int
    wrong: int
    first_wrong: tuple[int, tuple[int, ...]] | None

    @property
    def holds(self) -> bool:
        return self.right == self.total


def eventual(world: World, n_demos: int, weights: Weights, pool: str, limit: int = LIMIT) -> Eventual:
    """All sequences of a pool of queries, contexts from the finetuning subjects; weights exact, scores per unit beta.

    Raises ValueError beyond `limit` sequences, and for weights that are not rational.  Cost O(L M_ft^N_ft M V T^2) at most, of integers.
    """
    setting = make_setting(world, n_demos, pool, "finetune")
    total = world.L * len(setting.contexts) ** n_demos * len(setting.queries)
    if total > limit:
        raise ValueError(f"world must have at most {limit} sequences of the pool {pool}, got {total}")
    kq, ov = _whole(weights, "kq"), _whole(weights, "ov")
    counts, first = {1: 0, 0: 0, -1: 0}, None
    every = itertools.product(
        range(world.L), itertools.product(*[setting.contexts.tolist()] * n_demos, setting.queries.tolist())
    )
    for ell, subjects in every:
        tokens = setting.tokens(ell, subjects)
        found = _worst(kq, ov, tokens, int(world.attribute_token[subjects[-1], ell]))
        counts[found] += 1
        if found < 0 and first is None:
            first = (ell, tuple(subjects))
    return Eventual(total, counts[1], counts[0], counts[-1], first)


def _whole(weights: Weights, kind: str) -> list[np.ndarray]:
    """A matrix of either head as integers over one denominator, which changes no sign and no order."""
    names = (f"{kind}_subj", f"{kind}_rel")
    found = [fractions(name, np.asarray(getattr(weights, name)), np.shape(getattr(weights, name))) for name in names]
    denominator = common_denominator(found)
    return [numerators(one, denominator) for one in found]


def _worst(kq: list[np.ndarray], ov: list[np.ndarray], tokens: list[int], target: int) -> int:
    """The least sign of target minus rival over all rivals."""
    V, T = len(ov[0]), len(tokens)
    # Positions of one head with one score act together.
    scores = [[int(head[x]) + int(head[V + T - 1 - i]) for i, x in enumerate(tokens)] for head in kq]
    counts = [Counter(head) for head in scores]
    worst = 1
    for v in range(V):
        if v == target:
            continue
        gains = [Counter(dict.fromkeys(head, 0)) for head in scores]
        for head, score, gain in zip(ov, scores, gains, strict=True):
            for x, at in zip(tokens, score, strict=True):
                gain[at] += int(head[target, x]) - int(head[v, x])
        first = (
            (i + j, gain * count) for (i, gain), (j, count) in itertools.product(gains[0].items(), counts[1].items())
        )
        second = (
            (i + j, gain * count) for (i, gain), (j, count) in itertools.product(gains[1].items(), counts[0].items())
        )
        worst = min(worst, _sign(itertools.chain(first, second)))
        if worst < 0:
            break
    return worst


def _sign(terms: Iterable[tuple[int, int]]) -> int:
    """Of the sum of coefficient e^(beta exponent), for all large beta."""
    found: dict[int, int] = {}
    for exponent, coefficient in terms:
        if coefficient:
            found[exponent] = found.get(exponent, 0) + coefficient
    kept = {exponent: c for exponent, c in found.items() if c}
    return 0 if not kept else 1 if kept[max(kept)] > 0 else -1
