"""The order of W_KQ^rel's [sep] column over classes of directions: the paper's coefficients, the exact ones, a network's.

Attention does not see a constant on all tokens of a sequence, nor one on all positions, and every place has one token and one
position.  So values compare within the tokens and within the positions, and between the places themselves, whose score is
the sum of both; a token against a position does not.  Places: attribute, context subject, query, [sep].
"""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.world import World
from paper_checks.contextual_recall import relation_kq
from theory.onehot.classes import DirectionClass as KQ
from verify.classes import kq_classes
from verify.diversity.trends import rank_correlation
from verify.judges.coefficients import at, settled

TOKENS = (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT, KQ.ATTRIBUTE, KQ.SEP)
POSITIONS = (KQ.P_QUERY, KQ.P_CONTEXT, KQ.P_ATTRIBUTE, KQ.P_SEP)
#: The names must not be those of classes.
PLACES = {
    "at attribute": (KQ.ATTRIBUTE, KQ.P_ATTRIBUTE),
    "at context subject": (KQ.SUBJECT_SEEN, KQ.P_CONTEXT),
    "at query": (KQ.SUBJECT_SEEN, KQ.P_QUERY),
    "at [sep]": (KQ.SEP, KQ.P_SEP),
}
#: Values closer than this part of the largest are no order.
TIE = 1e-9
Values = dict[str, float]


def class_means(world: World, T: int, column: NDArray[np.float64]) -> Values:
    """Mean of a (V+T,) column over every class, and of every place (the sum of its two)."""
    labels = np.array(kq_classes(world, T), dtype=object)
    found = {key.value: float(column[labels == key].mean()) for key in (*TOKENS, *POSITIONS) if (labels == key).any()}
    return found | {name: found[a.value] + found[b.value] for name, (a, b) in PLACES.items()}


def printed(world: World, n_demos: int) -> Values:
    """The paper's update per unit of its step size, the second step, eta_OV = 1.  Needs one U for all types."""
    p = {"M": world.M, "L": world.L, "U": world.U[0], "M_ft": world.M_ft, "m": n_demos + 1}
    known = {key: float(at(settled(relation_kq.PRINTED_UPDATE.get(key, 0)), p)) for key in (*TOKENS, *POSITIONS)}
    found = {key.value: value for key, value in known.items() if key is not KQ.SUBJECT_HELDOUT or len(world.heldout)}
    return found | {name: known[a] + known[b] for name, (a, b) in PLACES.items()}


def groups(values: Values) -> dict[str, list[str]]:
    """Names that compare with each other."""
    tokens, positions = ([str(key) for key in keys if str(key) in values] for keys in (TOKENS, POSITIONS))
    return {"tokens": tokens, "positions": positions, "places": list(PLACES)}


def compared(measured: Values, predicted: Values) -> dict[str, Any]:
    """Rank correlations by group, and the pairs that the prediction orders: how many agree, which do not."""
    ranks, agree, pairs = {}, 0, 0
    wrong: list[str] = []
    for group, names in groups(measured).items():
        ranks[group] = rank_correlation([measured[n] for n in names], [predicted[n] for n in names])
        scale = max(abs(predicted[n]) for n in names)
        for a, b in itertools.combinations(names, 2):
            gap = predicted[a] - predicted[b]
            if abs(gap) <= TIE * scale:
                continue
            high, low = (a, b) if gap > 0 else (b, a)
            pairs += 1
            if measured[high] > measured[low]:
                agree += 1
            else:
                wrong.append(f"{high} > {low}")
    return {"spearman": ranks, "agree": agree, "pairs": pairs, "wrong": wrong}
