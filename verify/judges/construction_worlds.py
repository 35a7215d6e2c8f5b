"""The worlds on which Propositions 1-4 are tried: every small one in increasing size, then larger ones.

The small ones are searched in order, so the first that refutes a statement is the smallest there is with M = 2, L <= 2,
S <= 2 (PT) or N_ft <= 2 (ICL), G = 1. Two values or one a type, types in either order being the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from numerics.pretraining.layout import Layout
from numerics.world import World


@dataclass(frozen=True, eq=False)
class Pretraining:
    """A world with the shape of its PT sequences."""

    name: str
    world: World
    S: int
    N_tr: int

    @property
    def layout(self) -> Layout:
        return Layout(self.S, self.N_tr)


@dataclass(frozen=True, eq=False)
class InContext:
    """A world with the number of demonstrations of its ICL sequences."""

    name: str
    world: World
    N_ft: int


def unique(world: World) -> bool:
    """No two subjects share a value."""
    return int(world.value_counts.max()) == 1


def covered(world: World) -> bool:
    """U' = U: every value belongs to a finetuning subject."""
    return len(np.unique(world.attribute_token[world.finetune_array])) == world.n_attributes


def _table(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows)


UNIQUE = _table((0, 0), (1, 1), (2, 2))
SHARED = _table((0, 0), (0, 1), (1, 0), (1, 1))
PARTLY = _table((0, 0), (0, 1), (1, 2))


def _small_tables() -> Iterator[tuple[str, np.ndarray]]:
    """(sizes, table) of two subjects, L = 1 before L = 2, fewer values first."""
    for L in (1, 2):
        for values in itertools.combinations_with_replacement((1, 2), L):
            U = str(values[0]) if len(set(values)) == 1 else f"({','.join(map(str, values))})"
            yield f"M=2 L={L} U={U}", _table(*(tuple(j % u for u in values) for j in range(2)))


def _small_pretraining() -> list[Pretraining]:
    found = []
    for S, n in itertools.product((1, 2), (1, 2)):
        for sizes, table in _small_tables():
            found.append(Pretraining(f"{sizes} S={S} N_tr={n} G=1", World(table, range(2), 1), S, n))
    return sorted(found, key=lambda case: case.layout.T)


def _small_context(covers: bool) -> list[InContext]:
    found = []
    for n, (sizes, table), F in itertools.product((1, 2), _small_tables(), (1, 2)):
        world = World(table, range(F), 1)
        if covered(world) == covers:
            found.append(InContext(f"{sizes} M_ft={F} N_ft={n} G=1", world, n))
    return found


@cache
def pretraining_bench() -> tuple[Pretraining, ...]:
    """The small ones; then unique, shared and partly shared values, S = 1..3, one to three subsequences."""
    shapes = (
        ("unique values M=3 L=2 S=1 N_tr=1 G=1", UNIQUE, 1, 1, 1),
        ("shared values M=4 L=2 U=2 S=1 N_tr=2 G=1", SHARED, 1, 2, 1),
        ("unique values M=3 L=2 S=1 N_tr=3 G=1", UNIQUE, 1, 3, 1),
        ("unique values M=3 L=2 S=2 N_tr=2 G=1", UNIQUE, 2, 2, 1),
        ("shared values M=4 L=2 U=2 S=3 N_tr=2 G=1", SHARED, 3, 2, 1),
        ("partly shared values M=3 L=2 U=(2,3) S=2 N_tr=2 G=2", PARTLY, 2, 2, 2),
        ("unique values M=3 L=2 S=3 N_tr=2 G=2", UNIQUE, 3, 2, 2),
        ("partly shared values M=3 L=2 U=(2,3) S=1 N_tr=3 G=1", PARTLY, 1, 3, 1),
    )
    large = (Pretraining(name, World(table, range(len(table)), G), S, n) for name, table, S, n, G in shapes)
    return (*_small_pretraining(), *large)


@cache
def context_bench() -> tuple[InContext, ...]:
    """Every value seen in finetuning; unique and shared values; with held-out subjects where values are shared."""
    shapes = (
        ("unique values M=3 L=2 M_ft=3 N_ft=1", UNIQUE, 3, 1),
        ("shared values M=4 L=2 U=2 M_ft=3 N_ft=1", SHARED, 3, 1),
        ("shared values M=4 L=2 U=2 M_ft=3 N_ft=2", SHARED, 3, 2),
        ("unique values M=3 L=2 M_ft=3 N_ft=3", UNIQUE, 3, 3),
        ("partly shared values M=3 L=2 U=(2,3) M_ft=3 N_ft=2", PARTLY, 3, 2),
    )
    large = (InContext(name, World(table, range(F), 2), n) for name, table, F, n in shapes)
    return (*_small_context(True), *large)


@cache
def uncovered_bench() -> tuple[InContext, ...]:
    """Some values occur outside the finetuning subjects only."""
    large = (
        InContext(
            "M=4 L=2, value 2 of type 2 on a held-out subject only, M_ft=3 N_ft=1",
            World(_table((0, 0), (1, 1), (0, 1), (1, 2)), range(3), 1),
            1,
        ),
        InContext(
            "M=3 L=1, value 1 on a held-out subject only, M_ft=2 N_ft=2",
            World(_table((0,), (0,), (1,)), range(2), 1),
            2,
        ),
        InContext(
            "M=4 L=2, two values of type 1 and one of type 2 on held-out subjects only, M_ft=2 N_ft=2",
            World(_table((0, 0), (0, 1), (1, 1), (2, 2)), range(2), 1),
            2,
        ),
    )
    return (*_small_context(False), *large)
