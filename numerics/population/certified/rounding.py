"""A priori bounds of float64 rounding: counted relative errors, exponentials with a proven error, sums of products.

Unit roundoff u = 2^-53.  A number that is reached from exact ones by n roundings, every one a factor 1 + d with
|d| <= u, and by additions of numbers of ONE sign only, carries a relative error of at most gamma_n = n u / (1 - n u)
(Higham, Lemma 3.1).  A sum of n such products has n roundings whatever the order of summation, with or without FMA;
this holds for every matrix product that sums products (no Strassen-like scheme), as those of torch in float64 do.
Adding an exact 0 and multiplying by an exact 0 or 1 round nothing, so zeros do not count.

Radii are themselves computed in float64 from non-negative terms, with far fewer than 2^30 roundings: the factor
1 + 1e-6 of `outward` makes them upper bounds, and 1e-290 covers what underflows (products stay above it by far).
"""

import math
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.float64]

UNIT = 2.0**-53
# Roundings of the sum of a Taylor series of degree 12 for |x| <= 1/8, see `exponentials`.
SERIES = 4


def gamma(count: float) -> float:
    """gamma_count = n u / (1 - n u), the relative error of `count` roundings.  Raises ValueError above 2^50."""
    if not 0 <= count < 2**50:
        raise ValueError(f"count must be a number of roundings in 0..2^50, got {count!r}")
    return count * UNIT / (1.0 - count * UNIT) * (1 + 1e-12)


def outward(radius: FloatArray) -> FloatArray:
    """A computed radius as an upper bound: see the module.  0 stays 0: nothing was added to an exact 0."""
    return np.where(radius == 0, 0.0, radius * (1 + 1e-6) + 1e-290)


def relative(value: FloatArray, radius: FloatArray) -> float:
    """Largest radius over largest |value|: 0 for radius 0, inf or nan where nothing is known."""
    largest, most = float(np.abs(value).max()), float(radius.max())
    return 0.0 if most == 0 else (most / largest if largest else math.inf)


def exponential(x: Fraction) -> Fraction:
    """exp(x) for |x| <= 700 as a rational with relative error < 1e-40; its float64 is within 1.001 u of exp(x).

    Taylor series at x / 2^s with |x / 2^s| <= 1 up to degree 50 (the rest is below 1/50!), squared s times; the
    partial results are cut to 400 bits.
    """
    s = max(0, math.ceil(abs(x))).bit_length()
    y, term, total = x / 2**s, Fraction(1), Fraction(1)
    for n in range(1, 51):
        term = term * y / n
        total += term
    for _ in range(s):
        total *= total
        shift = max(1, 400 - (total.numerator.bit_length() - total.denominator.bit_length()))
        total = Fraction(total.numerator * 2**shift // total.denominator, 2**shift)
    return total


def exponentials(x: Tensor) -> tuple[Tensor, int]:
    """exp of every entry of a float64 tensor, and the number n of roundings: relative error <= gamma_n.

    No library function is trusted: y = x / 2^s is exact with |y| <= 1/8; the Taylor series of degree 12 leaves out less
    than 8^-13 / 13! < u / 10^5.  Horner p_n = 1 + (y / n) p_{n+1} multiplies the error of p_{n+1} by less than |y / n| <=
    1/8 (1 + 2/7), adds 2 roundings times the same and one of the sum: in all less than 4 u.  Each of the s squarings
    doubles the count and adds one.  Cost 12 + s passes.
    """
    largest = float(x.abs().max()) if x.numel() else 0.0
    s = 0 if largest <= 0.125 else math.ceil(math.log2(largest * 8) + 1e-9)
    y, p, count = x * 2.0**-s, torch.ones_like(x), SERIES
    for n in range(12, 0, -1):
        p = 1 + (y / n) * p
    for _ in range(s):
        p, count = p * p, 2 * count + 1
    return p, count


def power(base: Tensor, n: int) -> Tensor:
    """base^n, n >= 0, elementwise by repeated multiplication: at most n - 1 roundings besides n times those of base."""
    if n == 0:
        return torch.ones_like(base)
    result = None
    while True:
        if n & 1:
            result = base if result is None else result * base
        n >>= 1
        if not n:
            assert result is not None
            return result
        base = base * base


class Accumulator:
    """A sum of blocks of one sign, compensated (two-sum): 3 roundings besides those of the blocks, below 2^40 blocks."""

    def __init__(self, like: Tensor) -> None:
        self.total = torch.zeros_like(like)
        self.lost = torch.zeros_like(like)

    def add(self, term: Tensor) -> None:
        """Adds a block of the same shape."""
        new = self.total + term
        back = new - self.total
        self.lost += (self.total - (new - back)) + (term - back)
        self.total = new

    def value(self) -> Tensor:
        """The sum."""
        return self.total + self.lost


def pairwise(rows: Tensor) -> Tensor:
    """The sum over the last axis, halved again and again: ceil(log2 length) roundings."""
    while rows.shape[-1] > 1:
        half = rows.shape[-1] // 2
        rest = rows[..., 2 * half :]
        rows = torch.cat([rows[..., :half] + rows[..., half : 2 * half], rest], dim=-1)
    return rows[..., 0]
