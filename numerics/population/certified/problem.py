"""The second step for one type: the softmax at the weights after the first step, reduced to its classes.

With B the updated W_OV^rel on the tokens of a sequence less its common row (that of all tokens that are no value, so b
= B[v] - B[other], b_sep = 0) and the relation head uniform over a window of `width` positions,

    logit of v = column_q[v] + lambda_v,     lambda_v = sum over context slots of t_x[v] + own_q[v],

    t_x = (b[s_x] + b[a_x]) / width in the `full` slots wholly inside the window, b[a_x] / width in the one slot, if any,
    of which only the attribute is inside (`partial`), own_q = b[s_q] / width if the query subject is inside, else 0.

rbar = sum_v e_v lambda_v.  f_v = omega_v(q) prod over slots of phi_v(x), phi = e^t, omega = e^(column + own); other tokens
have f = 1.  Values with bit-equal rows make one class.  Values with column < -60 for all q are left out: tail bounds
sum f_v / Z over them.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.population.certified.patterns import DEEPEST
from numerics.population.certified.rounding import FloatArray, exponential, exponentials
from numerics.population.construction import initial_ov_subj
from numerics.population.layout import Layout
from numerics.world import World

# Largest |lambda| that is attempted: beyond it products of exponentials may leave the range of float64.
LARGEST_LOGIT = 200.0


@dataclass(frozen=True, eq=False)
class Slots:
    """How the window cuts a sequence: numbers of slots, and masks (T,) by index."""

    inside: NDArray[np.int64]
    width: int
    full: tuple[int, ...]
    partial: tuple[int, ...]
    query: bool

    @staticmethod
    def of(n_demos: int, window: int | None) -> "Slots":
        """The slots of a sequence.  Raises ValueError for n_demos < 1 or window < 1."""
        layout = Layout(n_demos)
        inside = layout.relation_scores(window)
        subject, attribute = inside[layout.subjects[:-1]], inside[layout.attributes]
        full = tuple(int(k) for k in np.flatnonzero(subject))
        partial = tuple(int(k) for k in np.flatnonzero((subject == 0) & (attribute == 1)))
        return Slots(inside, int(inside.sum()), full, partial, bool(inside[layout.subjects[-1]]))


@dataclass(frozen=True, eq=False)
class TypeProblem:
    """Tensors (A'+1, Q), the last row for a token that is no value: t1, phi1 (full slots), t2, phi2 (partial slot, None
    without one), own, omega.  copies (A',) values per class; class_of (A,), -1 left out.  roundings: those of phi, omega.
    """

    Q: int
    full: int
    partial: int
    others: int
    copies: Tensor
    class_of: NDArray[np.int64]
    t1: Tensor
    phi1: Tensor
    t2: Tensor
    phi2: Tensor
    own: Tensor
    omega: Tensor
    roundings: int
    tail: float
    most: FloatArray

    @property
    def A(self) -> int:
        """Number of classes."""
        return len(self.copies)

    @property
    def slots(self) -> int:
        """Context slots that move the logits."""
        return self.full + self.partial


def type_problem(world: World, reading: str, slots: Slots, b: FloatArray, ell: int, device: str) -> TypeProblem:
    """The problem of type ell for b (A, V) by output value and input token.  Cost O(A Q).

    Raises OverflowError if some |lambda| exceeds LARGEST_LOGIT.
    """
    F, A, Q = np.sort(world.finetune_array), world.n_attributes, world.M_ft
    column = initial_ov_subj(world, reading)[world.M : world.M + A, F]
    own = b[:, F] / slots.width if slots.query else np.zeros((A, Q))
    t2 = b[:, world.attribute_token[F, ell]] / slots.width
    t1 = b[:, F] / slots.width + t2
    most = np.abs(own).max(axis=1)
    if slots.full:
        most = most + len(slots.full) * np.abs(t1).max(axis=1)
    if slots.partial:
        most = most + np.abs(t2).max(axis=1)
    most = most * (1 + 1e-12)
    if not float(most.max()) <= LARGEST_LOGIT:
        raise OverflowError(f"the updated logits reach {float(most.max()):.2g}")
    kept = column.max(axis=1) >= DEEPEST
    rows = np.concatenate([column, own, t1, t2], axis=1)[kept]
    found, inverse = np.unique(rows, axis=0, return_inverse=True)
    class_of = np.full(A, -1, dtype=np.int64)
    class_of[kept] = inverse.ravel()
    found = np.concatenate([found, np.zeros((1, 4 * Q))])
    table = {n: float(exponential(Fraction(n))) for n in {int(n) for n in np.unique(found[:, :Q])}}
    whole = np.vectorize(table.__getitem__, otypes=[np.float64])(found[:, :Q].astype(np.int64))
    parts = [torch.as_tensor(np.ascontiguousarray(found[:, i * Q : (i + 1) * Q]), device=device) for i in (1, 2, 3)]
    (e_own, n_own), (phi1, n1), (phi2, n2) = (exponentials(part) for part in parts)
    left_out = ~kept
    tail = float(np.exp(column.max(axis=1)[left_out] + most[left_out] + 1e-9).sum()) / (world.V - A)
    return TypeProblem(
        Q=Q,
        full=len(slots.full),
        partial=len(slots.partial),
        others=world.V - A,
        copies=torch.as_tensor(
            np.bincount(inverse.ravel(), minlength=len(found) - 1).astype(np.float64), device=device
        ),
        class_of=class_of,
        t1=parts[1],
        phi1=phi1,
        t2=parts[2],
        phi2=phi2,
        own=parts[0],
        omega=torch.as_tensor(whole, device=device) * e_own,
        roundings=max(n_own + 2, n1, n2),
        tail=tail,
        most=most,
    )


@dataclass(frozen=True, eq=False)
class SecondLaw:
    """Expectations under one type.  P* (A'+1, Q): E[f_c / Z; x = j] for the draw x of a full slot (1), of the partial slot
    (2) and of the query (q), each draw uniform over Q; R* (Q,): E[sum_v pi_v lambda_v; x = j].

    relative: sum of |terms| of a P times this bounds its rounding, P* itself being of one sign but for order > 0, hence
    P*_abs; mass* (Q,): what the expansion leaves out (0 without one).
    """

    P1: FloatArray
    R1: FloatArray
    P1_error: FloatArray
    mass1: FloatArray
    P2: FloatArray
    R2: FloatArray
    P2_error: FloatArray
    mass2: FloatArray
    Pq: FloatArray
    Rq: FloatArray
    Pq_error: FloatArray
    massq: FloatArray
    order: int | None
