from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from numerics.pretraining import hazard, next_token_law, sequences
from numerics.world import World

WORLDS = [
    (World([[0, 0], [1, 0]], [0], 2), 3, 1),
    (World([[0, 0], [0, 1], [1, 1]], [0], 1), 2, 2),
    (World([[0, 1, 0]], [0], 2), 2, 2),
    (World([[0], [1]], [0], 0), 1, 2),
    (World([[0, 0]], [0], 1), 4, 1),
]


@pytest.mark.parametrize(("world", "S", "n_tr"), WORLDS)
def test_law_is_the_share_of_completions(world, S, n_tr):
    completions: dict[tuple[int, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for batch in sequences(world, S, n_tr):
        for row, target in zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True):
            row = [*row, target]
            for t in range(1, len(row)):
                completions[tuple(row[:t])][row[t]] += 1
    assert len(completions) > 3
    for prefix, following in completions.items():
        total = sum(following.values())
        law = next_token_law(world, S, prefix)
        assert law == tuple(Fraction(following.get(v, 0), total) for v in range(world.V))


def test_hazard():
    assert [hazard(3, i) for i in range(3)] == [Fraction(1, 3), Fraction(1, 2), Fraction(1)]
    with pytest.raises(ValueError, match=r"slot must be an integer in 0\.\.2, got 3"):
        hazard(3, 3)


def test_law_needs_a_prefix_of_a_sequence():
    world = World([[0, 0], [1, 0]], [0], 2)
    a, r0, g0, sep = int(world.attribute_token[0, 0]), world.relation_token(0), world.grammar_token(0), world.sep_token
    assert next_token_law(world, 2, np.array([0, r0, g0, sep]))[a] == 1
    assert next_token_law(world, 2, [0, r0, g0, sep, a])[0] == 1
    for wrong in (
        [g0],
        [0, sep],
        [0, g0, g0],
        [0, r0, r0],
        [0, r0, g0, a],
        [0, r0, g0, sep, a + 1],
        [0, r0, g0, sep, a, 1],
    ):
        with pytest.raises(ValueError, match="prefix must start a PT sequence"):
            next_token_law(world, 2, wrong)
    with pytest.raises(ValueError, match="at least one token"):
        next_token_law(world, 2, [])
    with pytest.raises(ValueError, match="n_grammar must be >= 1"):
        next_token_law(World([[0]], [0], 0), 2, [0])
