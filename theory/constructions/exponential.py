"""Exponential polynomials sum_n c_n e^(x_n beta), exact coefficients and exponents, and all their roots.

Cleared of softmax denominators, the margin of a model whose scores are beta times rationals is one of these. Divided by
its lowest exponential and differentiated, it loses a term, and by Rolle its roots are separated by those of the result:
so all roots are found by recursion, and none is missed. After a substitution b = e^beta, integer exponents make it an
ordinary polynomial; its number of positive roots is bounded by its sign changes (Descartes; also for real exponents).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import mpmath

DIGITS = 50


@dataclass(frozen=True)
class ExponentialPolynomial:
    """Terms (exponent, coefficient), exponents increasing, no zero coefficients; built by `of`."""

    terms: tuple[tuple[Fraction, Fraction], ...]

    @classmethod
    def of(cls, terms: Mapping[int | Fraction, int | Fraction]) -> ExponentialPolynomial:
        return cls(tuple(sorted((Fraction(x), Fraction(c)) for x, c in terms.items() if c)))

    @classmethod
    def power(cls, exponent: int | Fraction, coefficient: int | Fraction = 1) -> ExponentialPolynomial:
        """coefficient * e^(exponent beta)."""
        return cls.of({exponent: coefficient})

    def __add__(self, other: ExponentialPolynomial) -> ExponentialPolynomial:
        total: dict[int | Fraction, int | Fraction] = dict(self.terms)
        for x, c in other.terms:
            total[x] = total.get(x, Fraction(0)) + c
        return self.of(total)

    def __mul__(self, other: ExponentialPolynomial) -> ExponentialPolynomial:
        total: dict[int | Fraction, int | Fraction] = {}
        for x, c in self.terms:
            for z, d in other.terms:
                total[x + z] = total.get(x + z, Fraction(0)) + c * d
        return self.of(total)

    def __rmul__(self, factor: int | Fraction) -> ExponentialPolynomial:
        return self.of({x: Fraction(factor) * c for x, c in self.terms})

    def __sub__(self, other: ExponentialPolynomial) -> ExponentialPolynomial:
        return self + (-1) * other

    @property
    def leading(self) -> Fraction:
        """Coefficient of the largest exponent: the sign for all large beta (0 for the empty sum)."""
        return self.terms[-1][1] if self.terms else Fraction(0)

    @property
    def sign_changes(self) -> int:
        """Upper bound of the number of real roots, of the same parity (with multiplicity)."""
        signs = [c > 0 for _, c in self.terms]
        return sum(a != b for a, b in pairwise(signs))

    @property
    def positive(self) -> bool:
        """Whether it is positive at every real beta."""
        mirrored = self.of({-x: c for x, c in self.terms})
        return self.value(mpmath.mpf(0)) > 0 and not self.roots() and not mirrored.roots()

    def value(self, beta: mpmath.mpf) -> mpmath.mpf:
        return mpmath.fsum(_number(c) * mpmath.exp(_number(x) * beta) for x, c in self.terms)

    def roots(self, lower: float = 0.0) -> tuple[mpmath.mpf, ...]:
        """All roots beta > lower, increasing, to about 40 digits; a double root counts once. O(n^2) searches."""
        with mpmath.workdps(DIGITS):
            return tuple(self._roots(mpmath.mpf(lower)))

    def _roots(self, lower: mpmath.mpf) -> list[mpmath.mpf]:
        if len(self.terms) < 2 or self.sign_changes == 0:
            return []
        base = self.terms[0][0]
        derivative = self.of({x - base: (x - base) * c for x, c in self.terms})
        turning = derivative._roots(lower)
        points = [lower, *turning, max(self._bound(), lower, *turning) + 1]
        found = [x for x in turning if self._vanishes(x)]
        for left, right in pairwise(points):
            if self._vanishes(left) or self._vanishes(right) or self.value(left) * self.value(right) > 0:
                continue
            found.append(self._crossing(left, right))
        return sorted(found)

    def _vanishes(self, beta: mpmath.mpf) -> bool:
        size = mpmath.fsum(abs(_number(c)) * mpmath.exp(_number(x) * beta) for x, c in self.terms)
        return abs(self.value(beta)) <= size * mpmath.mpf(10) ** (10 - DIGITS)

    def _bound(self) -> mpmath.mpf:
        """Beyond this beta the leading term outweighs all others."""
        others = sum(abs(c) for _, c in self.terms[:-1])
        gap = self.terms[-1][0] - self.terms[-2][0]
        return max(mpmath.mpf(0), mpmath.log(_number(others / abs(self.leading))) / _number(gap))

    def _crossing(self, left: mpmath.mpf, right: mpmath.mpf) -> mpmath.mpf:
        """The root between two points of opposite sign: false position, accepted where the sign changes within its error,
        else bisection."""
        terms = [(_number(x), _number(c)) for x, c in self.terms]

        def value(beta: mpmath.mpf) -> mpmath.mpf:
            return mpmath.fsum(c * mpmath.exp(x * beta) for x, c in terms)

        rising = value(right) > 0
        near = mpmath.mpf(10) ** (8 - DIGITS) * max(1, abs(right))
        guess = mpmath.findroot(value, (left, right), solver="illinois", tol=mpmath.mpf(10) ** -DIGITS, verify=False)
        low, high = max(left, guess - near), min(right, guess + near)
        if not (low < high and (value(low) > 0) != rising and (value(high) > 0) == rising):
            low, high = left, right
        while high - low > near / 1000:
            middle = (low + high) / 2
            if (value(middle) > 0) == rising:
                high = middle
            else:
                low = middle
        return (low + high) / 2


def _number(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator
