"""Margins as functions of beta: all that a population says about finite beta, without its repetitions.

With scores in integer levels c (per unit beta) and x = e^beta, a head gives

    f_h = (sum_c x^c N_hc) / (sum_c x^c n_hc),    n_hc the number of keys at level c, N_hc the sum of their W_OV columns,

so the margin of the target y over another token v is the rational function

    D(x) = sum_h (sum_c x^c D_hc) / (w_h sum_c x^c n_hc),    D_hc = N_hc[y] - N_hc[v],  w_h the denominator of W_OV.

Many sequences share the integers (D, n).  The kept rows are the different ones; every sequence of the population is
right at beta exactly when every row is positive there.  As sum_c x^c n_hc > 0 for x > 0, the sign of D(x) is the sign of
the integer polynomial  P(x) = sum_h D_h(x) prod_{h' != h} w_h' n_h'(x).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from flint import fmpz_poly
from numpy.typing import ArrayLike, NDArray

from numerics.arguments import checked_integer
from numerics.constructions.evaluate import counts, products, scores
from numerics.constructions.finite import Batch
from numerics.constructions.heads import Construction

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
# Numbers in memory at once where margins are taken at many beta.
BLOCK = 1 << 18
Part = tuple[IntArray, IntArray, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Margins:
    """K different margin functions of H heads and C levels.

    difference (K, H, C): D_hc;  keys (K, H, C): n_hc;  ov_denominators (H,);  size: number of sequences they stand for;
    example (K, T): tokens of the first sequence that has the function;  target, other (K,): its target and competitor.
    """

    difference: IntArray
    keys: IntArray
    ov_denominators: IntArray
    size: int
    example: IntArray
    target: IntArray
    other: IntArray

    def at(self, beta: float) -> FloatArray:
        """(K,) margins at a finite beta in float64.  Cost O(K H C)."""
        return self._at(np.array([beta]))[0]

    def least(self, betas: ArrayLike) -> FloatArray:
        """(P,) the smallest of the K margins at each of P finite betas.  Cost O(P K H C) time, memory of BLOCK numbers."""
        given = np.asarray(betas, dtype=np.float64)
        step = max(1, BLOCK // max(1, self.keys.size))
        blocks = [self._at(given[start : start + step]).min(axis=1) for start in range(0, len(given), step)]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    def _at(self, betas: FloatArray) -> FloatArray:
        """(P, K) margins at P betas."""
        levels = np.arange(self.keys.shape[2])
        # A common factor of numerator and denominator cancels: the largest occupied level of a head gets weight 1.
        occupied = self.keys > 0
        top = np.where(occupied, levels, 0).max(axis=2, keepdims=True)
        weights = np.exp(betas[:, None, None, None] * np.minimum(levels - top, 0)) * occupied
        numerator = np.einsum("pkhc,khc->pkh", weights, self.difference)
        denominator = np.einsum("pkhc,khc->pkh", weights, self.keys) * self.ov_denominators
        return (numerator / denominator).sum(axis=2)

    def polynomial(self, k: int) -> fmpz_poly:
        """P(x) of function k, with the sign of the margin at every x = e^beta > 0."""
        heads = range(self.keys.shape[1])
        keys = [fmpz_poly((self.keys[k, h] * self.ov_denominators[h]).tolist()) for h in heads]
        out = fmpz_poly([0])
        for h in heads:
            term = fmpz_poly(self.difference[k, h].tolist())
            for other in heads:
                if other != h:
                    term *= keys[other]
            out += term
        return out


def _levels(construction: Construction) -> int:
    """One more than the largest score.  Raises ValueError for a negative weight."""
    most = 0
    for name, head in construction.heads.items():
        if head.kq.min() < 0:
            raise ValueError(f"kq of head {name!r} must be >= 0 for margins by level, got {head.kq.min()}")
        V = construction.world.V
        most = max(most, int(head.kq[:V].max()) + int(head.kq[V:].max()))
    return most + 1


def margins(construction: Construction, batches: Iterable[Batch], t: int | None = None) -> Margins:
    """The different margin functions of all sequences of the batches at position t (default T).

    At t < T the target is the next token of the sequence.  Raises ValueError for no sequence, t outside 1..T, a negative
    entry of W_KQ.  Cost O(size V H C log) time, memory of one batch.
    """
    t = construction.T if t is None else checked_integer("t", t, 1, construction.T)
    last, V = t == construction.T, construction.world.V
    following = ((batch.tokens, batch.targets if last else batch.tokens[:, t]) for batch in batches)
    parts = ((tokens, targets, targets[:, None] != np.arange(V)) for tokens, targets in following)
    return collected(construction, parts, t)


def collected(construction: Construction, parts: Iterable[Part], t: int) -> Margins:
    """The different margin functions at position t of parts (tokens (B, T), targets (B,), wanted (B, V)): of the target over
    every wanted token.  Raises ValueError for no sequence, a negative entry of W_KQ.  Cost as margins."""
    V, C, H = construction.world.V, _levels(construction), len(construction.heads)
    width, size = 2 * H * C, 0
    kept = np.zeros((0, width + construction.T + 2), dtype=np.int64)
    for tokens, targets, pairs in parts:
        B, rows = len(tokens), np.arange(len(tokens))
        size += B
        difference = np.empty((B, V, H, C), dtype=np.int64)
        keys = np.empty((B, V, H, C), dtype=np.int64)
        for h, head in enumerate(construction.heads.values()):
            score = scores(head, V, tokens, t)
            for c in range(C):
                at_level = counts(tokens[:, :t], score == c, V)
                f = products(at_level, head.ov)
                difference[:, :, h, c] = f[rows, targets][:, None] - f
                keys[:, :, h, c] = at_level.sum(axis=1)[:, None]
        function = np.concatenate([difference.reshape(B * V, -1), keys.reshape(B * V, -1)], axis=1)
        competitor = np.tile(np.arange(V), B)
        row = np.repeat(rows, V)
        wanted = np.flatnonzero(pairs)
        _, first = np.unique(function[wanted], axis=0, return_index=True)
        new = wanted[np.sort(first)]
        example = [function[new], tokens[row[new]], targets[row[new]][:, None], competitor[new][:, None]]
        kept = np.concatenate([kept, np.concatenate(example, axis=1)])
        _, first = np.unique(kept[:, :width], axis=0, return_index=True)
        kept = kept[np.sort(first)]
    if size == 0:
        raise ValueError("batches must hold at least one sequence, got none")
    half = width // 2
    denominators = np.array([head.ov_denominator for head in construction.heads.values()], dtype=np.int64)
    return Margins(
        kept[:, :half].reshape(-1, H, C),
        kept[:, half:width].reshape(-1, H, C),
        denominators,
        size,
        kept[:, width : width + construction.T],
        kept[:, -2],
        kept[:, -1],
    )
