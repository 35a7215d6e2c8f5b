"""The plain enumerator of the PT population: every sequence once, in lexicographic order of the draws, in chunks.

The draws are the subject j, uniform on ALL M subjects, and for each of the N_tr subsequences, independently, the type l
(uniform in L), the relation slot (uniform in 1..S) and S - 1 grammar tokens (uniform in G).  Different draws give
different token sequences, so every sequence has the same exact weight

    1 / (M (L S G^(S-1))^N_tr).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_integer
from numerics.population.enumerate import digits
from numerics.pretraining.layout import Layout
from numerics.world import World

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sequences:
    """B sequences: subjects (B,), types (B, N_tr), slots (B, N_tr) in 1..S, tokens (B, T), targets (B,) token ids."""

    subjects: IntArray
    types: IntArray
    slots: IntArray
    tokens: IntArray
    targets: IntArray

    @property
    def following(self) -> IntArray:
        """(B, T) the next token x_{t+1} of every position; in the last column the targets."""
        return np.concatenate([self.tokens[:, 1:], self.targets[:, None]], axis=1)


def population_size(world: World, S: int, n_tr: int) -> int:
    """M (L S G^(S-1))^N_tr, an exact int.  Raises ValueError for S < 1, n_tr < 1, or no grammar tokens with S > 1."""
    layout = Layout(S, n_tr)
    if world.G == 0 and layout.S > 1:
        raise ValueError(f"n_grammar must be >= 1 when S = {layout.S} > 1, got 0")
    return int(world.M * (world.L * layout.S * world.G ** (layout.S - 1)) ** layout.n_tr)


def weight(world: World, S: int, n_tr: int) -> Fraction:
    """The exact probability of every single sequence.  Raises as population_size."""
    return Fraction(1, population_size(world, S, n_tr))


def assembled(
    world: World, layout: Layout, subjects: IntArray, types: IntArray, slots: IntArray, grammar: IntArray
) -> Sequences:
    """Sequences of subjects (B,), types (B, N_tr), slots (B, N_tr) in 1..S, grammar (B, N_tr, S - 1) in 0..G-1."""
    B, n = types.shape
    S = layout.S
    # Grammar token k stands in slot k before the relation and in slot k + 1 behind it.
    slot = np.arange(S)
    relation = slots[:, :, None] - 1
    padded = np.concatenate([grammar, np.zeros((B, n, 1), dtype=np.int64)], axis=2)
    filled = np.take_along_axis(padded, np.maximum(np.where(slot < relation, slot, slot - 1), 0), axis=2)
    first_grammar = world.sep_token - world.G
    tokens = np.empty((B, n, layout.period), dtype=np.int64)
    tokens[:, :, 0] = subjects[:, None]
    tokens[:, :, 1 : S + 1] = np.where(
        slot == relation, world.relation_token(0) + types[:, :, None], first_grammar + filled
    )
    tokens[:, :, S + 1] = world.sep_token
    tokens[:, :, S + 2] = world.attribute_token[subjects[:, None], types]
    flat = tokens.reshape(B, -1)
    return Sequences(subjects, types, slots, flat[:, :-1], flat[:, -1])


def sequences(world: World, S: int, n_tr: int, chunk: int = 1 << 13) -> Iterator[Sequences]:
    """Every sequence once, in chunks of at most `chunk`.

    Raises ValueError for S < 1, n_tr < 1, chunk < 1, no grammar tokens with S > 1.  Cost O(size T) with size =
    M (L S G^(S-1))^N_tr.
    """
    layout = Layout(S, n_tr)
    checked_integer("chunk", chunk, 1)
    size = population_size(world, S, n_tr)
    radices = [world.M] + ([world.L, layout.S] + [world.G] * (layout.S - 1)) * layout.n_tr
    for start in range(0, size, chunk):
        drawn = digits(np.arange(start, min(start + chunk, size), dtype=np.int64), radices)
        each = drawn[:, 1:].reshape(len(drawn), layout.n_tr, layout.S + 1)
        yield assembled(world, layout, drawn[:, 0], each[:, :, 0], each[:, :, 1] + 1, each[:, :, 2:])


def sampled(world: World, S: int, n_tr: int, size: int, seed: int = 0) -> Sequences:
    """`size` independent sequences of the population, for worlds that cannot be enumerated.  Cost O(size T).

    Raises ValueError for S < 1, n_tr < 1, size < 1, seed < 0, no grammar tokens with S > 1.
    """
    layout = Layout(S, n_tr)
    population_size(world, S, n_tr)
    size = checked_integer("size", size, 1)
    generator = np.random.default_rng(checked_integer("seed", seed, 0))
    subjects = generator.integers(world.M, size=size)
    types = generator.integers(world.L, size=(size, layout.n_tr))
    slots = generator.integers(1, layout.S + 1, size=(size, layout.n_tr))
    grammar = generator.integers(max(world.G, 1), size=(size, layout.n_tr, layout.S - 1))
    return assembled(world, layout, subjects, types, slots, grammar)
