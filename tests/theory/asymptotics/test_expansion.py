"""Leading terms: exact remainders, their order, and refusal of wrong leading terms."""

from dataclasses import replace

import pytest
import sympy

from theory.asymptotics import (
    attribute_coefficient,
    coefficient_expansions,
    everything_large,
    expand,
    heldout_threshold,
    long_context,
    long_context_many_subjects,
    many_values,
    seen_condition,
    squared_norm_expansion,
)
from theory.symbols import L, M_ft, U, eta_ov, m


@pytest.mark.parametrize("step", ["kq_subj", "ov_rel", "kq_rel"])
def test_leading_plus_remainder(step: str) -> None:
    for regime in (long_context(), long_context_many_subjects()):
        for expansion in (*coefficient_expansions(step, regime).values(), squared_norm_expansion(step, regime)):
            assert expansion.verified(), expansion.name


def test_norms_when_everything_grows() -> None:
    leading = {
        step: squared_norm_expansion(step, everything_large()).leading for step in ("kq_subj", "ov_rel", "kq_rel")
    }
    assert sympy.simplify(leading["kq_subj"] - 1 / m**2) == 0
    assert sympy.simplify(leading["ov_rel"] - 1 / (9 * L * U)) == 0
    assert leading["kq_rel"].has(eta_ov)


def test_attribute_coefficient() -> None:
    expansion = attribute_coefficient()
    assert sympy.simplify(expansion.leading + 2 * eta_ov / (27 * L**2 * U**3)) == 0
    assert expansion.order == 1
    point = {m: 10**4, M_ft: 10**6, U: 2, L: 3}
    assert abs(float(expansion.relative_remainder().subs(point))) < 1e-3


def test_threshold_of_held_out_queries() -> None:
    assert sympy.simplify(heldout_threshold({U: 1}).leading - U**2 / (m - 1)) == 0
    assert sympy.simplify(heldout_threshold(long_context()).leading - U / 2) == 0
    leading = seen_condition().leading
    assert sympy.simplify(leading.subs(M_ft, U**2 / (m - 1))) == 0
    assert many_values() == seen_condition().regime


def test_wrong_leading_term_is_rejected() -> None:
    expansion = attribute_coefficient()
    assert not replace(expansion, leading=2 * expansion.leading).verified()
    wrong = 2 * expansion.leading
    assert not replace(expansion, leading=wrong, remainder=expansion.expression - wrong).verified()


def test_exact_leading_term_has_no_remainder() -> None:
    expansion = expand("square", m**2 / U, {m: 1})
    assert expansion.order is None and expansion.remainder == 0 and expansion.verified()


def test_unusable_expressions_are_refused() -> None:
    with pytest.raises(ValueError, match="regime"):
        expand("none", m, {})
    with pytest.raises(ValueError, match="rational"):
        expand("root", sympy.sqrt(m + 1), {m: 1})
