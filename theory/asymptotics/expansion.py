"""Leading term, exact remainder and its order: what "approximately" means.

A regime gives every growing symbol a power of one scale t -> infinity (m: 1, M_ft: 2 reads m ~ t, M_ft ~ t^2; symbols
that are not named stay fixed). For a rational function the leading term is the ratio of the leading coefficients in t,
the remainder is the exact difference, and remainder / leading is of order t^(-order). The statement is generic: where
the leading coefficient vanishes (e.g. at M_ft = 2U) the remainder leads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

_SCALE = sympy.Symbol("t", positive=True)


@dataclass(frozen=True)
class Expansion:
    """expression = leading + remainder exactly; in the regime, remainder = O(leading * t^-order).

    order is None if the remainder is zero. `limit` is the statement in LaTeX.
    """

    name: str
    expression: sympy.Expr
    leading: sympy.Expr
    remainder: sympy.Expr
    order: int | None
    regime: Mapping[sympy.Symbol, int]
    limit: str

    def verified(self) -> bool:
        """Leading + remainder is the expression, and remainder/leading t^order has a finite, non-zero limit."""
        exact = sympy.cancel(self.leading + self.remainder - self.expression) == 0
        if self.order is None:
            return exact and sympy.cancel(self.remainder) == 0
        relative = scaled(sympy.cancel(self.remainder / self.leading), self.regime)
        value = sympy.limit(sympy.cancel(relative * _SCALE**self.order), _SCALE, sympy.oo)
        return bool(exact and value.is_finite is not False and value != 0)

    def relative_remainder(self) -> sympy.Expr:
        """remainder / leading, to be evaluated at concrete settings."""
        return sympy.factor(self.remainder / self.leading)


def scaled(expression: sympy.Expr, regime: Mapping[sympy.Symbol, int]) -> sympy.Expr:
    """Replace every growing symbol s by s t^power."""
    return expression.subs({s: s * _SCALE**power for s, power in regime.items()}, simultaneous=True)


def expand(name: str, expression: sympy.Expr, regime: Mapping[sympy.Symbol, int]) -> Expansion:
    """Leading term and exact remainder of a rational function in a regime.

    Raises ValueError for an empty regime or an expression that is zero or not rational in the growing symbols.
    """
    if not regime or min(regime.values()) < 1:
        raise ValueError(f"regime = {dict(regime)}: give every growing symbol a power >= 1")
    if expression == 0 or not expression.is_rational_function(*regime):
        raise ValueError(f"expression = {expression}: a non-zero rational function of {list(regime)} is needed")
    leading, degree = _leading(expression, regime)
    remainder = sympy.factor(expression - leading)
    order = None if remainder == 0 else degree - _leading(remainder, regime)[1]
    growth = ", ".join(rf"{sympy.latex(s)} \sim t^{{{power}}}" for s, power in regime.items())
    tail = "" if order is None else rf" \left(1 + O(t^{{-{order}}})\right)"
    return Expansion(
        name, expression, leading, remainder, order, regime, rf"{sympy.latex(leading)}{tail},\quad {growth} \to \infty"
    )


def _leading(expression: sympy.Expr, regime: Mapping[sympy.Symbol, int]) -> tuple[sympy.Expr, int]:
    """(leading term with t = 1, degree in t)."""
    parts = sympy.fraction(sympy.cancel(scaled(sympy.together(expression), regime)))
    top, bottom = (sympy.Poly(part, _SCALE) for part in parts)
    return sympy.factor(top.LC() / bottom.LC()), int(top.degree() - bottom.degree())
