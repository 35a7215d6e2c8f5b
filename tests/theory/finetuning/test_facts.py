"""Loss gradients, conditional facts, norms and window counts."""

from fractions import Fraction

import pytest
import sympy

from tests.theory.finetuning import enumeration
from theory.finetuning import balanced_coefficients, derivation
from theory.finetuning.facts import (
    expected_matched_subjects,
    expected_matched_subjects_given_target,
    expected_matches_given_target,
)
from theory.finetuning.norms import norm, squared_norm
from theory.finetuning.relation_head import first_step_gradient
from theory.finetuning.softmax import key_query_gradient, logit_gradient, score_gradient, value_gradient
from theory.finetuning.window import position_class, window_of
from theory.onehot.classes import DirectionClass, EntryClass
from theory.onehot.coefficient import tidy
from theory.onehot.tensor import zero
from theory.rational import evaluate
from theory.symbols import L, M, M_ft, U, eta_ov, f_s, f_u, m, n_a, n_c, n_q, n_s, power_sum, w

TABLE = [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize("gradient", [logit_gradient, score_gradient, key_query_gradient, value_gradient])
def test_loss_gradients(gradient) -> None:
    identity = gradient()
    assert identity.holds
    assert not sympy.simplify(identity.differentiated).is_zero_matrix


def test_wrong_score_gradient_is_rejected() -> None:
    identity = score_gradient()
    broken = type(identity)(identity.step, identity.differentiated, 2 * identity.formula)
    assert not broken.holds


def test_conditional_facts() -> None:
    assert sympy.expand(expected_matches_given_target() - (1 + (m - 1) * f_u)) == 0
    matched = expected_matched_subjects()
    assert matched.summed_over_types
    assert sympy.simplify(matched.expression - (1 + (m - 1) * f_s) / (L * M_ft)) == 0
    given = expected_matched_subjects_given_target().subs(f_s, f_u)
    assert sympy.simplify(given - (1 / f_u + m - 1) / M_ft) == 0


def test_initial_relation_gradient_vanishes() -> None:
    assert first_step_gradient() == zero(1)


@pytest.mark.parametrize("subjects", [2, 3])
def test_norms_against_enumeration(subjects: int) -> None:
    point = {M: 4, M_ft: 4, L: 2, U: 2, m: subjects, eta_ov: Fraction(5, 3)}
    length = 3 * subjects - 1
    columns = {
        "kq_subj": enumeration.kq_subj(TABLE, range(4), subjects, False),
        "ov_rel": enumeration.ov_rel(TABLE, range(4), subjects, length),
        "kq_rel": enumeration.kq_rel(TABLE, range(4), subjects, length, Fraction(5, 3)),
    }
    columns["ov_rel_projected"] = {k: v for k, v in columns["ov_rel"].items() if k[1] != ("sep",)}
    for step, column in columns.items():
        assert evaluate(squared_norm(step), point) == sum(v**2 for v in column.values()), step
    assert sympy.simplify(norm("kq_subj") - (1 - 1 / U) * sympy.sqrt(m - 1) / m ** sympy.Rational(3, 2)) == 0


def test_window_counts() -> None:
    for subjects in (1, 2, 3, 5):
        length = 3 * subjects - 1
        for size in range(1, length + 3):
            window = window_of(subjects, size)
            roles = [position_class(k, subjects) for k in range(min(size, length))]
            counts = (window.n_a, window.n_c, window.n_q, window.n_s)
            classes = (
                DirectionClass.P_ATTRIBUTE,
                DirectionClass.P_CONTEXT,
                DirectionClass.P_QUERY,
                DirectionClass.P_SEP,
            )
            assert counts == tuple(roles.count(role) for role in classes)
        assert window_of(subjects, None) == window_of(subjects, length)
    with pytest.raises(ValueError, match="m = 0"):
        window_of(0, None)


def test_balanced_coefficients_cover_every_class() -> None:
    for step, classes in (("kq_subj", DirectionClass), ("kq_rel", DirectionClass), ("ov_rel", EntryClass)):
        for window in ("full", "general"):
            assert set(balanced_coefficients(step, window)) == set(classes)
    with pytest.raises(ValueError, match="step = 'ov'"):
        balanced_coefficients("ov")
    with pytest.raises(ValueError, match="window = 'half'"):
        balanced_coefficients("ov_rel", "half")


def test_latex_shows_every_step() -> None:
    for step in ("kq_subj", "ov_rel", "ov_rel_projected", "kq_rel"):
        chain = derivation(step)
        text = chain.latex()
        assert all(s.title in text for s in chain.steps)
        assert text.count(r"\[") == text.count(r"\]") == len(chain.steps) + len(chain.coefficients)


def test_closed_forms_of_the_second_step() -> None:
    """The formulas written above the derivation of kq_rel are the derived coefficients."""
    c = derivation("kq_rel").coefficients
    P = power_sum(2)
    gamma = eta_ov / (w * L)
    B = n_a**2 * P**2 + (n_q + 2 * n_q * n_c * P + n_c**2 * P) / M_ft
    of_query = n_a**2 * P * f_s + (n_q + 2 * n_q * n_c * f_s + n_c**2 * f_s) / M_ft
    of_context = n_a * (n_a - 1) * P**2 + n_a * P * f_s
    of_context += (n_q + n_q * (2 * n_c - 1) * P + n_q * f_s + n_c**2 * P) / M_ft
    subject = n_q * (of_query / w - (1 + n_c * f_s) / M_ft) + n_c * (of_context / w - (n_q * f_s + n_c * P) / M_ft)
    inner = n_a * B + n_a**2 * P * (f_u - P) + n_c * n_q * (f_u - P) / M_ft
    expected = {
        DirectionClass.SUBJECT_SEEN: gamma * subject / (w * M_ft),
        DirectionClass.SEP: n_s * gamma * B / w**2,
        DirectionClass.P_SEP: gamma * B / w**2,
        DirectionClass.P_ATTRIBUTE: gamma * (B / w - n_a * P**2) / w,
        DirectionClass.P_QUERY: n_q * gamma * (B / w - (n_q + n_c * P) / M_ft) / w,
        DirectionClass.P_CONTEXT: gamma * (B / w - (n_q + n_c) * P / M_ft) / w,
        DirectionClass.ATTRIBUTE: -gamma * f_u / w * (n_a**2 * P * f_u - inner / w),
    }
    for key, formula in expected.items():
        assert tidy(formula / L - c[key].expression) == 0, key
