"""The sharp conditions, one per comparison: necessary and sufficient over all sequences, each with the worst sequence.

A position's score depends on its token and its kind alone, contexts are arbitrary m-tuples over F (the query's own
repetition included), and a head attends the best score present. Hence:

  subject head, the query alone on every sequence  iff  score(q) > score(x) for all q in the pool, x in F, and score(q) > 0.
      A context slot is one x, and the slots filled with x attain it; mixtures only offer several x at once.

  relation head, attributes alone on every sequence  iff, with A, Q, C, S the scores of attributes, query, contexts, [sep],
      (i)   min over seen values u (of any type) of A(u) > Q(q) for every q in the pool,
      (ii)  A(a_j^l) > C(j) for every j in F and type l,
      (iii) min A > S.
    Sufficient: the best context subject, in slot i, has C(x_i) < A(a_{x_i}^l), so it is beaten by its own attribute, whatever
    the other slots hold: mixing j with others is never worse than filling all slots with j. The query and [sep] are beaten
    by any attribute. Necessary: fill all slots with a holder of the least u for (i) and (iii), with j for (ii).
    (iii) always holds, and for queries from F (i) implies (ii), because C(j) <= Q(j) (theory.finetuning.tables.differences): for
    seen queries the relation head is decided by (i) alone, for held-out ones by (i) and (ii).

  target, when both heads do that: the query's column is 0 on its own values and -1 on other values, and the attributes of
    best score present (values u' in U*, ties averaged) give a value v of the type  a f_v g,  a = eta_ov (m-1)/(w L), g = mean of
    f_u' over the attended positions, 0 < g <= f_max, with equality when all slots hold the most frequent value. So it wins on
    every sequence iff (iv) f_y > 0 (otherwise its logit 0 is that of every token that is no value) and
    (v) a f_max (f_max - f_y) < 1 for every type and query: eta_ov must not be so large that a frequent value beats a rare one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from theory.finetuning.tables.forward import Outcome, Prediction, Sequence, Values, predict
from theory.finetuning.tables.quadratic import Quadratic, all_positive_from, least
from theory.finetuning.tables.scores import TableScores

Key = TypeVar("Key")


@dataclass(frozen=True)
class Condition:
    """left > right, over all sequences; `sequence` attains the least slack, `prediction` is what the weights say there.

    critical_M_ft  the least N such that the inequality holds at every M_ft >= N with the frequencies as they are (every subject of
                   F replaced by copies of it); None if no amount of data is enough
    """

    name: str
    head: str
    left: Fraction
    right: Fraction
    statement: str
    sequence: Sequence
    prediction: Prediction
    critical_M_ft: int | None
    M_ft: int

    @property
    def slack(self) -> Fraction:
        return self.left - self.right

    @property
    def holds(self) -> bool:
        return self.slack > 0

    @property
    def factor(self) -> Fraction | None:
        """critical_M_ft / M_ft: how much data it needs, in units of what there is. None: no amount is enough."""
        return None if self.critical_M_ft is None else Fraction(self.critical_M_ft, self.M_ft)


def conditions(scores: TableScores) -> tuple[Condition, ...]:
    """All conditions, in the order subject head, relation head, target.

    Cost O(M L + sum_l U_l) for the worst cases; the thresholds critical_M_ft add the fronts (see `least`) of attribute and query
    scores multiplied, at most min(M, number of distinct value tuples) sum_l U_l and in practice a handful.
    """
    return (*_subject_head(scores), *_relation_head(scores), *_target(scores))


def _subject_head(scores: TableScores) -> tuple[Condition, ...]:
    M_ft = scores.frequencies.M_ft
    query, context = _argmin(scores.subj_queries, M_ft), _argmax(scores.subj_contexts, M_ft)
    quiet = _argmin(scores.subj_contexts, M_ft)
    against_context = _pairs(scores.subj_queries.values(), scores.subj_contexts.values())
    return (
        _condition(
            scores,
            "query over context",
            "subject",
            (scores.subj_queries[query], scores.subj_contexts[context]),
            all_positive_from(against_context),
            r"the query scores more than a context subject, for all $q$ in the pool and $x \in F$",
            [Sequence(l, _slots(scores, context), query) for l in range(scores.frequencies.L)],
        ),
        _condition(
            scores,
            "query over others",
            "subject",
            (scores.subj_queries[query], Quadratic()),
            all_positive_from(scores.subj_queries.values()),
            "the query scores more than attributes and [sep], which score 0",
            [Sequence(l, _slots(scores, quiet), query) for l in range(scores.frequencies.L)],
        ),
    )


def _relation_head(scores: TableScores) -> tuple[Condition, ...]:
    table, M_ft = scores.frequencies, scores.frequencies.M_ft
    holder = {(l, u): j for j in scores.contexts for l, u in enumerate(table.subjects[j])}
    attributes = {(l, u): scores.attributes[l][u] for l, u in holder}
    kind, u = _argmin(attributes, M_ft)
    query = _argmax(scores.queries, M_ft)
    own = {
        (l, j): scores.attributes[l][table.subjects[j][l]] - c
        for j, c in scores.contexts.items()
        for l in range(table.L)
    }
    type_, j = _argmin(own, M_ft)
    rare = _slots(scores, holder[kind, u])
    value = scores.attributes[type_][table.subjects[j][type_]]
    return (
        _condition(
            scores,
            "attribute over query",
            "relation",
            (attributes[kind, u], scores.queries[query]),
            all_positive_from(_pairs(attributes.values(), scores.queries.values())),
            r"(i) every value $u$ with $f_u > 0$ scores more than every query of the pool",
            [Sequence(kind, rare, query)],
        ),
        _condition(
            scores,
            "attribute over context",
            "relation",
            (value, scores.contexts[j]),
            all_positive_from(own.values()),
            r"(ii) $a_j^l$ scores more than the context subject $j$, for every $j \in F$ and every type $l$",
            [Sequence(type_, _slots(scores, j), q) for q in (query, *list(scores.queries)[:1])],
        ),
        _condition(
            scores,
            "attribute over sep",
            "relation",
            (attributes[kind, u], scores.sep),
            all_positive_from(_pairs(attributes.values(), [scores.sep])),
            "(iii) every value with $f_u > 0$ scores more than [sep]",
            [Sequence(kind, rare, query)],
        ),
    )


def _target(scores: TableScores) -> tuple[Condition, ...]:
    table = scores.frequencies
    own = {(l, q): table.values[l][table.subjects[q][l]] for q in scores.queries for l in range(table.L)}
    top = [max(column) for column in table.values]
    kind, q = min(own, key=lambda key: own[key])
    scale = Values(scores).unit * (scores.steps.m - 1)
    rival = {(l, q): scale * top[l] * (top[l] - f) for (l, q), f in own.items()}
    type_, rare = max(rival, key=lambda key: rival[key])
    common = next(j for j in scores.contexts if table.values[type_][table.subjects[j][type_]] == top[type_])
    anyone = next(iter(scores.contexts))
    return (
        _condition(
            scores,
            "target seen",
            "target",
            (Quadratic(own[kind, q]), Quadratic()),
            1 if own[kind, q] > 0 else None,
            r"(iv) every value of a query of the pool occurs in $F$: $f_y > 0$",
            [Sequence(kind, _slots(scores, anyone), q)],
        ),
        _condition(
            scores,
            "target over frequent value",
            "target",
            (Quadratic(Fraction(1)), Quadratic(rival[type_, rare])),
            1 if rival[type_, rare] < 1 else None,
            r"(v) $\frac{\eta_{ov}(m-1)}{wL} f_{\max} (f_{\max} - f_y) < 1$ for every type and query of the pool",
            [Sequence(type_, _slots(scores, common), rare)],
        ),
    )


def _condition(
    scores: TableScores,
    name: str,
    head: str,
    sides: tuple[Quadratic, Quadratic],
    critical: int | None,
    statement: str,
    worst: list[Sequence],
) -> Condition:
    """The condition at the table's M_ft. Of the sequences that attain the worst case, one that is not predicted right if any."""
    M_ft = scores.frequencies.M_ft
    left, right = (side.at(M_ft) for side in sides)
    predictions = (predict(scores, s) for s in worst)
    first = next(predictions)
    if left <= right and first.outcome == Outcome.RIGHT:
        first = next((p for p in predictions if p.outcome != Outcome.RIGHT), first)
    return Condition(name, head, left, right, statement, first.sequence, first, critical, M_ft)


def _pairs(upper: Iterable[Quadratic], lower: Iterable[Quadratic]) -> list[Quadratic]:
    """The differences that can be the least: only the fronts of both sides matter."""
    minus = least((-1) * p for p in lower)
    return [a + b for a in least(upper) for b in minus]


def _slots(scores: TableScores, j: int) -> tuple[int, ...]:
    return (j,) * (scores.steps.m - 1)


def _argmin(found: Mapping[Key, Quadratic], M_ft: int) -> Key:
    return min(found, key=lambda key: found[key].at(M_ft))


def _argmax(found: Mapping[Key, Quadratic], M_ft: int) -> Key:
    return max(found, key=lambda key: found[key].at(M_ft))
