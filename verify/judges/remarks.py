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

#: For the three terms of the bracket: the class that needs the most, and what M_ft must be far above for the printed "approximately".
NEEDS = {
    "rel2.attr": (KQ.ATTRIBUTE, "U + U^2/m^2"),
    "rel2.subject": (KQ.SUBJECT_SEEN, "U + U^2/m^2"),
    "rel2.position": (KQ.P_QUERY, "U + U^2/m"),
}

AT_PAPER = "M=256, L=8, U=32, M_ft=128, N_ft=5"


def derived(name: str, key: KQ | OV) -> sp.Expr:
    return settled(quantities()[name].derived().get(key, 0))


def remark(name: str) -> str:
    """What else is to be said of one claim's coefficients; empty for most."""
    if name in NEEDS:
        return _approximation(name)
    if name == "rel.ov.drop":
        return _dropped()
    if name == "subj.update":
        gap = sp.factor(derived(name, KQ.P_QUERY) - derived(name, KQ.P_CONTEXT))
        return f"query minus context is {gap}, exactly the printed alpha_1/eta; on any table (1 - F)/m, F the mean of sum_u f_u^2 over the types"
    return ""


def _approximation(name: str) -> str:
    """The last "approximately", summed over the directions of its class, at the paper's own sizes."""
    key, needs = NEEDS[name]
    count = multiplicity(key)
    exact = float(at(count * derived(name, key), PAPER))
    printed = float(at(settled(relation_kq.LAST_APPROXIMATION[name][key] * count), PAPER))
    return f"the approximation printed next needs M_ft >> {needs}; at {AT_PAPER} it has {printed:.3g} for {exact:.3g} on {key.value}"


def _dropped() -> str:
    """Frobenius norm of the dropped uniform term over that of the smaller kept one, own values on their subject."""
    uniform = derived("rel.ov.drop", OV.OTHER_ATTRIBUTE_SEEN)
    own = derived("rel.ov.drop", OV.OWN_ATTRIBUTE_SEEN) - uniform
    everywhere = multiplicity(OV.OTHER_ATTRIBUTE_SEEN) + multiplicity(OV.OWN_ATTRIBUTE_SEEN)
    squared = settled(uniform**2 * everywhere / (own**2 * multiplicity(OV.OWN_ATTRIBUTE_SEEN)))
    size = float(at(squared, PAPER)) ** 0.5
    return (
        f"the dropped term is the square root of {sp.factor(squared)} of the kept one on subjects (Frobenius), {size:.2g} at {AT_PAPER}, "
        "free of M_ft: M_ft >> U makes both small against the attribute block only"
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
