"""The hat conclusion for any fact table, by ranges of scores: settled where one kind of position always wins.

Full window, reading "set". A head's scores depend on the sequence through the tokens that stand at each kind of
position, so they lie between the least and the largest score of that kind over all tokens that can stand there:

  attributes   a value u with f_u > 0, at p_{1-3i}         query      a seen or held-out subject, at p_{-1}
  context      a subject of F, at p_{-1-3i}                sep        one token, several positions of one score

Subject head on the query alone: f_subj is 0 on the query's own values and on tokens that are no value, -1 on the others.
Relation head on attributes alone: it adds c f_u to the values of the sequence's type, c a mean of (eta_ov n_a / (w L)) f_u'
over the attended u'. So the target y gets c f_y, its rivals 0 or c f_u - 1: right on every sequence iff f_y > 0 for every
possible target and c (f_u - f_y) < 1.
Relation head on the query alone: the output does not depend on the type of the sequence, so with L >= 2 at most one of the L
types is right for a query: the conclusion fails. A held-out query's column is 0, so its own values tie.
"""

from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.evaluation import HatGradients


@dataclass(frozen=True)
class TableConclusion:
    """holds: True, False, or None (open: no kind of position always wins); at_most: the share of sequences that can be right."""

    holds: bool | None
    at_most: Fraction
    reason: str


def table_conclusion(
    gradients: HatGradients, m: int, eta_ov: Fraction, eta_kq_subj: Fraction, eta_kq_rel: Fraction, seen_queries: bool
) -> TableConclusion:
    """Exact rationals, full window (T <= S + 2), reading "set", contexts from F. Cost O(M L + sum_l U_l^2)."""
    table = gradients.frequencies
    L, T = len(table.values), 3 * m - 1
    finetune = [j for j, seen in enumerate(table.seen) if seen]
    queries = finetune if seen_queries else [j for j, seen in enumerate(table.seen) if not seen]

    def subj(*direction: int | str) -> Fraction:
        return -eta_kq_subj * gradients.kq_subj(direction)

    def rel(*direction: int | str) -> Fraction:
        return -eta_kq_rel * gradients.kq_rel(direction)

    query_score = min(1 + subj("subject", j) for j in queries) + subj("position", -1)
    others = max(1 + subj("subject", j) for j in finetune) + subj("position", -4) if m > 1 else query_score - 1
    if not query_score > max(others, Fraction(0)):
        return TableConclusion(None, Fraction(1), "the subject head does not attend the query alone on every sequence")
    values = [(l, u, f) for l in range(L) for u, f in enumerate(table.values[l]) if f > 0]
    attributes = [rel("attribute", l, u) + rel("position", -2) for l, u, _ in values]
    query = [rel("subject", j) + rel("position", -1) for j in queries]
    context = [rel("subject", j) + rel("position", -4) for j in finetune]
    sep = rel("sep") + rel("position", 0)
    if min(attributes) > max(*query, *context, sep):
        unseen = [j for j in queries if any(table.values[l][table.subjects[j][l]] == 0 for l in range(L))]
        if unseen:
            return TableConclusion(
                False, Fraction(1), f"subject {unseen[0]} has a value that no finetuning subject has"
            )
        scale = eta_ov * (m - 1) / (T * L)
        spread = max(
            (max(column) * (max(column) - min(f for f in column if f > 0)) for column in table.values),
            default=Fraction(0),
        )
        if scale * spread < 1:
            return TableConclusion(True, Fraction(1), "the relation head attends attributes alone on every sequence")
        return TableConclusion(
            None, Fraction(1), "attributes are attended, but eta_ov is so large that frequent values may win"
        )
    if min(query) > max(*attributes, *context, sep):
        if L == 1 and seen_queries:
            return TableConclusion(None, Fraction(1), "the relation head attends the query alone; L = 1")
        share = Fraction(1, L) if seen_queries else Fraction(0)
        return TableConclusion(
            False, share, "the relation head attends the query alone: its output does not depend on the type"
        )
    return TableConclusion(
        None, Fraction(1), "which kind of position the relation head attends differs between sequences"
    )
