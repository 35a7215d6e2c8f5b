"""The sharp condition on (M_ft, U, m, L): full window, reading "set", common U.

By the cases of theory.finetuning.conclusion.balanced, for L >= 2 and m >= 2 the conclusion holds iff the attribute
positions score at least as much as a seen query and, if there are held-out subjects, at least as much as a held-out
query; a context subject never scores more than a seen query, sep never more than an attribute. In units of
eta_kq_rel eta_ov / (w^2 L), with v what the updated W_OV^rel gives the target and vbar its mean over the window,

    v_a = (m-1)/U^2,   v_q = (1 + (m-1)/U)/M_ft,   v_c = m/(U M_ft),   v_sep = 0,
    attribute      (1 + (m-1)/(LU)) (v_a - vbar)
    held-out query (v_q - vbar)
    seen query     (v_q - vbar) (1 + 1/M_ft) + (m-1)(v_c - vbar)/M_ft.

Cleared of denominators, the held-out condition is linear in M_ft and the seen one quadratic, both with positive leading
and negative constant coefficient: each holds exactly from one threshold on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt

import sympy

from theory.derivation import Step
from theory.finetuning.balanced import balanced_coefficients
from theory.finetuning.conclusion.balanced import balanced_conclusion
from theory.onehot.classes import DirectionClass
from theory.rational import evaluate
from theory.symbols import L, M_ft, U, eta_ov, m


@dataclass(frozen=True)
class SharpCondition:
    """Polynomials in M_ft that are >= 0 exactly when attributes score at least as much as the rival.

    seen      rival: seen query (quadratic in M_ft)         M_ft_seen      its positive root
    heldout   rival: held-out query (linear in M_ft)        M_ft_heldout   its root
    context   rival: context subject (quadratic); implied by `seen`
    sep       attribute minus sep, positive for all m >= 2, U >= 1, L >= 1
    """

    seen: sympy.Expr
    heldout: sympy.Expr
    context: sympy.Expr
    sep: sympy.Expr
    M_ft_seen: sympy.Expr
    M_ft_heldout: sympy.Expr
    steps: tuple[Step, ...]

    def condition(self, heldout_exists: bool = True) -> sympy.Basic:
        """The condition as a SymPy relation, for L >= 2 and m >= 2."""
        return sympy.And(self.seen >= 0, self.heldout >= 0) if heldout_exists else sympy.Ge(self.seen, 0)


@cache
def sharp_condition() -> SharpCondition:
    """The sharp condition, with its proof steps checked symbolically. ArithmeticError if a check fails."""
    c = balanced_coefficients("kq_rel")
    attribute = c[DirectionClass.ATTRIBUTE] + c[DirectionClass.P_ATTRIBUTE]
    seen = _cleared(c[DirectionClass.SUBJECT_SEEN] + c[DirectionClass.P_QUERY] - attribute)
    heldout = _cleared(c[DirectionClass.P_QUERY] - attribute)
    context = _cleared(c[DirectionClass.SUBJECT_SEEN] + c[DirectionClass.P_CONTEXT] - attribute)
    sep = _cleared(c[DirectionClass.SEP] + c[DirectionClass.P_SEP] - attribute)
    query_context = _cleared(c[DirectionClass.P_CONTEXT] - c[DirectionClass.P_QUERY])
    _check(sympy.Poly(heldout, M_ft).degree() == 1, "the held-out condition is linear in M_ft")
    for name, polynomial in (("seen", seen), ("held-out", heldout), ("context", context)):
        coefficients = sympy.Poly(polynomial, M_ft).all_coeffs()
        _check(_positive(coefficients[0], strict=True), f"{name}: positive leading coefficient")
        _check(_positive(-coefficients[-1], strict=True), f"{name}: negative constant coefficient")
    _check(_positive(sep, strict=True), "an attribute scores more than sep")
    _check(_positive(query_context, strict=False), "a context subject never scores more than a seen query")
    a, b, constant = sympy.Poly(seen, M_ft).all_coeffs()
    slope, offset = sympy.Poly(heldout, M_ft).all_coeffs()
    root = (-b + sympy.sqrt(sympy.factor(b**2 - 4 * a * constant))) / (2 * a)
    steps = (
        Step("Held-out query", "The score difference times a positive factor.", rf"{sympy.latex(heldout)} \ge 0"),
        Step("Seen query", "The score difference times a positive factor.", rf"{sympy.latex(seen)} \ge 0"),
        Step("Context", "The query's position gains more than a context's.", rf"{sympy.latex(query_context)} \ge 0"),
        Step("Sep", "All coefficients are positive after m = 2 + x, U = 1 + y, L = 1 + z.", rf"{sympy.latex(sep)} > 0"),
        Step(
            "Thresholds",
            "Positive leading and negative constant coefficient: one positive root; the condition holds from it on.",
            rf"M_{{ft}} \ge \max\left({sympy.latex(sympy.factor(-offset / slope))}, {sympy.latex(root)}\right)",
        ),
    )
    return SharpCondition(seen, heldout, context, sep, root, sympy.factor(-offset / slope), steps)


def _cleared(difference: sympy.Expr) -> sympy.Expr:
    """Multiply by the positive L^2 M_ft^2 U^3 (3m-1)^3 / eta_ov, then divide by common positive monomials."""
    polynomial = sympy.cancel(difference * L**2 * M_ft**2 * U**3 * (3 * m - 1) ** 3 / eta_ov)
    for symbol in (M_ft, L, U):
        while sympy.rem(polynomial, symbol, symbol) == 0:
            polynomial = sympy.cancel(polynomial / symbol)
    return sympy.expand(polynomial)


def _positive(polynomial: sympy.Expr, strict: bool) -> bool:
    """Whether it is >= 0 (> 0 if strict) for m >= 2 and U, L, M_ft >= 1, shown by the signs of its coefficients
    after m = 2 + x, U = 1 + y, L = 1 + z, M_ft = 1 + t: all >= 0, and the constant one > 0 if strict."""
    x, y, z, t = sympy.symbols("x y z t")
    shifted = sympy.expand(polynomial.subs({m: 2 + x, U: 1 + y, L: 1 + z, M_ft: 1 + t}, simultaneous=True))
    coefficients = sympy.Poly(shifted, x, y, z, t)
    return all(c >= 0 for c in coefficients.coeffs()) and (not strict or coefficients.nth(0, 0, 0, 0) > 0)


def _check(truth: bool, statement: str) -> None:
    if not truth:
        raise ArithmeticError(f"proof step fails: {statement}")


def sharp_M_ft(
    M: int,
    L: int,
    U: int | tuple[int, ...],
    m: int,
    window: int | None = None,
    eta_ov: Fraction | None = None,
    eta_kq_rel: Fraction | None = None,
    reading: str = "set",
) -> int | None:
    """The smallest integer M_ft, max(U) <= M_ft <= M, for which the conclusion holds; None if there is none.

    Common U, m >= 2, L U >= 2 and none of the optional parameters: O(1), from the thresholds of sharp_condition. At
    M_ft = M only the seen query counts, as no subject is left to hold out: a result of M says that no M_ft < M suffices,
    which is what the theorem asks for. With L = 1 a seen query is always answered (attended alone or with attributes,
    its own value wins); a held-out one is iff attributes score at least as much as it and more than a context subject
    (an attended context subject that misses the target is outweighed only for small eta_ov).
    Otherwise every M_ft is decided exactly by balanced_conclusion, O(M), and nothing is assumed to be monotone.
    Raises ValueError for parameters out of range.
    """
    values = (U,) * L if isinstance(U, int) else tuple(U)
    if not values or len(values) != L:
        raise ValueError(f"U = {U}: it needs one entry per type (L = {L}, valid are integers >= 1)")
    if M < 1 or m < 1 or min(values) < 1:
        raise ValueError(f"M, m, U = {M}, {m}, {U}: valid are integers >= 1")
    if max(values) > M:
        return None
    plain = (window, eta_ov, eta_kq_rel, reading) == (None, None, None, "set")
    if plain and len(set(values)) == 1 and m >= 2 and L * values[0] >= 2:
        return _from_thresholds(M, L, values[0], m)
    for candidate in range(max(values), M + 1):
        if balanced_conclusion(M, L, values, candidate, m, window, eta_ov, eta_kq_rel, reading=reading).holds:
            return candidate
    return None


def _from_thresholds(M: int, L_: int, U_: int, m_: int) -> int | None:
    values = {L: L_, U: U_, m: m_}
    condition = sharp_condition()
    seen = max(U_, _threshold(condition.seen, values)) if L_ >= 2 else U_
    both = max(seen, _threshold(condition.heldout, values))
    if L_ == 1:
        both = max(both, _threshold(condition.context - 1, values))
    if both <= M:
        return both
    return M if seen <= M else None


def _threshold(polynomial: sympy.Expr, values: Mapping[sympy.Symbol, int]) -> int:
    """Smallest integer k >= 1 with polynomial(M_ft = k) >= 0, by the sign pattern proved in sharp_condition.

    The polynomials have integer coefficients, so p > 0 is p - 1 >= 0, which has the same sign pattern.
    """
    coefficients = [int(evaluate(c, values)) for c in sympy.Poly(polynomial, M_ft).all_coeffs()]
    if len(coefficients) == 2:
        slope, offset = coefficients
        return max(1, -(offset // slope))
    a, b, constant = coefficients
    start = max(1, (-b + isqrt(b * b - 4 * a * constant)) // (2 * a) - 1)
    return next(k for k in range(start, start + 4) if (a * k + b) * k + constant >= 0)
