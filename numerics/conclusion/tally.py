"""Right, tie or wrong for every case: certain outputs directly, the others by their convex hull, then by composition.

Certain output: all attended tokens of a head have one OV column (or only fixed tokens are attended, whose mean is
known). Float64 logits with a rigorous error bound decide; where the margin is inside the bound, exact integers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.conclusion.cases import Cases, State
from numerics.conclusion.rational import Columns

PAIRS_PER_CHUNK = 4096


@dataclass(frozen=True)
class Outputs:
    """numerator, value (n, V): the columns of one head with the composed ones appended; certain (n_states,): the column
    that is the output in a state, -1 if it depends on the composition; hull: per state the columns that span its
    output."""

    numerator: np.ndarray
    value: np.ndarray
    certain: np.ndarray
    hull: list[tuple[int, ...]]


def outputs(states: list[State], columns: Columns, denominator: int) -> Outputs:
    """The mean of different fixed tokens becomes a column of its own. Cost O(states) + V per such mean."""
    extra: dict[tuple[tuple[int, int], ...], int] = {}
    added: list[np.ndarray] = []
    certain = np.full(len(states), -1, dtype=np.int64)
    hull: list[tuple[int, ...]] = []
    for k, state in enumerate(states):
        base: int | None = None
        if len(state.fixed) == 1:
            base = state.fixed[0][0]
        elif state.fixed:
            if state.fixed not in extra:
                extra[state.fixed] = len(columns.numerator) + len(added)
                size = sum(times for _, times in state.fixed)
                total = sum((times * columns.numerator[c] for c, times in state.fixed), np.zeros(1, dtype=object))
                added.append(total // size)  # the denominator is a multiple of size
            base = extra[state.fixed]
        spanning = tuple(sorted({*state.slots, *(() if base is None else (base,))}))
        hull.append(spanning)
        if len(spanning) == 1:
            certain[k] = spanning[0]
    if not added:
        return Outputs(columns.numerator, columns.value, certain, hull)
    numerator = np.concatenate([columns.numerator, np.array(added, dtype=object)])
    value = np.concatenate([columns.value, np.array([[x / denominator for x in row] for row in added])])
    return Outputs(numerator, value, certain, hull)


def error_bound(subj: Outputs, rel: Outputs) -> float:
    """Above the error of any float64 difference of two logits: entries are rounded once, then at most three
    additions."""
    largest = float(np.abs(subj.value).max() + np.abs(rel.value).max())
    return 16 * float(np.finfo(np.float64).eps) * largest + 1e-290


def merged(cases: Cases) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All cases as arrays (subj state, rel state, target, count), equal ones added up."""
    blocks = [block for block in cases if len(block.count)]
    subj = np.concatenate([b.subj for b in blocks])
    rel = np.concatenate([b.rel for b in blocks])
    target = np.concatenate([b.target for b in blocks])
    count = np.concatenate([b.count for b in blocks])
    V, n_rel = cases.setting.world.V, len(cases.states(1))
    key = (subj * n_rel + rel) * V + target
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    summed: np.ndarray = np.zeros(len(first), dtype=cases.dtype)
    np.add.at(summed, back.ravel(), count)
    return subj[first], rel[first], target[first], summed


@dataclass(frozen=True)
class Determined:
    """sign (B,) of each case; margin, gap: smallest margin, smallest |margin| that is no tie, over ov_denominator; None
    if B = 0 (gap: if all are ties). gap may be a lower bound."""

    sign: np.ndarray
    margin: Fraction | None
    gap: Fraction | None


def determined(
    outs: tuple[Outputs, Outputs],
    subj: np.ndarray,
    rel: np.ndarray,
    target: np.ndarray,
    tolerance: Fraction,
    denominator: int,
) -> Determined:
    """Cases with certain output columns subj, rel (B,). Cost O(different (subj, rel) pairs * V) + exact arithmetic near
    ties."""
    if not len(subj):
        return Determined(np.zeros(0, dtype=np.int64), None, None)
    error = error_bound(*outs)
    value_s, value_r = outs[0].value, outs[1].value
    pair, back = np.unique(subj * len(value_r) + rel, return_inverse=True)
    back = back.ravel()
    best, top, second = (np.empty(len(pair), dtype=np.int64), np.empty(len(pair)), np.empty(len(pair)))
    for start in range(0, len(pair), PAIRS_PER_CHUNK):
        part = slice(start, start + PAIRS_PER_CHUNK)
        cs, cr = np.divmod(pair[part], len(value_r))
        logits = value_s[cs] + value_r[cr]
        rows = np.arange(len(logits))
        best[part] = logits.argmax(axis=1)
        top[part] = logits[rows, best[part]]
        logits[rows, best[part]] = -np.inf
        second[part] = logits.max(axis=1)
    others = np.where(target == best[back], second[back], top[back])
    approximate = value_s[subj, target] + value_r[rel, target] - others
    limit = float(tolerance)
    margin_sign = (approximate > limit).astype(np.int64) - (approximate < -limit).astype(np.int64)

    memo: dict[tuple[int, int, int], Fraction] = {}

    def exactly(b: int | np.integer) -> Fraction:
        key = int(subj[b]), int(rel[b]), int(target[b])
        if key not in memo:
            row = value_s[key[0]] + value_r[key[1]]
            row[key[2]] = -np.inf
            near = np.flatnonzero(row >= row.max() - 2 * error)
            a, c = outs[0].numerator[key[0]], outs[1].numerator[key[1]]
            rival = max(a[v] + c[v] for v in near)
            memo[key] = Fraction(int(a[key[2]] + c[key[2]] - rival), denominator)
        return memo[key]

    slack = error + 4 * float(np.finfo(np.float64).eps) * limit
    for b in np.flatnonzero(np.abs(np.abs(approximate) - limit) <= slack):
        exact = exactly(b)
        margin_sign[b] = int(exact > tolerance) - int(exact < -tolerance)
    smallest = min(exactly(b) for b in np.flatnonzero(approximate <= approximate.min() + 2 * error))
    decided = np.flatnonzero(margin_sign)
    gap = None
    if len(decided):
        size = np.abs(approximate[decided])
        gap = min(abs(exactly(b)) for b in decided[size <= size.min() + 2 * error])
    return Determined(margin_sign, smallest, gap)
