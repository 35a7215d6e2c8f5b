"""Sharp conditions for weights between bounds: what each head must prefer, and by how much it does, in the worst sequence.

A sequence is free to combine any query with any contexts, so the smallest gap over ALL sequences is found without
visiting them. Write a(u), s(j), z for the scores of an attribute value, a subject and [sep], + the score of a position.

Subject head on the query alone, on every sequence, iff for every query q and every competitor that can stand somewhere
    s(q) + p_-1  >  s(j) + p_context,   a(u) + p_attribute (u of a context subject),   z + p_sep.
Relation head on attributes alone iff in every sequence the highest attribute is above everything else. Contexts are
chosen to keep the highest attribute low: for type l, with u_min its lowest value on the context subjects,
    query:    a(u_min) + max_i p_attribute,i  >  s(q) + p_-1                    (all contexts hold u_min)
    [sep]:    a(u_min) + max_i p_attribute,i  >  z + p_sep
    context:  max(a(a_j) + p_attribute,k,  a(u_min) + max_{i != k} p_attribute,i)  >  s(j) + p_context,k
                                                                (j in slot k, the others hold u_min).
Where both hold, the output is the query's column of W_OV^subj plus a mean of columns of W_OV^rel over attributes of the
type; contexts that all hold one value u leave that column alone, and a mean of right answers is right. So the target
wins on every sequence iff it wins for every type l, query q and value u of l on the context subjects:
    W_subj[y, q] + W_rel[y, u]  >  W_subj[v, q] + W_rel[v, u]    for all v != y.
Each side is strict: where a competitor ties, `decide` says what the tie does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import Setting, make_setting
from numerics.population.layout import Layout
from numerics.world import World

FloatArray = NDArray[np.float64]
# A gap (a + p) - (b + q) of numbers of which |a| + |p|, |b| + |q| <= size: 4 conversions to float64 round by u = 2^-53 of
# each, 2 size u in all, both sums by 2 size u, their difference by 2 size u, widening the gap by 2 size u once more.  So
# 8 size u < 2 ROUNDING size = 9.007 size u, sizes of the numbers apart being no matter; below 1e-300 float64 loses digits:
# TINY.
ROUNDING = 5e-16
TINY = 1e-300


@dataclass(frozen=True)
class Condition:
    """One inequality, preferred > competitor, at its worst sequence: gap lies in [low, high].

    head: 'subj', 'rel' or 'output'; against: what competes. relation_type and subjects (j_1..j_m): a sequence on which
    the gap is smallest (half way between the bounds).
    """

    head: str
    against: str
    low: float
    high: float
    relation_type: int
    subjects: tuple[int, ...]

    @property
    def holds(self) -> bool | None:
        """True if the gap is surely positive, False if surely not, None if the bounds do not tell."""
        return True if self.low > 0 else (False if self.high <= 0 else None)


class _Scores:
    """One head's scores between bounds: side 0 lower, 1 upper."""

    def __init__(self, setting: Setting, lower: Weights, upper: Weights, name: str) -> None:
        world, layout = setting.world, Layout(setting.n)
        sides = [np.asarray(getattr(w, name), dtype=np.float64) for w in (lower, upper)]
        position = [side[world.V :][::-1] for side in sides]
        self.subject = [side[: world.M] for side in sides]
        self.attribute = [side[: world.V] for side in sides]
        self.sep = [side[world.sep_token] + p[layout.seps].max() for side, p in zip(sides, position, strict=True)]
        self.p_query = [p[layout.subjects[-1]] for p in position]
        self.p_context = [p[layout.subjects[:-1]] for p in position]
        self.p_attribute = [p[layout.attributes] for p in position]
        self.size = max(float(np.abs(side[: world.V]).max() + np.abs(side[world.V :]).max()) for side in sides)


def _condition(head: str, against: str, gap: list, size: float, relation_type: int, subjects: list[int]) -> Condition:
    """gap: (low, high) as computed; widened here by the rounding of the sums that made it, of at most twice `size`."""
    pad = 2 * ROUNDING * size + TINY
    return Condition(
        head, against, float(gap[0]) - pad, float(gap[1]) + pad, relation_type, tuple(int(j) for j in subjects)
    )


def _subject_head(setting: Setting, s: _Scores) -> list[Condition]:
    world, n, Q, C = setting.world, setting.n, setting.queries, setting.contexts
    tokens = np.asarray(world.attribute_token)[C]
    # Half-way scores choose the worst sequence; the bounds are then taken over everything, so they need no choice.
    query = [s.subject[i][Q] + s.p_query[i] for i in (0, 1)]
    q = int(Q[np.argmin(query[0] + query[1])])
    rivals = {
        "context subjects": [s.subject[i][C].max() + s.p_context[i].max() for i in (0, 1)],
        "attributes": [s.attribute[i][tokens].max() + s.p_attribute[i].max() for i in (0, 1)],
        "sep": s.sep,
    }
    j = int(C[np.argmax(s.subject[0][C] + s.subject[1][C])])
    row, ell = np.unravel_index(int(np.argmax(s.attribute[0][tokens] + s.attribute[1][tokens])), tokens.shape)
    worst = {"context subjects": (0, j), "attributes": (int(ell), int(C[row])), "sep": (0, j)}
    return [
        _condition(
            "subj",
            name,
            [query[0].min() - rival[1], query[1].min() - rival[0]],
            s.size,
            worst[name][0],
            [worst[name][1]] * n + [q],
        )
        for name, rival in rivals.items()
    ]


def _relation_head(setting: Setting, s: _Scores) -> list[Condition]:
    world, n, Q, C = setting.world, setting.n, setting.queries, setting.contexts
    tokens = np.asarray(world.attribute_token)[C]  # (|C|, L)
    value = [s.attribute[i][tokens] for i in (0, 1)]
    low_value = [value[i].min(axis=0) for i in (0, 1)]  # (L,)
    ell = int(np.argmin(low_value[0] + low_value[1]))
    holder = [int(C[k]) for k in np.argmin(value[0] + value[1], axis=0)]  # a context subject with u_min, by type
    top = [low_value[i].min() + s.p_attribute[i].max() for i in (0, 1)]
    query = [s.subject[i][Q].max() + s.p_query[i] for i in (0, 1)]
    q = int(Q[np.argmax(s.subject[0][Q] + s.subject[1][Q])])
    made = [
        _condition("rel", "query", [top[0] - query[1], top[1] - query[0]], s.size, ell, [holder[ell]] * n + [q]),
        _condition("rel", "sep", [top[0] - s.sep[1], top[1] - s.sep[0]], s.size, ell, [holder[ell]] * n + [q]),
    ]
    gaps = []
    for i in (0, 1):
        worst = np.full(tokens.shape, np.inf)
        other = 1 - i
        for k in range(n):
            highest = value[i] + s.p_attribute[i][k]
            if n > 1:
                rest = np.delete(s.p_attribute[i], k).max()
                highest = np.maximum(highest, low_value[i][None] + rest)
            worst = np.minimum(worst, highest - (s.subject[other][C][:, None] + s.p_context[other][k]))
        gaps.append(worst)
    row, ell_c = np.unravel_index(int(np.argmin(gaps[0] + gaps[1])), tokens.shape)
    chosen = [int(C[row])] + [holder[int(ell_c)]] * (n - 1) + [q]
    made.append(_condition("rel", "context subjects", [gaps[0].min(), gaps[1].min()], s.size, int(ell_c), chosen))
    return made


def _output(setting: Setting, lower: Weights, upper: Weights) -> list[Condition]:
    """Cost O(sum_l U_l |distinct value rows of the queries| A) with A = sum U_l."""
    world, n, Q, C = setting.world, setting.n, setting.queries, setting.contexts
    found: Condition | None = None
    sides = (lower, upper)
    subj = [np.asarray(w.ov_subj[:, Q], dtype=np.float64) for w in sides]
    lows, highs = np.inf, np.inf
    for ell in range(world.L):
        target = np.asarray(world.attribute_token)[Q, ell]
        for u in np.unique(np.asarray(world.attribute_token)[C, ell]):
            rel = [np.asarray(w.ov_rel[:, u], dtype=np.float64) for w in sides]
            columns = np.arange(len(Q))
            own = [subj[i][target, columns] + rel[i][target] for i in (0, 1)]
            gap = []
            for i in (0, 1):
                rival = subj[1 - i] + rel[1 - i][:, None]
                rival[target, columns] = -np.inf
                gap.append(own[i] - rival.max(axis=0))
            worst = int(np.argmin(gap[0] + gap[1]))
            size = sum(max(float(np.abs(side).max()) for side in pair) for pair in (subj, rel))
            holder = int(C[np.flatnonzero(np.asarray(world.attribute_token)[C, ell] == u)[0]])
            one = _condition(
                "output",
                "other tokens",
                [gap[0].min(), gap[1].min()],
                size,
                ell,
                [holder] * n + [int(Q[worst])],
            )
            lows, highs = min(lows, one.low), min(highs, one.high)
            if found is None or one.low + one.high < found.low + found.high:
                found = one
    if found is None:
        raise ValueError("no sequence: the pool of queries or of contexts is empty")
    return [Condition(found.head, found.against, lows, highs, found.relation_type, found.subjects)]


def conditions(
    world: World, n_demos: int, lower: Weights, upper: Weights, query: str = "seen", context: str = "finetune"
) -> list[Condition]:
    """The sharp conditions of a query pool, for every weights with lower <= weights <= upper, in float64 with its rounding.

    If all hold, the target is strictly first on every sequence at beta = inf. If the first six (heads) hold and the last
    (output) surely does not, it is not first on the sequence named. A head's condition that fails does not by itself
    make an answer wrong. Raises ValueError as decide, and for an empty pool.
    Cost O(L M + A |Q| A) with A = sum U_l: no sequence is visited, and m enters through n_demos position scores only.
    """
    setting = make_setting(world, n_demos, query, context)
    if setting.total == 0:
        raise ValueError(f"query = {query!r}: the pool must hold at least one subject, got none")
    return [
        *_subject_head(setting, _Scores(setting, lower, upper, "kq_subj")),
        *_relation_head(setting, _Scores(setting, lower, upper, "kq_rel")),
        *_output(setting, lower, upper),
    ]
