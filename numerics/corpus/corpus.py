"""Facts and grammar: what decides the law of every sequence of Section 2.

Vocabulary, counted from 0, V = M + A + G + 1 with A the number of attribute values over all types:

    subject j                  j
    attribute values           M .. M + A - 1, type-major, within a type in the world's order
    grammar token g            M + A + g
    [sep]                      V - 1

There are no relation tokens here: the type of a subsequence shows only in the chain of its grammar tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.pretraining.chains import divergence
from numerics.world import World

# Rows are normalised sums of G float64 numbers; this is far above their rounding and far below any wrong row.
ROW_SUM = 1e-9


def _checked_chains(name: str, given: ArrayLike, shape: str, ndim: int) -> NDArray[np.float64]:
    chains = np.array(given, dtype=np.float64)
    if chains.ndim != ndim or chains.shape[-1] != chains.shape[-2] or 0 in chains.shape:
        raise ValueError(f"{name} must be {shape}, got shape {chains.shape}")
    wrong = (~(chains >= 0)).any(axis=-1) | ~(np.abs(chains.sum(axis=-1) - 1) <= ROW_SUM)
    if wrong.any():
        raise ValueError(f"{name} must have rows of probabilities that sum to 1, got {chains[wrong][0].tolist()}")
    chains.setflags(write=False)
    return chains


@dataclass(frozen=True, eq=False)
class Corpus:
    """Corpus(world, transitions, grammar_only): facts, (L, G, G) chains of the types, (G, G) chain of generic text.

    transitions[l, g, h] is the probability that h follows g in the grammar of type l; rows sum to 1.
    Raises ValueError for chains of another shape, rows that are not probabilities, or G other than world.n_grammar.
    """

    world: World
    transitions: Any  # given as (L, G, G) array-like; kept as a read-only float64 array
    grammar_only: Any  # given as (G, G) array-like; kept as a read-only float64 array

    def __post_init__(self) -> None:
        transitions = _checked_chains("transitions", self.transitions, "(L, G, G)", 3)
        grammar_only = _checked_chains("grammar_only", self.grammar_only, "(G, G)", 2)
        L, G = self.world.L, self.world.n_grammar
        if transitions.shape != (L, G, G):
            raise ValueError(f"transitions must be (L, G, G) = {(L, G, G)} as in the world, got {transitions.shape}")
        if grammar_only.shape != (G, G):
            raise ValueError(f"grammar_only must be (G, G) = {(G, G)} as in the world, got shape {grammar_only.shape}")
        object.__setattr__(self, "transitions", transitions)
        object.__setattr__(self, "grammar_only", grammar_only)

    @property
    def M(self) -> int:
        """Number of subjects."""
        return self.world.M

    @property
    def L(self) -> int:
        """Number of attribute types."""
        return self.world.L

    @property
    def G(self) -> int:
        """Number of grammar tokens."""
        return self.world.n_grammar

    @property
    def A(self) -> int:
        """Number of attribute tokens."""
        return self.world.n_attributes

    @property
    def V(self) -> int:
        """Size of the vocabulary, M + A + G + 1."""
        return self.M + self.A + self.G + 1

    @property
    def first_grammar(self) -> int:
        """Token id of grammar token 0, M + A."""
        return self.M + self.A

    @property
    def sep(self) -> int:
        """Token id of [sep], V - 1."""
        return self.V - 1

    @property
    def attribute_token(self) -> NDArray[np.int64]:
        """(M, L) token id of a_j^l."""
        return self.world.attribute_token

    @cached_property
    def type_of_token(self) -> NDArray[np.int64]:
        """(V,) the type of an attribute token, -1 for any other token."""
        types = np.full(self.V, -1)
        for l in range(self.L):
            types[self.world.attribute_offsets[l] : self.world.attribute_offsets[l + 1]] = l
        types.setflags(write=False)
        return types

    def div(self, norm: str = "variation") -> float:
        """Div of the chains in a reading of the norm (numerics.pretraining.chains).  Raises ValueError for L = 1."""
        return divergence(self.transitions, norm)

    def finetuned_on(self, subjects: Sequence[int]) -> "Corpus":
        """The same facts and chains with other finetuning subjects.  Raises ValueError as World does."""
        old = self.world
        names = (old.subject_names, old.type_names, old.value_names)
        world = World(old.table, tuple(int(j) for j in subjects), old.n_grammar, *names)
        return Corpus(world, self.transitions, self.grammar_only)
