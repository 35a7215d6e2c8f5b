"""The score differences that decide what each head attends, for arbitrary value frequencies; full window, hat objective.

Score of a position per unit beta = initial part - step * (c(token) + c(position)), c the derived hat gradients. With

    f_u      frequency among F of the value u, of type l       P_2 = sum_u f_u^2 of the type l
    fbar_j   mean over the types of the frequency of subject j's own value
    overline mean over the types (overline{P_2 f}_j: mean of P_2 times the frequency of j's own value)
    w        T = 3m - 1, all positions

the subject head compares the query with a context subject x (initial part 1 each) and with attributes and [sep] (0):

    query q in F       eta_s/m [ 1 - mean P_2 + (m-1)(m-2)/(m M_ft) (fbar_q - fbar_x) ]
    query q held out   eta_s/m [ 1 - mean P_2 + (m-1)(m-2)/(m M_ft) (mean P_2 - fbar_x) ]

so rare queries among frequent contexts are the worst, and as M_ft -> oo at fixed frequencies the query always wins
unless P_2 = 1 for every type. The relation head (the initial part cancels) has, to leading order in 1/M_ft,

    attribute u - query or context    eta_r eta_ov (m-1)/(L w^3) [ w mean P_2^2 + (m-1)/L P_2 f_u ((3m-2) f_u - (m-2) P_2) ]

which is negative for values with f_u < (m-2)/(3m-2) P_2 once m is large enough: with unequal frequencies there are
tables that no amount of data repairs. Finally a context subject never scores more than the same subject as query:

    (query j) - (context j) = eta_r eta_ov / (L w^2 M_ft) (1 - mean P_2) >= 0,

and [sep] never reaches an attribute u with f_u > 0: in units of eta_r eta_ov / (L^2 w^3),

    attribute - sep = (m-1) [(m^2+2m-1) L mean P_2^2 + (m-1) P_2 f_u ((3m-2) f_u - (m-2) P_2)]
                    + 1/M_ft [(m^3-m) L mean P_2 - (m-1)(m^2-2) P_2 f_u + L m - (m-1) f_u (1 + f_u)] > 0,

for L mean P_2^2 >= P_2^2 >= P_2^3 and the second product is at least -(m-1)(m-2)^2/(4(3m-2)) P_2^3, while with L mean P_2
>= P_2 >= f_u^2 the second bracket is at least (m-1)(m+2) P_2 + m - (m-1) f_u (1 + f_u) >= m - (m-1) f_u > 0 (m >= 2).

The code derives all of this anew; the tests check the formulas above against it.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import sympy

from theory.derivation import Derivation, Step
from theory.finetuning.balanced import derivation
from theory.finetuning.tables.averages import averaged
from theory.onehot.classes import DirectionClass
from theory.onehot.coefficient import Coefficient
from theory.symbols import M_ft, eta_kq_rel, eta_kq_subj


class Comparison(StrEnum):
    """First minus second score."""

    QUERY_CONTEXT_SEEN = "subject head, seen query - context subject"
    QUERY_CONTEXT_HELDOUT = "subject head, held-out query - context subject"
    QUERY_OTHERS_SEEN = "subject head, seen query - attribute or sep"
    QUERY_OTHERS_HELDOUT = "subject head, held-out query - attribute or sep"
    ATTRIBUTE_QUERY_SEEN = "relation head, attribute - seen query"
    ATTRIBUTE_QUERY_HELDOUT = "relation head, attribute - held-out query"
    ATTRIBUTE_CONTEXT = "relation head, attribute - context subject"
    ATTRIBUTE_SEP = "relation head, attribute - sep"
    QUERY_CONTEXT_SAME = "relation head, subject as query - as context"


def by_powers(expression: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Coefficients of 1, 1/M_ft and 1/M_ft^2; the first is the limit at fixed frequencies. ValueError for other powers."""
    x = sympy.Symbol("x")
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.sympify(expression).subs(M_ft, 1 / x)))
    polynomial = sympy.Poly(numerator, x)
    if denominator.has(x) or polynomial.degree() > 2:
        raise ValueError(f"expression = {expression}: valid are polynomials of degree 2 in 1/M_ft")
    zeroth, first, second = (sympy.factor(polynomial.nth(k) / denominator) for k in range(3))
    return zeroth, first, second


def differences() -> Derivation:
    """Every score difference, per unit beta, with one step each that shows it by powers of 1/M_ft."""
    return _derived()


@cache
def _derived() -> Derivation:
    found = _expressions()
    steps = [
        Step(
            "Scores",
            "The final column of the key-query matrix is its initial one minus the step times the hat gradient.",
            r"s_i = s_i^{(0)} - \eta\, (c(x_i) + c(p_i))",
        )
    ]
    for name, expression in found.items():
        body = " + ".join(
            rf"\frac{{1}}{{M_{{ft}}^{k}}} \left[{sympy.latex(part)}\right]" if k else sympy.latex(part)
            for k, part in enumerate(by_powers(expression))
            if part != 0
        )
        steps.append(Step(name.value, "Collected in powers of 1/M_ft; the first term is the limit.", body or "0"))
    return Derivation(
        "differences", tuple(steps), {k: Coefficient(e, summed_over_types=False) for k, e in found.items()}
    )


def _expressions() -> Mapping[Comparison, sympy.Expr]:
    subj, rel = (derivation(step).coefficients for step in ("kq_subj", "kq_rel"))
    place = {role: (averaged(subj[role]), averaged(rel[role])) for role in DirectionClass if role.value[:2] == "p_"}
    subj_query, rel_query = place[DirectionClass.P_QUERY]
    subj_context, rel_context = place[DirectionClass.P_CONTEXT]
    attribute = averaged(rel[DirectionClass.ATTRIBUTE]) + place[DirectionClass.P_ATTRIBUTE][1]
    sep = averaged(rel[DirectionClass.SEP]) + place[DirectionClass.P_SEP][1]

    def seen(coefficients: Mapping[DirectionClass, Coefficient], own: str) -> sympy.Expr:
        return averaged(coefficients[DirectionClass.SUBJECT_SEEN], own)

    gradients = {
        Comparison.QUERY_CONTEXT_SEEN: subj_context + seen(subj, "x") - subj_query - seen(subj, "q"),
        Comparison.QUERY_CONTEXT_HELDOUT: subj_context + seen(subj, "x") - subj_query,
        Comparison.QUERY_OTHERS_SEEN: -subj_query - seen(subj, "q"),
        Comparison.QUERY_OTHERS_HELDOUT: -subj_query,
        Comparison.ATTRIBUTE_QUERY_SEEN: rel_query + seen(rel, "q") - attribute,
        Comparison.ATTRIBUTE_QUERY_HELDOUT: rel_query - attribute,
        Comparison.ATTRIBUTE_CONTEXT: rel_context + seen(rel, "j") - attribute,
        Comparison.ATTRIBUTE_SEP: sep - attribute,
        Comparison.QUERY_CONTEXT_SAME: rel_context - rel_query,
    }
    found = {}
    for name, difference in gradients.items():
        subject_head = name.value.startswith("subject")
        initial = int(name in (Comparison.QUERY_OTHERS_SEEN, Comparison.QUERY_OTHERS_HELDOUT))
        found[name] = initial + sympy.factor((eta_kq_subj if subject_head else eta_kq_rel) * difference)
    return found
