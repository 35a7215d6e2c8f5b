"""Index sets, parametrisations of beta and the two theorems' hypotheses: what is printed, part by part."""

from __future__ import annotations

from verify.docket import entries, tried
from verify.evidence import Status
from verify.judges import conventions
from verify.recompute import court


def test_every_printed_sum_of_positions_is_looked_at():
    """For m = 2, T = 5: p_{3i}, i = 1, 2 and p_i, i = 1..5 end at h(p_2) and h(p_1), which do not exist."""
    text = tried(entries()["index"], court("set"), mutants=False).printed.counterexample
    assert "positions, all subjects [-4, -1], printed [-1, 2]" in text
    assert "positions, all positions [-4, -3, -2, -1, 0], printed [-3, -2, -1, 0, 1]" in text
    assert "positions, query" not in text


def test_a_missing_list_of_positions_fails():
    statement = entries()["index"].derive(court("set")).statement
    for name in statement(3):
        without = {name: 0}
        found = conventions.positions(
            lambda m, w=without: {k: v for k, v in statement(m).items() if k not in w}, court("set")
        )
        assert found.status is Status.FAILS


def test_two_parametrisations_give_what_is_printed():
    """Step eta beta on W_KQ, and plain steps on W_KQ / sqrt(beta): both factors are 1, and 2 or 1/beta is rejected of either."""
    ones = [name for name, factor in conventions.PARAMETRISATIONS.items() if factor(3.0) == 1.0]
    assert len(ones) == 2 and any("sqrt" in name for name in ones)
    for name in ones:
        assert conventions.bookkeeping({name: lambda beta: 1.0}, court("set")).status is Status.HOLDS
        for wrong in (lambda beta: 2.0, lambda beta: 1 / beta, lambda beta: beta):
            assert conventions.bookkeeping({name: wrong}, court("set")).status is Status.FAILS


def test_the_window_is_what_theorem_1_lacks():
    text = tried(entries()["thm1_vs_2"], court("set"), mutants=False).printed.counterexample
    assert "hypotheses only in one of the two, wording: ['T <= S + 2']" in text
