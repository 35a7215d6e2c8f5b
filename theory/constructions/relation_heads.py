"""The relation heads of Propositions 2 and 4, compared as printed."""

from dataclasses import dataclass

import sympy

from theory.constructions.case import Statement
from theory.constructions.icl import unseen_values
from theory.derivation import Step


@dataclass(frozen=True)
class RelationHeads:
    """W(Prop. 2) - W(Prop. 4), and where the two heads are the same.

    same_kq, same_ov   equality of the matrices: never (L >= 1), and exactly if U' = U
    same_on_icl        same outputs on every ICL sequence at every beta, hard attention included
    """

    same_kq: Statement
    same_ov: Statement
    same_on_icl: Statement
    steps: tuple[Step, ...]


def relation_heads() -> RelationHeads:
    """Compare sum_l (h(r_l) + u'_l) h(sep)^T with sum_l u'_l h(sep)^T, and
    sum_l (u_l h(r_l)^T + u'_l u'_l^T) with sum_l u'_l (u'_l + h(r_l))^T, u_l the sum of U_l."""
    steps = (
        Step(
            "Keys",
            "Only the relation tokens' keys differ; their columns are orthogonal to all other tokens.",
            r"\Delta W_{KQ} = \beta \sum_l h(r_l) h([\mathrm{sep}])^\top",
        ),
        Step(
            "Values",
            "The blocks u'_l u'_l^T are equal; the column of r_l holds U_l in one and U'_l in the other.",
            r"\Delta W_{OV} = \sum_l \sum_{u \in U_l \setminus U'_l} h(u) h(r_l)^\top",
        ),
        Step(
            "ICL sequences",
            "Both differences read relation tokens only, and an ICL sequence has none: equal scores, equal columns.",
            r"\Delta W_{KQ}^\top h(x_i) = 0,\quad \Delta W_{OV} h(x_i) = 0",
        ),
    )
    return RelationHeads(
        Statement("equal key-query matrices", sympy.false, "They differ by the keys of the relation tokens."),
        Statement("equal value matrices", sympy.Eq(unseen_values, 0), "Equal exactly if U'_l = U_l for all l."),
        Statement("equal on ICL sequences", sympy.true, "No relation token occurs."),
        steps,
    )
