"""Markov chains of the grammar tokens: pools of transition matrices, their divergence Div, and greedy selection.

    Div = min over pairs l != l' of || TM_l - TM_l' ||_1,     TM_l (G, G) row-stochastic, rows i.i.d. Dirichlet(alpha).

The norm is not said; its readings are, with D = |TM_l - TM_l'|:

    entries     sum_ij D_ij                     in [0, 2 G]
    rows        mean over rows of sum_j D_ij    in [0, 2], = entries / G
    variation   mean over rows of the total variation, in [0, 1], = entries / (2 G)
    operator    max over columns of sum_i D_ij, the operator 1-norm, in [0, G]
    max_row     max over rows of sum_j D_ij     in [0, 2]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.arguments import checked_choice, checked_integer, checked_real

FloatArray = NDArray[np.float64]
NORMS = ("entries", "rows", "variation", "operator", "max_row")


def transition_pool(size: int, G: int, alpha: float, seed: int = 0) -> FloatArray:
    """(size, G, G) transition matrices with independent Dirichlet(alpha, .., alpha) rows.

    Raises ValueError for size < 1, G < 1, alpha <= 0, seed < 0.
    """
    size, G = checked_integer("size", size, 1), checked_integer("G", G, 1)
    alpha = checked_real("alpha", alpha, positive=True)
    generator = np.random.default_rng(checked_integer("seed", seed, 0))
    return generator.dirichlet(np.full(G, alpha), size=(size, G))


def _checked_matrices(matrices: ArrayLike, least: int) -> FloatArray:
    given = np.asarray(matrices, dtype=np.float64)
    if given.ndim != 3 or given.shape[1] != given.shape[2] or len(given) < least:
        raise ValueError(f"matrices must be (n, G, G) with n >= {least}, got shape {given.shape}")
    return given


def _planes(matrices: FloatArray) -> FloatArray:
    """(n, G, G) as (G, G, n), contiguous: sums over i or j then run along the many matrices, not along the few tokens."""
    return np.ascontiguousarray(np.moveaxis(matrices, 0, -1))


def _to_planes(one: FloatArray, planes: FloatArray, norm: str) -> FloatArray:
    D = np.abs(planes - one[:, :, None])
    if norm == "operator":
        return D.sum(axis=0).max(axis=0)
    rows = D.sum(axis=1)
    if norm == "entries":
        return rows.sum(axis=0)
    if norm == "max_row":
        return rows.max(axis=0)
    return rows.mean(axis=0) / (2 if norm == "variation" else 1)


def distances(one: ArrayLike, others: ArrayLike, norm: str = "entries") -> FloatArray:
    """(n,) distances of one (G, G) matrix to others (n, G, G).  Raises ValueError for an unknown norm.  Cost O(n G^2)."""
    checked_choice("norm", norm, NORMS)
    return _to_planes(np.asarray(one, dtype=np.float64), _planes(_checked_matrices(others, 0)), norm)


def divergence(matrices: ArrayLike, norm: str = "entries") -> float:
    """Div of (L, G, G) matrices.  Raises ValueError for fewer than 2 matrices or an unknown norm.  Cost O(L^2 G^2)."""
    checked_choice("norm", norm, NORMS)
    given = _checked_matrices(matrices, 2)
    planes = _planes(given)
    return float(min(_to_planes(given[l], planes[..., l + 1 :], norm).min() for l in range(len(given) - 1)))


@dataclass(frozen=True, eq=False)
class Selection:
    """indices into the pool in the order chosen, the matrices (L, G, G), and the Div reached in the norm."""

    indices: tuple[int, ...]
    matrices: FloatArray
    norm: str
    div: float


def greedy_selection(
    pool: ArrayLike, L: int, norm: str = "entries", target: float | None = None, start: int = 0
) -> Selection:
    """L matrices of the pool (n, G, G), one after another from pool[start].

    Without a target each next one is farthest from those chosen (largest least distance).  With a target it is the one
    whose least distance is the smallest that is still >= target, or, when there is none, the farthest; Div is then the
    value reached, which may lie on either side of the target.  Ties go to the lower index.
    Raises ValueError for L outside 2..n, start outside 0..n-1, an unknown norm.  Cost O(n L G^2).
    """
    checked_choice("norm", norm, NORMS)
    given = _checked_matrices(pool, 2)
    planes = _planes(given)
    L = checked_integer("L", L, 2, len(given), "the size of the pool")
    chosen = [checked_integer("start", start, 0, len(given) - 1)]
    nearest = _to_planes(given[chosen[0]], planes, norm)
    div = np.inf
    for _ in range(L - 1):
        nearest[chosen] = -np.inf
        following = int(np.argmax(nearest))
        if target is not None and nearest[following] >= target:
            following = int(np.argmin(np.where(nearest >= target, nearest, np.inf)))
        div = min(div, float(nearest[following]))
        chosen.append(following)
        nearest = np.minimum(nearest, _to_planes(given[following], planes, norm))
    return Selection(tuple(chosen), given[chosen], norm, div)
