"""Inside a case whose attended tokens have different OV columns: all compositions, with their counts.

A slot contributes to a head the columns of its tokens at the level `lo`; slots draw independently, so the distribution
of (how many attended, sum of their columns) over the contexts is a convolution, slot by slot. Columns enter only
through the differences logit[y] - logit[v] for those competitors v that can be the strongest anywhere in the case, and
contexts with equal contributions are merged, which is what keeps the number of sums small.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.conclusion.cases import Axis, State

Vector = tuple[int, ...]
Part = tuple[bool, int, Vector]  # reached its level, tokens counted, sum of the columns' differences
Sum = tuple[Part, Part]


class BudgetExceeded(Exception):
    """More compositions than the budget allows."""


@dataclass(frozen=True)
class Head:
    """One head in one case: its state, axis, columns of the context tokens (|C|,), numerators (n_columns, V) of all
    columns, and the column that is its output for certain (None if the output depends on the composition)."""

    state: State
    axis: Axis
    subject_column: np.ndarray
    attribute_column: np.ndarray
    numerator: np.ndarray
    certain: int | None

    def difference(self, column: int, target: int, competitors: np.ndarray) -> Vector:
        row = self.numerator[column]
        return tuple((row[target] - row[competitors]).tolist())


@dataclass(frozen=True)
class Outcome:
    """count contexts with this margin (in units of 1/ov_denominator); witness: context index of every slot, slot 1
    first."""

    margin: Fraction
    count: int
    witness: tuple[int, ...]


def _contributions(head: Head, group: int, contexts: np.ndarray, target: int, competitors: np.ndarray) -> list[Part]:
    """What each of the contexts adds to the head's sum."""
    state, axis = head.state, head.axis
    zero = (0,) * len(competitors) if head.certain is None else ()
    if state.lo == state.hi:
        return [(False, 0, zero)] * len(contexts)
    level = axis.levels[state.lo]
    memo: dict[tuple[int, ...], Part] = {}
    parts = []
    for c in contexts:
        columns: tuple[int, ...] = ()
        if axis.subject[group, c] == level:
            columns += (int(head.subject_column[c]),)
        if axis.attribute[group, c] == level:
            columns += (int(head.attribute_column[c]),)
        if columns not in memo:
            if head.certain is not None:
                memo[columns] = (bool(columns), 0, ())
            else:
                total = zero
                for column in columns:
                    total = tuple(
                        a + b for a, b in zip(total, head.difference(column, target, competitors), strict=True)
                    )
                memo[columns] = (bool(columns), len(columns), total)
        parts.append(memo[columns])
    return parts


def _start(head: Head, target: int, competitors: np.ndarray) -> Part:
    """The fixed tokens."""
    if head.certain is not None:
        return head.state.lo == head.state.hi, 0, ()
    total = np.zeros(len(competitors), dtype=object)
    for column, times in head.state.fixed:
        total = total + times * np.array(head.difference(column, target, competitors), dtype=object)
    return head.state.lo == head.state.hi, sum(times for _, times in head.state.fixed), tuple(total.tolist())


def compose(
    heads: tuple[Head, Head], groups: list[list[int]], target: int, competitors: np.ndarray, budget: int
) -> tuple[list[Outcome], int]:
    """All different outcomes of the case, and the number of steps taken.

    Raises BudgetExceeded after `budget` steps (a step adds one class of contexts to one partial sum). Cost
    O(n classes sums len(competitors)).
    """
    subj, rel = heads
    sums: dict[Sum, tuple[int, tuple[tuple[int, int], ...]]] = {
        (_start(subj, target, competitors), _start(rel, target, competitors)): (1, ())
    }
    steps = 0

    def plus(a: Part, b: Part) -> Part:
        return a[0] or b[0], a[1] + b[1], tuple(x + y for x, y in zip(a[2], b[2], strict=True))

    for g, group in enumerate(groups):
        inside = (subj.axis.index[g] < subj.state.hi) & (rel.axis.index[g] < rel.state.hi)
        contexts = np.flatnonzero(inside)
        classes: dict[Sum, tuple[int, int]] = {}
        pairs = zip(
            _contributions(subj, g, contexts, target, competitors),
            _contributions(rel, g, contexts, target, competitors),
            contexts.tolist(),
            strict=True,
        )
        for part_subj, part_rel, c in pairs:
            count, example = classes.get((part_subj, part_rel), (0, c))
            classes[part_subj, part_rel] = count + 1, example
        for slot in group:
            following: dict[Sum, tuple[int, tuple[tuple[int, int], ...]]] = {}
            steps += len(sums) * len(classes)
            if steps > budget:
                raise BudgetExceeded
            for (s, r), (count, witness) in sums.items():
                for (ds, dr), (many, example) in classes.items():
                    key = plus(s, ds), plus(r, dr)
                    before = following.get(key)
                    if before is None:
                        following[key] = count * many, (*witness, (slot, example))
                    else:
                        following[key] = before[0] + count * many, before[1]
            sums = following
    certain = [None if h.certain is None else h.difference(h.certain, target, competitors) for h in heads]
    outcomes = []
    for parts, (count, witness) in sums.items():
        if not (parts[0][0] and parts[1][0]):
            continue
        means = [
            (part[2], part[1]) if fixed is None else (fixed, 1) for part, fixed in zip(parts, certain, strict=True)
        ]
        (a, p), (b, q) = means
        margin = Fraction(min(q * x + p * y for x, y in zip(a, b, strict=True)), p * q)
        outcomes.append(Outcome(margin, count, tuple(c for _, c in sorted(witness))))
    return outcomes, steps
