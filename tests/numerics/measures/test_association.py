"""What W_OV holds: separation by counting pairs, rho of the two constructions, invariances."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.measures import relation_separation, separation, subject_pattern, value_separation
from numerics.population.construction import initial_ov_rel, initial_ov_subj
from numerics.sampling import Tables
from numerics.world import World

WORLD = World.balanced(16, 4, 8, 8)
TABLES = Tables.of(WORLD)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=12))
def test_separation_counts_pairs(entries):
    inside = [value for value, own in entries if own]
    outside = [value for value, own in entries if not own]
    block = np.array([[float(value)] for value, _ in entries])
    mask = np.array([[own] for _, own in entries])
    if not inside or not outside:
        with pytest.raises(ValueError, match="inside must have entries inside and outside"):
            separation(block, mask)
        return
    pairs = list(itertools.product(inside, outside))
    wins = sum((a > b) + 0.5 * (a == b) for a, b in pairs)
    assert separation(block, mask) == pytest.approx(wins / len(pairs))


def suppressing() -> torch.Tensor:
    return torch.tensor(initial_ov_subj(WORLD)).double()


def boosting() -> torch.Tensor:
    ov = torch.zeros((WORLD.V, WORLD.V), dtype=torch.float64)
    ov[torch.tensor(WORLD.attribute_token), torch.arange(WORLD.M)[:, None]] = 1.0
    return ov


def test_rho_of_the_constructions():
    found = subject_pattern(suppressing(), TABLES)
    assert (found.own, found.others, found.rest, found.rho, found.rho_zero, found.separation) == (0, -1, 0, -1, -1, 1)
    found = subject_pattern(boosting(), TABLES)
    assert (found.own, found.others, found.rest, found.rho, found.rho_zero, found.separation) == (1, 0, 0, 0, 0, 1)


@pytest.mark.parametrize("ov", [suppressing(), boosting()])
def test_rho_does_not_change_with_scale_and_shift(ov):
    before = subject_pattern(ov, TABLES)
    shift = torch.linspace(-2, 5, WORLD.V)[None, :]
    after = subject_pattern(0.3 * ov + shift, TABLES)
    assert after.rho == pytest.approx(before.rho)
    assert after.separation == pytest.approx(before.separation)
    assert abs(after.rho_zero - before.rho_zero) > 1


def test_a_constant_head_has_no_association():
    ov = suppressing()
    ov[WORLD.M : WORLD.M + WORLD.n_attributes, : WORLD.M] = -1.0
    found = subject_pattern(ov, TABLES)
    assert np.isnan(found.rho)
    assert found.separation == 0.5


def test_types_of_relations_and_values():
    ov = torch.tensor(initial_ov_rel(WORLD)).double()
    assert relation_separation(ov, TABLES) == 1
    assert value_separation(ov, TABLES) == 0.5
    for ell in range(WORLD.L):
        values = list(WORLD.attribute_range(ell))
        ov[np.ix_(values, values)] += 1
    assert value_separation(ov, TABLES) == 1
    noise = torch.randn(ov.shape, generator=torch.Generator().manual_seed(0))
    assert abs(relation_separation(noise, TABLES) - 0.5) < 0.2
