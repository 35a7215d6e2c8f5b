from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population.exact import enumerated_hat_gradients
from numerics.population.marginal import hat_gradients
from numerics.population.rational import Rational
from numerics.world import World


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_marginal_equals_enumerated_exactly(small_worlds, windows, data):
    world, window = data.draw(small_worlds), data.draw(windows)
    n_demos, reading = data.draw(st.integers(1, 2)), data.draw(st.sampled_from(["set", "literal"]))
    eta = data.draw(st.sampled_from([1, 0.3, Fraction(-2, 7), 0]))
    enumerated = enumerated_hat_gradients(world, n_demos, eta, window, reading)
    marginal = hat_gradients(world, n_demos, eta, window, reading)
    for name in ("kq_subj", "ov_rel", "kq_rel"):
        assert getattr(enumerated, name).equals(getattr(marginal, name)), name


def test_four_slots_and_a_window_inside_a_triple():
    world = World([[0, 0], [0, 1], [1, 2], [5, 2]], [3, 0, 1], 0)
    for window in (None, 1, 4, 6, 9):
        enumerated, marginal = (f(world, 3, 2, window) for f in (enumerated_hat_gradients, hat_gradients))
        assert enumerated.kq_rel.equals(marginal.kq_rel)
        assert enumerated.kq_subj.equals(marginal.kq_subj)


def test_smallest_case_by_hand():
    # Two subjects with values 0 and 1 of one type, m = 2.  The subject head attends s_j1 and s_j2 by 1/2 each.
    # r = 1[target is not an attribute of the subject]: 0 at the query; at the context 1 if j1 != j2, which has
    # probability 1/2.  So g_kq at j1 != j2 is 1/4 (x_context - x_query), and 0 at j1 = j2.
    world = World([[0], [1]], [0, 1], 0)
    g = hat_gradients(world, 1)
    expected = np.full(world.V + 5, Fraction(0))
    expected[world.V + 1], expected[world.V + 4] = Fraction(-1, 8), Fraction(1, 8)
    assert (g.kq_subj.fractions == expected).all()
    # Uniform over 5 tokens: E[h(y) g^T] of the query column is 1/2 * 1/5 on its own value, from the context 1/2 * 1/2.
    assert g.ov_rel.fractions[2, 0] == -(Fraction(1, 2) * Fraction(1, 5) + Fraction(1, 4) * Fraction(1, 5))
    assert g.ov_rel.fractions[3, 0] == -Fraction(1, 4) * Fraction(1, 5)
    assert g.ov_rel.fractions[2, world.sep_token] == -Fraction(1, 2) * Fraction(2, 5)


def test_sums_beyond_64_bits_do_not_overflow():
    # 40 slots: numerators over size * width^2 grow beyond 64 bits.
    world = World([[0], [0], [1]], [0, 2])
    g = hat_gradients(world, 40, window=57)
    assert g.kq_rel.denominator > 0
    slots = g.kq_rel.fractions[world.V :]
    # A softmax gradient sums to zero over the attended positions, exactly.
    assert sum(slots) == 0
    assert (slots[57:] == 0).all()
    assert sum(g.kq_rel.fractions[: world.V]) == 0


def test_paper_size_is_fast_enough_and_balanced_tokens_vanish():
    world = World.balanced(256, 8, 32)
    g = hat_gradients(world, 5)
    assert (g.kq_subj.numerators[: world.V] == 0).all()
    assert g.kq_subj.floats.dtype == np.float64
    assert g.kq_rel.numerators.any()


def test_rational():
    array = Rational.of(np.array([2, -4, 0]), 6)
    assert (array.numerators.tolist(), array.denominator) == ([1, -2, 0], 3)
    assert array.fractions.tolist() == [Fraction(1, 3), Fraction(-2, 3), 0]
    assert array.floats.tolist() == [1 / 3, -2 / 3, 0]
    assert array.times(Fraction(-3, 2)).fractions.tolist() == [Fraction(-1, 2), 1, 0]
    assert not array.equals(Rational.of(np.array([2, -4, 1]), 6))
    assert Rational.of(np.array([0, 0]), 6).denominator == 1


@pytest.mark.parametrize("route", [hat_gradients, enumerated_hat_gradients])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_demos": 0}, "n_demos must be an integer >= 1, got 0"),
        ({"window": 0}, "window must be an integer >= 1 .*got 0"),
        ({"eta_ov": float("nan")}, "eta_ov must be a finite number, got nan"),
        ({"reading": "both"}, "reading must be one of 'set', 'literal', got 'both'"),
    ],
)
def test_errors(route, arguments, message):
    with pytest.raises(ValueError, match=message):
        route(World([[0], [1]], [0]), **({"n_demos": 1} | arguments))
