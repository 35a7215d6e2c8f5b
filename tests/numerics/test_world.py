import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.world import World

TABLE = [[7, 0], [3, 0], [7, 5], [3, -2]]


def test_vocabulary_order_by_hand():
    world = World(TABLE, [2, 0], n_grammar=1)
    names = [world.token_name(v) for v in range(world.V)]
    assert names == ["s0", "s1", "s2", "s3", "a^0=3", "a^0=7", "a^1=-2", "a^1=0", "a^1=5", "r0", "r1", "g0", "[sep]"]
    assert (world.M, world.L, world.G, world.V, world.M_ft, world.U) == (4, 2, 1, 13, 2, (2, 3))
    assert world.attribute_token.tolist() == [[5, 7], [4, 7], [5, 8], [4, 6]]
    assert world.value_index.tolist() == [[1, 1], [0, 1], [1, 2], [0, 0]]
    assert world.value_counts.tolist() == [2, 2, 1, 2, 1]
    assert world.finetune_value_counts.tolist() == [0, 2, 0, 1, 1]
    assert world.seen.tolist() == [True, False, True, False]
    assert world.heldout.tolist() == [1, 3]
    assert (world.subject_token(3), world.relation_token(1), world.grammar_token(0), world.sep_token) == (3, 10, 11, 12)
    assert [world.type_of_token(v) for v in (3, 4, 5, 6, 8, 9)] == [None, 0, 0, 1, 1, None]
    assert list(world.attribute_range(1)) == [6, 7, 8]


def test_world_does_not_follow_later_changes_and_is_read_only():
    table = np.array(TABLE)
    world = World(table, [0])
    table[0, 0] = 100
    assert world.table[0, 0] == 7
    for array in (world.table, world.value_index, world.attribute_token, world.heldout, world.seen):
        with pytest.raises(ValueError):
            array[...] = 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [0]), "table must be an .M, L. array"),
        (([[]], [0]), "table must be"),
        (([[0], [1, 2]], [0]), "different lengths"),
        (([[0.5]], [0]), "dtype float64"),
        ((TABLE, []), "finetune must be at least one subject in 0..3, got none"),
        ((TABLE, [1, 1]), "finetune must be distinct .* got 1 more than once"),
        ((TABLE, [4]), "finetune must be an integer in 0..3"),
        ((TABLE, [-1]), "finetune must be an integer in 0..3"),
        ((TABLE, 3), "finetune must be a sequence"),
        ((TABLE, [0], -1), "n_grammar must be an integer >= 0, got -1"),
        ((TABLE, [0], 4, ["a"]), "subject_names must be 4 names"),
        ((TABLE, [0], 4, None, ["a"]), "type_names must be 2 names"),
        ((TABLE, [0], 4, None, None, [["a", "b"], ["c"]]), "value_names must be 3 names"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        World(*arguments)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_balanced_counts(data):
    U = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    M = int(np.lcm.reduce(U)) * data.draw(st.integers(1, 3))
    M_ft = data.draw(st.integers(max(U), M))
    world = World.balanced(M, len(U), U, M_ft, seed=data.draw(st.integers(0, 99)))
    assert tuple(U) == world.U
    assert world.finetune == tuple(range(M_ft))
    for ell, U_l in enumerate(U):
        ids = np.array(world.attribute_range(ell)) - M
        assert set(world.value_counts[ids]) == {M // U_l}
        inside = world.finetune_value_counts[ids]
        assert inside.min() >= 1
        assert inside.max() - inside.min() <= (0 if M_ft % U_l == 0 else 1)


def test_balanced_is_shuffled_per_type_and_by_seed():
    world = World.balanced(32, 2, 4)
    assert (world.table[:, 0] != world.table[:, 1]).any()
    assert (world.table != World.balanced(32, 2, 4, seed=1).table).any()
    assert (world.table == World.balanced(32, 2, 4, seed=0).table).all()
    assert world.M_ft == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((8, 2, 3), "U must divide M = 8 in a balanced world, got U = 3 for type 0"),
        ((8, 2, [2, 8]), "U must be <= M_ft = 4 .* got U = 8 for type 1"),
        ((8, 2, [2]), "one integer per type"),
        ((8, 2, 0), "U must be an integer >= 1, got 0"),
        ((0, 2, 1), "M must be an integer >= 1, got 0"),
        ((8, 2, 2, 9), "M_ft must be an integer in 1..8"),
    ],
)
def test_balanced_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        World.balanced(*arguments)


def test_random_world():
    world = World.random(50, 2, [3, 1], 20, 0, seed=5)
    assert (world.M, world.M_ft, world.G, world.U) == (50, 20, 0, (3, 1))
    assert World.random(1, 1, 4).M_ft == 1
