"""Rounding errors counted in units of u = 2^-53, and exponentials with a known error.

Higham's lemma: a product of n factors (1 + d_i)^(+1 or -1) with |d_i| <= u is 1 + t with |t| <= gamma(n) = n u / (1 - n u).
So a number that is made of positive parts by n roundings, divisions and sums included, is known to a relative
gamma(n), and counts add where such numbers are multiplied, divided or used as parts.  The sum of a GEMM of inner dimension
n over positive products costs n, whatever the order of the summation and with or without fused multiply-add.  (An
emulated or Strassen-like float64 GEMM would not obey this; torch uses none by default.)

An underflow loses up to 2^-1074 instead of a relative u.  Nothing that follows multiplies it by more than exp(LARGEST)
and a number of sequences, so FLOOR, an absolute error of a probability, covers all of them.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

UNIT = 2.0**-53
# Largest logit, above that of a token that is no value, whose exponential enters a sum.
LARGEST = 300.0
FLOOR = 1e-160
# The radii are themselves computed in float64, by fewer than 1e5 roundings of positive terms.
OUTWARD = 1.0 + 1e-10
# Counts of exp: Arb's ball of 80 bits rounded once, in whichever direction (2 u and a little); numpy's, assumed good to 4 ulp.
ARB_COUNT, NUMPY_COUNT = 3, 8
# Exponentials whose arguments are Python objects at one time.
CHUNK = 1 << 16
# Count of `weight`.
WEIGHT_COUNT = 3


def gamma(count: float) -> float:
    """n u / (1 - n u).  Raises ValueError for a count so large that the bound says nothing."""
    if not 0 <= count * UNIT < 0.01:
        raise ValueError(f"count must be between 0 and {0.01 / UNIT:.2g} roundings for a bound to hold, got {count}")
    return count * UNIT / (1 - count * UNIT)


def exponentials(terms: FloatArray, divisors: FloatArray) -> tuple[FloatArray, float]:
    """(exp(sum_i terms[i] / divisors[i]) for terms (n, ...), a count of its relative error in units of u).

    Floats in, taken as exact.  With python-flint the sum is a ball of 80 bits and the result is proven; without it numpy's
    exp is ASSUMED good to 4 ulp and the error of the sum is bounded.  Cost: one exponential per entry.
    """
    try:
        from flint import arb, ctx
    except ImportError:
        parts = [t / d for t, d in zip(terms, divisors, strict=True)]
        # Each part is rounded once, each partial sum once more.
        absolute = float(sum(np.abs(p) for p in parts).max()) if parts[0].size else 0.0
        return np.exp(sum(parts)), NUMPY_COUNT + math.ceil((len(parts) + 1) * absolute) + 1
    before = ctx.prec
    ctx.prec = 80
    try:
        scales = [arb(float(d)) for d in divisors]
        made = np.empty(terms[0].size, dtype=np.float64)
        flat = terms.reshape(len(terms), -1)
        for start in range(0, made.size, CHUNK):
            rows = zip(*flat[:, start : start + CHUNK].tolist(), strict=True)
            arguments = (sum((arb(t) / d for t, d in zip(row, scales, strict=True)), arb(0)) for row in rows)
            made[start : start + CHUNK] = [float(argument.exp()) for argument in arguments]
    finally:
        ctx.prec = before
    return made.reshape(terms.shape[1:]), ARB_COUNT


def weight(multiplicities: NDArray, size: int) -> FloatArray:
    """multiplicities / size for integers, with a count of WEIGHT_COUNT (both to float, division); size a Python int."""
    if multiplicities.dtype == object:
        return np.array([float(Fraction(int(n), size)) for n in multiplicities], dtype=np.float64)
    return multiplicities.astype(np.float64) / float(size)
