"""The facts and types that W_OV holds: its blocks as Figs. 20 and 21 show them, in numbers.

Subject columns.  o, r, z: means over the subjects of the entries at their own values, at all other values, at tokens that are
no values.

    rho = (r - z) / (o - r)     -1: own values level with the other tokens, other values pushed down (suppressing)
                                 0: other values level with the other tokens, own values pushed up (boosting)

rho does not change when the head is scaled or one of its columns shifted as a whole, which the softmax would not notice.  A
head that pushes down everything but the own values is a boosting one by rho, and does the same; by the colours of a picture,
whose white is 0, it suppresses.  rho_zero = r / (o - r) is rho with 0 in place of z: it depends on the shift.

separation of a column is P(an own entry > another value's entry), ties counting half: 1/2 where there is no association.

Type columns (relation tokens, or values): separation of the entries at values of the column's type from those at others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from numerics.sampling.tables import Tables

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SubjectPattern:
    """Means own, others, rest (o, r, z above), rho and rho_zero (nan if o = r), the mean separation over the subjects."""

    own: float
    others: float
    rest: float
    rho: float
    rho_zero: float
    separation: float


def separation(block: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Mean over columns of P(entry inside > entry outside), ties half; block and inside (A, K).  Cost O(A K log A).

    Raises ValueError for different shapes, or a column with nothing inside or nothing outside.
    """
    if block.ndim != 2 or block.shape != inside.shape:
        raise ValueError(f"block and inside must be (A, K) both, got {block.shape} and {inside.shape}")
    n = inside.sum(0)
    if ((n == 0) | (n == len(block))).any():
        raise ValueError("inside must have entries inside and outside in every column, got a column without")
    ranks = rankdata(block, axis=0)
    wins = (ranks * inside).sum(0) - n * (n + 1) / 2
    return float((wins / (n * (len(block) - n))).mean())


def subject_pattern(ov: Tensor, tables: Tables) -> SubjectPattern:
    """Of the subject columns of one head's W_OV (V, V), [output, input].  Cost O(M V log V)."""
    block = ov[:, : tables.M].double().cpu().numpy()
    values = (tables.type_of_token >= 0).cpu().numpy()
    own = np.zeros(block.shape, dtype=np.bool_)
    own[tables.attribute_token.cpu().numpy().T, np.arange(tables.M)] = True
    others = values[:, None] & ~own
    o, r, z = (float(block[mask].mean()) for mask in (own, others, np.broadcast_to(~values[:, None], own.shape)))
    rho, rho_zero = ((r - z) / (o - r), r / (o - r)) if o != r else (float("nan"),) * 2
    return SubjectPattern(o, r, z, rho, rho_zero, separation(block[values], own[values]))


def _by_type(ov: Tensor, tables: Tables, columns: Tensor, types: Tensor) -> float:
    values = tables.type_of_token >= 0
    inside = tables.type_of_token[values][:, None] == types
    return separation(ov[values][:, columns].double().cpu().numpy(), inside.cpu().numpy())


def relation_separation(ov: Tensor, tables: Tables) -> float:
    """Of the relation columns: W_OV h(r_l) at the values of type l against those of other types.  Needs L >= 2."""
    types = tables.type_of_token.new_tensor(range(tables.L))
    return _by_type(ov, tables, tables.first_relation + types, types)


def value_separation(ov: Tensor, tables: Tables, among: Tensor | None = None) -> float:
    """Of the value columns: W_OV h(u) at the values of u's type against others; among: (V,) mask of the columns."""
    values = tables.type_of_token >= 0
    columns = (values if among is None else values & among).nonzero()[:, 0]
    return _by_type(ov, tables, columns, tables.type_of_token[columns])
