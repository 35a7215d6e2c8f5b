"""Checks of orders of growth: norms of expected gradients in the limit, and what the softmax term adds to one, with its fall in M."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import sympy as sp

from numerics.world import World
from paper_checks.contextual_recall.symbols import alpha_2
from theory.finetuning import balanced_coefficients
from verify.classes import multiplicity
from verify.court import PAPER, Court
from verify.evidence import Evidence, Finding, Route, Status, finding
from verify.judges.bounds import SLACK, first_failing
from verify.judges.coefficients import at, settled
from verify.judges.compare import fact
from verify.worlds import Case

# A norm is Theta(x^k) iff norm^2, a rational function of x, has degree 2k. Along U the number of finetuning subjects
# grows with it (M_ft = 4U, M = 8U), as the hypotheses ask; along the others everything else is fixed.

ALONG = {
    "U": {"M_ft": lambda x: 4 * x, "M": lambda x: 8 * x, "U": lambda x: x},
    "L": {"L": lambda x: x},
    "m": {"m": lambda x: x},
}


def norm_squared(step: str, scale: sp.Expr | int = 1) -> sp.Expr:
    """||scale * E hat gradient||_F^2 in the balanced world, from the derived coefficients."""
    coefficients = balanced_coefficients(step)
    return settled(sum(multiplicity(k) * (scale * c) ** 2 for k, c in coefficients.items()))


def order(expr_squared: sp.Expr, along: str) -> sp.Rational:
    """The k with sqrt(expr) = Theta(x^k) along one parameter, everything else at the paper's values."""
    x = sp.Symbol("x", positive=True)
    moving = {name: value(x) for name, value in ALONG[along].items()}
    fixed = {s.name: sp.Integer(PAPER.get(s.name, 1)) for s in expr_squared.free_symbols}
    followed = sp.cancel(expr_squared.subs({s: moving.get(s.name, fixed[s.name]) for s in expr_squared.free_symbols}))
    top, bottom = sp.fraction(sp.together(followed))
    return sp.Rational(sp.degree(top, x) - sp.degree(bottom, x), 2)


def _orders(statement, squared: sp.Expr, name: str, court: Court, measured) -> list[Evidence]:
    """Orders of growth, and the closed-form norm against the enumerated one on the bench."""
    evidence = [
        fact(
            Route.SYMBOLIC,
            f"{along} -> inf",
            f"order of {name} in {along}",
            order(squared, along),
            said,
            order(squared, along) == said,
            "degree of an exact rational function",
        )
        for along, said in statement.items()
    ]
    for case in court.balanced_bench[:4]:
        exact, found = at(squared, case.p), measured(case)
        evidence.append(
            fact(
                Route.ENUMERATED,
                case.name,
                f"{name}^2",
                f"{float(found):.12g}",
                f"{float(exact):.12g}",
                exact == found,
                "exact rationals: the norm whose order is taken is the enumerated one",
            )
        )
    return evidence


def _square_sum(array) -> Fraction:
    return sum((x * x for x in array.ravel().tolist()), Fraction(0))


def ov_norm(statement, court: Court) -> Finding:
    squared = norm_squared("ov_rel")
    name = "||E hat gradient of W_OV^rel||"
    # A parameter that the statement leaves out is claimed to have order 0: saying nothing is a claim too.
    orders = {k: statement.get(k, sp.Integer(0)) for k in ALONG}
    evidence = _orders(orders, squared, name, court, lambda case: _square_sum(case.enumerated.ov_rel.fractions))
    size = math.sqrt(float(at(squared, PAPER)))
    return finding(
        evidence,
        counterexample=f"at M=256, L=8, U=32, M_ft=128, N_ft=5 the norm is {size:.6g}; sqrt(U L) = 16",
        remainder=f"exact norm at the paper's setting: {size:.12g} (it never exceeds 1: h(y) and the mean of the x_i do not)",
    )


def relation_norm(statement, court: Court) -> Finding:
    squared = norm_squared("kq_rel", 1 / alpha_2)
    name = "||E hat gradient of W_KQ^rel|| / alpha_2"

    def measured(case: Case):
        unit = at(settled(alpha_2), case.p, case.eta_ov)
        return _square_sum(case.enumerated.kq_rel.fractions) / unit**2

    evidence = _orders({"m": statement.get("m", sp.Integer(0))}, squared, name, court, measured)
    size = math.sqrt(float(at(squared, PAPER)))
    return finding(
        evidence,
        counterexample=f"at M=256, L=8, U=32, M_ft=128, N_ft=5 it is {size:.6g}; m^2 = 36",
        remainder=f"exact value at the paper's setting: {size:.12g}",
    )


def subject_difference(statement, court: Court) -> Finding:
    """The true against the hat expected gradient of W_KQ^subj."""
    squared = norm_squared("kq_subj")
    said = statement["order in m of the hat norm"]
    evidence = [
        fact(
            Route.SYMBOLIC,
            "m -> inf",
            "order in m of ||E hat gradient of W_KQ^subj||",
            order(squared, "m"),
            said,
            order(squared, "m") == said,
            "degree of an exact rational function",
        )
    ]
    sweep: list[tuple[int, float]] = []
    for case in (*court.theorem_bench, *_growing_M(court.reading)):
        difference = case.true.kq_subj - case.enumerated.kq_subj.floats
        norm, hat = float(np.linalg.norm(difference)), math.sqrt(float(_square_sum(case.enumerated.kq_subj.fractions)))
        at_positions = float(np.abs(difference[case.world.V :]).max())
        limit = statement["bound"](case.p, case.p["M"] / case.p["U"])
        if case.p["U"] == 3:
            sweep.append((case.p["M"], norm / hat))
        evidence.append(
            fact(
                Route.ENUMERATED,
                case.name,
                "||E true - E hat||",
                f"{norm:.3g} (positions: {at_positions:.3g}; hat {hat:.6g})",
                f"<= {limit:.6g}",
                norm <= limit * (1 + SLACK),
                "float64 over every sequence, an inequality",
            )
        )
    result = finding(evidence, counterexample=first_failing(evidence))
    if result.status is not Status.HOLDS:
        return result
    slope = float(np.polyfit(np.log([M for M, _ in sweep]), np.log([ratio for _, ratio in sweep]), 1)[0])
    if not slope < -0.5:
        return Finding(
            Status.FAILS, result.evidence, f"difference / hat does not fall with M: fitted slope {slope:.2f}"
        )
    p = PAPER
    most = math.sqrt(2) * p["L"] / (p["V"] - p["A"] * (1 - 1 / math.e)) / math.sqrt(float(at(squared, p)))
    note = (
        "on positions the two are equal (the softmax term is exchangeable over the m subjects); on subject tokens difference / hat "
        f"falls like M^{slope:.2f} (fitted, L=3, U=3, M_ft=12, N_ft=2, M = {sweep[0][0]} .. {sweep[-1][0]}: {sweep[0][1]:.2g} .. "
        f"{sweep[-1][1]:.2g}); at M=256, L=8, U=32, M_ft=128, N_ft=5 it is at most {most:.2g} by the derived bound"
    )
    return Finding(Status.APPROXIMATE, result.evidence, remainder=note)


@cache
def _growing_M(reading: str) -> tuple[Case, ...]:
    """One finetuning table, more and more held-out subjects: M >> mL."""
    made = []
    for M in (36, 72, 144, 288):
        world = World.balanced(M, 3, 3, 12, n_grammar=1, seed=1)
        made.append(Case(f"balanced M={M} L=3 U=3 M_ft=12 N_ft=2", world, 2, reading=reading))
    return tuple(made)
