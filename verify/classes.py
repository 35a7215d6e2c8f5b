"""Which class of directions a coordinate belongs to: the court's dictionary between token ids and classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.world import World
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV


def position_class(i: int) -> KQ:
    """The class of position p_{-i}: [sep] at p_{-3i}, query p_{-1}, context subjects p_{-1-3i}, attributes p_{1-3i}."""
    if i == 1:
        return KQ.P_QUERY
    return (KQ.P_SEP, KQ.P_CONTEXT, KQ.P_ATTRIBUTE)[i % 3]


def kq_classes(world: World, T: int) -> list[KQ]:
    """(V+T,) the class of every coordinate of a KQ column."""
    found = [KQ.SUBJECT_SEEN if seen else KQ.SUBJECT_HELDOUT for seen in world.seen]
    found += [KQ.ATTRIBUTE] * world.n_attributes + [KQ.RELATION] * world.L + [KQ.GRAMMAR] * world.G + [KQ.SEP]
    return found + [position_class(i) for i in range(T)]


def ov_classes(world: World) -> NDArray[np.object_]:
    """(V, V) the class of every entry [output, input] of W_OV^rel."""
    V, M = world.V, world.M
    found = np.full((V, V), OV.REST, dtype=object)
    attributes = slice(M, M + world.n_attributes)
    found[attributes, attributes] = OV.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE
    for l in range(world.L):
        block = world.attribute_range(l)
        rows = slice(block.start, block.stop)
        found[rows, rows] = OV.ATTRIBUTE_ATTRIBUTE
        found[rows, world.relation_token(l)] = OV.ATTRIBUTE_RELATION_SAME_TYPE
    found[attributes, world.sep_token] = OV.ATTRIBUTE_SEP
    for j in range(M):
        if world.seen[j]:
            found[attributes, j] = OV.OTHER_ATTRIBUTE_SEEN
            found[world.attribute_token[j], j] = OV.OWN_ATTRIBUTE_SEEN
        else:
            found[attributes, j] = OV.ATTRIBUTE_HELDOUT
    return found


def multiplicity(key: KQ | OV):
    """How many coordinates a class has in the balanced world with one U, as a SymPy expression."""
    from paper_checks.contextual_recall.symbols import L, M, M_ft, U, m

    return {
        KQ.SUBJECT_SEEN: M_ft,
        KQ.SUBJECT_HELDOUT: M - M_ft,
        KQ.ATTRIBUTE: L * U,
        KQ.SEP: 1,
        KQ.P_QUERY: 1,
        KQ.P_CONTEXT: m - 1,
        KQ.P_ATTRIBUTE: m - 1,
        KQ.P_SEP: m,
        OV.ATTRIBUTE_ATTRIBUTE: L * U**2,
        OV.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE: L * (L - 1) * U**2,
        OV.OWN_ATTRIBUTE_SEEN: L * M_ft,
        OV.OTHER_ATTRIBUTE_SEEN: L * (U - 1) * M_ft,
        OV.ATTRIBUTE_HELDOUT: L * U * (M - M_ft),
        OV.ATTRIBUTE_SEP: L * U,
        OV.ATTRIBUTE_RELATION_SAME_TYPE: L * U,
    }.get(key, 1)
