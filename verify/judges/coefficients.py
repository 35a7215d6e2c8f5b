"""Checks of statements that give one coefficient per class of directions, in balanced worlds.

Such a statement is judged three times: against the derivation, symbol by symbol; against exact enumeration, coordinate
by coordinate, as rationals; against autograd of the literal network, in float64. If it differs from the derivation but
is printed as an approximation in a named regime, the remainder is followed into that regime.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from paper_checks.contextual_recall.symbols import T as T_symbol
from paper_checks.contextual_recall.symbols import m as m_symbol
from theory.onehot.classes import DirectionClass, EntryClass
from theory.rational import evaluate
from verify.classes import kq_classes, multiplicity, ov_classes
from verify.court import PAPER, Court
from verify.evidence import Evidence, Finding, Route, Status, finding, number
from verify.tolerances import tolerance
from verify.worlds import Case

Key = DirectionClass | EntryClass
Statement = Mapping[Key, sp.Expr]


@dataclass(frozen=True)
class Quantity:
    """What is compared: the derivation's coefficients, and the same quantity as the numeric witnesses give it.

    exact(case) is an array of Fractions over coordinates or entries; autograd(case) the float64 one (None: no such
    route). `only` restricts the comparison to the classes that the statement speaks about.
    """

    name: str
    matrix: bool
    derived: Callable[[], dict[Key, sp.Expr]]
    exact: Callable[[Case], NDArray[np.object_]]
    autograd: Callable[[Case], NDArray[np.float64]] | None
    only: tuple[Key, ...] | None = None

    def classes(self) -> tuple[Key, ...]:
        if self.only is not None:
            return self.only
        return tuple(EntryClass) if self.matrix else tuple(DirectionClass)


@cache
def settled(expr: sp.Expr | int) -> sp.Expr:
    """The expression with T = 3m - 1, in lowest terms."""
    return sp.cancel(sp.together(sp.sympify(expr).subs(T_symbol, 3 * m_symbol - 1)))


def at(expr: sp.Expr | int, p: Mapping, eta_ov: Fraction = Fraction(1)) -> Fraction:
    """The expression's exact value at a setting."""
    values = {**p, "eta_ov": eta_ov}
    expr = sp.sympify(expr)
    return evaluate(expr, {s: values[s.name] for s in expr.free_symbols})


def judge(statement: Statement, quantity: Quantity, court: Court, regime: str) -> Finding:
    """HOLDS if every class agrees on every route; APPROXIMATE if the remainder vanishes in the printed regime."""
    begun = time.perf_counter()
    truth = quantity.derived()
    evidence, apart = [], {}
    for key in quantity.classes():
        difference = settled(statement.get(key, sp.Integer(0)) - truth.get(key, sp.Integer(0)))
        if difference != 0:
            apart[key] = difference
    worst = next(iter(apart), None)
    shown = worst if worst is not None else quantity.classes()[0]
    evidence.append(
        Evidence(
            route=Route.SYMBOLIC,
            setting="symbolic M, M_ft, L, U, m (balanced)",
            quantity=f"{quantity.name}: {'coefficient of ' + shown.value if apart else 'every class'}",
            measured=str(sp.factor(settled(truth.get(shown, 0)))),
            printed=str(sp.factor(settled(statement.get(shown, 0)))),
            discrepancy=float(len(apart)),
            tolerance=0.0,
            why="number of classes whose difference does not cancel to 0",
            agrees=not apart,
            seconds=time.perf_counter() - begun,
        )
    )
    evidence += [_enumerated(statement, quantity, case) for case in court.balanced_bench]
    if quantity.autograd is not None:
        evidence += [_autograd(statement, quantity, case) for case in court.balanced_bench[:4]]
    result = finding(evidence, counterexample=_smallest(evidence))
    if result.status is Status.FAILS and regime:
        return _approximation(result, statement, truth, quantity, regime)
    return result


def _values(statement: Statement, quantity: Quantity, case: Case) -> tuple[NDArray, NDArray[np.bool_]]:
    """The statement's value of every coordinate, and which coordinates it is held to."""
    by_class = {key: at(settled(statement.get(key, 0)), case.p, case.eta_ov) for key in quantity.classes()}
    labels = ov_classes(case.world) if quantity.matrix else np.array(kq_classes(case.world, case.T), dtype=object)
    held = np.vectorize(lambda label: label in by_class, otypes=[bool])(labels)
    said = np.vectorize(lambda label: by_class.get(label, Fraction(0)), otypes=[object])(labels)
    return said, held


def _compared(said: NDArray, found: NDArray, held: NDArray[np.bool_]) -> tuple[tuple[int, ...], float]:
    """Where the two differ most, and by how much (absolute)."""
    gap = np.where(held, np.abs((said - found).astype(float)), 0.0)
    where = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return tuple(int(i) for i in where), float(gap[where])


def coordinate_name(case: Case, where: tuple[int, ...]) -> str:
    """A coordinate in words: a token, a position, or an entry [output, input]."""

    def one(i: int) -> str:
        return case.world.token_name(i) if i < case.world.V else f"p_{-(i - case.world.V)}".replace("p_0", "p_0")

    return ", ".join(one(i) for i in where)


def _enumerated(statement: Statement, quantity: Quantity, case: Case) -> Evidence:
    begun = time.perf_counter()
    said, held = _values(statement, quantity, case)
    found = quantity.exact(case)
    where, gap = _compared(said, found, held)
    equal = bool(np.all((said == found) | ~held))
    return Evidence(
        route=Route.ENUMERATED,
        setting=case.name,
        quantity=f"{quantity.name}[{coordinate_name(case, where)}]",
        measured=number(found[where]),
        printed=number(said[where]),
        discrepancy=gap,
        tolerance=0.0,
        why="exact rationals over every sequence: equality",
        agrees=equal,
        seconds=time.perf_counter() - begun,
    )


def _autograd(statement: Statement, quantity: Quantity, case: Case) -> Evidence:
    assert quantity.autograd is not None
    begun = time.perf_counter()
    said, held = _values(statement, quantity, case)
    found = quantity.autograd(case)
    where, gap = _compared(said, found.astype(object), held)
    scale = max(float(np.abs(found).max()), 1e-300)
    bound = tolerance(Route.AUTOGRAD)
    return Evidence(
        route=Route.AUTOGRAD,
        setting=case.name,
        quantity=f"{quantity.name}[{coordinate_name(case, where)}]",
        measured=number(float(found[where])),
        printed=number(float(said[where])),
        discrepancy=gap / scale,
        tolerance=bound.value,
        why=bound.why,
        agrees=gap <= bound.value * scale,
        seconds=time.perf_counter() - begun,
    )


def _smallest(evidence: list[Evidence]) -> str:
    """The first enumerated world (they are ordered by size) on which the statement fails."""
    for e in evidence:
        if e.route is Route.ENUMERATED and not e.agrees:
            return f"{e.setting}: {e.quantity} is {e.measured}, the statement says {e.printed}"
    return ""


# --- approximations ----------------------------------------------------------------------------------------------------
#
# "A ~ B in the regime t -> inf" is read as ||A - B|| / ||A|| -> 0 in the Frobenius norm over all coordinates, with the
# regime's own scaling and everything else fixed at the paper's values. The order k is the one with t^k ratio^2 -> const.

REGIMES: dict[str, Callable[[sp.Symbol], dict[str, sp.Expr]]] = {
    "M_ft >> U": lambda t: {"M_ft": PAPER["U"] * t, "M": 2 * PAPER["U"] * t},
    "M >> mL, M_ft >> U": lambda t: {"M_ft": PAPER["U"] * t, "M": 2 * PAPER["U"] * t},
    "M >> mL": lambda t: {"M": PAPER["M"] * t},
}


#: Characters of a closed form that is worth telling.
SHORT = 30


def _norm_squared(coefficients: Statement, keys: tuple[Key, ...]) -> sp.Expr:
    return sum((multiplicity(k) * settled(coefficients.get(k, 0)) ** 2 for k in keys), sp.Integer(0))


def _fitted_slope(ratio_squared: sp.Expr, t: sp.Symbol) -> float:
    """Least-squares slope of log(relative remainder) against log t over t = 2^4 .. 2^12, from exact values."""
    points = [2**k for k in range(4, 13)]
    ratios = [float(ratio_squared.subs(t, point)) ** 0.5 for point in points]
    return float(np.polyfit(np.log(points), np.log(ratios), 1)[0])


def _closed_limit(ratio_squared: sp.Expr, regime: str, limit: sp.Expr) -> str:
    """' = ..', the limit of the remainder with all that the regime leaves fixed kept as symbols, where that is short."""
    t = sp.Symbol("t", positive=True)
    names = {s.name: s for s in ratio_squared.free_symbols}
    U = names.get("U", sp.Integer(PAPER["U"]))
    scaled = {name: value.subs(t, U * t / PAPER["U"]) for name, value in REGIMES[regime](t).items()}
    top, bottom = sp.fraction(sp.cancel(ratio_squared.subs({names[k]: v for k, v in scaled.items() if k in names})))
    if sp.degree(top, t) != sp.degree(bottom, t):
        return ""
    found = sp.factor(sp.LC(top, t) / sp.LC(bottom, t))
    values = {s: sp.Integer(PAPER[s.name]) for s in found.free_symbols if s.name in PAPER}
    if sp.simplify(found.subs(values) - limit) != 0:
        raise ArithmeticError(f"the closed limit {found} is not {limit} at the paper's values")
    words = str(sp.sqrt(found))
    return f" = {words}" if len(words) <= SHORT else ""


def _approximation(failed: Finding, statement: Statement, truth: Statement, quantity: Quantity, regime: str) -> Finding:
    t = sp.Symbol("t", positive=True)
    keys = quantity.classes()
    difference = {k: statement.get(k, sp.Integer(0)) - truth.get(k, sp.Integer(0)) for k in keys}
    ratio_squared = _norm_squared(difference, keys) / _norm_squared(truth, keys)
    fixed = {**{k: sp.Integer(v) for k, v in PAPER.items()}, "eta_ov": sp.Integer(1)}
    at_paper = float(sp.sqrt(ratio_squared.subs({s: fixed[s.name] for s in ratio_squared.free_symbols})))
    moving = {**fixed, **REGIMES[regime](t)}
    followed = sp.cancel(sp.together(ratio_squared.subs({s: moving[s.name] for s in ratio_squared.free_symbols})))
    limit = sp.limit(followed, t, sp.oo)
    size = f"relative size {at_paper:.3g} (Frobenius) at M=256, L=8, U=32, M_ft=128, N_ft=5"
    if limit != 0:
        closed = _closed_limit(ratio_squared, regime, limit)
        note = f"in the regime {regime} the relative remainder tends to {float(sp.sqrt(limit)):.3g}{closed}, not to 0; {size}"
        return Finding(Status.FAILS, failed.evidence, failed.counterexample, remainder=note)
    top, bottom = sp.fraction(followed)
    order = sp.Rational(sp.degree(bottom, t) - sp.degree(top, t), 2)
    fitted = _fitted_slope(followed, t)
    note = f"relative remainder O((U/M_ft)^{order}) in the regime {regime} (slope fitted over M_ft/U = 2^4 .. 2^12: {fitted:.3f}); {size}"
    return Finding(Status.APPROXIMATE, failed.evidence, failed.counterexample, remainder=note)
