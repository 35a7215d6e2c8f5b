"""The printed differences against the derived ones, and against the sharp condition of balanced worlds."""

import sympy

from theory.finetuning.conclusion import sharp_condition
from theory.finetuning.tables.averages import P_2, at_balance, mean
from theory.finetuning.tables.differences import Comparison, by_powers, differences
from theory.symbols import L, M_ft, eta_kq_rel, eta_kq_subj, eta_ov, f_u, m

FOUND = {name: coefficient.expression for name, coefficient in differences().coefficients.items()}


def same(left, right):
    return sympy.cancel(left - right) == 0


def test_subject_head():
    spread = (m - 1) * (m - 2) / (m * M_ft)
    head = eta_kq_subj / m
    f_q, f_x = mean(0, "q"), mean(0, "x")
    assert same(FOUND[Comparison.QUERY_CONTEXT_SEEN], head * (1 - mean(1) + spread * (f_q - f_x)))
    assert same(FOUND[Comparison.QUERY_CONTEXT_HELDOUT], head * (1 - mean(1) + spread * (mean(1) - f_x)))


def test_leading_order_of_the_relation_head():
    w = 3 * m - 1
    expected = w * mean(2) + (m - 1) / L * P_2 * f_u * ((3 * m - 2) * f_u - (m - 2) * P_2)
    expected *= eta_kq_rel * eta_ov * (m - 1) / (L * w**3)
    for name in (Comparison.ATTRIBUTE_QUERY_SEEN, Comparison.ATTRIBUTE_QUERY_HELDOUT, Comparison.ATTRIBUTE_CONTEXT):
        assert same(by_powers(FOUND[name])[0], expected)


def test_a_subject_scores_more_as_query_than_as_context():
    w = 3 * m - 1
    expected = eta_kq_rel * eta_ov / (L * w**2 * M_ft) * (1 - mean(1))
    assert same(FOUND[Comparison.QUERY_CONTEXT_SAME], expected)


def test_sep_formula_of_the_docstring():
    limit = (m**2 + 2 * m - 1) * L * mean(2) + (m - 1) * P_2 * f_u * ((3 * m - 2) * f_u - (m - 2) * P_2)
    rest = (m**3 - m) * L * mean(1) - (m - 1) * (m**2 - 2) * P_2 * f_u + L * m - (m - 1) * f_u * (1 + f_u)
    expected = eta_kq_rel * eta_ov / (L**2 * (3 * m - 1) ** 3) * ((m - 1) * limit + rest / M_ft)
    assert same(FOUND[Comparison.ATTRIBUTE_SEP], expected)


def test_balanced_differences_are_those_of_the_sharp_condition():
    sharp = sharp_condition()
    for name, polynomial in (
        (Comparison.ATTRIBUTE_QUERY_SEEN, sharp.seen),
        (Comparison.ATTRIBUTE_QUERY_HELDOUT, sharp.heldout),
        (Comparison.ATTRIBUTE_CONTEXT, sharp.context),
        (Comparison.ATTRIBUTE_SEP, sharp.sep),
    ):
        factor = sympy.factor(at_balance(FOUND[name]) / polynomial).subs(m, sympy.Symbol("k", positive=True) + 1)
        assert factor.is_positive and sympy.factor(factor) != 0


def test_every_difference_is_shown():
    text = differences().latex()
    assert all(name.value in text for name in Comparison)
