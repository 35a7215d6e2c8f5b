"""Mean cosines within and between types (Section 3.4):

    C(l, l') = 1 / K^2 sum_{k, k'} cos(v_k^l, v_k'^l')  =  <m_l, m_l'>,   m_l the mean of type l's unit vectors.

As printed the sum has the K terms k = k' of the diagonal, each 1: with c the mean over k != k' they make it

    C(l, l) = c + (1 - c) / K,

at K = 50 and c = 0 a diagonal of .02 that no structure made.  `without_self` leaves them out: C(l, l) = c.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.representations.silhouette import cosine_matrix


@dataclass(frozen=True, eq=False)
class MeanCosines:
    """printed, without_self (L, L) float64: C(l, l') with and without the terms k = k' of the diagonal."""

    printed: Tensor
    without_self: Tensor


def mean_cosines(points: Tensor, labels: Tensor, L: int) -> MeanCosines:
    """Of points (n, d), labels (n,) in 0..L-1, each of two points or more.  Cost O(n^2 d).

    Raises ValueError for points that are not finite, other shapes, labels outside 0..L-1 or with fewer than two points.
    """
    if labels.shape != points.shape[:1]:
        raise ValueError(f"labels must be (n,) for points (n, d), got {tuple(labels.shape)}, {tuple(points.shape)}")
    if not bool(((labels >= 0) & (labels < L)).all()):
        raise ValueError(f"labels must be in 0..{L - 1}, got {int(labels.min())}..{int(labels.max())}")
    counts = torch.bincount(labels, minlength=L).double()
    if bool((counts < 2).any()):
        raise ValueError(f"labels must have two points or more each, got {counts.long().tolist()}")
    cosines = cosine_matrix(points)
    of_label = torch.nn.functional.one_hot(labels, L).double()
    sums = of_label.T @ cosines @ of_label
    own = of_label.T @ cosines.diagonal()
    pairs = counts[:, None] * counts[None, :]
    return MeanCosines(sums / pairs, (sums - torch.diag(own)) / (pairs - torch.diag(counts)))
