"""Attention levels: which positions a head may attend, ranked.

The score of a position is (token score) + (position score); hard attention looks only at the maximal one. All scores
that occur in the population are therefore replaced by integer ranks of the sorted list; equal rank = tie. With a
tolerance, neighbours in the sorted list that differ by no more share a rank (chains included); with intervals [lo, hi],
overlapping ones do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from numerics.conclusion.setting import Setting


@dataclass(frozen=True)
class Ranks:
    """Ranks of one head: query (|Q|,), sep (n+1,) by i = 0..n, subject (n, |C|), attribute (n, L, |C|), slots i = 1..n.

    query_top (|Q|,): with intervals a query may overlap several ranks, query..query_top; without it is query.
    gap: see smallest_gap (None if there is only one rank, and for intervals).
    """

    query: np.ndarray
    query_top: np.ndarray
    sep: np.ndarray
    subject: np.ndarray
    attribute: np.ndarray
    gap: Fraction | None


def levels(setting: Setting, kq: np.ndarray) -> list[np.ndarray]:
    """Scores of query (|Q|,), sep (n+1,), slot subjects (n, |C|) and slot attributes (n, L, |C|), in the dtype of kq
    (V+T,)."""
    V, n, contexts = setting.world.V, setting.n, setting.contexts
    attributes = np.asarray(setting.world.attribute_token)[contexts].T  # (L, |C|)
    position = kq[V:]  # position[d] is the score of p_{-d}
    return [
        kq[setting.queries] + position[1],
        kq[setting.world.sep_token] + np.array([position[3 * i] for i in range(n + 1)], dtype=object),
        np.array([kq[contexts] + position[3 * i + 1] for i in range(1, n + 1)], dtype=object),
        np.array([kq[attributes] + position[3 * i - 1] for i in range(1, n + 1)], dtype=object),
    ]


def head_ranks(setting: Setting, kq: np.ndarray, denominator: int, tolerance: Fraction) -> Ranks:
    """Ranks of a head with the scaled integer scores kq (V+T,).

    Cost O(n (|C| (1 + L))) big-integer additions and one sort.
    """
    values = levels(setting, kq)
    slack = tolerance * denominator
    rank: dict[int, int] = {}
    bounds: list[tuple[int, int]] = []  # of every rank
    for x in sorted({x for part in values for x in part.flat}):
        if bounds and x - bounds[-1][1] <= slack:
            bounds[-1] = bounds[-1][0], x
        else:
            bounds.append((x, x))
        rank[x] = len(bounds) - 1
    query, sep, subject, attribute = (
        np.array([rank[x] for x in part.flat], dtype=np.int64).reshape(part.shape) for part in values
    )
    gap = smallest_gap(query, sep, np.concatenate([subject.ravel(), attribute.ravel()]), bounds)
    return Ranks(query, query, sep, subject, attribute, None if gap is None else Fraction(gap, denominator))


def interval_ranks(setting: Setting, lo: np.ndarray, hi: np.ndarray) -> Ranks:
    """Ranks of a head whose scores lie between lo and hi (V+T,): scaled integers over one denominator.

    Overlapping intervals of seps and slot tokens share an odd rank. Queries do not link them, as two queries never
    meet: a query has the ranks of all that it overlaps, or the even rank in between if there is none.
    """
    low, high = levels(setting, lo), levels(setting, hi)
    pairs = [list(zip(a.flat, b.flat, strict=True)) for a, b in zip(low, high, strict=True)]
    rank: dict[tuple[int, int], int] = {}
    bottoms: list[int] = []
    tops: list[int] = []
    for a, b in sorted({pair for part in pairs[1:] for pair in part}):
        if tops and a <= tops[-1]:
            tops[-1] = max(tops[-1], b)
        else:
            bottoms.append(a)
            tops.append(b)
        rank[a, b] = 2 * len(tops) - 1
    first = [bisect_left(tops, a) for a, _ in pairs[0]]  # the first cluster that is not certainly below the query
    last = [bisect_right(bottoms, b) for _, b in pairs[0]]  # one past the last that is not certainly above
    between = [f == e for f, e in zip(first, last, strict=True)]
    query = np.array([2 * f + (0 if gap else 1) for f, gap in zip(first, between, strict=True)], dtype=np.int64)
    query_top = np.array(
        [2 * f if gap else 2 * e - 1 for f, e, gap in zip(first, last, between, strict=True)], dtype=np.int64
    )
    sep, subject, attribute = (
        np.array([rank[pair] for pair in part], dtype=np.int64).reshape(a.shape)
        for part, a in zip(pairs[1:], low[1:], strict=True)
    )
    return Ranks(query, query_top, sep, subject, attribute, None)


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
