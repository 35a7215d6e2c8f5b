"""Scores as polynomials in x = 1/M_ft at fixed frequencies: replacing every finetuning subject by r copies leaves all
f_u as they are and takes M_ft to r M_ft. Token scores of attributes and positions are affine in x, those of seen subjects
quadratic, because such a subject occurs with probability x and its own column of W_OV^rel has size x.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm


@dataclass(frozen=True)
class Quadratic:
    """c0 + c1 x + c2 x^2 with x = 1/M_ft."""

    c0: Fraction = Fraction(0)
    c1: Fraction = Fraction(0)
    c2: Fraction = Fraction(0)

    def __add__(self, other: "Quadratic") -> "Quadratic":
        return Quadratic(self.c0 + other.c0, self.c1 + other.c1, self.c2 + other.c2)

    def __sub__(self, other: "Quadratic") -> "Quadratic":
        return self + (-1) * other

    def __rmul__(self, factor: Fraction | int) -> "Quadratic":
        return Quadratic(factor * self.c0, factor * self.c1, factor * self.c2)

    def at(self, M_ft: int) -> Fraction:
        """The value at x = 1/M_ft."""
        x = Fraction(1, M_ft)
        return self.c0 + x * (self.c1 + x * self.c2)

    def corners(self) -> tuple[Fraction, Fraction, Fraction]:
        """Bernstein coefficients on 0 <= x <= 1: one polynomial is at least another there if all three are."""
        return self.c0, self.c0 + self.c1 / 2, self.c0 + self.c1 + self.c2

    def positive_from(self) -> int | None:
        """The least integer N >= 1 with a positive value at every integer M_ft >= N; None if there is none.

        With integers a, b, c proportional to c0, c1, c2 the sign is that of a M^2 + b M + c. The last integer at or
        below the larger root is (isqrt(b^2 - 4ac) - b) // (2a); it is a failure unless no integer lies between the roots.
        """
        scale = lcm(self.c0.denominator, self.c1.denominator, self.c2.denominator)
        a, b, c = (int(scale * k) for k in (self.c0, self.c1, self.c2))
        if a > 0:
            discriminant = b * b - 4 * a * c
            if discriminant < 0:
                return 1
            last = (isqrt(discriminant) - b) // (2 * a)
            return last + 1 if last >= 1 and (a * last + b) * last + c <= 0 else 1
        if a == 0 and b > 0:
            return max(1, -c // b + 1)
        return 1 if a == b == 0 and c > 0 else None


def least(polynomials: Iterable[Quadratic]) -> tuple[Quadratic, ...]:
    """Those that can be the least somewhere on 0 <= x <= 1: the rest is bounded below by one of them. O(k^2) at worst."""
    front: list[tuple[Fraction, Fraction, Fraction]] = []
    found = []
    for corners, candidate in sorted(((p.corners(), p) for p in set(polynomials)), key=lambda pair: pair[0]):
        if not any(kept[1] <= corners[1] and kept[2] <= corners[2] for kept in front):  # kept[0] <= corners[0] by order
            front.append(corners)
            found.append(candidate)
    return tuple(found)


def all_positive_from(polynomials: Iterable[Quadratic]) -> int | None:
    """The least N >= 1 such that all of them are positive at every integer M_ft >= N; None if there is none."""
    bound = 1
    for polynomial in polynomials:
        start = polynomial.positive_from()
        if start is None:
            return None
        bound = max(bound, start)
    return bound
