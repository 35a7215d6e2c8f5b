"""The exact forward pass of one sequence at the final weights, as beta -> infinity.

Each head averages the columns of its value matrix over the positions of maximal score (ties included, uniformly):

    W_OV^subj h(s_j) = -sum over the values that are not j's own      (reading "set"; other columns 0)
    W_OV^rel  h(u')  = a f_u' sum_u f_u h(u), u of the type of u',     a = eta_ov (m-1)/(w L)
    W_OV^rel  h(s_j) = sum over l, u of (1[u = a_j^l] + (m-1) f_u) eta_ov/(w L M_ft) h(u)   for j in F, else 0;  [sep]: 0

Every token that is no value has logit 0, and [sep] always is one.
"""

from collections.abc import Sequence as Collection
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from theory.finetuning.tables.scores import TableScores


@dataclass(frozen=True)
class Sequence:
    """A sequence of the population: its type, the m - 1 context subjects and the query subject."""

    kind: int
    contexts: tuple[int, ...]
    query: int


class Outcome(StrEnum):
    """Whether the target is the unique argmax, one of several, or none."""

    RIGHT = "right"
    TIED = "tied"
    WRONG = "wrong"


@dataclass(frozen=True)
class Prediction:
    """Outcome of one sequence; `margin` is the target's logit minus the best other one.

    rival      the best other token: (type, value) or None for the tokens that are no value
    subj, rel  attended positions as (role, slot), slot m - 1 being the query's
    """

    sequence: Sequence
    outcome: Outcome
    margin: Fraction
    target: tuple[int, int]
    rival: tuple[int, int] | None
    subj: tuple[tuple[str, int], ...]
    rel: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Values:
    """Entries of the two value matrices for one table and its steps."""

    scores: TableScores

    @property
    def unit(self) -> Fraction:
        """eta_ov / (w L)."""
        return self.scores.steps.eta_ov / (self.scores.steps.T * self.scores.frequencies.L)

    def subject_head(self, kind: int, u: int, j: int) -> int:
        """W_OV^subj[u of type kind, s_j]."""
        return 0 if self.scores.frequencies.subjects[j][kind] == u else -1

    def of_attribute(self, kind: int, u: int, source_kind: int, source: int) -> Fraction:
        """W_OV^rel[u, source]."""
        if kind != source_kind:
            return Fraction(0)
        f = self.scores.frequencies.values[kind]
        return self.unit * (self.scores.steps.m - 1) * f[u] * f[source]

    def of_subject(self, kind: int, u: int, j: int) -> Fraction:
        """W_OV^rel[u, s_j]."""
        table = self.scores.frequencies
        if not table.seen[j]:
            return Fraction(0)
        own = int(table.subjects[j][kind] == u)
        return self.unit * (own + (self.scores.steps.m - 1) * table.values[kind][u]) / table.M_ft


def predict(scores: TableScores, sequence: Sequence) -> Prediction:
    """The prediction on one sequence; M_ft as in the table. Cost O(m sum_l U_l)."""
    table, m = scores.frequencies, scores.steps.m
    if len(sequence.contexts) != m - 1:
        raise ValueError(f"contexts = {sequence.contexts}: valid are m - 1 = {m - 1} subjects")
    M_ft, kind, q = table.M_ft, sequence.kind, sequence.query
    subj, rel = {("subject", m - 1): scores.subj_queries[q].at(M_ft)}, {("subject", m - 1): scores.queries[q].at(M_ft)}
    for slot in range(m):
        subj[("sep", slot)] = Fraction(0)
        rel[("sep", slot)] = scores.sep.at(M_ft)
    for slot, j in enumerate(sequence.contexts):
        subj[("subject", slot)], subj[("attribute", slot)] = scores.subj_contexts[j].at(M_ft), Fraction(0)
        rel[("subject", slot)] = scores.contexts[j].at(M_ft)
        rel[("attribute", slot)] = scores.attributes[kind][table.subjects[j][kind]].at(M_ft)
    attended = [tuple(p for p, score in head.items() if score == max(head.values())) for head in (subj, rel)]
    values, drawn = Values(scores), (*sequence.contexts, q)

    def logit(type_: int, u: int) -> Fraction:
        first = [values.subject_head(type_, u, drawn[slot]) for role, slot in attended[0] if role == "subject"]
        second = [values.of_subject(type_, u, drawn[slot]) for role, slot in attended[1] if role == "subject"]
        second += [
            values.of_attribute(type_, u, kind, table.subjects[drawn[slot]][kind])
            for role, slot in attended[1]
            if role == "attribute"
        ]
        return Fraction(sum(first), len(attended[0])) + sum(second, Fraction(0)) / len(attended[1])

    target = (kind, table.subjects[q][kind])
    logits = {(l, u): logit(l, u) for l, column in enumerate(table.values) for u in range(len(column))}
    margin, rival = logits[target], None
    for token, value in logits.items():
        if token != target and logits[target] - value < margin:
            margin, rival = logits[target] - value, token
    outcome = Outcome.RIGHT if margin > 0 else Outcome.TIED if margin == 0 else Outcome.WRONG
    return Prediction(sequence, outcome, margin, target, rival, attended[0], attended[1])


def first_failure(scores: TableScores, sequences: Collection[Sequence]) -> Prediction | None:
    """The first of the sequences that is not predicted right."""
    return next((p for p in (predict(scores, s) for s in sequences) if p.outcome != Outcome.RIGHT), None)
