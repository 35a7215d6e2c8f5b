"""Cosines: against plain Python, the closed forms of trivial vectors, and what each measure cannot see."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.measures import (
    attribute_mask,
    cosines,
    explained,
    own_values,
    relation_target,
    seen_values,
    subject_target,
)
from numerics.sampling import Tables
from numerics.world import World


def plain_cosine(x: list[float], y: list[float]) -> float:
    dot = sum(a * b for a, b in zip(x, y, strict=True))
    norms = math.sqrt(sum(a * a for a in x)) * math.sqrt(sum(b * b for b in y))
    return dot / norms if norms else 0.0


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.of(World.balanced(16, 4, 8, 8))


@given(seed=st.integers(0, 1000), heads=st.integers(1, 3))
def test_against_plain_python(seed, heads):
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(5, heads, 7)), generator.normal(size=(5, 7))
    mask = np.array([True, True, False, True, True, False, True])
    found = cosines(torch.tensor(x), torch.tensor(y), torch.tensor(mask))
    for h in range(heads):
        everything = np.mean([plain_cosine(x[b, h], y[b]) for b in range(5)])
        kept = [(x[b, h][mask], y[b][mask]) for b in range(5)]
        values = np.mean([plain_cosine(a, b) for a, b in kept])
        centred = np.mean([plain_cosine(a - a.mean(), b - b.mean()) for a, b in kept])
        assert found["all"][h] == pytest.approx(everything)
        assert found["attributes"][h] == pytest.approx(values)
        assert found["centred"][h] == pytest.approx(centred)


def test_a_constant_vector_scores_the_closed_form(tables):
    mask = attribute_mask(tables)
    target = subject_target(tables, torch.arange(tables.M))
    constant = (-mask.float()).expand(target.shape)
    found = cosines(constant, target, mask)
    A, L = int(mask.sum()), tables.L
    assert found["all"] == pytest.approx(math.sqrt(1 - L / A))
    assert found["attributes"] == pytest.approx(math.sqrt(1 - L / A))
    assert found["centred"] == 0
    assert explained(constant, target, mask) == 0


def test_at_the_papers_sizes_a_constant_vector_scores_98():
    tables = Tables.of(World.balanced(256, 8, 32))
    target = subject_target(tables, torch.arange(4))
    found = cosines((-attribute_mask(tables).float()).expand(target.shape), target, attribute_mask(tables))
    assert round(float(found["all"]), 3) == 0.984


def test_a_boosting_head_scores_one_when_centred_and_zero_when_not(tables):
    subjects = torch.arange(tables.M)
    found = cosines(own_values(tables, subjects), subject_target(tables, subjects), attribute_mask(tables))
    assert found["all"] == 0
    assert found["centred"] == pytest.approx(1)


def test_scaling_a_head_changes_no_cosine_and_a_shift_of_all_coordinates_changes_the_uncentred(tables):
    subjects = torch.arange(tables.M)
    target, mask = subject_target(tables, subjects), attribute_mask(tables)
    x = target + 0.3 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    plain, scaled, shifted = (cosines(v, target, mask) for v in (x, 0.1 * x, x + 1.0))
    for measure in plain:
        assert scaled[measure] == pytest.approx(float(plain[measure]))
    assert shifted["centred"] == pytest.approx(float(plain["centred"]))
    # The softmax sees no difference; these two do.
    assert shifted["all"] < plain["all"] - 0.5
    assert shifted["attributes"] < plain["attributes"] - 0.5


def test_explained_ignores_what_is_the_same_for_all_and_the_sign_counts(tables):
    subjects = torch.arange(tables.M)
    target, mask = subject_target(tables, subjects), attribute_mask(tables)
    assert explained(2.5 * target + 7.0, target, mask) == pytest.approx(1)
    assert explained(-target, target, mask) == 0
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    assert explained(noise, target, mask) < 0.2


def test_targets_are_those_of_the_propositions():
    world = World(np.array([[0, 5], [1, 5], [0, 6]]), finetune=[0, 1])
    tables = Tables.of(world)
    f = subject_target(tables, torch.tensor([0, 2]))
    for row, j in zip(f.tolist(), (0, 2), strict=True):
        own = set(world.attribute_token[j].tolist())
        values = {token for ell in range(world.L) for token in world.attribute_range(ell)}
        assert row == [-1.0 if v in values - own else 0.0 for v in range(world.V)]
    # The value 6 of type 2 occurs outside the finetuning subjects alone: Prop. 2's f_rel leaves it out.
    types = torch.tensor([1])
    assert relation_target(tables, types).sum() == 2
    assert relation_target(tables, types, seen_values(tables)).sum() == 1


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(
        ValueError, match=r"outputs must be \(B, .., V\) with target \(B, V\), got \(2, 3\) and \(2, 4\)"
    ):
        cosines(torch.zeros(2, 3), torch.zeros(2, 4), torch.ones(4, dtype=torch.bool))
