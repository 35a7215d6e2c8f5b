"""The initial ("Prop. 1") output-value matrices of the two heads, as integers.

W_OV^subj h(s_j) = - sum_u C[u, j] h(u)  over all attribute values u of all types, with
    reading "set":      C[u, j] = 1[u is not an attribute of s_j]
    reading "literal":  C[u, j] = N_u - 1[u is an attribute of s_j],   N_u = number of subjects with value u
(a sum over the other subjects j' and their attributes, without and with multiplicity), other columns 0;
W_OV^rel h(r_l) = sum of all values of type l, other columns 0.
"""

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_choice
from numerics.world import World

READINGS = ("set", "literal")


def initial_ov_subj(world: World, reading: str = "set") -> NDArray[np.int64]:
    """(V, V) [output, input] W_OV^subj.  Raises ValueError for an unknown reading.  Cost O(V^2)."""
    checked_choice("reading", reading, READINGS)
    ov = np.zeros((world.V, world.V), dtype=np.int64)
    values = slice(world.M, world.M + world.n_attributes)
    ov[values, : world.M] = -1 if reading == "set" else -world.value_counts[:, None]
    ov[world.attribute_token, np.arange(world.M)[:, None]] += 1
    return ov


def initial_ov_rel(world: World) -> NDArray[np.int64]:
    """(V, V) [output, input] W_OV^rel.  Cost O(V^2)."""
    ov = np.zeros((world.V, world.V), dtype=np.int64)
    for ell in range(world.L):
        ov[list(world.attribute_range(ell)), world.relation_token(ell)] = 1
    return ov


def initial_kq_subj(world: World, T: int) -> NDArray[np.int64]:
    """(V + T,) the [sep] column of W_KQ^subj per unit beta: 1 on every subject."""
    column = np.zeros(world.V + T, dtype=np.int64)
    column[: world.M] = 1
    return column


def initial_kq_rel(world: World, T: int, width: int) -> NDArray[np.int64]:
    """(V + T,) the [sep] column of W_KQ^rel per unit beta: 1 on every relation and on the last `width` positions."""
    column = np.zeros(world.V + T, dtype=np.int64)
    column[[world.relation_token(ell) for ell in range(world.L)]] = 1
    column[world.V : world.V + width] = 1
    return column
