"""The largest prediction probability of every sequence, as a ball.

Logits are rational at hard attention, so max_v pi_v = e^{max f} / sum_v e^{f_v} is an exponential sum of rationals: Arb
encloses it. Sequences with the same multiset of logits are computed once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

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


def exponential(value: Fraction) -> flint.arb:
    """e^value as a ball."""
    return flint.arb(flint.fmpq(value.numerator, value.denominator)).exp()


def _scaled(matrix: NDArray) -> tuple[NDArray[np.object_], int]:
    """The matrix as Python ints over one denominator."""
    given = matrix.ravel().tolist()
    # Of V^2 entries few are different objects: each of these is converted once.
    exact = {key: Fraction(x) for key, x in {id(x): x for x in given}.items()}
    common = lcm(*{x.denominator for x in exact.values()}, 1)
    whole = {key: int(x * common) for key, x in exact.items()}
    entries = [whole[id(x)] for x in given]
    return np.array(entries, dtype=object).reshape(matrix.shape), common


def largest_probabilities(
    world: World,
    n_demos: int,
    ov_subj: NDArray,
    ov_rel: NDArray,
    query_only: bool,
    chosen: Iterable[NDArray[np.int64]] | None = None,
) -> Iterator[Largest]:
    """max_v pi_v over every sequence (or those of the blocks (B, T) chosen), one per multiset of logits; weights are exact.

    The subject head attends all m subjects uniformly, or the query only; the relation head all T positions uniformly.
    Raises OverflowError if the scaled logits do not fit 62 bits. Cost O(L M_ft^m (T V + V log V)) integer operations.
    """
    layout = Layout(n_demos)
    places = layout.subjects[-1:] if query_only else layout.subjects
    (subj, a), (rel, b) = _scaled(ov_subj), _scaled(ov_rel)
    # f = sum over attended subjects / (a |places|) + sum over all positions / (b T), over the common denominator D.
    D = lcm(a * len(places), b * layout.T)
    subj, rel = subj * (D // (a * len(places))), rel * (D // (b * layout.T))
    if max(abs(int(x)) for x in (*subj.ravel(), *rel.ravel())) * layout.T >= 1 << 62:
        raise OverflowError(f"logits over the common denominator {D} do not fit 62 bits")
    subj, rel = subj.astype(np.int64).T, rel.astype(np.int64).T
    seen: set[bytes] = set()
    blocks = (block.tokens for block in sequences(world, n_demos, chunk=1 << 10)) if chosen is None else chosen
    for tokens in blocks:
        f = np.sort(subj[tokens[:, places]].sum(axis=1) + rel[tokens].sum(axis=1), axis=1)
        _, first = np.unique(f, axis=0, return_index=True)
        for i in first.tolist():
            if f[i].tobytes() in seen:
                continue
            seen.add(f[i].tobytes())
            values, counts = np.unique(f[i], return_counts=True)
            powers = [exponential(Fraction(int(v), D)) for v in values]
            Z = sum((int(n) * power for n, power in zip(counts, powers, strict=True)), flint.arb(0))
            yield Largest(tokens[i], powers[-1] / Z, Z)
