"""Sequence by sequence, for weights between bounds: where scores are equal for certain, the attention is known exactly.

numerics.conclusion.interval lets a head attend any non-empty set of the positions whose scores overlap. But scores may be
equal for every weights that are meant: two entries known exactly, the same token twice, and positions whose entries are equal
because the context subjects are drawn alike. If all positions that can be maximal are equal in this way, the head attends
all of them and its output is the mean of their columns, between the means of the lower and of the upper ones; else it is in
their convex hull, as there. The margin lies between bounds as there. And where the output is one and the same for sequences with
different targets, one of the targets at most is its maximum.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from numerics.conclusion.decision import Decision
from numerics.conclusion.interval import Box
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import Setting

#: Sequences that are looked at one by one: about a millisecond each.
LIMIT = 5000


def kind(i: int) -> int:
    """Positions p_-i of one number are of one kind: the last sep 0, the query 1, context attributes, seps, subjects 2, 3, 4."""
    return i if i < 2 else {2: 2, 0: 3, 1: 4}[i % 3]


@dataclass(frozen=True)
class Scores:
    """One head's entries between low and high (V + T,), as Fractions; exchangeable: positions of one kind are equal."""

    low: np.ndarray
    high: np.ndarray
    exchangeable: bool

    def key(self, index: int, V: int) -> tuple[str, Fraction | int]:
        """Equal keys: equal entries, for every weights that are meant."""
        if self.low[index] == self.high[index]:
            return "value", Fraction(self.low[index])
        return ("kind", kind(index - V)) if self.exchangeable and index >= V else ("entry", index)

    def attended(self, tokens: list[int], V: int) -> tuple[tuple[int, ...], bool]:
        """(tokens at the positions that can be maximal, whether their mean is for certain what is attended)."""
        T = len(tokens)
        places = [(t, V + T - 1 - x) for x, t in enumerate(tokens)]
        top = max(self.low[t] + self.low[p] for t, p in places)
        among = [(t, p) for t, p in places if self.high[t] + self.high[p] >= top]
        keys = set()
        for t, p in among:
            one = self.key(t, V), self.key(p, V)
            (what, a), (which, b) = one
            keys.add(("sum", a + b) if what == which == "value" else one)
        found = tuple(sorted(t for t, _ in among))
        return found, len(keys) == 1 or len(set(found)) == 1


def _between(box: Box, column: np.ndarray, tokens: tuple[int, ...], certain: bool, target: int) -> list[np.ndarray]:
    """Bounds of logit[target] - logit[v] from one head, (V,) Fractions or integers over the common denominator."""
    rows = column[list(tokens)]
    lower, upper = box.lower.numerator[rows], box.upper.numerator[rows]
    low, high = lower[:, [target]] - upper, upper[:, [target]] - lower
    if certain:
        one = Fraction(1, len(rows))
        return [low.sum(axis=0) * one, high.sum(axis=0) * one]
    return [low.min(axis=0), high.max(axis=0)]


def _verdict(low: Fraction, high: Fraction) -> tuple[str, Fraction, Fraction]:
    """For a margin between these ends; "fails": tie or wrong."""
    if low > 0:
        return "right", low, high
    return "wrong" if high < 0 else "tie" if low == high == 0 else "fails" if high <= 0 else "open", low, high


def _excess(known: dict[Any, tuple[str, Fraction, Fraction]], times: Counter[Any]) -> int:
    """Sequences counted as open that cannot be right: one output, whatever it is, has one strict maximum at most."""
    possible: dict[Any, list[tuple[str, int]]] = {}
    for (attended, target), (verdict, _, _) in known.items():
        if verdict in ("right", "open") and all(certain for _, certain in attended):
            possible.setdefault(attended, []).append((verdict, times[attended, target]))
    excess = 0
    for some in possible.values():
        sure = any(verdict == "right" for verdict, _ in some)
        unsure = [count for verdict, count in some if verdict == "open"]
        excess += sum(unsure) - (0 if sure else max(unsure, default=0))
    return excess


def singly(
    decision: Decision,
    setting: Setting,
    bounds: tuple[Weights, Weights],
    columns: tuple[np.ndarray, np.ndarray],
    boxes: tuple[Box, Box],
    denominator: int,
    exchangeable: bool,
) -> Decision:
    """`decision` with what every sequence, taken for itself, says besides. columns: per head the column of every token.

    Cost O((T + V attended)) rational operations a sequence, remembered by what the heads attend.
    """
    world, V = setting.world, setting.world.V
    heads = [
        Scores(np.asarray(getattr(bounds[0], n)), np.asarray(getattr(bounds[1], n)), exchangeable)
        for n in ("kq_subj", "kq_rel")
    ]
    known: dict[Any, tuple[str, Fraction, Fraction]] = {}
    times: Counter[Any] = Counter()
    for ell in range(world.L):
        for subjects in product(*[setting.contexts] * setting.n, setting.queries):
            tokens = setting.tokens(ell, subjects)
            target = int(world.attribute_token[subjects[-1], ell])
            attended = tuple(head.attended(tokens, V) for head in heads)
            times[attended, target] += 1
            if (attended, target) not in known:
                parts = [_between(b, c, *a, target) for b, c, a in zip(boxes, columns, attended, strict=True)]
                low, high = (np.delete(parts[0][k] + parts[1][k], target) for k in (0, 1))
                known[attended, target] = _verdict(Fraction(min(low)) / denominator, Fraction(min(high)) / denominator)
    counts: Counter[str] = Counter()
    for case, (verdict, _, _) in known.items():
        counts[verdict] += times[case]
    excess = _excess(known, times)

    def bounded(name: str, least: int, most: int) -> tuple[int, int]:
        before = getattr(decision, f"{name}_bounds")
        return max(before[0], least), min(before[1], most)

    right = bounded("right", counts["right"], counts["right"] + counts["open"] - excess)
    ties = bounded("ties", counts["tie"], counts["tie"] + counts["fails"] + counts["open"])
    wrong = bounded("wrong", counts["wrong"], counts["wrong"] + counts["fails"] + counts["open"])
    exact = all(low == high for low, high in (right, ties, wrong))
    why = (
        f"{counts['open'] + counts['fails']} of {setting.total} sequences are not decided by the bounds on the weights"
    )
    if excess:
        why += f"; of these, {excess} cannot be right: others with the same output have other targets"
    ends = min(low for _, low, _ in known.values()), min(high for _, _, high in known.values())
    return replace(
        decision,
        right=right[0] if exact else None,
        ties=ties[0] if exact else None,
        wrong=wrong[0] if exact else None,
        right_bounds=right,
        ties_bounds=ties,
        wrong_bounds=wrong,
        exact=exact,
        method="every sequence" if exact else decision.method,
        why="" if exact else why,
        min_margin=ends[0] if ends[0] == ends[1] else None,
        min_margin_bounds=ends,
    )
