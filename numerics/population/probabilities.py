"""The largest prediction probability of every sequence, as a ball.

Logits are rational at hard attention, so max_v pi_v = e^{max f} / sum_v e^{f_v} is an exponential sum of rationals: Arb
encloses it. Sequences with the same multiset of logits are computed once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

from numerics.population.enumerate import sequences
from numerics.population.layout import Layout
from numerics.world import World


@dataclass(frozen=True, eq=False)
class Largest:
    """One class of sequences: a member (its tokens), the ball of max_v pi_v, the ball of Z = sum_v e^{f_v}."""

    tokens: NDArray[np.int64]
    probability: flint.arb
    normaliser: flint.arb


def ball(value: Fraction | int) -> flint.arb:
    """The rational as a ball."""
    exact = Fraction(value)
    return flint.arb(flint.fmpq(exact.numerator, exact.denominator))


def largest_probabilities(
    world: World, n_demos: int, ov_subj: NDArray, ov_rel: NDArray, query_only: bool
) -> Iterator[Largest]:
    """max_v pi_v over every sequence, one per multiset of logits; weights are exact (ints or Fractions).

    The subject head attends all m subjects uniformly, or the query only; the relation head all T positions uniformly.
    Cost O(L M_ft^m T V) rational operations: for small worlds.
    """
    layout = Layout(n_demos)
    seen: set[tuple] = set()
    for block in sequences(world, n_demos):
        for tokens in block.tokens:
            subjects = tokens[layout.subjects[-1:]] if query_only else tokens[layout.subjects]
            f = ov_subj[:, subjects].sum(axis=1) * Fraction(1, len(subjects))
            f = f + ov_rel[:, tokens].sum(axis=1) * Fraction(1, layout.T)
            counts = Counter(f.tolist())
            key = tuple(sorted(counts.items()))
            if key in seen:
                continue
            seen.add(key)
            Z = sum((count * ball(value).exp() for value, count in counts.items()), flint.arb(0))
            yield Largest(tokens, ball(max(counts)).exp() / Z, Z)
