import math

import numpy as np
import pytest

from numerics.population import finetuning_gradients, gradients_at, sampled_gradients
from numerics.population.sampled import Moments, draw_contexts
from numerics.world import World

NAMES = ("kq_subj", "ov_rel", "kq_rel")


@pytest.mark.parametrize(("beta", "eta_kq_subj"), [(math.inf, None), (1.0, 3.0)])
def test_mean_is_within_its_standard_error(beta, eta_kq_subj):
    world = World.random(7, 2, [3, 2], 5, seed=3)
    exact = finetuning_gradients(world, 3, window=7)
    if eta_kq_subj is not None:
        exact = gradients_at(world, 3, beta, eta_kq_subj=eta_kq_subj, window=7)
    found = sampled_gradients(world, 3, 1.0, 7, "set", beta, eta_kq_subj, n=25, replicates=40, seed=1)
    hat = finetuning_gradients(world, 3, "hat", window=7)
    assert found.sampled
    for name in NAMES:
        value, truth, error = getattr(found, name), getattr(exact, name), getattr(found, name + "_error")
        sampled = error > 1e-15
        scores = (value - truth)[sampled] / error[sampled]
        # 40 replicates: scores follow a t distribution; the seed is fixed, so this either holds or the code changed.
        assert 0.1 < np.sqrt((scores**2).mean()) < 2.0, name
        assert np.abs(scores).max() < 6, name
        np.testing.assert_allclose(value[~sampled], truth[~sampled], rtol=0, atol=1e-14)
        if beta == math.inf:
            # The estimate tells the softmax part from nothing: it is much closer to the truth than the hat part alone.
            assert np.abs(value - truth).max() < 0.1 * np.abs(getattr(hat, name) - truth).max(), name


def test_every_subject_fills_every_slot_equally_often():
    drawn = draw_contexts(np.random.default_rng(0), 30, 3, 10)
    assert drawn.shape == (30, 3)
    for column in drawn.T:
        assert np.bincount(column).tolist() == [3] * 10
    assert (drawn[:, 0] != drawn[:, 1]).any()
    assert draw_contexts(np.random.default_rng(0), 7, 2, 10).shape == (7, 2)


def test_seed_and_replicates():
    world = World.random(4, 1, 2, 3, seed=0)
    one, same, other = (sampled_gradients(world, 2, n=4, seed=seed) for seed in (1, 1, 2))
    assert (one.kq_rel == same.kq_rel).all()
    assert (one.kq_rel != other.kq_rel).any()
    assert one.replicates_kq_rel.shape == (8, world.V + 8)
    np.testing.assert_allclose(one.replicates_kq_subj.mean(0), one.kq_subj, atol=1e-16)
    assert one.sequences == 4 * 3 * 1


def test_moments():
    values = np.random.default_rng(0).normal(size=(9, 4))
    moments = Moments()
    for value in values:
        moments.add(value)
    np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-13)
    np.testing.assert_allclose(moments.error, values.std(0, ddof=1) / 3, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be an integer >= 1, got 0"),
        ({"replicates": 7}, "replicates must be an integer >= 8, got 7"),
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"beta": 2.0}, "eta_kq_subj must be a number at finite beta"),
        ({"eta_ov": math.inf}, "eta_ov must be a finite number"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampled_gradients(World([[0], [1]], [0]), 1, **arguments)
