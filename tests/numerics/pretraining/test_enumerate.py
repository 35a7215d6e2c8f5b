from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.pretraining import Layout, population_size, sampled, sequences, weight
from numerics.world import World


def by_hand(world: World, S: int, n_tr: int) -> list[tuple[int, ...]]:
    """Every sequence with its target, from the words of the definition."""
    out = []
    one = list(product(range(world.L), range(S), product(range(world.G), repeat=S - 1)))
    for j in range(world.M):
        for drawn in product(one, repeat=n_tr):
            tokens: list[int] = []
            for ell, place, grammar in drawn:
                slots = [world.grammar_token(g) for g in grammar]
                slots.insert(place, world.relation_token(ell))
                tokens += [j, *slots, world.sep_token, int(world.attribute_token[j, ell])]
            out.append(tuple(tokens))
    return out


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_sequence_once_in_the_order_of_the_draws(data):
    M, L = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    table = data.draw(st.lists(st.lists(st.integers(0, 1), min_size=L, max_size=L), min_size=M, max_size=M))
    S, n_tr = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    world = World(np.array(table), [0], data.draw(st.integers(0 if S == 1 else 1, 2)))
    chunk = data.draw(st.sampled_from([1, 7, 1000]))
    batches = list(sequences(world, S, n_tr, chunk))
    assert all(len(batch.tokens) <= chunk for batch in batches)
    found = [(*row, y) for b in batches for row, y in zip(b.tokens.tolist(), b.targets.tolist(), strict=True)]
    assert found == by_hand(world, S, n_tr)
    assert len(found) == len(set(found)) == population_size(world, S, n_tr)
    assert weight(world, S, n_tr) * len(found) == 1
    for batch in batches:
        assert batch.tokens.shape[1] == Layout(S, n_tr).T
        for k in range(n_tr):
            relation = batch.tokens[np.arange(len(batch.tokens)), k * (S + 3) + batch.slots[:, k]]
            assert (relation == world.relation_token(0) + batch.types[:, k]).all()
        assert (batch.following[:, -1] == batch.targets).all()
        assert (batch.following[:, :-1] == batch.tokens[:, 1:]).all()


def test_weights_are_those_of_the_draws():
    world = World([[0, 0], [1, 0]], [0], 3)
    assert population_size(world, 3, 2) == 2 * (2 * 3 * 9) ** 2
    # Probability of one sequence: subject, then for each subsequence type, slot, S - 1 grammar tokens.
    assert weight(world, 3, 2) == Fraction(1, 2) * (Fraction(1, 2) * Fraction(1, 3) * Fraction(1, 3) ** 2) ** 2
    slots = Counter(s for b in sequences(world, 3, 1) for s in b.slots[:, 0].tolist())
    assert slots == {1: 36, 2: 36, 3: 36}


def test_sampled_sequences_belong_to_the_population():
    world = World([[0, 0], [1, 0], [1, 1]], [0], 2)
    drawn = sampled(world, 2, 2, 4000, seed=1)
    everything = {tuple(row) for row in by_hand(world, 2, 2)}
    found = Counter((*row, y) for row, y in zip(drawn.tokens.tolist(), drawn.targets.tolist(), strict=True))
    assert set(found) <= everything
    # 192 sequences, each expected 21 times: all are met, none far too often.
    assert len(found) == len(everything) == 192 and max(found.values()) < 50
    assert (sampled(world, 2, 2, 9, seed=5).tokens == sampled(world, 2, 2, 9, seed=5).tokens).all()
    assert (sampled(world, 2, 2, 9, seed=5).tokens != sampled(world, 2, 2, 9, seed=6).tokens).any()
    with pytest.raises(ValueError, match="size must be an integer >= 1, got 0"):
        sampled(world, 2, 2, 0)


def test_layout():
    layout = Layout(3, 2)
    assert (layout.period, layout.T, layout.window) == (6, 11, 5)
    assert [layout.place(t) for t in (1, 6, 7, 11)] == [(0, 0), (0, 5), (1, 0), (1, 4)]


def test_errors():
    with pytest.raises(ValueError, match="S must be an integer >= 1, got 0"):
        Layout(0, 1)
    with pytest.raises(ValueError, match="n_tr must be an integer >= 1, got 0"):
        Layout(1, 0)
    with pytest.raises(ValueError, match=r"t must be an integer in 1\.\.11, got 12"):
        Layout(3, 2).place(12)
    world = World([[0]], [0], 0)
    assert population_size(world, 1, 1) == 1
    with pytest.raises(ValueError, match="n_grammar must be >= 1 when S = 2 > 1, got 0"):
        population_size(world, 2, 1)
    with pytest.raises(ValueError, match="chunk must be an integer >= 1, got 0"):
        next(sequences(world, 1, 1, 0))
