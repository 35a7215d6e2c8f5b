"""The limit of large finite beta in a balanced world: the formula against all kinds of sequences, thresholds against scans."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.finetuning.conclusion import (
    balanced_conclusion,
    limit_conclusion,
    limit_condition,
    limit_M_ft,
    sharp_M_ft,
)
from theory.finetuning.conclusion.limit import sign

STEPS = st.sampled_from([Fraction(1), Fraction(1, 1000), Fraction(1000), Fraction(10**6), Fraction(10**9)])


@given(
    L=st.integers(2, 6),
    U=st.integers(2, 9),
    m=st.integers(2, 7),
    more=st.integers(1, 50),
    steps=st.tuples(STEPS, STEPS, STEPS),
)
@settings(max_examples=40, deadline=None)
def test_the_formula_is_what_all_kinds_of_sequences_come_to(L, U, m, more, steps):
    M = U + more
    holds = [limit_condition(M, L, U, M_ft, m, *steps) for M_ft in range(U, M)]
    for M_ft in range(U, M, 7):
        found = limit_conclusion(M, L, U, M_ft, m, *steps)
        assert found.holds == holds[M_ft - U]
        # Never a tie at all large beta.
        assert all(case.sign for case in found.cases)
    first = next((U + k for k in range(len(holds)) if all(holds[k:])), None)
    assert limit_M_ft(M, L, U, m, *steps) == first


@given(L=st.integers(2, 5), U=st.integers(2, 8), m=st.integers(2, 6), more=st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_for_all_step_sizes_it_is_the_condition_of_hard_attention(L, U, m, more):
    """A relation step large enough makes any lead of the query over attributes too much."""
    M_ft = U + more
    hard = balanced_conclusion(M_ft + 1, L, U, M_ft, m)
    huge = limit_condition(M_ft + 1, L, U, M_ft, m, Fraction(1), Fraction(10**30), Fraction(1))
    assert huge == hard.holds
    if hard.holds:
        assert all(
            limit_condition(M_ft + 1, L, U, M_ft, m, *map(Fraction, s))
            for s in ((1, 1, 1), (10**9, 1, 1), (1, 1, 10**9))
        )


def test_an_equality_of_scores_is_decided_by_the_columns():
    """The query leads attributes by exactly as much as over contexts in the subject head: the attributes' column must be above 1."""
    one = Fraction(1)
    at = limit_conclusion(10, 2, 3, 9, 2, one, one, one)
    assert at.holds
    # The lead is linear in the relation step, what it may be in the subject's: the step at which they are equal.
    low, high = one, Fraction(10**9)
    while high - low > Fraction(1, 10**6):
        middle = (low + high) / 2
        low, high = (middle, high) if limit_condition(10, 2, 3, 9, 2, one, middle, one) else (low, middle)
    # The only candidate of a small denominator; were it off, one of the two lines below would fail.
    exact = ((low + high) / 2).limit_denominator(10**4)
    assert low <= exact <= high and not limit_condition(10, 2, 3, 9, 2, one, exact, one)
    assert not limit_conclusion(10, 2, 3, 9, 2, one, exact, one).holds
    # With a column above 1 equality would do; the lead grows with eta_ov too.
    big = Fraction(10**6)
    assert (
        limit_condition(10, 2, 3, 9, 2, big, exact / big, one)
        and limit_conclusion(10, 2, 3, 9, 2, big, exact / big, one).holds
    )


@pytest.mark.parametrize(
    ("sum_", "expected"),
    [({}, 0), ({Fraction(1): Fraction(0)}, 0), ({Fraction(1): Fraction(-1), Fraction(2): Fraction(1, 9)}, 1)],
)
def test_the_largest_exponent_decides(sum_, expected):
    assert sign(sum_) == expected


def test_the_papers_setting():
    assert (sharp_M_ft(256, 8, 32, 6), limit_M_ft(256, 8, 32, 6)) == (235, 43)
    assert limit_M_ft(43, 8, 32, 6) is None and limit_M_ft(44, 8, 32, 6) == 43 and limit_M_ft(32, 8, 32, 6) is None


def test_for_large_U_it_is_a_multiple_of_U_between_1_and_2_point_4():
    for L, m in ((2, 2), (8, 2), (100, 2), (2, 6), (8, 6), (8, 50)):
        multiples = [limit_M_ft(10**9, L, U, m) / U for U in (10**4, 10**5)]
        assert 1 < multiples[1] < 2.4 and abs(multiples[0] - multiples[1]) < 0.01
    assert 1 < limit_M_ft(10**9, 8, 10**5, 500) / 10**5 < 1.01 and limit_M_ft(10**9, 2, 10**5, 2) / 10**5 > 2.3


@pytest.mark.parametrize("arguments", [(8, 1, 2, 4, 2), (8, 2, 1, 4, 2), (8, 2, 2, 4, 1)])
def test_out_of_range(arguments):
    with pytest.raises(ValueError, match="valid are integers >= 2"):
        limit_condition(*arguments)
    M, L, U, _, m = arguments
    for top in (M, U):
        with pytest.raises(ValueError, match="valid are integers >= 2"):
            limit_M_ft(top, L, U, m)


def test_one_subject_has_no_limit():
    with pytest.raises(ValueError, match="m = 1"):
        limit_conclusion(8, 2, 2, 4, 1)
