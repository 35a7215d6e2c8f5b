"""Scalars, vectors and operators as finite sums over symbolic index ranges.

A Term is  sum over bound indices of  coefficient * deltas * factors * h(d_1) (x) ... (x) h(d_rank);
a Tensor is a sum of terms of one rank: 0 scalar, 1 vector, 2 operator (output, input). SymPy sees only `coefficient`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import permutations

import sympy

from theory.onehot import direction as directions
from theory.onehot.counting import size
from theory.onehot.direction import Delta, Direction, Factor
from theory.onehot.index import Attribute, Draw, Index, Type, Value, Variable, contains, substitute


@dataclass(frozen=True)
class Term:
    """One summand; `bound` lists the indices it is summed over, `factors` pairs a factor with its exponent."""

    coefficient: sympy.Expr = field(default_factory=lambda: sympy.Integer(1))
    bound: tuple[Variable, ...] = ()
    deltas: frozenset[Delta] = frozenset()
    factors: tuple[tuple[Factor, int], ...] = ()
    directions: tuple[Direction, ...] = ()

    def body(self) -> tuple[object, ...]:
        return (self.deltas, self.factors, self.directions)

    def replaced(self, old: Index, new: Index) -> "Term":
        """Substitute an index everywhere; a bound `old` stops being bound."""
        bound = tuple(substitute(v, old, new) for v in self.bound if v != old)
        deltas, factors, dirs = substitute(self.body(), old, new)
        return Term(self.coefficient, bound, deltas, merge_factors(factors), dirs)


@dataclass(frozen=True)
class Tensor:
    """A sum of terms, all of the same rank."""

    terms: tuple[Term, ...]
    rank: int

    def __add__(self, other: "Tensor") -> "Tensor":
        if self.rank != other.rank:
            raise ValueError(f"rank = {other.rank}: cannot be added to a tensor of rank {self.rank}")
        return Tensor(self.terms + other.terms, self.rank)

    def __sub__(self, other: "Tensor") -> "Tensor":
        return self + (-1) * other

    def __rmul__(self, scalar: sympy.Expr | int) -> "Tensor":
        factor = sympy.sympify(scalar)
        return Tensor(tuple(replace(t, coefficient=factor * t.coefficient) for t in self.terms), self.rank)

    def summed(self, *variables: Variable) -> "Tensor":
        """Sum over the given indices."""
        return Tensor(tuple(replace(t, bound=t.bound + variables) for t in self.terms), self.rank)


def merge_factors(factors: Iterable[tuple[Factor, int]]) -> tuple[tuple[Factor, int], ...]:
    """Collect equal factors by adding their exponents, in a fixed order."""
    exponents: dict[Factor, int] = {}
    for factor, exponent in factors:
        exponents[factor] = exponents.get(factor, 0) + exponent
    return tuple(sorted(((f, e) for f, e in exponents.items() if e), key=repr))


def scalar(coefficient: sympy.Expr | int = 1, deltas: Iterable[Delta] = (), factors: Iterable[Factor] = ()) -> Tensor:
    """coefficient * product of deltas * product of factors."""
    term = Term(sympy.sympify(coefficient), (), frozenset(deltas), merge_factors((f, 1) for f in factors))
    return Tensor((term,), 0)


def vector(direction: Direction) -> Tensor:
    """h(direction)."""
    return Tensor((Term(directions=(direction,)),), 1)


def zero(rank: int) -> Tensor:
    """The empty sum."""
    return Tensor((), rank)


def _apart(term: Term, taken: set[str]) -> Term:
    """Rename the bound indices of the term that collide with the names in `taken`."""
    for variable in term.bound:
        name = variable.name
        while name in taken:
            name += "'"
        taken.add(name)
        if name != variable.name:
            current = next(v for v in term.bound if v.name == variable.name)
            renamed = replace(current, name=name)
            bound = tuple(renamed if v == current else v for v in term.bound)
            term = replace(term.replaced(current, renamed), bound=substitute(bound, current, renamed))
    return term


def _names(item: object) -> set[str]:
    """Names of all the indices inside an item."""
    if isinstance(item, tuple | frozenset):
        return set().union(*(_names(part) for part in item)) if item else set()
    found: set[str] = set()
    for name in getattr(item, "__dataclass_fields__", {}):
        value = getattr(item, name)
        found |= {value} if name == "name" else _names(value)
    return found


def _joined(a: Term, b: Term) -> tuple[Term, Term]:
    """Rename bound indices so that neither term's bound indices occur in the other, free or bound."""
    a = _apart(a, _names((b.bound, b.body())) | (_names(a.body()) - {v.name for v in a.bound}))
    b = _apart(b, _names((a.bound, a.body())) | (_names(b.body()) - {v.name for v in b.bound}))
    return a, b


def product(a: Tensor, b: Tensor) -> Tensor:
    """Tensor product: scalar * anything, or the outer product of two vectors. Bound indices are kept apart."""
    terms = []
    for left, right in ((x, y) for x in a.terms for y in b.terms):
        x, y = _joined(left, right)
        terms.append(
            Term(
                sympy.sympify(x.coefficient * y.coefficient),
                x.bound + y.bound,
                x.deltas | y.deltas,
                merge_factors(x.factors + y.factors),
                x.directions + y.directions,
            )
        )
    return simplify(Tensor(tuple(terms), a.rank + b.rank))


def contract(a: Tensor, b: Tensor) -> Tensor:
    """Contract the last slot of a with the first of b: <vector, vector>, operator vector, vector operator, ..."""
    if a.rank < 1 or b.rank < 1:
        raise ValueError(f"rank = {min(a.rank, b.rank)}: both sides of a contraction need a direction (rank >= 1)")
    terms = []
    for left, right in ((x, y) for x in a.terms for y in b.terms):
        x, y = _joined(left, right)
        deltas = directions.inner(x.directions[-1], y.directions[0])
        if deltas is None:
            continue
        terms.append(
            Term(
                sympy.sympify(x.coefficient * y.coefficient),
                x.bound + y.bound,
                x.deltas | y.deltas | frozenset(deltas),
                merge_factors(x.factors + y.factors),
                x.directions[:-1] + y.directions[1:],
            )
        )
    return simplify(Tensor(tuple(terms), a.rank + b.rank - 2))


def simplify(tensor: Tensor) -> Tensor:
    """Contract the deltas of every term, drop zeros, and add up equal terms."""
    contracted = (contract_deltas(term) for term in tensor.terms)
    return collect(Tensor(tuple(t for t in contracted if t is not None), tensor.rank))


def contract_deltas(term: Term) -> Term | None:
    """Remove every delta that fixes a bound index (after checking the range); None if a delta is impossible.

    sum_{v in R} 1[v = x] F(v) = F(x) needs x in R. If x ranges over more than R and is itself bound, x is removed
    instead; if x is free the sum would be an indicator that this language does not have, and that is an error.
    """
    while True:
        for delta in sorted(term.deltas, key=_order):
            if delta.left == delta.right:
                term = replace(term, deltas=term.deltas - {delta})
                break
            if delta.left.range.disjoint(delta.right.range):
                return None
            target = _eliminable(term, delta)
            if target is not None:
                old, new = target
                term = replace(term, deltas=term.deltas - {delta}).replaced(old, new)
                break
        else:
            return term


def _order(delta: Delta) -> tuple[bool, list[str]]:
    """Types first: values can only be compared once their types are equal."""
    return not isinstance(delta.left, Type), sorted(map(repr, (delta.left, delta.right)))


def _eliminable(term: Term, delta: Delta) -> tuple[Index, Index] | None:
    """(bound index, its replacement) if the delta fixes a bound index."""
    sides = ((delta.left, delta.right), (delta.right, delta.left))
    candidates = [(old, new) for old, new in sides if old in term.bound]
    for old, new in candidates:
        if isinstance(old, Value) and _type_of(new) != old.type:
            continue
        if new.range <= old.range and not contains(new, old):
            return old, new
    if candidates and not isinstance(candidates[0][0], Value):
        old, new = candidates[0]
        raise ValueError(
            f"range of {old} = {sorted(old.range.parts)}: "
            f"does not contain the index it is contracted with, whose range is {sorted(new.range.parts)}"
        )
    return None


def _type_of(index: Index) -> Type | None:
    return index.type if isinstance(index, Value | Attribute) else None


def collect(tensor: Tensor) -> Tensor:
    """Add up terms that are equal after renaming bound indices, and replace unused draw sums by the range's size."""
    sums: dict[tuple[object, ...], sympy.Expr] = {}
    shapes: dict[tuple[object, ...], Term] = {}
    for term in tensor.terms:
        form = canonical(term)
        key = (form.bound, form.deltas, form.factors, form.directions)
        sums[key] = sums.get(key, sympy.Integer(0)) + form.coefficient
        shapes[key] = form
    added = ((shapes[key], sympy.expand(total)) for key, total in sums.items())
    return Tensor(tuple(replace(shape, coefficient=total) for shape, total in added if total != 0), tensor.rank)


def canonical(term: Term) -> Term:
    """Rename the bound indices to the lexicographically first of the possible namings (there are few of them).

    A sum over draws or types on which nothing depends is first replaced by the size of the range.
    """
    unused = tuple(v for v in term.bound if isinstance(v, Draw | Type) and not _used(term, v))
    if unused:
        count = sympy.prod([size(v.range) for v in unused])
        bound = tuple(v for v in term.bound if v not in unused)
        term = replace(term, coefficient=sympy.expand(term.coefficient * count), bound=bound)
    term = _renamed(term, tuple(range(len(term.bound))), "~")
    namings = (_renamed(term, order, "#") for order in permutations(range(len(term.bound))))
    return min(namings, key=_text)


def _used(term: Term, variable: Variable) -> bool:
    others = tuple(v for v in term.bound if v != variable)
    return contains(term.body(), variable) or contains(others, variable)


def _renamed(term: Term, order: tuple[int, ...], prefix: str) -> Term:
    """Give the k-th bound index the name prefix + order[k], and sort the bound indices by name."""
    for k, number in enumerate(order):
        old = term.bound[k]
        new = replace(old, name=f"{prefix}{number}")
        bound = substitute(term.bound, old, new)
        term = replace(term.replaced(old, new), bound=bound)
    return replace(term, bound=tuple(sorted(term.bound, key=lambda v: v.name)))


def _text(term: Term) -> str:
    deltas = sorted(repr(sorted(map(repr, (d.left, d.right)))) for d in term.deltas)
    return repr((term.bound, deltas, term.factors, term.directions))
