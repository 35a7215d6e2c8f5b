"""What a network's representations say of the context's type: clustering, mean cosines, steering (Section 3.4, App. B.3)."""

from numerics.representations.contexts import Contexts, draw_contexts
from numerics.representations.cosines import MeanCosines, mean_cosines
from numerics.representations.network import LAST_ATTENTION, logits, points, replacing
from numerics.representations.silhouette import cosine_distances, cosine_matrix, silhouette, silhouettes
from numerics.representations.steering import (
    Replaced,
    Steered,
    crossing,
    off_diagonal,
    ranks,
    steered,
    task_vectors,
    untyped,
)
from numerics.representations.trivial import TRIVIAL, bag_of, trivial

__all__ = [
    "LAST_ATTENTION",
    "TRIVIAL",
    "Contexts",
    "MeanCosines",
    "Replaced",
    "Steered",
    "bag_of",
    "cosine_distances",
    "cosine_matrix",
    "crossing",
    "draw_contexts",
    "logits",
    "mean_cosines",
    "off_diagonal",
    "points",
    "ranks",
    "replacing",
    "silhouette",
    "silhouettes",
    "steered",
    "task_vectors",
    "trivial",
    "untyped",
]
