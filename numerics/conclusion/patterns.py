"""The decision by count patterns: cases instead of sequences, exact wherever the compositions stay within the budget.

A case whose output is certain is decided at once (tally). Otherwise the output is a convex combination, in each head,
of the attended columns, and the difference logit[y] - logit[v] lies between the sums over the heads of its smallest and
largest value on those columns. If the smallest is above the tie tolerance for every v, all sequences of the case are
right; if the largest is below for one v, all are wrong; else the compositions are counted (compose). The latter also
gives the smallest margin when the lower bound of a case is below every margin known to occur.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from numerics.conclusion.cases import Axis, Cases, attention_counts
from numerics.conclusion.compose import BudgetExceeded, Head, Outcome, compose
from numerics.conclusion.decision import Decision, label
from numerics.conclusion.problem import HEADS, Problem
from numerics.conclusion.rational import Weights
from numerics.conclusion.search import counterexample, witness
from numerics.conclusion.tally import Outputs, determined, error_bound, merged, outputs

Failing = tuple[int, int, int, tuple[int, ...] | None]  # subj state, rel state, target, contexts if known


@dataclass(frozen=True)
class Hull:
    """Bounds on the margin in one case, and the competitors (token ids) that can be the strongest; float64, error
    included."""

    low: float
    high: float
    competitors: np.ndarray


class HullBounds:
    """Per head, state and target the range of logit[y] - logit[v] over the columns that span the output; remembered."""

    def __init__(self, outs: tuple[Outputs, Outputs]) -> None:
        self.outs = outs
        self.error = error_bound(*outs)
        self.memo: dict[tuple[int, int, int], tuple[np.ndarray, np.ndarray]] = {}

    def span(self, head: int, state: int, target: int) -> tuple[np.ndarray, np.ndarray]:
        key = head, state, target
        if key not in self.memo:
            value = self.outs[head].value[list(self.outs[head].hull[state])]
            difference = value[:, [target]] - value
            self.memo[key] = difference.min(axis=0), difference.max(axis=0)
        return self.memo[key]

    def hull(self, subj: int, rel: int, target: int) -> Hull:
        low_s, high_s = self.span(0, subj, target)
        low_r, high_r = self.span(1, rel, target)
        low, high = low_s + low_r - self.error, high_s + high_r + self.error
        low[target] = high[target] = np.inf
        ceiling = float(high.min())
        return Hull(float(low.min()), ceiling, np.flatnonzero(low <= ceiling))


def strongest(numerators: np.ndarray) -> np.ndarray:
    """Indices of the competitors, rows of (competitors, columns) integers, that no other one matches or beats in every
    column.

    The others never are strictly the strongest at any composition, so margins do not need them. Cost O(competitors^2
    columns) comparisons; above 200 different rows only equal ones are dropped.
    """
    first: dict[tuple[int, ...], int] = {}
    for k, row in enumerate(numerators):
        first.setdefault(tuple(row.tolist()), k)
    rows, keep = list(first), list(first.values())
    if len(rows) > 200:
        return np.array(keep)
    order = np.argsort(np.array(rows, dtype=object), axis=0, kind="stable")
    rank = np.empty((len(rows), numerators.shape[1]), dtype=np.int64)
    for c in range(numerators.shape[1]):
        column = np.array([rows[k][c] for k in order[:, c]], dtype=object)
        rank[order[:, c], c] = np.concatenate([[0], np.cumsum((column[1:] != column[:-1]).astype(np.int64))])
    beaten = [bool(((rank >= rank[k]).all(axis=1) & (np.arange(len(rows)) != k)).any()) for k in range(len(rows))]
    return np.array([k for k, lost in zip(keep, beaten, strict=True) if not lost])


class Composer:
    """Counts compositions of cases while the budget lasts: no case may take more than a quarter of what is left."""

    def __init__(self, problem: Problem, cases: Cases, outs: tuple[Outputs, Outputs], budget: int) -> None:
        self.problem, self.cases, self.outs, self.left = problem, cases, outs, budget
        self.axes: dict[int, tuple[Axis, Axis]] = {}

    def outcomes(self, subj: int, rel: int, target: int, competitors: np.ndarray) -> list[Outcome] | None:
        """None if the budget does not suffice."""
        setting, exact = self.problem.setting, self.problem.exact
        relation_type = self.cases.states(0)[subj].relation_type
        if relation_type not in self.axes:
            self.axes[relation_type] = self.cases.axes(relation_type)
        heads = []
        for h, state in enumerate((subj, rel)):
            certain = int(self.outs[h].certain[state])
            heads.append(
                Head(
                    self.cases.states(h)[state],
                    self.axes[relation_type][h],
                    exact.column[h][setting.contexts],
                    exact.column[h][self.problem.attribute[relation_type]],
                    self.outs[h].numerator,
                    None if certain < 0 else certain,
                )
            )
        allowed = self.left // 4
        spanning = [self.outs[h].numerator[list(self.outs[h].hull[s])] for h, s in enumerate((subj, rel))]
        competitors = competitors[strongest(np.concatenate(spanning)[:, competitors].T)]
        try:
            found, steps = compose((heads[0], heads[1]), self.problem.groups, target, competitors, allowed)
        except BudgetExceeded:
            self.left -= allowed // 2
            return None
        self.left -= steps
        return found


def by_patterns(problem: Problem, weights: Weights, budget: int) -> Decision:
    """Decision without enumeration. `budget` bounds the steps spent on compositions; each takes about 2 microseconds.

    Cost, per type: the cases (see Cases), plus O(V) for each different pair of attended columns. Exact unless the
    budget is exceeded; then right, ties and wrong are bounds, and `why` says how many sequences are left open.
    """
    setting, exact, tolerance = problem.setting, problem.exact, problem.tolerance
    denominator, total = exact.ov_denominator, setting.total
    cases = Cases(setting, problem.ranks, problem.groups, exact.column, problem.target, problem.attribute)
    subj, rel, target, count = merged(cases)
    first, second = (outputs(cases.states(h), exact.columns[h], denominator) for h in (0, 1))
    outs = (first, second)
    columns = first.certain[subj], second.certain[rel]
    sure = np.flatnonzero((columns[0] >= 0) & (columns[1] >= 0))
    out = determined(outs, columns[0][sure], columns[1][sure], target[sure], tolerance, denominator)
    tally = {s: int(count[sure[out.sign == s]].sum()) for s in (1, 0, -1)}
    failing: list[Failing] = [(int(subj[b]), int(rel[b]), int(target[b]), None) for b in sure[out.sign <= 0][:1]]
    margins = [] if out.margin is None else [out.margin]
    gaps = [] if out.gap is None else [out.gap]

    bounds, composer = HullBounds(outs), Composer(problem, cases, outs, budget)
    known: list[tuple[float, int, Hull]] = []  # decided by their hull; margin only bounded
    open_cases: list[tuple[int, Hull]] = []

    def exactly(b: int, hull: Hull) -> list[Outcome] | None:
        found = composer.outcomes(int(subj[b]), int(rel[b]), int(target[b]), hull.competitors)
        if found is not None:
            found = [replace(o, margin=o.margin / denominator) for o in found]
            margins.extend(o.margin for o in found)
        return found

    limit = float(tolerance) * (1 + 1e-12)
    for b in np.flatnonzero((columns[0] < 0) | (columns[1] < 0)).tolist():
        hull = bounds.hull(int(subj[b]), int(rel[b]), int(target[b]))
        if hull.low > limit or hull.high < -limit:
            known.append((hull.low, b, hull))
            tally[1 if hull.low > limit else -1] += int(count[b])
            gaps.append(Fraction(hull.low if hull.low > limit else -hull.high))
            if hull.high < -limit:
                failing.append((int(subj[b]), int(rel[b]), int(target[b]), None))
            continue
        found = exactly(b, hull)
        if found is None:
            open_cases.append((b, hull))
            continue
        queries = int(count[b]) // sum(o.count for o in found)
        for outcome in found:
            sign = int(outcome.margin > tolerance) - int(outcome.margin < -tolerance)
            tally[sign] += queries * outcome.count
            if sign:
                gaps.append(abs(outcome.margin))
            else:
                failing.insert(0, (int(subj[b]), int(rel[b]), int(target[b]), outcome.witness))
            if sign < 0:
                failing.append((int(subj[b]), int(rel[b]), int(target[b]), outcome.witness))

    # The smallest margin: only cases whose lower bound is below what is known to occur can lower it.
    lowest = [Fraction(hull.low) for _, hull in open_cases]
    for low, b, hull in sorted(known, key=lambda entry: entry[:2]):
        if margins and Fraction(low) >= min(margins):
            break
        if exactly(b, hull) is None:
            lowest.append(Fraction(low))
    highest = [Fraction(hull.high) for _, hull in open_cases] + [Fraction(hull.high) for _, _, hull in known]
    upper = min(margins + highest)
    lower = min([upper, *lowest])
    unknown = sum(int(count[b]) for b, _ in open_cases)
    right, ties, wrong = tally[1], tally[0], tally[-1]
    is_exact = unknown == 0
    margin_exact = bool(margins) and lower == min(margins)
    why = (
        ""
        if is_exact
        else f"{unknown} of {total} sequences left open: their compositions exceed the budget of {budget} steps"
    )
    attention = [dict(sorted(attention_counts(cases, h).items())) for h in (0, 1)]
    examples = [witness(problem, cases, *f) for f in failing[:3] + failing[-3:]]
    return Decision(
        total=total,
        right=right if is_exact else None,
        ties=ties if is_exact else None,
        wrong=wrong if is_exact else None,
        right_bounds=(right, right + unknown),
        ties_bounds=(ties, ties + unknown),
        wrong_bounds=(wrong, wrong + unknown),
        exact=is_exact,
        method="count patterns" if is_exact else "bounded",
        why=why,
        min_margin=lower if margin_exact else None,
        min_margin_bounds=(lower, upper),
        attention={h: {label(k): c for k, c in a.items()} for h, a in zip(HEADS, attention, strict=True)},
        counterexample=counterexample(problem, weights, examples) if examples else None,
        tie_tolerance=tolerance,
        score_gap=problem.score_gap,
        logit_gap=min(gaps) if gaps else None,
    )
