from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population import finetuning_gradients, gradients_at, hat_gradients, sampled_gradients
from numerics.updates import initial_weights, updated_weights
from numerics.world import World

NAMES = ("kq_subj", "kq_rel", "ov_subj", "ov_rel")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_exact_and_float_agree_and_follow_the_definition(small_worlds, windows, data):
    world, window = data.draw(small_worlds), data.draw(windows)
    reading = data.draw(st.sampled_from(["set", "literal"]))
    gradients = hat_gradients(world, 1, 0.5, window, reading)
    exact = updated_weights(world, gradients, Fraction(1, 3), 2)
    floats = updated_weights(world, finetuning_gradients(world, 1, "hat", 0.5, window, reading), 1 / 3, 2)
    for name in NAMES:
        entries = getattr(exact, name)
        assert entries.dtype == object
        assert all(isinstance(entry, (Fraction, int)) for entry in entries.ravel())
        np.testing.assert_allclose(entries.astype(float), getattr(floats, name), rtol=1e-14, atol=1e-15)
    start = initial_weights(world, 1, window, reading)
    ov = gradients.ov_rel.fractions.copy()
    ov[:, world.sep_token] = 0
    assert (exact.kq_subj == start.kq_subj.astype(int) - Fraction(1, 3) * gradients.kq_subj.fractions).all()
    assert (exact.kq_rel == start.kq_rel.astype(int) - 2 * gradients.kq_rel.fractions).all()
    assert (exact.ov_rel == start.ov_rel.astype(int) - Fraction(1, 2) * ov).all()
    assert (exact.ov_subj == start.ov_subj).all()
    assert (exact.ov_rel[:, world.sep_token] == 0).all()


def test_initial_weights_by_hand():
    world = World([[0], [1], [1]], [0, 1], 0)
    start = initial_weights(world, 1, 2)
    # s0 s1 s2 | a=0 a=1 | r0 | sep | p_0 p_-1 p_-2 p_-3 p_-4
    assert start.kq_subj.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert start.kq_rel.tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0]
    assert start.ov_subj[3:5, :3].tolist() == [[0, -1, -1], [-1, 0, 0]]
    assert np.abs(start.ov_subj).sum() == 3
    assert start.ov_rel[3:5, 5].tolist() == [1, 1]
    literal = initial_weights(world, 1, 2, "literal").ov_subj[3:5, :3]
    assert literal.tolist() == [[0, -1, -1], [-2, -1, -1]]


def test_sampled_gradients_are_accepted():
    world = World.random(4, 1, 2, 3, seed=0)
    weights = updated_weights(world, sampled_gradients(world, 1, n=3), 1.0, 1.0)
    assert weights.kq_rel.dtype == np.float64


def test_errors():
    world = World([[0], [1]], [0])
    with pytest.raises(ValueError, match="eta_kq_rel must be a finite number, got inf"):
        updated_weights(world, hat_gradients(world, 1), 1, float("inf"))
    with pytest.raises(ValueError, match="eta_kq_subj must be a finite number, got nan"):
        updated_weights(world, finetuning_gradients(world, 1), float("nan"))
    with pytest.raises(ValueError, match=r"eta_kq_subj must be 2\.0, at which the second step was taken, got 1"):
        updated_weights(world, gradients_at(world, 1, 1.0, eta_kq_subj=2.0), 1)
