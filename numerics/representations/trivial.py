"""Representations in which no task is inferred, for the silhouettes to be seen beside.

    random      a normal vector of its own for every sequence
    query       the one-hot of the query subject: no type
    last        the one-hot of the last demonstration's attribute
    bag         how often every value occurs in the context: the sum of the one-hots of its attributes

`last` and `bag` cluster by type because a value belongs to one type and sequences of one type share values: with U values per
type two contexts of t demonstrations share t^2 / U of them in the mean, the square of a bag has length t + t (t - 1) / U, and
the cosine of two bags is near

    t / (U + t - 1).

At t = U that is more than 1/2: so large is the silhouette of attention that is spread over the context and infers nothing.  With halved
contexts (numerics.representations.contexts) nothing is shared and both score exactly 0.

`bag_of` with the network's own token embeddings in place of one-hots: what their geometry alone gives.
"""

import torch
from torch import Tensor

from numerics.representations.contexts import Contexts

TRIVIAL = ("random", "query", "last", "bag")


def bag_of(embedding: Tensor, contexts: Contexts, t: int) -> Tensor:
    """(n, d): the sum of embedding (V, d) rows of the first t demonstrations' attributes; zeros at t = 0."""
    return embedding[contexts.attributes[:, :t]].sum(1)


def trivial(contexts: Contexts, t: int, V: int, seed: int = 0) -> dict[str, Tensor]:
    """name -> (n, V) float64 points of each representation in TRIVIAL after t demonstrations; zeros where it has nothing.

    Cost O(n t V).
    """
    device = contexts.types.device
    n, onehots = len(contexts.types), torch.eye(V, dtype=torch.float64, device=device)
    made = torch.randn((n, V), generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(device)
    return {
        "random": made,
        "query": onehots[contexts.queries],
        "last": onehots[contexts.attributes[:, t - 1]] if t else torch.zeros_like(made),
        "bag": bag_of(onehots, contexts, t),
    }
