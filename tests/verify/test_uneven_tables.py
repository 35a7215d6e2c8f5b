"""Tables with every value on M/U subjects, but not on M_ft/U finetuning ones: the conclusion and the steps, by the definitions."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from numerics.world import World
from paper_checks.contextual_recall.assumptions import THEOREM_2
from theory.finetuning.conclusion import balanced_conclusion
from theory.finetuning.tables import diagnose
from verify.docket import entries, tried
from verify.judges.decided import uneven
from verify.judges.hypotheses import by_frequencies, sharp_condition
from verify.judges.step_sizes import _around_the_limit, allowed_steps
from verify.judges.tables import LIMIT, LIMIT_STEPS
from verify.recompute import court
from verify.setting import parameters
from verify.worlds import frequencies

ONE = Fraction(1)


@pytest.mark.parametrize("reading", ["set", "literal"])
def test_the_formula_in_one_over_U_is_wrong_on_both_sides(reading):
    for b in uneven(reading):
        assert b.p["balanced_all"] and not b.p["balanced_ft"]
        assert sharp_condition(b.p) == b.decided.holds
    apart = [
        b.decided.holds for b in uneven(reading) if sharp_condition({**b.p, "frequencies": None}) != b.decided.holds
    ]
    assert apart == ([True, False] if reading == "set" else [False, False])


def test_decisions_by_the_definitions(plain_of):
    """The first table in full; of the second, three sequences fail: M=9, L=3, U=3, M_ft=6, N_ft=3, 3885 of 3888 right."""
    b = uneven("set")[0]
    made = plain_of(b.world, b.n_demos)
    weights = made.weights()
    for pool in ("seen", "heldout"):
        for sequence, y in made.population(pool):
            out = made.logits(sequence, weights)
            assert out[y] > max(value for v, value in out.items() if v != y)
    assert (b.decided.seen.total, b.decided.heldout.total) == (50, 30)
    second = uneven("set")[1].decided.seen
    assert (second.right, second.total) == (3885, 3888)


def _tables(M: int, M_ft: int):
    """All tables of two types with two values, each on half of the subjects, up to the order of subjects in F and outside."""
    rows = list(itertools.product((0, 1), repeat=2))
    for seen in itertools.combinations_with_replacement(rows, M_ft):
        for rest in itertools.combinations_with_replacement(rows, M - M_ft):
            columns = np.array([*seen, *rest])
            counts = columns[:M_ft].sum(axis=0)
            if (2 * columns.sum(axis=0) == M).all() and (counts > 0).all() and (counts < M_ft).all():
                yield columns


@pytest.mark.parametrize("M", [4, 6])
def test_no_smaller_table_contradicts_the_formula(M):
    """L = U = 2, N_ft = 1: the first of the uneven tables has M = 8."""
    for M_ft in range(2, M):
        said = balanced_conclusion(M, 2, 2, M_ft, 2).holds
        for columns in _tables(M, M_ft):
            table = frequencies(World(columns, range(M_ft), n_grammar=1))
            assert said == all(diagnose(table, 2, ONE, ONE, ONE, pool).holds for pool in ("seen", "heldout"))


def test_the_step_that_a_frequent_value_needs():
    """5:4 among nine finetuning subjects, m = 2, L T = 10: eta/10 * 5/9 * 1/9 = 1 at eta = 162, inside every hypothesis."""
    b = uneven("set")[2]
    assert all(a.holds(b.p) for a in THEOREM_2)
    assert _around_the_limit(b, "hat") == (161, 162)
    p = {**b.p, "objective": "hat", "reading": "set", "window": None}
    assert allowed_steps({**p, "eta_ov": Fraction(161)}) and not allowed_steps({**p, "eta_ov": Fraction(162)})
    assert allowed_steps({**p, "eta_ov": Fraction(162), "frequencies": None, "eta_kq_subj": ONE, "eta_kq_rel": ONE})


def test_the_step_at_which_the_target_ties():
    rows, M_ft, n = LIMIT
    world = World(np.array(rows), range(M_ft), n_grammar=1)
    holds = []
    for step in LIMIT_STEPS:
        p = parameters(world, n, eta_ov=step, reading="set", frequencies=frequencies(world))
        holds.append(by_frequencies(p))
    assert holds == [True, False, False] and LIMIT_STEPS[1] == Fraction(64, 3)


@pytest.mark.parametrize("name", ["thm2.hypotheses", "thm2.step_sizes"])
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_balance_over_all_subjects_is_rejected(name, reading):
    o = tried(entries()[name], court(reading))
    assert "balanced over all subjects" in {mutation.name for mutation, _ in o.mutants}
    assert o.survivors == ()


def test_the_counterexample_of_the_steps_is_the_least_step():
    """After the true steps the smallest world fails from some integer eta_OV^rel on, and not at the one below it."""
    o = tried(entries()["thm2.step_sizes"], court("set"), mutants=False)
    assert o.printed.counterexample.startswith("balanced M=16 L=2 U=2 M_ft=8 N_ft=1, S=3, true steps, eta=(1, 688, 1)")
