"""Slips as transformations: each changes what it says and nothing else, and leaves the statement it is given alone."""

from __future__ import annotations

import sympy as sp

from paper_checks.mutations import added, dropped, replaced_by, same_as, scaled, sign_flipped, symbol_replaced

m, U = sp.Symbol("m", positive=True), sp.Symbol("U", positive=True)
STATEMENT = {"a": m / U, "b": m**2, "c": sp.Integer(3)}


def test_coefficients():
    cases = (
        (sign_flipped("a", "w"), {**STATEMENT, "a": -m / U}),
        (dropped("b", "w"), {**STATEMENT, "b": sp.Integer(0)}),
        (added("c", 1 / m, "w"), {**STATEMENT, "c": 3 + 1 / m}),
        (added("d", 1 / m, "w"), {**STATEMENT, "d": 1 / m}),
        (same_as("a", "b", "w"), {**STATEMENT, "a": m**2}),
        (same_as("a", "d", "w"), {**STATEMENT, "a": sp.Integer(0)}),
        (scaled(2, "twice", "w"), {"a": 2 * m / U, "b": 2 * m**2, "c": sp.Integer(6)}),
        (
            symbol_replaced("m", lambda s: s - 1, "m - 1", "w"),
            {"a": (m - 1) / U, "b": (m - 1) ** 2, "c": sp.Integer(3)},
        ),
        (replaced_by({"x": 1}, "another", "w"), {"x": 1}),
    )
    before = dict(STATEMENT)
    for mutation, expected in cases:
        assert mutation.apply(STATEMENT) == expected, mutation.name
        assert mutation.name and mutation.why == "w"
    assert before == STATEMENT


def test_scalars():
    assert symbol_replaced("m", lambda s: s + 1, "m + 1", "w").apply(m / U) == (m + 1) / U
    assert symbol_replaced("m", lambda s: 2 * s, "2 m", "w").apply(m) == 2 * m
    assert scaled(3, "thrice", "w").apply(m) == 3 * m
    assert symbol_replaced("n", lambda s: s + 1, "n + 1", "w").apply(m) == m


def test_dropping_what_is_absent_changes_nothing():
    """Such a mutant could not be rejected; the trials find it as a survivor."""
    assert dropped("d", "w").apply(STATEMENT) == STATEMENT
