"""What trivial predictors score on ICL sequences: exact shares, from the table of facts.

The query is uniform over a pool of subjects, the type over the types, the contexts are drawn with replacement from a pool.

    chance        any token of the vocabulary
    majority      the most frequent value over all types
    type_known    the most frequent value of the right type: all that the context says, without the fact
    copy          the attribute of the last demonstration
    lookup        the attribute of an earlier occurrence of the query subject if there is one, else as type_known
    type_guessed  all facts of the query subject and a type at random: facts without the context
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PREDICTORS = ("chance", "majority", "type_known", "copy", "lookup", "type_guessed")


def trivial(
    attribute_token: NDArray[np.int64], V: int, pool: Sequence[int], contexts: Sequence[int], n_demos: int
) -> dict[str, float]:
    """Exact match of each predictor on queries of the pool with contexts of the other.  attribute_token: (M, L) token ids.

    Cost O(M L).  Raises ValueError for an empty pool.
    """
    if not len(pool) or not len(contexts):
        raise ValueError(f"pool and contexts must have a subject each, got {len(pool)} and {len(contexts)}")
    queried, shown = attribute_token[list(pool)], attribute_token[list(contexts)]
    L = attribute_token.shape[1]
    counts = [Counter(queried[:, ell].tolist()) for ell in range(L)]
    in_context = [Counter(shown[:, ell].tolist()) for ell in range(L)]
    known = sum(max(count.values()) for count in counts) / (L * len(pool))
    copied = sum(n * in_context[ell][u] for ell in range(L) for u, n in counts[ell].items())
    repeated = len(set(pool) & set(contexts)) / len(pool) * (1 - (1 - 1 / len(contexts)) ** n_demos)
    return {
        "chance": 1 / V,
        "majority": max(sum(counts, Counter()).values()) / (L * len(pool)),
        "type_known": known,
        "copy": copied / (L * len(pool) * len(contexts)),
        "lookup": repeated + (1 - repeated) * known,
        "type_guessed": 1 / L,
    }
