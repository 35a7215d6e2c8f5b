"""The softmax of the first step, reduced to the patterns of values over the finetuning subjects.

Both readings give column j of W_OV^subj the entry  base_v + 1[v is an attribute of s_j]  at value v (base_v = -1 in
reading "set", -N_v in "literal") and 0 at any other token.  The subject head is uniform over the m subjects, so with
n_v the number of subjects of the sequence that have v,

    f_v = exp(logit of v) = e^base_v b^n_v = e^base_v prod_k phi_v(x_k),   phi_v(x) = 1 + (b - 1) 1[x has v],   b = e^(1/m).

Only the pattern {x in F : x has v} matters: values of one pattern make one class, with the sum of their e^base as its
weight.  Values that no finetuning subject has, or all have, are constant and join the O = V - A tokens that are no
value: Z = O' + sum_c w_c f_c with f_c = b^n_c in [1, e].  Values with base < -60 (literal, more than 60 subjects) have
f_v <= e^-59; they are left out of Z: a relative error <= tail = A e^-59 / O of every probability.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified.rounding import FloatArray, exponential
from numerics.population.construction import initial_ov_subj
from numerics.world import World

DEEPEST = -60


@dataclass(frozen=True, eq=False)
class Patterns:
    """indicator (A', Q) of the classes over the finetuning subjects in ascending order, weights (A',), constant = O'.

    For every value: class_of (A,) its class, A' for a constant one, -1 for one left out; scale (A,) with
    pi_v = scale_v pi_class (1 rounding; for one left out an upper bound of f_v).  b, b - 1: 1 rounding each.
    """

    Q: int
    m: int
    indicator: FloatArray
    weights: FloatArray
    constant: float
    class_of: NDArray[np.int64]
    scale: FloatArray
    tail: float
    b: float
    b_less_1: float

    @property
    def rarest_sum(self) -> tuple[float, float]:
        """Smallest and largest over the subjects of the sum of the weights of their classes."""
        sums = self.weights @ self.indicator if len(self.weights) else np.zeros(self.Q)
        return float(sums.min()), float(sums.max())

    @property
    def least(self) -> float:
        """A lower bound of Z: b^n >= 1 + n (b - 1) and the sum over c of w_c n_c is one over the m subjects."""
        exact = self.constant + float(self.weights.sum()) + self.b_less_1 * self.m * self.rarest_sum[0]
        return exact * (1 - 1e-11)

    @property
    def largest(self) -> float:
        """An upper bound of Z: b^n <= 1 + n (e - 1) / m for 0 <= n <= m, and the sum as in `least`."""
        exact = self.constant + float(self.weights.sum()) + (math.e - 1) * self.rarest_sum[1]
        return exact * (1 + 1e-11)

    @property
    def own(self) -> float:
        """An upper bound of sum_v pi_v (n_v / m) over classes: an average over k of sum_{v of x_k} f_v / Z, f_c <= e w_c."""
        return min(1.0, self.rarest_sum[1] * math.e / self.least * (1 + 1e-11))


def patterns_of(world: World, n_demos: int, reading: str) -> Patterns:
    """The reduced first step.  Cost O(A M_ft log A)."""
    m, A, F = n_demos + 1, world.n_attributes, np.sort(world.finetune_array)
    base = (np.full(A, -1) if reading == "set" else -world.value_counts).astype(np.int64)
    has = initial_ov_subj(world, reading)[world.M : world.M + A, F] - base[:, None]
    others = world.V - A
    powers = {n: exponential(Fraction(n)) for n in {*base.tolist(), *(base + 1).tolist()} if n >= DEEPEST}
    total = has.sum(axis=1)
    kept, whole = base >= DEEPEST, total == len(F)
    constant = kept & ((total == 0) | whole)
    class_of, scale = np.full(A, -1, dtype=np.int64), np.full(A, math.exp(DEEPEST + 1))
    varying = np.flatnonzero(kept & ~constant)
    found, inverse = np.unique(has[varying], axis=0, return_inverse=True)
    class_of[varying] = inverse.ravel()
    class_of[constant] = len(found)
    exact = [Fraction(0)] * len(found) + [Fraction(others)]
    for v in np.flatnonzero(kept):
        weight = powers[int(base[v]) + int(whole[v])]
        exact[class_of[v]] += weight
        scale[v] = float(weight)
    return Patterns(
        Q=len(F),
        m=m,
        indicator=found.reshape(len(found), len(F)).astype(np.float64),
        weights=np.array([float(weight) for weight in exact[:-1]]),
        constant=float(exact[-1]),
        class_of=class_of,
        scale=scale,
        tail=float((~kept).sum()) * math.exp(DEEPEST + 1) / others,
        b=float(exponential(Fraction(1, m))),
        b_less_1=float(exponential(Fraction(1, m)) - 1),
    )
