"""Reading a tensor along given directions, as a SymPy expression in frequencies and power sums."""

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from theory.onehot.direction import Delta, Direction, Frequency, PowerSum
from theory.onehot.index import Attribute, Type, Value
from theory.onehot.tensor import Tensor, contract, vector
from theory.symbols import L, U, f_s, f_u, f_v, n_q, power_sum


@dataclass(frozen=True)
class Coefficient:
    """A coefficient: `expression` of one type if the direction has a type, else a sum of `expression` over the types.

    In both cases the 1/L of the uniform type is part of `expression`. f_u and P_k belong to the type in question.
    """

    expression: sympy.Expr
    summed_over_types: bool

    def balanced(self) -> sympy.Expr:
        """f_u = f_v = f_s = 1/U for every type (L types with the same U)."""
        one = at_balance(self.expression)
        return sympy.factor(one * L if self.summed_over_types else one)

    def at(self, values: Mapping[sympy.Symbol, sympy.Expr]) -> "Coefficient":
        """Substitute scalar symbols, e.g. the full window."""
        return Coefficient(tidy(self.expression.subs(values, simultaneous=True)), self.summed_over_types)

    def latex(self) -> str:
        body = sympy.latex(self.expression)
        return rf"\sum_l \left[{body}\right]" if self.summed_over_types else body


def at_balance(expression: sympy.Expr) -> sympy.Expr:
    """Substitute f = 1/U and P_k = U^(1-k)."""
    values = {f: 1 / U for f in (f_u, f_v, f_s)}
    for symbol in expression.free_symbols:
        if symbol.name.startswith("P_"):
            values[symbol] = U ** (1 - int(symbol.name[2:]))
    return sympy.factor(expression.subs(values, simultaneous=True))


def tidy(expression: sympy.Expr) -> sympy.Expr:
    """Factored form, with n_q^k = n_q (the query is in the window or not)."""
    numerator, denominator = sympy.fraction(sympy.together(expression))
    expanded = sympy.expand(numerator)
    if expanded.has(n_q):
        by_power = sympy.Poly(expanded, n_q).terms()
        expanded = sympy.expand(sum((c * n_q ** min(k, 1) for (k,), c in by_power), sympy.Integer(0)))
    return sympy.factor(expanded / denominator)


def read(tensor: Tensor, probes: tuple[Direction, ...], known: Mapping[Delta, bool] | None = None) -> Coefficient:
    """<probe, tensor>, or <output, tensor input> for an operator, as a Coefficient.

    `known` decides the deltas between free indices that are left (e.g. whether u is the own value of s).
    Raises ValueError if a delta is left undecided or an index other than one type stays bound.
    """
    scalars = contract(vector(probes[0]), tensor)
    if len(probes) == 2:
        scalars = contract(scalars, vector(probes[1]))
    has_type = any(isinstance(index, Type) for probe in probes for index in probe.index)
    total: sympy.Expr = sympy.Integer(0)
    for term in scalars.terms:
        if not _holds(term.deltas, known or {}):
            continue
        if any(not isinstance(v, Type) for v in term.bound) or len(term.bound) > 1:
            raise ValueError(f"bound = {term.bound}: a coefficient may only be summed over one type")
        body = term.coefficient
        for factor, exponent in term.factors:
            body *= _symbol(factor) ** exponent
        total += body if term.bound or has_type else body / L
    return Coefficient(tidy(total), not has_type)


def _holds(deltas: frozenset[Delta], known: Mapping[Delta, bool]) -> bool:
    """Truth of a product of deltas: one that is known to be false decides, otherwise all have to be known."""
    if any(not known.get(delta, True) for delta in deltas):
        return False
    undecided = [delta for delta in deltas if delta not in known]
    if undecided:
        raise ValueError(f"delta = {undecided[0]}: undecided; give its truth in `known`")
    return True


def _symbol(factor: object) -> sympy.Symbol:
    if isinstance(factor, PowerSum):
        return power_sum(factor.k)
    if isinstance(factor, Frequency) and isinstance(factor.value, Attribute):
        return f_s
    if isinstance(factor, Frequency) and isinstance(factor.value, Value) and factor.value.name in ("u", "v"):
        return f_u if factor.value.name == "u" else f_v
    raise ValueError(f"factor = {factor}: only f_u, f_v, f_s and power sums have symbols")
