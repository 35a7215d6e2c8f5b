"""Population expectation of a tensor over the type and the draws of a sequence, with symbolic m.

The type is uniform on L types, the draws are independent and uniform on F. After the sums over draws are split by
coincidence pattern, distinct slots are independent, and the expectation of a product of matches 1[a_i = a_k],
frequencies f(a_i) and fixed indices factorises over the components of the graph of equalities. A component with
n slots and frequency exponent e gives

    P_{n+e}(l) = sum_u f_u^{n+e}         if nothing in it is fixed,
    f_u^{n+e}                            if it is fixed to the value u,
    M_ft^{-1} f_{a_s}^{n-1+e}            if one of its slots is fixed to the subject s (one such factor per fixed slot).

Random directions are first written in the fixed basis: h(a_k) = sum_u 1[a_k = u] h(u), h(s_k) = sum_s 1[s_k = s] h(s).
"""

from dataclasses import replace

import sympy

from theory.onehot import direction as directions
from theory.onehot.counting import coincidences
from theory.onehot.direction import Delta, Direction, Family, Frequency, Population, PowerSum
from theory.onehot.index import (
    QUERY,
    SEEN,
    SEQUENCE_TYPE,
    Attribute,
    Draw,
    Drawn,
    Index,
    Subject,
    Type,
    Value,
    contains,
)
from theory.onehot.tensor import Tensor, Term, merge_factors, simplify
from theory.symbols import L, M_ft


def expectation(tensor: Tensor) -> Tensor:
    """E over the finetuning population; the result holds no draw (positions: only bound ones) and no random type.

    Raises ValueError for what the factorisation does not cover: N_u of a random value, one draw seen through two
    types, or two random subjects compared with each other.
    """
    terms: list[Term] = []
    for term in simplify(tensor).terms:
        terms.extend(_split(_resolved(_typed(term))))
    return simplify(Tensor(tuple(terms), tensor.rank))


def _typed(term: Term) -> Term:
    """The random type becomes a sum over types with weight 1/L."""
    if not contains(term.body(), SEQUENCE_TYPE):
        return term
    kind = Type("l of the expectation")
    typed = term.replaced(SEQUENCE_TYPE, kind)
    return replace(typed, coefficient=typed.coefficient / L, bound=(*typed.bound, kind))


def _resolved(term: Term) -> Term:
    """Random directions in the fixed basis, each with a new bound index and a delta."""
    bound, deltas, dirs = term.bound, term.deltas, []
    for k, direction in enumerate(term.directions):
        fixed: Direction = direction
        index = direction.index[-1] if direction.index else None
        if direction.family == Family.SUBJECT and isinstance(index, Drawn):
            s = Subject(f"s of direction {k}", SEEN)
            bound, deltas, fixed = (*bound, s), deltas | {Delta(index, s)}, directions.subject(s)
        elif isinstance(index, Attribute) and isinstance(index.subject, Drawn):
            u = Value(f"u of direction {k}", index.type)
            bound, deltas, fixed = (*bound, u), deltas | {Delta(index, u)}, directions.attribute(u)
        dirs.append(fixed)
    return replace(term, bound=bound, deltas=deltas, directions=tuple(dirs))


def _split(term: Term) -> list[Term]:
    """Split by coincidence pattern, then factorise each pattern."""
    draws = tuple(v for v in term.bound if isinstance(v, Draw))
    kept = frozenset(d for d in draws if contains(term.directions, d))
    result = []
    for representative, count, bound in coincidences(draws, kept):
        merged = term
        for draw, chosen in representative.items():
            merged = merged.replaced(draw, chosen)
        others = tuple(v for v in merged.bound if not isinstance(v, Draw))
        merged = replace(merged, coefficient=merged.coefficient * count, bound=others + bound)
        result.append(_factorised(merged))
    return result


def _is_drawn(index: Index) -> bool:
    return isinstance(index, Attribute) and isinstance(index.subject, Drawn)


def _factorised(term: Term) -> Term:
    """Replace everything random in a term with distinct slots by its expectation."""
    fixed = _fixed_subjects(term)
    components = _components(term)
    coefficient, deltas = term.coefficient, frozenset(d for d in term.deltas if not _is_random(d))
    factors = [(f, e) for f, e in term.factors if not _is_random(f)]
    counted: set[Draw] = set()
    for component in components:
        slots = {v.subject.draw: v.type for v in component if isinstance(v, Attribute) and isinstance(v.subject, Drawn)}
        kinds = set(slots.values())
        if len(kinds) != 1 or counted & slots.keys():
            raise ValueError(f"component = {sorted(map(repr, component))}: the expectation needs one type per draw")
        counted |= slots.keys()
        (kind,) = kinds
        exponent = sum(e for f, e in term.factors if isinstance(f, Frequency) and f.value in component)
        anchors: list[Value | Attribute] = sorted((v for v in component if not _is_drawn(v)), key=repr)
        anchors += [Attribute(fixed[k], kind) for k in sorted(slots, key=repr) if k in fixed]
        pinned = sum(k in fixed for k in slots)
        coefficient = coefficient / M_ft**pinned
        power = len(slots) - pinned + exponent
        if anchors:
            factors.append((Frequency(anchors[0]), power))
            deltas |= {Delta(anchors[0], other) for other in anchors[1:]}
        elif power > 1:
            factors.append((PowerSum(power, kind), 1))
    coefficient = coefficient / M_ft ** len(fixed.keys() - counted)
    return Term(sympy.expand(coefficient), term.bound, deltas, merge_factors(factors), term.directions)


def _is_random(item: object) -> bool:
    if isinstance(item, Delta):
        return any(isinstance(side, Drawn) or _is_drawn(side) for side in (item.left, item.right))
    return isinstance(item, Frequency | Population) and _is_drawn(item.value)


def _fixed_subjects(term: Term) -> dict[Draw, Subject]:
    fixed: dict[Draw, Subject] = {}
    for delta in term.deltas:
        sides = (delta.left, delta.right)
        drawn = [side for side in sides if isinstance(side, Drawn)]
        plain = [side for side in sides if isinstance(side, Subject)]
        if len(drawn) == 2 or any(d.draw in fixed for d in drawn):
            raise ValueError(f"delta = {delta}: a draw can be fixed to one subject; random subjects are not compared")
        if drawn and plain:
            if not plain[0].range <= SEEN:
                raise ValueError(f"subject = {plain[0]}: a draw can only be a seen subject (range seen)")
            fixed[drawn[0].draw] = plain[0]
    return fixed


def _components(term: Term) -> list[set[Value | Attribute]]:
    """Components of the equality graph that hold a drawn value, including drawn values that only carry a frequency."""
    groups: list[set[Value | Attribute]] = []
    for factor, _ in term.factors:
        if isinstance(factor, Population) and _is_drawn(factor.value):
            raise ValueError(f"factor = {factor}: the expectation of N_u of a random value is not supported")
        if isinstance(factor, Frequency) and _is_drawn(factor.value):
            groups.append({factor.value})
    for delta in term.deltas:
        left, right = delta.left, delta.right
        if _is_random(delta) and isinstance(left, Value | Attribute) and isinstance(right, Value | Attribute):
            groups.append({left, right})
    merged: list[set[Value | Attribute]] = []
    for group in groups:
        touching = [other for other in merged if other & group]
        merged = [other for other in merged if not other & group] + [group.union(*touching)]
    return merged


def query_value() -> Attribute:
    """y = a_{j_m}^l, the target: the query draw's value of the sequence's type."""
    return Attribute(Drawn(QUERY), SEQUENCE_TYPE)
