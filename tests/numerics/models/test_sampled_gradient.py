"""The sampled literal network: unbiased for the exact gradients of the hat loss, exact where every sequence is the same one."""

import numpy as np
import pytest

from numerics.models.sampled_gradient import sampled_population_gradients
from numerics.population import finetuning_gradients
from numerics.world import World

NAMES = ("kq_subj", "ov_rel", "kq_rel")


@pytest.mark.parametrize("eta_ov", [1.0, -0.4, 3.0])
@pytest.mark.parametrize(("window", "reading"), [(None, "set"), (4, "set"), (None, "literal")])
def test_means_are_the_exact_gradients(eta_ov, window, reading):
    world = World.random(6, 2, [4, 3], 4, 1, seed=3)
    drawn = sampled_population_gradients(world, 2, "hat", eta_ov, window, reading, size=200, replicates=40, seed=1)
    exact = finetuning_gradients(world, 2, "hat", eta_ov, window, reading)
    for name in NAMES:
        replicates, expected = getattr(drawn, name), getattr(exact, name)
        error = np.abs(replicates.mean(axis=0) - expected)
        spread = replicates.std(axis=0, ddof=1) / 40**0.5
        # Fewer than 400 entries; |t| of 39 degrees of freedom passes 6 with probability below 1e-6 in each.
        assert (error <= 6 * spread + 1e-12).all(), name
        assert spread.max() < 0.2 * np.abs(expected).max(), name


def test_of_the_true_loss_the_bias_is_below_the_spread():
    # The second step is no longer linear in W_OV^rel: its bias is of order 1/size, the spread of the mean of order
    # 1/sqrt(20 size), ten times as much.
    world = World.random(6, 2, [4, 3], 4, 1, seed=3)
    drawn = sampled_population_gradients(world, 2, "true", size=2000, replicates=20, seed=1)
    exact = finetuning_gradients(world, 2, "true")
    for name in NAMES:
        replicates, expected = getattr(drawn, name), getattr(exact, name)
        spread = replicates.std(axis=0, ddof=1) / 20**0.5
        assert (np.abs(replicates.mean(axis=0) - expected) <= 8 * spread + 1e-12).all(), name
        assert spread.max() < 0.05 * np.abs(expected).max(), name


@pytest.mark.parametrize("objective", ["hat", "true"])
@pytest.mark.parametrize("size", [1, 512, 1100])
def test_a_world_with_one_sequence(objective, size):
    world = World([[0], [1], [2]], [1])
    drawn = sampled_population_gradients(world, 2, objective, 0.7, size=size, replicates=3)
    exact = finetuning_gradients(world, 2, objective, 0.7)
    assert (drawn.replicates, drawn.sequences) == (3, size)
    for name in NAMES:
        for one in getattr(drawn, name):
            np.testing.assert_allclose(one, getattr(exact, name), rtol=0, atol=1e-12)


def test_the_same_seed_is_the_same_sample():
    world = World.random(6, 2, 4, 4, 1, seed=3)
    one, same, other = (sampled_population_gradients(world, 1, size=20, seed=seed).ov_rel for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size must be an integer >= 1, got 0"),
        ({"replicates": 1}, "replicates must be an integer >= 2, got 1"),
        ({"objective": "x"}, "objective must be one of"),
        ({"reading": "x"}, "reading must be one of"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampled_population_gradients(World([[0], [1]], [0]), 1, **arguments)
