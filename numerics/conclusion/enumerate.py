"""Every sequence, one by one: the ground truth of the decision."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np

from numerics.conclusion.decision import Decision, label
from numerics.conclusion.evaluate import Margins, evaluate, least
from numerics.conclusion.forward import describe
from numerics.conclusion.problem import HEADS, Problem
from numerics.conclusion.rational import Weights

CHUNK = 1 << 14

#: What the order of decision.Counterexample compares: number of distinct subjects, token ids.
Key = tuple[int, tuple[int, ...]]


def smallest_failure(
    problem: Problem, types: np.ndarray, query: np.ndarray, context: np.ndarray, sign: np.ndarray
) -> tuple[Key, int, tuple[int, ...]] | None:
    """Among the sequences with sign <= 0 the smallest (see decision.Counterexample).

    Returns (key, type, subjects (j_1..j_m)), None if all are right. Comparing keys compares sequences.
    """
    failing = np.flatnonzero(sign <= 0)
    if not failing.size:
        return None
    setting = problem.setting
    relation = types[failing]
    subjects = np.concatenate(
        [setting.contexts[context[failing, ::-1]], setting.queries[query[failing]][:, None]], axis=1
    )
    ordered = np.sort(subjects, axis=1)
    different = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
    few = np.flatnonzero(different == different.min())
    # Token order: s_{j1}, a_{j1}, s_{j2}, ...; for equal s_{j1} the attribute token orders by type.
    keys = [
        relation[few],
        *(subjects[few, p] for p in range(subjects.shape[1] - 1, 0, -1)),
        relation[few],
        subjects[few, 0],
    ]
    best = few[np.lexsort(keys)[0]]
    chosen = tuple(int(j) for j in subjects[best])
    tokens = tuple(setting.tokens(int(relation[best]), chosen))
    return (int(different[best]), tokens), int(relation[best]), chosen


def unrank(problem: Problem, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sequences number start..stop-1 as (types, query, context), the types slowest."""
    setting = problem.setting
    rest = np.arange(start, stop, dtype=np.int64)
    context = np.empty((len(rest), setting.n), dtype=np.int64)
    for i in range(setting.n):
        rest, context[:, i] = np.divmod(rest, len(setting.contexts))
    types, query = np.divmod(rest, len(setting.queries))
    return types, query, context


def enumerated(problem: Problem, weights: Weights) -> Decision:
    """Decision by evaluating all `total` sequences in chunks. Cost O(total V (V + n)); memory O(CHUNK V)."""
    setting = problem.setting
    total, denominator = setting.total, problem.exact.ov_denominator
    signs: Counter[int] = Counter()
    attention: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    margin: Fraction | None = None
    gap: Fraction | None = None
    failure: tuple[Key, int, tuple[int, ...]] | None = None
    for start in range(0, total, CHUNK):
        types, query, context = unrank(problem, start, min(start + CHUNK, total))
        out: Margins = evaluate(problem, types, query, context)
        signs.update(out.sign.tolist())
        for counter, mask in zip(attention, out.masks, strict=True):
            counter.update(mask.tolist())
        smallest = least(out, denominator)
        if smallest is not None:
            margin = smallest[0] if margin is None else min(margin, smallest[0])
        decided = least(out, denominator, out.sign != 0)
        if decided is not None:
            gap = decided[1] if gap is None else min(gap, decided[1])
        found = smallest_failure(problem, types, query, context, out.sign)
        if found is not None and (failure is None or found[0] < failure[0]):
            failure = found
    right, ties, wrong = signs[1], signs[0], signs[-1]
    return Decision(
        total=total,
        right=right,
        ties=ties,
        wrong=wrong,
        right_bounds=(right, right),
        ties_bounds=(ties, ties),
        wrong_bounds=(wrong, wrong),
        exact=True,
        method="enumerated",
        min_margin=margin,
        min_margin_bounds=None if margin is None else (margin, margin),
        attention={h: {label(k): c for k, c in sorted(a.items())} for h, a in zip(HEADS, attention, strict=True)},
        counterexample=None
        if failure is None
        else describe(setting, weights, failure[1], failure[2], problem.tolerance, smallest=True),
        tie_tolerance=problem.tolerance,
        score_gap=problem.score_gap,
        logit_gap=gap,
    )
