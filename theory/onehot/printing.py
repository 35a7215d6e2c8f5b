"""LaTeX of tensors: sums over named ranges of coefficient, deltas, factors and directions."""

import sympy

from theory.onehot.direction import Delta, Direction, Family, Frequency, Population, PowerSum
from theory.onehot.index import Attribute, Draw, Drawn, Index, Subject, Type, Value
from theory.onehot.tensor import Tensor, Term

_FAMILY = {Family.RELATION: "r", Family.SEP: r"\mathrm{sep}", Family.GRAMMAR: "g"}
_ROLE = {Family.P_SUBJECT: "s", Family.P_ATTRIBUTE: "a", Family.P_SEP: r"\mathrm{sep}"}


def index_latex(index: Index) -> str:
    """The index in the notation of the definitions."""
    if isinstance(index, Attribute):
        return f"a_{{{index_latex(index.subject)}}}^{{{index_latex(index.type)}}}"
    if isinstance(index, Drawn):
        return f"j_{{{index_latex(index.draw)}}}"
    if index.name == "ell":
        return r"\ell"
    letters: tuple[tuple[type, str], ...] = ((Type, "l"), (Subject, "s"), (Draw, "i"), (Value, "u"))
    if index.name.startswith("#"):
        letter = next((text for kind, text in letters if isinstance(index, kind)), "g")
        return f"{letter}_{{{index.name[1:]}}}"
    return index.name.replace("*", r"^{\ast}")


def direction_latex(direction: Direction) -> str:
    if direction.family in _ROLE:
        return f"h(p[{_ROLE[direction.family]}_{{{index_latex(direction.index[0])}}}])"
    if direction.family == Family.SUBJECT:
        index = direction.index[0]
        return f"h(s_{{{index_latex(index)}}})" if isinstance(index, Drawn) else f"h({index_latex(index)})"
    if direction.family == Family.ATTRIBUTE:
        return f"h({index_latex(direction.index[-1])})"
    name = _FAMILY[direction.family]
    return f"h({name}_{{{index_latex(direction.index[0])}}})" if direction.index else f"h({name})"


def _factor_latex(factor: object, exponent: int) -> str:
    power = f"^{{{exponent}}}" if exponent > 1 else ""
    if isinstance(factor, PowerSum):
        return f"P_{{{factor.k}}}({index_latex(factor.type)}){power}"
    if isinstance(factor, Frequency):
        return f"f({index_latex(factor.value)}){power}"
    if isinstance(factor, Population):
        return f"N({index_latex(factor.value)}){power}"
    raise ValueError(f"factor = {factor}: not a factor of the algebra")


def _bound_latex(index: Index) -> str:
    names = ",".join(sorted(index.range.parts)).replace("_", r"\_")
    return rf"\sum_{{{index_latex(index)} \in \text{{{names}}}}}"


def _delta_latex(delta: Delta) -> str:
    return rf"\mathbf{{1}}[{index_latex(delta.left)} = {index_latex(delta.right)}]"


def term_latex(term: Term) -> str:
    coefficient = sympy.factor(term.coefficient)
    pieces = [_bound_latex(index) for index in term.bound]
    pieces.append(rf"\left({sympy.latex(coefficient)}\right)")
    pieces += sorted(_delta_latex(delta) for delta in term.deltas)
    pieces += [_factor_latex(factor, exponent) for factor, exponent in term.factors]
    if len(term.directions) == 2:
        pieces.append(f"{direction_latex(term.directions[0])}\\,{direction_latex(term.directions[1])}^T")
    else:
        pieces += [direction_latex(direction) for direction in term.directions]
    return r"\,".join(pieces)


def tensor_latex(tensor: Tensor) -> str:
    """The whole sum; 0 for the empty one."""
    return " + ".join(term_latex(term) for term in tensor.terms) or "0"
