"""Exact hat gradients by plain enumeration: the ground truth of the rational quantities.

At beta = inf the initial subject head is uniform on the m subject positions and the relation head on the last w
positions.  With hat residual e = -h(y), a head with attention n_i / n (n_i integers, n their sum) and matrix W has

    r_i = -W[y, x_i],     g_ov = -n^-1 sum_i n_i h(y) x_i^T,
    g_kq = sum_i (n_i / n)(r_i - rbar)(x_i + p_i) = n^-2 sum_i n_i (n r_i - sum_k n_k r_k)(x_i + p_i),

so for an integer W all sums over sequences are integers.  The second step needs W_OV^rel after the projected step; on
the tokens of an ICL sequence that is -eta_ov * ov_rel without its [sep] column (the initial matrix acts on relation
tokens only, and none occurs), and kq_rel is linear in it.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_real
from numerics.population.construction import initial_ov_subj
from numerics.population.enumerate import population_size, sequences
from numerics.population.layout import Layout
from numerics.population.rational import Rational
from numerics.world import World


@dataclass(frozen=True, eq=False)
class ExactGradients:
    """Hat gradients of the two steps as exact rationals: kq_subj (V+T,), ov_rel (V, V), kq_rel (V+T,)."""

    kq_subj: Rational
    ov_rel: Rational
    kq_rel: Rational
    n_demos: int
    eta_ov: Fraction
    window: int | None
    reading: str


def exact_step(eta_ov: float | Fraction) -> Fraction:
    """The step size as the exact rational it is.  Raises ValueError if it is not a finite number."""
    if isinstance(eta_ov, Fraction):
        return eta_ov
    return Fraction(eta_ov) if type(eta_ov) is int else Fraction(checked_real("eta_ov", eta_ov))


def projected(ov: NDArray, world: World) -> NDArray:
    """ov (I - h(sep) h(sep)^T): a copy without its [sep] column."""
    kept = ov.copy()
    kept[:, world.sep_token] = 0
    return kept


def _kq_sum(world: World, n_demos: int, ov: NDArray[np.object_], n: NDArray[np.int64]) -> NDArray[np.object_]:
    """(V+T,) the sum over all sequences of sum_i n_i (n r_i - sum_k n_k r_k)(x_i + p_i), in Python ints."""
    layout, width = Layout(n_demos), int(n.sum())
    chunk = 1 << 12
    # One chunk adds at most chunk * T terms of at most 2 width max|W|; beyond 62 bits the chunk is done in Python ints.
    largest = max(abs(int(entry)) for entry in ov.ravel()) if ov.size else 0
    dtype = np.int64 if 2 * width * largest * chunk * layout.T < 1 << 62 else object
    matrix = ov.astype(dtype)
    total = np.zeros(world.V + layout.T, dtype=object)
    for block in sequences(world, n_demos, chunk=chunk):
        r = -matrix[block.targets[:, None], block.tokens]
        terms = n * (width * r - (r * n).sum(axis=1)[:, None])
        tokens = np.zeros(world.V, dtype=dtype)
        np.add.at(tokens, block.tokens, terms)
        total[: world.V] += tokens.astype(object)
        total[world.V :] += layout.to_relative(terms.sum(axis=0)).astype(object)
    return total


def _ov_sum(world: World, n_demos: int, n: NDArray[np.int64]) -> NDArray[np.object_]:
    """(V, V) the sum over all sequences of -sum_i n_i h(y) x_i^T, in Python ints."""
    total = np.zeros((world.V, world.V), dtype=object)
    for block in sequences(world, n_demos):
        part = np.zeros((world.V, world.V), dtype=np.int64)
        np.add.at(part, (block.targets[:, None], block.tokens), -n)
        total += part
    return total


def enumerated_hat_gradients(
    world: World, n_demos: int, eta_ov: float | Fraction = 1, window: int | None = None, reading: str = "set"
) -> ExactGradients:
    """Hat gradients of both steps at beta = inf by enumerating every sequence three times.

    Raises ValueError for n_demos < 1, a non-finite eta_ov, window < 1, an unknown reading.
    Cost O(L M_ft^m T) integer operations per pass.
    """
    layout = Layout(n_demos)
    width, size, eta = layout.width(window), population_size(world, n_demos), exact_step(eta_ov)
    subject, relation = layout.subject_scores(), layout.relation_scores(window)
    ov_subj = initial_ov_subj(world, reading).astype(object)
    kq_subj = Rational.of(_kq_sum(world, n_demos, ov_subj, subject), size * layout.m**2)
    ov_rel = Rational.of(_ov_sum(world, n_demos, relation), size * width)
    step = projected(ov_rel.numerators, world)
    kq_rel = Rational.of(_kq_sum(world, n_demos, step, relation), size * width**2 * ov_rel.denominator).times(-eta)
    return ExactGradients(kq_subj, ov_rel, kq_rel, n_demos, eta, window, reading)
