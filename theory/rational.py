"""Rational functions with integer coefficients, compiled once to plain Python and evaluated in exact arithmetic."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache

import sympy

Number = int | Fraction


@cache
def _compiled(expression: sympy.Expr) -> tuple[tuple[sympy.Symbol, ...], Callable[..., Number], Callable[..., Number]]:
    numerator, denominator = sympy.fraction(sympy.together(expression))
    variables = tuple(sorted(expression.free_symbols, key=lambda s: s.name))
    polynomials = []
    for part in (sympy.expand(numerator), denominator):
        if not part.is_polynomial(*variables) or any(not c.is_Integer for c in part.atoms(sympy.Number)):
            raise ValueError(f"expression = {expression}: a rational function with rational coefficients is needed")
        polynomials.append(sympy.lambdify(variables, part, modules=[]))
    return variables, polynomials[0], polynomials[1]


def evaluate(expression: sympy.Expr, values: Mapping[sympy.Symbol, Number]) -> Fraction:
    """Exact value of a rational function at rational points; the expression is compiled on its first use.

    Raises ValueError if the expression is not a rational function or a symbol has no value.
    """
    variables, numerator, denominator = _compiled(expression)
    missing = [s.name for s in variables if s not in values]
    if missing:
        raise ValueError(f"values: no value for {missing}; the expression needs {[s.name for s in variables]}")
    point = [values[s] for s in variables]
    return Fraction(numerator(*point)) / Fraction(denominator(*point))
