"""Attention levels: which positions a head may attend, ranked.

The score of a position is (token score) + (position score); hard attention looks only at the maximal one. All scores
that occur in the population are therefore replaced by integer ranks of the sorted list; equal rank = tie. With a
tolerance, neighbours in the sorted list that differ by no more share a rank (chains included); with intervals [lo, hi],
overlapping ones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.conclusion.setting import Setting


@dataclass(frozen=True)
class Ranks:
    """Ranks of one head: query (|Q|,), sep (n+1,) by i = 0..n, subject (n, |C|), attribute (n, L, |C|), slots i = 1..n.

    gap: smallest distance of neighbouring different levels that can be at the top (None if there is only one).
    """

    query: np.ndarray
    sep: np.ndarray
    subject: np.ndarray
    attribute: np.ndarray
    gap: Fraction | None


def head_ranks(setting: Setting, lo: np.ndarray, hi: np.ndarray, denominator: int, tolerance: Fraction) -> Ranks:
    """Ranks of a head whose scaled integer scores (V+T,) lie in [lo, hi] (exact: lo = hi).

    Cost O(n (|C| (1 + L))) big-integer additions and one sort.
    """
    V, n, contexts = setting.world.V, setting.n, setting.contexts
    attributes = np.asarray(setting.world.attribute_token)[contexts].T  # (L, |C|)

    def scores(k: np.ndarray) -> list[np.ndarray]:
        position = k[V:]  # position[d] is the score of p_{-d}
        return [
            k[setting.queries] + position[1],
            k[setting.world.sep_token] + np.array([position[3 * i] for i in range(n + 1)], dtype=object),
            np.array([k[contexts] + position[3 * i + 1] for i in range(1, n + 1)], dtype=object),
            np.array([k[attributes] + position[3 * i - 1] for i in range(1, n + 1)], dtype=object),
        ]

    low, high = scores(lo), scores(hi)
    intervals = sorted({pair for a, b in zip(low, high, strict=True) for pair in zip(a.flat, b.flat, strict=True)})
    slack = tolerance * denominator
    rank: dict[tuple[int, int], int] = {}
    gaps: list[int] = []
    reach: int | None = None
    for a, b in intervals:
        if reach is not None and a - reach > slack:
            gaps.append(a - reach)
        reach = b if reach is None else max(reach, b)
        rank[a, b] = len(gaps)
    ranked = [
        np.array([rank[pair] for pair in zip(a.flat, b.flat, strict=True)], dtype=np.int64).reshape(a.shape)
        for a, b in zip(low, high, strict=True)
    ]
    # A level below every query and every sep never is at the top; gap k lies between the ranks k and k + 1.
    floor = max(int(ranked[0].min()), int(ranked[1].max())) if ranked[0].size else 0
    relevant = gaps[max(floor - 1, 0) :]
    return Ranks(ranked[0], ranked[1], ranked[2], ranked[3], Fraction(min(relevant), denominator) if relevant else None)


def slot_groups(heads: tuple[Ranks, Ranks]) -> list[list[int]]:
    """Slots (0-based, slot index i - 1) with the same ranks for every context subject and type in both heads."""
    groups: dict[bytes, list[int]] = {}
    for i in range(len(heads[0].subject)):
        key = b"".join(h.subject[i].tobytes() + h.attribute[i].tobytes() for h in heads)
        groups.setdefault(key, []).append(i)
    return list(groups.values())
