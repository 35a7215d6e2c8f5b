"""Whether some sequence is predicted wrongly, decided completely where the sharp conditions do not settle it.

A pair (type l, query q) at which both heads do what they should is decided by (iv) and (v) of theory.finetuning.tables.conditions.
At any other pair the target may still win (ties of scores, L = 1, own values of unequal frequency). Fix a competitor v, the
top scores t1, t2 of the two heads and the numbers n1, n2 of attended positions. Then the target's margin

    1/n1 sum over positions attended by the subject head + 1/n2 sum over those attended by the relation head

is a sum over the m - 1 context slots plus a constant, and each slot contributes by its subject alone: its cheapest choice
among the subjects whose scores stay at or below t1 and t2, for every way of attaining them, and a dynamic programme over
the slots that counts attended positions, give the least margin. All sequences are covered, because every one has some
t1, t2, n1, n2. Subjects with the same values are interchangeable.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.tables.forward import Outcome, Prediction, Sequence, Values, predict
from theory.finetuning.tables.scores import TableScores

Token = tuple[int, int] | None
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Choice:
    """What a context slot can hold: positions it adds to each head's attended ones, its contributions, the subject."""

    first: int
    second: int
    margin_first: Fraction
    margin_second: Fraction
    subject: int


class _Numbers:
    """Scores at the table's M_ft, and one representative of the subjects with the same values."""

    def __init__(self, scores: TableScores) -> None:
        self.scores, self.table = scores, scores.frequencies
        M_ft = self.table.M_ft
        self.attributes = [[a.at(M_ft) for a in column] for column in scores.attributes]
        self.contexts = self._representatives(list(scores.contexts))
        self.queries = self._representatives(list(scores.queries))
        self.rel_context = {j: scores.contexts[j].at(M_ft) for j in self.contexts}
        self.subj_context = {j: scores.subj_contexts[j].at(M_ft) for j in self.contexts}
        self.rel_query = {j: scores.queries[j].at(M_ft) for j in self.queries}
        self.subj_query = {j: scores.subj_queries[j].at(M_ft) for j in self.queries}
        self.sep = scores.sep.at(M_ft)
        self.values = Values(scores)

    def _representatives(self, subjects: list[int]) -> list[int]:
        return list({self.table.subjects[j]: j for j in reversed(subjects)}.values())[::-1]

    def attribute(self, kind: int, j: int) -> Fraction:
        return self.attributes[kind][self.table.subjects[j][kind]]


def counterexample(scores: TableScores, progress: Progress | None = None) -> Prediction | None:
    """A sequence of the population that is not predicted right, or None if there is none (a proof, not a sample).

    Cost: O(M L) for the pairs that the conditions settle; each other pair O(A t m^2 (M + m^3)), A = sum_l U_l competitors, t distinct
    scores above the query's, times as much again if the subject head fails too. Sequences that are likely to fail are tried first.
    """
    numbers = _Numbers(scores)
    settled: list[tuple[int, int]] = []
    open_: list[tuple[int, int]] = []
    for kind in range(numbers.table.L):
        safe = _relation_safe(numbers, kind)
        for q in numbers.queries:
            (settled if safe(q) and _subject_safe(numbers, q) else open_).append((kind, q))
    for sequence in (*_extremes(numbers, settled, rare=False), *_extremes(numbers, open_, rare=True)):
        found = predict(scores, sequence)
        if found.outcome != Outcome.RIGHT:
            return found
    for done, (kind, q) in enumerate(open_):
        if progress is not None:
            progress(done, len(open_))
        worst = _worst(numbers, kind, q)
        if worst is not None:
            found = predict(scores, worst)
            if found.outcome == Outcome.RIGHT:
                raise ArithmeticError(f"the search and the forward pass disagree on {worst}")
            return found
    return None


def _subject_safe(numbers: _Numbers, q: int) -> bool:
    return numbers.subj_query[q] > max(Fraction(0), *numbers.subj_context.values())


def _relation_safe(numbers: _Numbers, kind: int) -> Callable[[int], bool]:
    least = min(numbers.attribute(kind, j) for j in numbers.contexts)
    safe = least > numbers.sep and all(numbers.attribute(kind, j) > numbers.rel_context[j] for j in numbers.contexts)
    return lambda q: safe and least > numbers.rel_query[q]


def _extremes(numbers: _Numbers, pairs: list[tuple[int, int]], rare: bool) -> Iterator[Sequence]:
    """Per pair: all slots hold the most frequent value (decides a settled pair), and, if `rare`, the least-scored one."""
    slots = numbers.scores.steps.m - 1
    for kind, q in pairs:
        column = numbers.table.values[kind]
        chosen = [max(numbers.contexts, key=lambda j: column[numbers.table.subjects[j][kind]])]
        if rare:
            chosen.insert(0, min(numbers.contexts, key=lambda j: numbers.attribute(kind, j)))
        yield from (Sequence(kind, (j,) * slots, q) for j in chosen)


def _worst(numbers: _Numbers, kind: int, q: int) -> Sequence | None:
    """A sequence of this type and query with margin <= 0 against some competitor."""
    subjects = numbers.contexts
    firsts, seconds = max(numbers.subj_query[q], Fraction(0)), max(numbers.rel_query[q], numbers.sep)
    tops = sorted({firsts} | {s for s in numbers.subj_context.values() if s > firsts})
    reachable = {numbers.attribute(kind, j) for j in subjects} | set(numbers.rel_context.values())
    other_tops = sorted({seconds} | {s for s in reachable if s > seconds})
    target = (kind, numbers.table.subjects[q][kind])
    competitors: list[Token] = [None]
    competitors += [
        (l, u) for l, column in enumerate(numbers.table.values) for u in range(len(column)) if (l, u) != target
    ]
    for rival in competitors:
        for top in tops:
            for other in other_tops:
                found = _least_margin(numbers, kind, q, rival, top, other)
                if found is not None and found[0] <= 0:
                    return Sequence(kind, found[1], q)
    return None


def _least_margin(
    numbers: _Numbers, kind: int, q: int, rival: Token, top: Fraction, other: Fraction
) -> tuple[Fraction, tuple[int, ...]] | None:
    """(margin, contexts) of the least margin against `rival` among sequences with these top scores, stopping at one <= 0."""
    m = numbers.scores.steps.m
    target = (kind, numbers.table.subjects[q][kind])
    values = numbers.values

    def first(j: int) -> Fraction:
        return Fraction(values.subject_head(*target, j) - (values.subject_head(*rival, j) if rival else 0))

    def second(j: int) -> Fraction:
        return values.of_subject(*target, j) - (values.of_subject(*rival, j) if rival else 0)

    def attribute(u: int) -> Fraction:
        return values.of_attribute(*target, kind, u) - (values.of_attribute(*rival, kind, u) if rival else 0)

    choices: dict[tuple[int, int, Fraction, Fraction], _Choice] = {}
    for j in numbers.contexts:
        a, c, s = numbers.attribute(kind, j), numbers.rel_context[j], numbers.subj_context[j]
        if s > top or max(a, c) > other:
            continue
        n1, n2 = int(s == top), int(a == other) + int(c == other)
        w1 = n1 * first(j)
        w2 = int(a == other) * attribute(numbers.table.subjects[j][kind]) + int(c == other) * second(j)
        choices.setdefault((n1, n2, w1, w2), _Choice(n1, n2, w1, w2, j))
    # Attributes (m - 1) and separators (m) score 0 in the subject head; the separators of the relation head are m.
    own, asked = int(numbers.subj_query[q] == top), int(numbers.rel_query[q] == other)
    base = (own + (2 * m - 1) * int(top == 0), asked + m * int(numbers.sep == other))
    constant = (own * first(q), asked * second(q))
    best = None
    for n1 in range(max(1, base[0]), base[0] + m):
        for n2 in range(max(1, base[1]), base[1] + 2 * m - 1):
            slots = _cheapest(list(choices.values()), m - 1, n1 - base[0], n2 - base[1], (n1, n2))
            if slots is None:
                continue
            margin = constant[0] / n1 + constant[1] / n2 + slots[0]
            if best is None or margin < best[0]:
                best = (margin, slots[1])
            if margin <= 0:
                return best
    return best


def _cheapest(
    choices: list[_Choice], slots: int, first: int, second: int, divisors: tuple[int, int]
) -> tuple[Fraction, tuple[int, ...]] | None:
    """Least total of `slots` choices that add exactly `first` and `second` attended positions; O(slots^3) after the choice."""
    cheapest: dict[tuple[int, int], tuple[Fraction, int]] = {}
    for choice in choices:
        cost = choice.margin_first / divisors[0] + choice.margin_second / divisors[1]
        key = (choice.first, choice.second)
        if key not in cheapest or cost < cheapest[key][0]:
            cheapest[key] = (cost, choice.subject)
    states: dict[tuple[int, int], tuple[Fraction, tuple[int, ...]]] = {(0, 0): (Fraction(0), ())}
    for _ in range(slots):
        following: dict[tuple[int, int], tuple[Fraction, tuple[int, ...]]] = {}
        for (n1, n2), (total, contexts) in states.items():
            for (d1, d2), (cost, j) in cheapest.items():
                key = (n1 + d1, n2 + d2)
                if key[0] > first or key[1] > second:
                    continue
                if key not in following or total + cost < following[key][0]:
                    following[key] = (total + cost, (*contexts, j))
        states = following
    return states.get((first, second))
