"""From which finite beta on the argmax sets are those of beta = inf.

The set A of beta = inf is the argmax set at beta exactly if its tokens have one logit there and every other token less.  Each
is a margin function of numerics.constructions.margins: inside, of the first token of A over another one of A, it has to be
the zero function; a function that is not vanishes at isolated beta only, so the tie is one of beta = inf alone.  Outside, of
the first token of A over a token outside A, it is positive from its largest root on.
"""

import math
from collections.abc import Iterable

import numpy as np

from numerics.constructions.evaluate import IntArray, evaluate
from numerics.constructions.heads import Construction
from numerics.constructions.margins import collected
from numerics.constructions.threshold import bisected_threshold


def settled_from(construction: Construction, tokens: Iterable[IntArray], t: int, tolerance: float = 1e-6) -> float:
    """The infimum of the beta >= 0 beyond which every sequence of the chunks (B, T) has its argmax set of beta = inf at
    position t; inf if some sequence has it at no large finite beta.  Raises ValueError for no sequence, t outside 1..T.

    Cost as margins and bisected_threshold.
    """
    chunks = [chunk for chunk in tokens if len(chunk)]
    tops = [evaluate(construction, chunk, t).argmax for chunk in chunks]
    first = [top.argmax(axis=1) for top in tops]
    V = construction.world.V
    others = [top & (np.arange(V) != one[:, None]) for top, one in zip(tops, first, strict=True)]
    inside = collected(construction, zip(chunks, first, others, strict=True), t)
    if any(inside.polynomial(k) != 0 for k in range(len(inside.keys))):
        return math.inf
    outside = collected(construction, zip(chunks, first, (~top for top in tops), strict=True), t)
    found = bisected_threshold(outside, tolerance)
    assert found is not None  # outside the argmax set of beta = inf every limit is positive
    return found.beta
