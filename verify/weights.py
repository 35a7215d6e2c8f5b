"""The weights that Theorem 2 prints, as the arrays that the numeric witness can run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.world import World
from paper_checks.contextual_recall import relation_kq, relation_ov
from paper_checks.contextual_recall.symbols import alpha_2 as alpha_2_symbol
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV
from verify.classes import kq_classes, ov_classes
from verify.judges.coefficients import at, settled
from verify.setting import parameters


@dataclass(frozen=True, eq=False)
class PrintedWeights:
    """Weights per unit beta: kq_subj, kq_rel (V+T,), ov_subj, ov_rel (V, V), Fractions."""

    kq_subj: NDArray[np.object_]
    kq_rel: NDArray[np.object_]
    ov_subj: NDArray[np.object_]
    ov_rel: NDArray[np.object_]


def initial_ov_subj(world: World, reading: str) -> NDArray[np.object_]:
    """W_OV^subj of Proposition 1: minus every value that is not the subject's own, once or with multiplicity."""
    V, M = world.V, world.M
    ov = np.zeros((V, V), dtype=object)
    counts = np.ones(world.n_attributes, dtype=int) if reading == "set" else world.value_counts
    for j in range(M):
        column = np.zeros(V, dtype=int)
        column[M : M + world.n_attributes] = -np.asarray(counts)
        column[world.attribute_token[j]] += 1
        ov[:, j] = [int(x) for x in column]
    return ov


def printed_weights(
    world: World, m: int, alpha_1, alpha_2, alpha_3, reading: str = "set", mutation: str = "printed weights"
) -> PrintedWeights:
    """Eq. (6) and (7) with the given alphas; the printed coefficients are divided by what alpha_2, alpha_3 stand for.

    `mutation` "attribute boost reversed" flips the attribute terms of W_KQ^rel, "OV attribute block dropped" leaves out
    (m-1) sum u u^T.
    """
    T = 3 * m - 1
    p = parameters(world, m - 1)
    labels = kq_classes(world, T)
    kq_subj = np.array(
        [Fraction(1) if k in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT) else Fraction(0) for k in labels], dtype=object
    )
    kq_subj[world.V + 1] += Fraction(alpha_1)
    unit_2 = at(settled(alpha_2_symbol), p)  # alpha_2 at eta_ov = 1
    unit_3 = (m - 1) ** 2 * unit_2
    sign = -1 if mutation == "attribute boost reversed" else 1
    by_class = {k: at(settled(v), p) / unit_3 * Fraction(alpha_3) for k, v in relation_kq.PRINTED_UPDATE.items()}
    for k in (KQ.ATTRIBUTE, KQ.P_ATTRIBUTE):
        by_class[k] = sign * by_class[k]
    kq_rel = np.array([by_class.get(k, Fraction(0)) for k in labels], dtype=object)
    for l in range(world.L):
        kq_rel[world.relation_token(l)] += 1
    block = {k: at(settled(v), p) / unit_2 * Fraction(alpha_2) for k, v in relation_ov.PRINTED_UPDATE.items()}
    if mutation == "OV attribute block dropped":
        block[OV.ATTRIBUTE_ATTRIBUTE] = Fraction(0)
    entries = ov_classes(world)
    zero = Fraction(0)
    ov_rel = np.array([block.get(k, zero) for k in entries.ravel().tolist()], dtype=object).reshape(entries.shape)
    ov_rel[entries == OV.ATTRIBUTE_RELATION_SAME_TYPE] += 1
    return PrintedWeights(kq_subj, kq_rel, initial_ov_subj(world, reading), ov_rel)
