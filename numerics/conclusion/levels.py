"""Attention levels: which positions a head may attend, ranked.

The score of a position is (token score) + (position score); hard attention looks only at the maximal one. All scores
that occur in the population are therefore replaced by integer ranks of the sorted list; equal rank = tie. With a
tolerance, neighbours in the sorted list that differ by no more share a rank (chains included); with intervals [lo, hi],
overlapping ones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from numerics.conclusion.setting import Setting


@dataclass(frozen=True)
class Ranks:
    """Ranks of one head: query (|Q|,), sep (n+1,) by i = 0..n, subject (n, |C|), attribute (n, L, |C|), slots i = 1..n.

    gap: see smallest_gap (None if there is only one rank).
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
    bounds: list[tuple[int, int]] = []  # of every rank
    for a, b in intervals:
        if bounds and a - bounds[-1][1] <= slack:
            bounds[-1] = bounds[-1][0], max(bounds[-1][1], b)
        else:
            bounds.append((a, b))
        rank[a, b] = len(bounds) - 1
    ranked = [
        np.array([rank[pair] for pair in zip(a.flat, b.flat, strict=True)], dtype=np.int64).reshape(a.shape)
        for a, b in zip(low, high, strict=True)
    ]
    gap = smallest_gap(ranked[0], ranked[1], np.concatenate([r.ravel() for r in ranked[2:]]), bounds)
    return Ranks(ranked[0], ranked[1], ranked[2], ranked[3], None if gap is None else Fraction(gap, denominator))


def smallest_gap(query: np.ndarray, sep: np.ndarray, slots: np.ndarray, bounds: list[tuple[int, int]]) -> int | None:
    """Smallest distance of two different ranks that may meet in a sequence, one of them as its maximum.

    Two queries never meet. A query at or above every sep competes with the sep and slot ranks next to it, one below
    with the sep; sep and slot ranks compete with each other from the lowest floor on (floor: maximum over the query and
    the seps).
    """
    top = int(sep.max())
    others = np.unique(np.concatenate([sep, slots]))
    queries = np.unique(query)
    pairs: set[tuple[int, int]] = set()
    for r in queries.tolist():
        if r < top:
            pairs.add((r, top))
            continue
        pairs.update((int(s), r) for s in others[others < r][-1:])
        pairs.update((r, int(s)) for s in others[others > r][:1])
    floor = max(int(queries.min()), top) if len(queries) else top
    pairs.update((s, t) for s, t in pairwise(others.tolist()) if t >= floor)
    return min((bounds[t][0] - bounds[s][1] for s, t in pairs), default=None)


def slot_groups(heads: tuple[Ranks, Ranks]) -> list[list[int]]:
    """Slots (0-based, slot index i - 1) with the same ranks for every context subject and type in both heads."""
    groups: dict[bytes, list[int]] = {}
    for i in range(len(heads[0].subject)):
        key = b"".join(h.subject[i].tobytes() + h.attribute[i].tobytes() for h in heads)
        groups.setdefault(key, []).append(i)
    return list(groups.values())
