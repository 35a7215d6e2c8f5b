"""Remarks that go with the derived coefficients: sizes at the paper's setting, and the regimes in which what is printed next is meant."""

from __future__ import annotations

import sympy as sp

from paper_checks.contextual_recall import relation_kq
from theory.finetuning.norms import squared_norm
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV
from verify.classes import multiplicity
from verify.court import PAPER
from verify.judges.coefficients import at, settled
from verify.judges.theorem2 import quantities

#: For the three terms of the bracket: the class that needs the most, and what the printed "approximately" needs.
NEEDS = {
    "rel2.attr": (KQ.ATTRIBUTE, "M_ft >> U + U^2/m^2 and m >> 1 (2/3 for 2m/(3m-1))"),
    "rel2.subject": (
        KQ.SUBJECT_SEEN,
        "M_ft >> U + U^2/m^2, m >> 1 and M_ft near M (1/M_ft on finetuning subjects, 0 on held-out ones)",
    ),
    "rel2.position": (KQ.P_QUERY, "M_ft >> U + U^2/m"),
}

#: Printed for the finetuning subjects, and true as printed only where they are balanced.
AMONG_FINETUNING = ("rel.ov.expect", "rel.ov.projection")

AT_PAPER = "M=256, L=8, U=32, M_ft=128, N_ft=5"


def derived(name: str, key: KQ | OV) -> sp.Expr:
    return settled(quantities()[name].derived().get(key, 0))


def remark(name: str) -> str:
    """What else is to be said of one claim's coefficients; empty for most."""
    if name in NEEDS:
        return _approximation(name)
    if name in AMONG_FINETUNING:
        return (
            "for values that each appear on M_ft/U of the FINETUNING subjects: the M/U of all subjects that is printed for the subject"
            " head is not enough"
        )
    if name == "rel.ov.drop":
        return _dropped()
    if name == "subj.update":
        gap = sp.factor(derived(name, KQ.P_QUERY) - derived(name, KQ.P_CONTEXT))
        return (
            f"query minus context is {gap}, exactly the printed alpha_1/eta; on any table (1 - F)/m, F the mean over the types of sum_u f_u^2,"
            " f_u the share of the finetuning subjects that have the value u"
        )
    return ""


def _approximation(name: str) -> str:
    """The last "approximately", summed over the directions of its class, at the paper's own sizes."""
    key, needs = NEEDS[name]
    count = multiplicity(key)
    exact = float(at(count * derived(name, key), PAPER))
    printed = float(at(settled(relation_kq.LAST_APPROXIMATION[name][key] * count), PAPER))
    return f"the approximation printed next needs {needs}; at {AT_PAPER} it has {printed:.3g} for {exact:.3g} on {key.value}"


def _dropped() -> str:
    """Frobenius norm of the dropped uniform term over that of the smaller kept one, own values on their subject."""
    uniform = derived("rel.ov.drop", OV.OTHER_ATTRIBUTE_SEEN)
    own = derived("rel.ov.drop", OV.OWN_ATTRIBUTE_SEEN) - uniform
    everywhere = multiplicity(OV.OTHER_ATTRIBUTE_SEEN) + multiplicity(OV.OWN_ATTRIBUTE_SEEN)
    squared = settled(uniform**2 * everywhere / (own**2 * multiplicity(OV.OWN_ATTRIBUTE_SEEN)))
    size = float(at(squared, PAPER)) ** 0.5
    factor = sp.sqrt(sp.factor(squared)).replace(sp.Abs, lambda inside: inside)  # m >= 1
    return (
        f"the dropped term is {factor} times the kept one on subjects (Frobenius), {size:.2g} at {AT_PAPER}, "
        "free of M_ft: M_ft >> U makes it small against the attribute block only (the kept one needs M_ft >> U^2/(m-1)^2 for that)"
    )


def sep_share() -> str:
    """The share of the token [sep] in the squared norm of the second step's hat gradient as m grows, the rest as in the paper."""
    share = 1 - squared_norm("kq_rel", without=(KQ.SEP,)) / squared_norm("kq_rel")
    fixed = {s: sp.Integer(PAPER[s.name]) for s in share.free_symbols if s.name in ("M", "L", "U", "M_ft")}
    limit = sp.limit(sp.cancel(share.subs(fixed)), next(s for s in share.free_symbols if s.name == "m"), sp.oo)
    return (
        f"the token [sep], which the displayed gradient omits, has {float(limit):.3g} of the squared norm as m grows (L, U, M_ft as in the "
        "paper); attribute tokens (m over sqrt(L U)) and finetuning subjects (m over sqrt(M_ft)) are of order m too, positions of order sqrt m"
    )
