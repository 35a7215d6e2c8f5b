import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population.enumerate import population_size, sequences
from numerics.population.layout import Layout, attention
from numerics.world import World


def test_layout_by_hand():
    layout = Layout(2)
    assert (layout.m, layout.T) == (3, 8)
    assert layout.subjects.tolist() == [0, 3, 6]
    assert layout.seps.tolist() == [1, 4, 7]
    assert layout.attributes.tolist() == [2, 5]
    assert layout.relation_scores(3).tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert layout.width(None) == layout.width(8) == layout.width(100) == 8
    # Relative positions: query p_-1, attributes p_(1-3i), sep p_-3i, context subjects p_(-1-3i).
    offsets = layout.T - 1 - np.arange(layout.T)
    assert offsets[layout.subjects].tolist() == [7, 4, 1]
    assert offsets[layout.attributes].tolist() == [5, 2]
    assert offsets[layout.seps].tolist() == [6, 3, 0]


def test_attention():
    scores = np.array([0, 1, 1])
    assert attention(scores, np.inf).tolist() == [0, 0.5, 0.5]
    np.testing.assert_allclose(attention(scores, 2.0), np.exp([0, 2, 2]) / (1 + 2 * np.exp(2)), rtol=1e-15)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_sequence_once_in_order(small_worlds, data):
    world = data.draw(small_worlds)
    n_demos, chunk = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 50))
    query, context = (data.draw(st.sampled_from(["finetune", "heldout", "all"])) for _ in range(2))
    pools = {"finetune": sorted(world.finetune), "heldout": world.heldout.tolist(), "all": list(range(world.M))}
    expected = []
    for ell, *subjects in itertools.product(range(world.L), *[pools[context]] * n_demos, pools[query]):
        tokens = []
        for j in subjects:
            tokens += [j, world.sep_token, int(world.attribute_token[j, ell])]
        expected.append((ell, subjects, tokens[:-1], tokens[-1]))
    found = []
    for block in sequences(world, n_demos, query, context, chunk):
        assert len(block.types) <= chunk
        rows = (block.types.tolist(), block.subjects.tolist(), block.tokens.tolist(), block.targets.tolist())
        found += list(zip(*rows, strict=True))
    assert found == expected
    assert population_size(world, n_demos, query, context) == len(expected)


def test_size_is_exact_and_errors():
    assert population_size(World.balanced(256, 8, 32), 5) == 8 * 128**6
    world = World([[0]], [0])
    with pytest.raises(ValueError, match="n_demos must be an integer >= 1, got 0"):
        population_size(world, 0)
    with pytest.raises(ValueError, match="pool must be one of 'finetune', 'heldout', 'all', got 'seen'"):
        population_size(world, 1, "seen")
    with pytest.raises(ValueError, match="chunk must be"):
        next(sequences(world, 1, chunk=0))
    assert list(sequences(world, 1, "heldout")) == []
