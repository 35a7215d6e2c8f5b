"""The plain enumerator: every sequence (type, j_1, ..., j_m) of a population, in lexicographic order, in chunks.

The finetuning population has the type uniform in L types and all m subjects i.i.d. uniform on the finetuning subjects,
with replacement, so every sequence has the same weight 1 / size.  The query pool and the context pool can be chosen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_choice, checked_integer
from numerics.population.layout import Layout
from numerics.world import World

IntArray = NDArray[np.int64]
POOLS = ("finetune", "heldout", "all")


@dataclass(frozen=True, eq=False)
class Sequences:
    """B sequences: types (B,), subjects (B, m), tokens (B, T), targets (B,) token ids."""

    types: IntArray
    subjects: IntArray
    tokens: IntArray
    targets: IntArray


def pool(world: World, name: str) -> IntArray:
    """The subjects of a pool: 'finetune' (ascending), 'heldout' or 'all'.  Raises ValueError for another name."""
    checked_choice("pool", name, POOLS)
    return {"finetune": np.sort(world.finetune_array), "heldout": world.heldout, "all": np.arange(world.M)}[name]


def population_size(world: World, n_demos: int, query: str = "finetune", context: str = "finetune") -> int:
    """L * |query pool| * |context pool|^(m-1), an exact int (0 for an empty pool)."""
    layout = Layout(n_demos)
    return world.L * len(pool(world, query)) * len(pool(world, context)) ** (layout.m - 1)


def digits(numbers: IntArray, radices: list[int]) -> IntArray:
    """(B, len(radices)) mixed-radix digits of numbers (B,), most significant first."""
    columns = []
    for radix in reversed(radices):
        numbers, digit = np.divmod(numbers, radix)
        columns.append(digit)
    return np.stack(columns[::-1], axis=1) if columns else np.zeros((len(numbers), 0), dtype=np.int64)


def assembled(world: World, layout: Layout, types: IntArray, subjects: IntArray) -> Sequences:
    """The sequences with these types (B,) and subjects (B, m)."""
    tokens = np.full((len(types), layout.T), world.sep_token, dtype=np.int64)
    tokens[:, layout.subjects] = subjects
    tokens[:, layout.attributes] = world.attribute_token[subjects[:, :-1], types[:, None]]
    return Sequences(types, subjects, tokens, world.attribute_token[subjects[:, -1], types])


def sequences(
    world: World, n_demos: int, query: str = "finetune", context: str = "finetune", chunk: int = 1 << 14
) -> Iterator[Sequences]:
    """Every sequence once, lexicographic in (type, j_1, ..., j_m), in chunks of at most `chunk`.

    Raises ValueError for n_demos < 1, an unknown pool, chunk < 1.  Cost O(size * T) with size = L |Q| |C|^(m-1).
    """
    layout = Layout(n_demos)
    checked_integer("chunk", chunk, 1)
    queries, contexts = pool(world, query), pool(world, context)
    size = population_size(world, n_demos, query, context)
    radices = [world.L] + [len(contexts)] * (layout.m - 1) + [len(queries)]
    for start in range(0, size, chunk):
        drawn = digits(np.arange(start, min(start + chunk, size), dtype=np.int64), radices)
        subjects = np.concatenate([contexts[drawn[:, 1:-1]], queries[drawn[:, -1:]]], axis=1)
        yield assembled(world, layout, drawn[:, 0], subjects)
