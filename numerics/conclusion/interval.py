"""The decision for weights that are only known to lie between bounds.

Slot and sep levels whose intervals overlap (chains included) share a rank. The maximum of a sequence then certainly lies
in its highest rank or, if the query overlaps that one, in the ranks that the query overlaps; a head attends some
non-empty set of the tokens there. Its output is in the convex hull of their columns. With lower and upper columns lo, hi
and minima and maxima over the columns in each head, the margin of every sequence of a case lies between
    min over v of  min (lo[y] - hi[v])_subj + min (lo[y] - hi[v])_rel   and
    min over v of  max (hi[y] - lo[v])_subj + max (hi[y] - lo[v])_rel.
A case is right, wrong or tied if this interval says so.

One argument goes further. Where both heads attend fixed tokens only (the query, a sep), the output is the same vector
for every type, whatever it is; the L targets of the query are L different tokens, so at most one type can be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.conclusion.cases import Cases
from numerics.conclusion.decision import Counterexample, Decision
from numerics.conclusion.forward import describe
from numerics.conclusion.levels import Ranks, interval_ranks, slot_groups
from numerics.conclusion.problem import Problem
from numerics.conclusion.rational import (
    Columns,
    Exact,
    Weights,
    common_denominator,
    fractions,
    numerators,
    quotients,
)
from numerics.conclusion.search import witness
from numerics.conclusion.setting import Setting
from numerics.conclusion.tally import merged

NAMES = ("kq_subj", "kq_rel", "ov_subj", "ov_rel")
RIGHT, TIE, WRONG, FAILS, OPEN = "right", "tie", "wrong", "fails", "open"  # fails: tie or wrong


@dataclass(frozen=True)
class Box:
    """One head: lower and upper numerators and float64 values (n, V) of its different columns."""

    lower: Columns
    upper: Columns


def boxes(setting: Setting, lower: Weights, upper: Weights) -> tuple[Problem, tuple[Box, Box]]:
    """Ranks, groups and columns. Raises ValueError for wrong shapes or entries, or a lower bound above its upper
    bound."""
    world = setting.world
    size = world.V + setting.T
    low, high = (
        {
            name: fractions(f"{which}.{name}", getattr(w, name), (size,) if name[0] == "k" else (world.V,) * 2)
            for name in NAMES
        }
        for which, w in (("lower", lower), ("upper", upper))
    )
    for name in NAMES:
        crossed = np.argwhere(low[name] > high[name])
        if len(crossed):
            where = tuple(int(x) for x in crossed[0])
            raise ValueError(
                f"lower.{name}{list(where)} = {low[name][where]}: "
                f"must be at most upper.{name}{list(where)} = {high[name][where]}"
            )
    kq_denominator = common_denominator(side[name] for side in (low, high) for name in NAMES[:2])
    ov_denominator = common_denominator(side[name] for side in (low, high) for name in NAMES[2:])
    ranks: list[Ranks] = []
    ids: list[np.ndarray] = []
    columns: list[Box] = []
    scores: list[np.ndarray] = []
    for kq, ov in (("kq_subj", "ov_subj"), ("kq_rel", "ov_rel")):
        pair = [numerators(side[kq], kq_denominator) for side in (low, high)]
        scores.append(pair[0])
        ranks.append(interval_ranks(setting, pair[0], pair[1]))
        below, above = (numerators(side[ov], ov_denominator).T for side in (low, high))
        number: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        kept: list[int] = []
        column = np.empty(world.V, dtype=np.int64)
        for t in range(world.V):
            key = tuple(below[t].tolist()), tuple(above[t].tolist())
            if key not in number:
                number[key] = len(kept)
                kept.append(t)
            column[t] = number[key]
        ids.append(column)
        sides = [Columns(m[kept], quotients(m[kept], ov_denominator)) for m in (below, above)]
        columns.append(Box(sides[0], sides[1]))
    heads = ranks[0], ranks[1]
    exact = Exact(
        (scores[0], scores[1]), kq_denominator, (ids[0], ids[1]), (columns[0].lower, columns[1].lower), ov_denominator
    )
    table = np.asarray(world.attribute_token, dtype=np.int64)
    attribute, target = table[setting.contexts].T, table[setting.queries].T
    problem = Problem(setting, exact, heads, slot_groups(heads), attribute, target, Fraction(0))
    return problem, (columns[0], columns[1])


class Verdicts:
    """Margin interval and verdict of a case, given the columns that each head may attend. Cost O(V columns) a case."""

    def __init__(self, columns: tuple[Box, Box], denominator: int) -> None:
        self.columns, self.denominator = columns, denominator
        largest = sum(float(np.abs(side.value).max()) for box in columns for side in (box.lower, box.upper))
        self.error = 16 * float(np.finfo(np.float64).eps) * largest + 1e-290
        self.memo: dict[tuple[int, tuple[int, ...], int], tuple[np.ndarray, np.ndarray]] = {}

    def span(self, head: int, vertices: tuple[int, ...], target: int) -> tuple[np.ndarray, np.ndarray]:
        key = head, vertices, target
        if key not in self.memo:
            lower, upper = (side.value[list(vertices)] for side in (self.columns[head].lower, self.columns[head].upper))
            self.memo[key] = (lower[:, [target]] - upper).min(axis=0), (upper[:, [target]] - lower).max(axis=0)
        return self.memo[key]

    def exactly(
        self, vertices: tuple[tuple[int, ...], tuple[int, ...]], target: int, rivals: np.ndarray
    ) -> tuple[int, int]:
        """The two ends of the margin interval as integers, over the given competitors."""
        low = high = np.zeros(len(rivals), dtype=object)
        for box, chosen in zip(self.columns, vertices, strict=True):
            lower, upper = box.lower.numerator[list(chosen)], box.upper.numerator[list(chosen)]
            low = low + (lower[:, [target]] - upper[:, rivals]).min(axis=0)
            high = high + (upper[:, [target]] - lower[:, rivals]).max(axis=0)
        return int(low.min()), int(high.min())

    def __call__(
        self, vertices: tuple[tuple[int, ...], tuple[int, ...]], target: int
    ) -> tuple[str, Fraction, Fraction]:
        """(verdict, lower, upper end of the margin interval)."""
        low_s, high_s = self.span(0, vertices[0], target)
        low_r, high_r = self.span(1, vertices[1], target)
        low, high = low_s + low_r, high_s + high_r
        low[target] = high[target] = np.inf
        bottom, top = float(low.min()), float(high.min())
        ends = Fraction(bottom - self.error), Fraction(top + self.error)
        if ends[0] > 0:
            return RIGHT, *ends
        if ends[1] < 0:
            return WRONG, *ends
        near = np.flatnonzero((low <= bottom + 2 * self.error) | (high <= top + 2 * self.error))
        a, b = self.exactly(vertices, target, near)
        verdict = RIGHT if a > 0 else WRONG if b < 0 else TIE if a == b == 0 else FAILS if b <= 0 else OPEN
        return verdict, Fraction(a, self.denominator), Fraction(b, self.denominator)


def impossible_types(cases: Cases, verdict: dict[tuple[int, int, int], str]) -> int:
    """Sequences counted as possibly right, of which the argument on the types says that they cannot be.

    For each query: contexts at which both heads attend fixed tokens, N_l for type l; only one type can be right there.
    """
    possible: list[list[tuple[int, bool]]] = [[] for _ in cases.setting.queries]
    for relation_type in range(len(cases.target)):
        subj, rel, count = cases.fixed(relation_type)
        for q, (s, r, y) in enumerate(
            zip(subj.tolist(), rel.tolist(), cases.target[relation_type].tolist(), strict=True)
        ):
            found = verdict.get((s, r, y))
            if found in (RIGHT, OPEN):
                possible[q].append((int(count[q]), found == RIGHT))
    excess = 0
    for options in possible:
        sure = [count for count, right in options if right]
        excess += sum(count for count, _ in options) - (sum(sure) if sure else max((c for c, _ in options), default=0))
    return excess


def bounded(setting: Setting, problem: Problem, columns: tuple[Box, Box], lower: Weights, upper: Weights) -> Decision:
    """Bounds that hold for all weights between `lower` and `upper` (see `boxes`). Cost O(V) for every case (see Cases)."""
    cases = Cases(setting, problem.ranks, problem.groups, problem.exact.column, problem.target, problem.attribute)
    judge = Verdicts(columns, problem.exact.ov_denominator)
    counts = dict.fromkeys((RIGHT, TIE, WRONG, FAILS, OPEN), 0)
    verdict: dict[tuple[int, int, int], str] = {}
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    failing: tuple[int, int, int] | None = None
    for s, r, y, count in zip(*(x.tolist() for x in merged(cases)), strict=True):
        found, low, high = judge((cases.states(0)[s].vertices, cases.states(1)[r].vertices), y)
        counts[found] += count
        verdict[s, r, y] = found
        lows.append(low)
        highs.append(high)
        if failing is None and found in (TIE, WRONG, FAILS):
            failing = s, r, y
    excess = impossible_types(cases, verdict)
    total = setting.total
    right = counts[RIGHT], counts[RIGHT] + counts[OPEN] - excess
    ties = counts[TIE], counts[TIE] + counts[FAILS] + counts[OPEN]
    wrong = counts[WRONG], counts[WRONG] + counts[FAILS] + counts[OPEN]
    exact = counts[OPEN] + counts[FAILS] == 0
    reasons = []
    if not exact:
        reasons.append(
            f"{counts[OPEN] + counts[FAILS]} of {total} sequences are not decided by the bounds on the weights"
        )
    if excess:
        reasons.append(
            f"of these, {excess} cannot be right: the output does not depend on the type there, "
            "and the targets of the types differ"
        )
    example: Counterexample | None = None
    if failing is not None:
        _, relation_type, subjects = witness(problem, cases, *failing, None)
        half_way = middle(lower, upper)
        example = describe(setting, half_way, relation_type, subjects, Fraction(0), smallest=False, certain=False)
    return Decision(
        total=total,
        right=right[0] if exact else None,
        ties=ties[0] if exact else None,
        wrong=wrong[0] if exact else None,
        right_bounds=right,
        ties_bounds=ties,
        wrong_bounds=wrong,
        exact=exact,
        method="count patterns" if exact else "bounded",
        why="; ".join(reasons),
        min_margin=lows[0] if len(set(lows + highs)) == 1 else None,
        min_margin_bounds=(min(lows), min(highs)),
        counterexample=example,
    )


@dataclass(frozen=True)
class Middle:
    """Weights half way between two bounds, as exact rationals."""

    kq_subj: np.ndarray
    kq_rel: np.ndarray
    ov_subj: np.ndarray
    ov_rel: np.ndarray


def middle(lower: Weights, upper: Weights) -> Middle:
    def half(name: str) -> np.ndarray:
        low, high = (np.asarray(getattr(w, name)) for w in (lower, upper))
        return (fractions(name, low, low.shape) + fractions(name, high, high.shape)) * Fraction(1, 2)

    return Middle(*(half(name) for name in NAMES))
