"""How often the query's value occurs among the draws of a sequence: exact expectations by enumeration.

C_y = #{i in 1..m : a_i = y} counts the query itself, which always matches.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.population.enumerate import population_size, sequences
from numerics.population.layout import Layout
from numerics.world import World


@dataclass(frozen=True, eq=False)
class Matches:
    """given_y: {target token: E[C_y | y]};  tokens (V,): E[sum_i 1[a_i = y] h(s_i)], Fractions."""

    given_y: dict[int, Fraction]
    tokens: NDArray[np.object_]


def matches(world: World, n_demos: int) -> Matches:
    """Both expectations over every sequence of the finetuning population.  Cost O(L M_ft^m m)."""
    m, V = Layout(n_demos).m, world.V
    total, seen, tokens = np.zeros(V, dtype=np.int64), np.zeros(V, dtype=np.int64), np.zeros(V, dtype=np.int64)
    for block in sequences(world, n_demos):
        values = world.attribute_token[block.subjects, block.types[:, None]]
        match = (values == block.targets[:, None]).astype(np.int64)
        np.add.at(total, block.targets, match.sum(axis=1))
        np.add.at(seen, block.targets, 1)
        np.add.at(tokens, block.subjects, match)
    size = population_size(world, n_demos)
    assert seen.sum() == size and m >= 2
    given = {int(y): Fraction(int(total[y]), int(seen[y])) for y in np.flatnonzero(seen)}
    return Matches(given, np.array([Fraction(int(t), size) for t in tokens], dtype=object))
