"""Exact margins of explicitly given sequences, many at a time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from numerics.conclusion.problem import Problem


@dataclass(frozen=True)
class Margins:
    """numerator (B,) over denominator (B,) * ov_denominator: logit[y] - max over other tokens; sign (B,): 1 right, 0
    tie, -1 wrong; masks: per head (B,) bit set of attended kinds."""

    numerator: np.ndarray
    denominator: np.ndarray
    sign: np.ndarray
    masks: tuple[np.ndarray, np.ndarray]


def weigh(counts: np.ndarray, numerator: np.ndarray, bound: int) -> np.ndarray:
    """counts (B, n_columns) @ numerator (n_columns, V), exactly; `bound` is above every partial result.

    Below 2^53 a float64 product of integers is exact, below 2^63 an int64 one; else Python integers.
    """
    if bound < 2**53:
        return (counts.astype(np.float64) @ numerator.astype(np.float64)).astype(np.int64)
    if bound < 2**62:
        return counts @ numerator.astype(np.int64)
    out = np.zeros((len(counts), numerator.shape[1]), dtype=object)
    for row, count in enumerate(counts):
        for k in np.flatnonzero(count):
            out[row] += int(count[k]) * numerator[k]
    return out


def evaluate(problem: Problem, types: np.ndarray, query: np.ndarray, context: np.ndarray) -> Margins:
    """types (B,); query (B,) indices into the query pool; context (B, n) indices into the context pool, column i - 1 =
    slot i.

    Cost O(B V (n_columns + n)); Python integers only where the scaled weights exceed 62 bits.
    """
    setting, exact = problem.setting, problem.exact
    n, B = setting.n, len(types)
    slot = np.arange(n)
    target = problem.target[types, query]
    tokens = np.concatenate(
        [
            setting.queries[query][:, None],
            np.full((B, n + 1), setting.world.sep_token),
            setting.contexts[context],
            problem.attribute[types[:, None], context],
        ],
        axis=1,
    )
    kinds = np.array([0] + [3] * (n + 1) + [1] * n + [2] * n)
    counts, sizes, masks = [], [], []
    for ranks, column, columns in zip(problem.ranks, exact.column, exact.columns, strict=True):
        rank = np.concatenate(
            [
                ranks.query[query][:, None],
                np.broadcast_to(ranks.sep, (B, n + 1)),
                ranks.subject[slot, context],
                ranks.attribute[slot, types[:, None], context],
            ],
            axis=1,
        )
        attended = rank == rank.max(axis=1, keepdims=True)
        ids = column[tokens]
        count = np.zeros((B, len(columns.numerator)), dtype=np.int64)
        for p in range(ids.shape[1]):
            count[np.arange(B), ids[:, p]] += attended[:, p]
        counts.append(count)
        sizes.append(attended.sum(axis=1))
        masks.append(
            sum((attended[:, kinds == k].any(axis=1).astype(np.int64) << k for k in range(4)), np.zeros(B, np.int64))
        )
    # One row per different (target, counts, counts): repeated patterns are evaluated once.
    keys = np.concatenate([target[:, None], counts[0], counts[1]], axis=1)
    _, first, back = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    back = back.ravel()
    k_subj, k_rel, y = sizes[0][first], sizes[1][first], target[first]
    largest = max(int(np.abs(c.numerator).max()) for c in exact.columns)
    bound = 4 * (3 * n + 2) ** 2 * largest + 1
    logits = k_rel[:, None] * weigh(counts[0][first], exact.columns[0].numerator, bound)
    logits = logits + k_subj[:, None] * weigh(counts[1][first], exact.columns[1].numerator, bound)
    rows = np.arange(len(first))
    at_target = logits[rows, y].copy()
    logits[rows, y] = logits[rows, y - 1]  # y >= M >= 1: any other token stands in
    margin = at_target - logits.max(axis=1)
    # |margin| <= tolerance is a tie; margins are integers, so floor(tolerance) decides the same.
    scale = problem.tolerance * exact.ov_denominator
    thresholds = {int(k): floor(scale * int(k)) for k in np.unique(k_subj * k_rel)}
    threshold = np.array([thresholds[int(k)] for k in k_subj * k_rel], dtype=object if scale else np.int64)
    sign = (margin > threshold).astype(np.int64) - (margin < -threshold).astype(np.int64)
    return Margins(margin[back], (k_subj * k_rel)[back], sign[back], (masks[0], masks[1]))


def least(margins: Margins, ov_denominator: int, where: np.ndarray | None = None) -> tuple[Fraction, Fraction] | None:
    """Smallest margin, and smallest |margin|, among the sequences of the mask `where`; None if there is none."""
    keep = np.ones(len(margins.sign), dtype=bool) if where is None else where
    signed: list[Fraction] = []
    absolute: list[Fraction] = []
    for k in np.unique(margins.denominator[keep]):
        chosen = margins.numerator[keep & (margins.denominator == k)]
        signed.append(Fraction(int(chosen.min()), int(k) * ov_denominator))
        absolute.append(Fraction(int(np.abs(chosen).min()), int(k) * ov_denominator))
    return (min(signed), min(absolute)) if signed else None
