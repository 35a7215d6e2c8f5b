"""Means over the types as symbols, so that a coefficient that is summed over the types becomes a closed formula.

A coefficient of a table is sum_l [polynomial in P_2(l) and f_s(l)], f_s the frequency of the subject's own value:

    sum_l P_2^a f_s^b = L * mean(P_2^a f_s^b),   with   mean(f_s) = fbar_s,   mean(P_2) etc. written with an overline.
"""

import sympy

from theory.onehot.coefficient import Coefficient
from theory.symbols import L, U, f_s, f_u, full_window, power_sum

P_2 = power_sum(2)


def mean(power: int, own: str = "") -> sympy.Symbol:
    """mean over types of P_2^power, times the frequency of the own value of the subject named `own` if that is given."""
    squared = {0: "", 1: "P_2", 2: "P_2^2"}[power]
    if not own:
        return sympy.Symbol(rf"\overline{{{squared}}}", positive=True)
    return sympy.Symbol(rf"\overline{{{squared} f}}_{own}" if squared else rf"\bar{{f}}_{own}", positive=True)


def averaged(coefficient: Coefficient, own: str = "s") -> sympy.Expr:
    """A coefficient in the full window; if it is summed over the types, in means, the subject in question named `own`.

    Raises ValueError if a monomial of the coefficient has no mean here (a power of f_s, or more than P_2^2).
    """
    expression = coefficient.at(full_window()).expression
    if not coefficient.summed_over_types:
        return expression
    total = sympy.Integer(0)
    for (power, owned), factor in sympy.Poly(sympy.expand(expression), P_2, f_s).terms():
        if power > 2 or owned > 1:
            raise ValueError(f"coefficient = {expression}: no mean of P_2^{power} f_s^{owned}")
        total += factor * L * (mean(power, own if owned else "") if power or owned else 1)
    return sympy.factor(total)


def at_balance(expression: sympy.Expr) -> sympy.Expr:
    """All frequencies 1/U: every mean and every frequency becomes a power of 1/U."""
    values = {f_u: 1 / U, f_s: 1 / U, P_2: 1 / U, mean(1): 1 / U, mean(2): 1 / U**2}
    for own in ("q", "x", "j", "s"):
        values |= {mean(0, own): 1 / U, mean(1, own): 1 / U**2}
    return sympy.factor(expression.subs(values, simultaneous=True))
