"""Arrays of exact rationals: integer numerators over one common denominator."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Rational:
    """numerators / denominator: an array of Python ints (dtype object) over a positive int."""

    numerators: NDArray[np.object_]
    denominator: int

    @staticmethod
    def of(numerators: NDArray, denominator: int) -> "Rational":
        """The array in lowest common terms, so that equal arrays have equal fields."""
        integers = np.array([int(n) for n in numerators.ravel()], dtype=object).reshape(numerators.shape)
        common = math.gcd(denominator, *set(integers.ravel().tolist()))
        return Rational(integers // common, denominator // common)

    def times(self, factor: Fraction) -> "Rational":
        """The array times a rational number."""
        return Rational.of(self.numerators * factor.numerator, self.denominator * factor.denominator)

    def equals(self, other: "Rational") -> bool:
        """Exact equality of all entries."""
        same = self.numerators.shape == other.numerators.shape and self.denominator == other.denominator
        return same and bool(np.all(self.numerators == other.numerators))

    @property
    def fractions(self) -> NDArray[np.object_]:
        """The entries as an array of fractions.Fraction (dtype object)."""
        made = {n: Fraction(n, self.denominator) for n in set(self.numerators.ravel().tolist())}
        flat = np.array([made[n] for n in self.numerators.ravel().tolist()], dtype=object)
        return flat.reshape(self.numerators.shape)

    @property
    def floats(self) -> NDArray[np.float64]:
        """The entries in float64, each correctly rounded."""
        made = {n: n / self.denominator for n in set(self.numerators.ravel().tolist())}
        flat = np.array([made[n] for n in self.numerators.ravel().tolist()], dtype=np.float64)
        return flat.reshape(self.numerators.shape)
