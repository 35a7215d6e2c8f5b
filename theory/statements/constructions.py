"""Outputs of the constructed heads on one sequence at one position, as beta -> inf, written from their weights.

A sight `o` of the sequence gives token ids and counts (see verify.judges.sight). Coefficients by token id; absent tokens 0.

  subject head    x_t = [sep]: the subject tokens tie (on ICL the query wins by h(p_-1)), g = h(s); W_OV^subj h(s) =
                  -(sum_u w_u h(u)) + own, w_u = 1 (set) or N_u (literal). Other x_t: every score is 0, g is the mean of x_1..x_t.
  relation head   x_t = [sep], PT: the relation token in the window scores 2, alone, g = h(r). Other x_t: the mean, to which
                  each relation token so far adds u_l / t.
  grammar head    x_t grammar: [sep] and relation tokens inside the last S + 2 positions score 2. x_t = r_l: only r_l and [sep] do.
                  With n relation tokens and one [sep] attended: f = ((1 + n/2) sum_G + sum_R + n h(sep)) / (n + 1).
                  x_t = [sep]: the column is 0, g is the mean over all positions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Coefficients = dict[int, Fraction]


def _sum(*parts: tuple[Fraction | int, list[int]]) -> Coefficients:
    total: Coefficients = {}
    for coefficient, tokens in parts:
        for token in tokens:
            total[token] = total.get(token, Fraction(0)) + coefficient
    return total


def subject_output(o: Any) -> Coefficients:
    """f_subj where the head attends the subject: -(sum_u w_u h(u)) + own."""
    return _sum(*((-o.weight(u), [u]) for u in o.every_value), (1, o.own))


def two_head_logits(o: Any) -> Coefficients:
    """Prop. 1 at t = T: the type's values once, plus f_subj."""
    return _sum((1, o.values(o.kind)), *((c, [u]) for u, c in subject_output(o).items()))


def grammar_output_at_end(o: Any) -> Coefficients:
    """f_grm at t = T of a PT sequence: (1/T) times what each token is mapped to.

    Attributes (N_tr - 1): all subjects that have the value; subjects and [sep] (N_tr each): G and R; relation tokens (N_tr):
    0.5 G and [sep]. So G gets 2.5 N_tr/T, R 2 N_tr/T, [sep] N_tr/T.
    """
    share = Fraction(1, o.T)
    sharing = [(share, o.subjects_with(u)) for u in o.earlier_attributes]
    n = o.N_tr * share
    return _sum(*sharing, (n * 5 / 2, o.grammar), (2 * n, o.relations), (n, [o.sep]))


def heads_before_end(o: Any) -> tuple[Coefficients, Coefficients]:
    """(f_rel^t, f_subj^t) for x_t that is not [sep]: means over x_1..x_t, so one share for every relation and subject token."""
    share = Fraction(1, o.t)
    rel = _sum(*((share, o.values(l)) for l in o.relation_types))
    n = o.subjects_so_far
    return rel, {u: n * share * c for u, c in subject_output(o).items()}


def after_attribute(o: Any) -> Coefficients:
    """f_grm after an attribute: every subject that has it, once."""
    return _sum((1, o.subjects_with(o.earlier_attributes[-1])))


def middle_argmax(o: Any) -> frozenset[str]:
    """Argmax in a middle grammar slot of a later subsequence, n relation tokens attended beside one [sep].

    n = 0: G and R. n = 1: G (3/4 against 1/2). n >= 2: G has (1 + n/2)/(n+1), [sep] n/(n+1): a tie at 2, [sep] beyond.
    """
    n = o.attended_relations()
    if n == 0:
        return frozenset({"G", "R"})
    return frozenset({"G"}) if n == 1 else frozenset({"G", "sep"}) if n == 2 else frozenset({"sep"})


def icl_logits(o: Any) -> Coefficients:
    """Prop. 4 on an ICL sequence with every value covered: type's values, f_subj of the query, and the grammar head's mean.

    The grammar head maps each context attribute to all subjects that have it, each of the m subjects and m [sep] to G and R.
    """
    share = Fraction(1, o.T)
    sharing = [(share, o.subjects_with(u)) for u in o.context]
    m = o.N_ft + 1
    parts = ((c, [u]) for u, c in subject_output(o).items())
    return _sum((1, o.values(o.kind)), *parts, *sharing, (2 * m * share, [*o.grammar, *o.relations]))
