"""How large is "sufficiently large beta": the infimum of the beta such that every sequence is right for every larger one.

Two routes, each from the margin functions of the population (numerics.constructions.margins).

    bisection   float64: the last failing point of a grid over [0, highest], then bisection to the tolerance.  The grid
                beyond the result is the check that nothing fails again there.
    certified   every margin has the sign of an integer polynomial P(e^beta).  It is positive for all large beta exactly
                if its leading coefficient is positive, and from its largest real root on.  Roots are isolated in balls;
                a function is set aside when the coefficients of P(x_0 + y) prove it positive from x_0 on.

Both return None when the limit beta = inf fails or ties (some margin of the limit is <= 0).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq, fmpz, fmpz_poly

from numerics.arguments import checked_integer, checked_real
from numerics.constructions.margins import Margins


@dataclass(frozen=True, eq=False)
class Threshold:
    """beta: the infimum of the beta >= 0 above which every sequence is right; at beta itself some sequence is not.

    lower, upper: bounds of the true infimum, certified or of the bisection.  always: every sequence is right at
    every beta >= 0, also at 0; then beta = 0.  worst: the margin function that decides (index into the Margins), None if
    always.
    """

    beta: float
    lower: float
    upper: float
    certified: bool
    always: bool
    worst: int | None


def limit_margins(margins: Margins) -> list[Fraction]:
    """The K margins at beta = inf, exact: at its top occupied level, every head is uniform.  Cost O(K H C)."""
    K, H, C = margins.keys.shape
    top = np.where(margins.keys > 0, np.arange(C), -1).max(axis=2)
    out = []
    for k in range(K):
        total = Fraction(0)
        for h in range(H):
            c = top[k, h]
            total += Fraction(
                int(margins.difference[k, h, c]), int(margins.keys[k, h, c]) * int(margins.ov_denominators[h])
            )
        out.append(total)
    return out


def bisected_threshold(
    margins: Margins, tolerance: float = 1e-6, highest: float = 64.0, points: int = 4097
) -> Threshold | None:
    """The threshold by grid and bisection in float64; None when the limit fails or ties.

    A failure between two grid points that are both right stays unseen: the certified route does not have this gap.
    Raises ValueError for tolerance or highest <= 0, points < 2, or a failure at `highest` itself.
    Cost O((points + log(1/tolerance)) K H C).
    """
    tolerance = checked_real("tolerance", tolerance, positive=True)
    highest = checked_real("highest", highest, positive=True)
    if min(limit_margins(margins)) <= 0:
        return None
    # A true tie at a finite beta may round to a tiny positive number.
    slack = 1e-13 * max(1, int(np.abs(margins.difference).max()))
    grid = np.linspace(0.0, highest, checked_integer("points", points, 2))
    fails = margins.least(grid) <= slack
    if not fails.any():
        return Threshold(0.0, 0.0, 0.0, False, True, None)
    last = int(np.flatnonzero(fails)[-1])
    if last == len(grid) - 1:
        raise ValueError(f"highest must be a beta at which every sequence is right, got {highest}")
    low, high = float(grid[last]), float(grid[last + 1])
    while high - low > tolerance:
        middle = (low + high) / 2
        if margins.at(middle).min() <= slack:
            low = middle
        else:
            high = middle
    return Threshold((low + high) / 2, low, high, False, False, int(margins.at(low).argmin()))


def _no_root_from(P: fmpz_poly, x_0: Fraction) -> bool:
    """Whether P is proved positive on [x_0, inf): P(x_0 + y) has no negative coefficient and a positive constant one."""
    # x_0 = p/q and z = q y:  q^degree P((p + z)/q) has integer coefficients in z.
    degree, q = P.degree(), fmpz(x_0.denominator)
    scaled = fmpz_poly([c * q ** (degree - k) for k, c in enumerate(P.coeffs())])
    moved = scaled(fmpz_poly([x_0.numerator, 1])).coeffs()
    return bool(moved) and moved[0] > 0 and all(c >= 0 for c in moved)


def _without_root_at_one(P: fmpz_poly) -> fmpz_poly:
    """P divided by (x - 1) as often as possible: a zero at beta = 0 exactly is no zero above it."""
    while P.degree() > 0 and P(fmpz(1)) == 0:
        P = P // fmpz_poly([-1, 1])
    return P


def _roots_above_one(P: fmpz_poly) -> list[arb]:
    """Balls of the real roots x > 1, at the current precision.  Raises ArithmeticError if one cannot be told from 1."""
    pairs: list[Any] = P.complex_roots()  # (root, multiplicity); the imaginary parts of real roots are exactly zero
    real = [root.real for root, _ in pairs if root.imag == 0]
    unclear = [root for root in real if not (root < 1 or root > 1)]
    if unclear:
        raise ArithmeticError(f"roots {unclear} cannot be told from 1 at {ctx.prec} bits")
    return [root for root in real if root > 1]


def certified_threshold(margins: Margins, bits: int = 128) -> Threshold | None:
    """The threshold with certified bounds; None when the limit fails or ties.

    Raises ArithmeticError if `bits` do not suffice to tell a root from 1.  Cost: float64 screening, exact Taylor shifts
    of K polynomials of degree <= H (C - 1), and root isolation for those that may have a root above the screen.
    """
    if min(limit_margins(margins)) <= 0:
        return None
    rough = bisected_threshold(margins)
    assert rough is not None  # the limit is positive
    polynomials = [margins.polynomial(k) for k in range(len(margins.keys))]
    screen = Fraction(max(1.0, math.exp(max(rough.beta - 1e-5, 0.0))))
    with ctx.workprec(checked_integer("bits", bits, 2)):
        # The screen only saves work: if nothing decides above it, everything above 1 is looked at.
        for x_0 in sorted({screen, Fraction(1)}, reverse=True):
            left = [k for k, P in enumerate(polynomials) if not _no_root_from(P, x_0)]
            roots = [(root, k) for k in left for root in _roots_above_one(_without_root_at_one(polynomials[k]))]
            above = [(root.log(), k) for root, k in roots if root > fmpq(x_0.numerator, x_0.denominator)]
            if above:
                mid, worst = max(((float(beta.mid()), k) for beta, k in above), key=lambda pair: pair[0])
                lower = max(math.nextafter(float(beta.lower()), -math.inf) for beta, _ in above)
                upper = max(math.nextafter(float(beta.upper()), math.inf) for beta, _ in above)
                return Threshold(mid, lower, upper, True, False, worst)
    at_zero = [k for k, P in enumerate(polynomials) if P(fmpz(1)) <= 0]
    return Threshold(0.0, 0.0, 0.0, True, not at_zero, at_zero[0] if at_zero else None)


def finite_threshold(margins: Margins) -> float | None:
    """The infimum of the beta >= 0 above which every sequence is right at every FINITE beta, whatever happens at beta = inf;
    None if some sequence is not right for large finite beta.  Differs from the other two only where the limit ties.

    Raises ArithmeticError if a root cannot be told from 1.  Cost: bisected_threshold, or root isolation of every polynomial.
    """
    limits = limit_margins(margins)
    if min(limits) > 0:
        found = bisected_threshold(margins)
        assert found is not None  # the limit is positive
        return found.beta
    if min(limits) < 0:
        return None
    polynomials = [margins.polynomial(k) for k in range(len(margins.keys))]
    if any(P.degree() < 0 or P.coeffs()[-1] < 0 for P in polynomials):
        return None
    with ctx.workprec(128):
        roots = [root for P in polynomials for root in _roots_above_one(_without_root_at_one(P))]
        return max((float(root.log().mid()) for root in roots), default=0.0)
