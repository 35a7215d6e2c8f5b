"""What the corrections say beside their formulas: regimes, sizes at the paper's setting, and who the formulas are about."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from paper_checks.contextual_recall.relation_kq import LAST_APPROXIMATION
from theory.onehot.classes import EntryClass as OV
from verify.classes import multiplicity
from verify.docket import entries
from verify.judges import remarks
from verify.judges.coefficients import settled
from verify.recompute import court
from verify.worlds import cases

s, x = sp.symbols("s x", positive=True)


def _ratio(name: str, M_ft: sp.Expr, U: sp.Expr) -> sp.Expr:
    """Derived over printed approximation, summed over the class, as x = m -> inf (U and M_ft functions of it, L = 8)."""
    key, _ = remarks.NEEDS[name]
    derived = settled(remarks.derived(name, key) * remarks.multiplicity(key))
    printed = settled(LAST_APPROXIMATION[name][key] * remarks.multiplicity(key))
    if name == "rel2.subject":  # printed over all M subjects, derived on the finetuning ones
        printed = settled(LAST_APPROXIMATION[name][key] * sp.Symbol("M", positive=True))
    values = {"m": x, "U": U, "M_ft": M_ft, "L": sp.Integer(8)}
    quotient = sp.cancel(
        (derived / printed).subs({v: values[v.name] for v in (derived / printed).free_symbols if v.name in values})
    )
    return sp.limit(quotient, x, sp.oo)


@pytest.mark.parametrize(("name", "order"), [("rel2.attr", 2), ("rel2.subject", 2), ("rel2.position", 1)])
def test_the_named_size_of_M_ft_is_the_one_that_counts(name, order):
    """M_ft = s U^2/m^k with U^2/m^k far above U: M_ft >> U holds, and the quotient tends to 1 - const/s; at s = m to 1."""
    U = x**4
    quotient = _ratio(name, s * U**2 / x**order, U)
    assert sp.limit(quotient, s, sp.oo) == 1 and quotient != 1
    assert _ratio(name, x * U**2 / x**order, U) == 1
    assert _ratio(name, s * x, x) != 1, "M_ft of the order of U is not enough either"


def test_the_subject_term_has_the_other_sign_at_the_papers_setting():
    words = entries()["rel2.subject"].derive(court("set")).words
    assert "has -4.17 for 2.01 on subject_seen" in words and "U + U^2/m^2" in words


def test_the_dropped_term_by_hand():
    """(m-1)/(L T U M_ft) on L U M_ft entries over 1/(L T M_ft) on L M_ft: 5/sqrt 32 at the paper's setting."""
    words = remarks.remark("rel.ov.drop")
    assert "is (m - 1)/sqrt(U) times the kept one" in words and f"{5 / 32**0.5:.2g} at" in words


def test_the_kept_term_by_hand():
    """U^2/M_ft on L M_ft own values over m - 1 on the L U^2 entries of the attribute block: U/((m-1) sqrt(M_ft))."""
    own = remarks.derived("rel.ov.drop", OV.OWN_ATTRIBUTE_SEEN) - remarks.derived(
        "rel.ov.drop", OV.OTHER_ATTRIBUTE_SEEN
    )
    block = remarks.derived("rel.ov.drop", OV.ATTRIBUTE_ATTRIBUTE)
    squared = own**2 * multiplicity(OV.OWN_ATTRIBUTE_SEEN) / (block**2 * multiplicity(OV.ATTRIBUTE_ATTRIBUTE))
    U, m, M_ft = (next(s for s in squared.free_symbols if s.name == name) for name in ("U", "m", "M_ft"))
    assert sp.simplify(squared - U**2 / ((m - 1) ** 2 * M_ft)) == 0


def test_query_minus_context_on_any_table():
    """(1 - F)/m, F the mean over the types of sum_u f_u^2, on every world of the bench, balanced or not."""
    for case in cases():
        if case.window is not None:
            continue
        world, gradient = case.world, case.enumerated.kq_subj.fractions
        F = Fraction(0)
        for count in world.finetune_value_counts:
            F += Fraction(int(count), world.M_ft) ** 2 / world.L
        gap = (
            gradient[world.V + 4] - gradient[world.V + 1]
        )  # context p_{-4} minus query p_{-1}: the update has the other sign
        assert gap == (1 - F) / case.m, case.name
    assert "(U - 1)/(U*m), exactly the printed alpha_1/eta" in remarks.remark("subj.update")


def test_who_the_formulas_are_about():
    for name in ("rel2.update", "subj.update", "rel2.attr"):
        assert "among the FINETUNING subjects" in entries()[name].derive(court("set")).words
    for name in ("rel.ov.expect", "rel.ov.projection"):
        assert "M_ft/U of the FINETUNING subjects" in entries()[name].derive(court("set")).words


def test_share_of_sep():
    """m/9 of [sep] against (2m/9)/sqrt(L U) of attributes and m/9 (1 - 2U/M_ft - ...)-like terms of subjects: nearly all."""
    text = remarks.sep_share()
    share = float(text.split(" has ")[1].split(" of the squared norm")[0])
    assert 0.98 < share < 1
