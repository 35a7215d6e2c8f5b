"""Clustering strength: the silhouette with the cosine distance, as App. B.3 defines it.

Points v_k^l, k = 1..K of every type l; d(v, w) = 1 - cos(v, w).

    a(k, l) = 1 / (K - 1) sum_{k' != k} d(v_k^l, v_k'^l)              within the own type, without the point itself
    b(k, l) = min_{l' != l} 1 / K sum_k' d(v_k^l, v_k'^l')            to the nearest other type
    s(k, l) = (b - a) / max(a, b)                                      in [-1, 1]; 0 where a = b = 0
    S       = 1 / (K L) sum_{k, l} s(k, l)

The types need not have equally many points: every mean is then over the points that there are, which is the usual silhouette.
Zero vectors have no cosine; it is set to 0 (distance 1).

What S cannot see.  b is a minimum over L - 1 means, a is one mean: without any structure S is below 0, not 0.  And S says
nothing of why two points of a type are near each other: sequences of one type share values, so that a sum of the embeddings
of the context's attributes, in which no task is encoded, clusters by type, the more the longer the context.  `comparable`
leaves out pairs: with contexts that are drawn from two halves of each type's values, only pairs of different halves are
compared (numerics.representations.contexts), and what they share is the type and no value.
"""

import torch
from torch import Tensor


def cosine_matrix(points: Tensor) -> Tensor:
    """(n, n) float64 cosines of the rows of points (n, d); 0 with a zero row.  Raises ValueError for nan, inf, other shapes."""
    if points.ndim != 2 or not len(points):
        raise ValueError(f"points must be (n, d) with n >= 1, got {tuple(points.shape)}")
    x = points.double()
    if not torch.isfinite(x).all():
        raise ValueError("points must be finite, got nan or inf")
    # Scaled by the largest entry first: the norm of a long vector would overflow, that of a short one vanish.
    x = x / x.abs().amax(1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)
    x = x / x.norm(dim=1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)
    return (x @ x.T).clamp(-1, 1)


def cosine_distances(points: Tensor) -> Tensor:
    """(n, n) float64, 1 - cos, exactly 0 on the diagonal.  Raises ValueError as cosine_matrix.  Cost O(n^2 d)."""
    return (1 - cosine_matrix(points)).fill_diagonal_(0)


def silhouettes(distances: Tensor, labels: Tensor, comparable: Tensor | None = None) -> Tensor:
    """(n,) float64: s of every point.  distances (n, n), labels (n,) integers, comparable (n, n) bool: pairs that count.

    Raises ValueError for shapes that do not fit, distances that are nan or negative, fewer than two labels, a point without
    another comparable one of its label (a is undefined: K = 1), or without a comparable one of another.  Cost O(n^2 L).
    """
    n = len(labels)
    if distances.shape != (n, n) or labels.shape != (n,):
        raise ValueError(f"distances, labels must be (n, n), (n,), got {tuple(distances.shape)}, {tuple(labels.shape)}")
    if not bool((distances >= 0).all()):
        raise ValueError("distances must be numbers >= 0, got nan or a negative one")
    names, label = labels.unique(return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"labels must be of two types or more, got {len(names)}")
    pairs = ~torch.eye(n, dtype=torch.bool, device=labels.device)
    if comparable is not None:
        if comparable.shape != (n, n) or comparable.dtype != torch.bool:
            raise ValueError(f"comparable must be a bool (n, n), got {comparable.dtype} {tuple(comparable.shape)}")
        pairs = pairs & comparable
    of_label = torch.nn.functional.one_hot(label, len(names)).double()
    weights = pairs.double()
    counts = weights @ of_label
    means = (weights * distances.double()) @ of_label / counts
    own = of_label.bool()
    if bool((counts[own] == 0).any()):
        raise ValueError("labels must have two comparable points or more each, got a point alone in its type (K = 1)")
    within = means[own]
    # Types without a comparable point are not near; 0 / 0 above.
    others = torch.where(own | (counts == 0), torch.inf, means).amin(1)
    if bool(torch.isinf(others).any()):
        raise ValueError("every point must have a comparable one of another type, got one that has none")
    largest = torch.maximum(within, others)
    return torch.where(largest > 0, (others - within) / largest.clamp(min=torch.finfo(torch.float64).tiny), 0.0)


def silhouette(points: Tensor, labels: Tensor, comparable: Tensor | None = None) -> float:
    """S of points (n, d) with labels (n,): the mean of s with the cosine distance.  Raises ValueError as silhouettes."""
    return float(silhouettes(cosine_distances(points), labels, comparable).mean())
