"""Slips that a transcription or a derivation could plausibly contain, as transformations of a statement.

A coefficient statement is a dict from direction class to SymPy expression (a class that is absent has coefficient 0); a
scalar statement is one SymPy expression; a formula is a Python function.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import sympy as sp

from paper_checks.claim import Mutation

Coefficients = dict[Hashable, sp.Expr]


def _label(key: Hashable) -> str:
    return str(getattr(key, "value", key))


def sign_flipped(key: Hashable, why: str) -> Mutation:
    """The coefficient of one class with the wrong sign."""
    return Mutation(f"sign of {_label(key)} flipped", why, lambda s: {**s, key: -s[key]})


def dropped(key: Hashable, why: str) -> Mutation:
    """The coefficient of one class left out."""
    return Mutation(
        f"{_label(key)} dropped", why, lambda s: {k: (sp.Integer(0) if k == key else v) for k, v in s.items()}
    )


def added(key: Hashable, term: sp.Expr, why: str) -> Mutation:
    """A spurious term on one class."""
    return Mutation(f"spurious term on {_label(key)}", why, lambda s: {**s, key: s.get(key, sp.Integer(0)) + term})


def same_as(key: Hashable, other: Hashable, why: str) -> Mutation:
    """One class given the coefficient of another: a wrong index range."""
    return Mutation(
        f"{_label(key)} treated like {_label(other)}", why, lambda s: {**s, key: s.get(other, sp.Integer(0))}
    )


def symbol_replaced(name: str, by: Callable[[sp.Symbol], sp.Expr], label: str, why: str) -> Mutation:
    """A symbol replaced everywhere, for example m by m - 1."""

    def replace(expr: Any) -> Any:
        expr = sp.sympify(expr)
        return expr.subs({s: by(s) for s in expr.free_symbols if s.name == name}, simultaneous=True)

    def apply(statement: Any) -> Any:
        if isinstance(statement, dict):
            return {k: replace(v) for k, v in statement.items()}
        return replace(statement)

    return Mutation(label, why, apply)


def scaled(factor: sp.Expr | int, label: str, why: str) -> Mutation:
    """A factor lost or gained everywhere."""

    def apply(statement: Any) -> Any:
        if isinstance(statement, dict):
            return {k: v * factor for k, v in statement.items()}
        return statement * factor

    return Mutation(label, why, apply)


def replaced_by(statement: Any, label: str, why: str) -> Mutation:
    """Another formula altogether."""
    return Mutation(label, why, lambda _: statement)
