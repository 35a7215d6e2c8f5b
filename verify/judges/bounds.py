"""Checks of inequalities and of orders of growth: over every sequence of small worlds, over grids of settings, in the limit."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import sympy as sp

from numerics.population.probabilities import largest_probabilities
from numerics.world import World
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from paper_checks.contextual_recall.lemmas import lemma_c2_bounds
from paper_checks.contextual_recall.symbols import alpha_2
from theory.finetuning import balanced_coefficients
from verify.classes import multiplicity
from verify.court import PAPER, Court
from verify.evidence import Evidence, Finding, Route, Status, finding
from verify.judges.coefficients import at, settled
from verify.judges.compare import fact
from verify.weights import initial_ov_subj, printed_weights
from verify.worlds import Case

SLACK = 1e-9  # the bounds are evaluated in float64; a violation smaller than this is not called one


def _sequence(case: Case, tokens) -> str:
    return " ".join(case.world.token_name(int(t)) for t in tokens)


def _below(case: Case, name: str, largest, limit: float) -> Evidence:
    """The sequence with the largest probability against the bound; certified by Arb."""
    worst = max(largest, key=lambda one: float(one.probability.mid()))
    holds = float(worst.probability.upper()) <= limit * (1 + SLACK)
    fails = float(worst.probability.lower()) > limit * (1 + SLACK)
    return Evidence(
        route=Route.CERTIFIED,
        setting=f"{case.name}: {_sequence(case, worst.tokens)}",
        quantity=name,
        measured=f"{float(worst.probability.mid()):.12g} (radius {float(worst.probability.rad()):.1g})",
        printed=f"<= {limit:.12g}",
        discrepancy=max(0.0, float(worst.probability.mid()) - limit),
        tolerance=0.0,
        why="Arb ball of the largest probability over every sequence",
        agrees=holds and not fails,
    )


def _meets_c1(case: Case) -> bool:
    return case.window is None and case.p["M"] > math.e * case.p["U"] and case.p["balanced_ft"]


@cache
def _least(reading: str) -> Case:
    """The smallest world with M > e U: M = 3.  All of its logits are 0 in the set reading, so that C -> e is a tie there and C = 3 is not."""
    world = World.balanced(3, 1, 1, 2, n_grammar=1, seed=1)
    return Case("balanced M=3 L=1 U=1 M_ft=2 N_ft=1", world, 1, reading=reading)


def _first_step(case: Case) -> list:
    zero = np.zeros((case.world.V, case.world.V), dtype=object)
    return list(largest_probabilities(case.world, case.n_demos, initial_ov_subj(case.world, case.reading), zero, False))


def lemma_c1(statement, court: Court) -> Finding:
    """Every C with e < C <= M/U is admitted; the bound is weakest as C -> e, so it is judged there, and at C = M/U in the least world."""
    least = _least(court.reading)
    evidence = [_below(least, "max_v pi_v, first step, C = M/U = 3", _first_step(least), statement(least.p, 3.0))]
    for case in [c for c in (*court.bench, *court.theorem_bench) if _meets_c1(c)][:6]:
        C = Fraction(case.p["M"], case.p["U"])
        name = f"max_v pi_v, first step, C -> e (C = M/U = {C}: <= {statement(case.p, float(C)):.6g})"
        evidence.append(_below(case, name, _first_step(case), statement(case.p, math.e)))
    return finding(evidence, counterexample=_first(evidence))


def _first(evidence: list[Evidence]) -> str:
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {e.quantity} is {e.measured}, the statement says {e.printed}"
    return ""


@cache
def _second_probabilities(case: Case, alpha: Fraction, one: bool = False):
    weights = printed_weights(case.world, case.m, 1, alpha, 0, reading=case.reading)
    chosen = _one_sequence(case) if one else None
    return list(largest_probabilities(case.world, case.n_demos, weights.ov_subj, weights.ov_rel, True, chosen))


#: Lemma C.2 is about every alpha_2 up to its limit: these parts of it.
PARTS = (Fraction(1), Fraction(1, 10), Fraction(1, 1000))


def _with_alpha(case: Case, part: Fraction = Fraction(1)) -> dict:
    """The setting at a part of the largest alpha_2 that Lemma C.2 admits, an exact rational."""
    exact = {**case.p, "T": Fraction(case.p["T"]), "M_ft": Fraction(case.p["M_ft"])}
    return {**case.p, "alpha_2": part * alpha_2_limit(exact)}


@cache
def _many_values(reading: str) -> Case:
    """A world that meets the hypotheses with LU far above M, where the literal reading leaves little but values out of Z."""
    world = World.balanced(250, 31, 50, 200, n_grammar=1, seed=1)
    return Case("balanced M=250 L=31 U=50 M_ft=200 N_ft=1, one sequence", world, 1, reading=reading)


def _one_sequence(case: Case) -> list[np.ndarray]:
    """One subject m times, the first type."""
    s = int(case.world.finetune_array[0])
    tokens = ([s, case.world.sep_token, int(case.world.attribute_token[s, 0])] * case.m)[:-1]
    return [np.array([tokens])]


@cache
def middle_cases(court: Court) -> list[Case]:
    """The theorem bench, and worlds of growing U with M_ft = 4U, N_ft = 1, L = 1, where U^2/M_ft is large."""
    made = list(court.theorem_bench)
    for u in (8, 11):
        world = World.balanced(5 * u, 1, u, 4 * u, n_grammar=1, seed=1)
        made.append(Case(f"balanced M={5 * u} L=1 U={u} M_ft={4 * u} N_ft=1", world, 1, reading=court.reading))
    return made


def _second_name(part: Fraction) -> str:
    return f"max_v pi_v, second step, alpha_2 = {part} of its limit"


def lemma_c2_middle(statement, court: Court) -> Finding:
    """At several alpha_2 up to the largest that the lemma admits: the least decides in the literal reading, where Z is V - A nearly."""
    evidence = []
    for part in PARTS:
        # Away from the limit the smallest worlds decide.
        for case in middle_cases(court) if part == 1 else court.theorem_bench:
            p = _with_alpha(case, part)
            evidence.append(_below(case, _second_name(part), _second_probabilities(case, p["alpha_2"]), statement(p)))
    return finding(evidence, counterexample=_first(evidence))


@cache
def lemma_c2_link() -> str:
    """Where e/(V + L U (1/e - 1)), the link before e/M, fails in the literal reading.  Raises ArithmeticError if it does not."""
    case = _many_values("literal")
    p = _with_alpha(case)
    worst, limit = (
        max(o.probability.lower() for o in _second_probabilities(case, p["alpha_2"], True)),
        lemma_c2_bounds(p)[0],
    )
    if not worst > limit * (1 + SLACK):
        raise ArithmeticError(f"{case.name}: max_v pi_v must be above {limit}, got {worst}")
    return f"{case.name}, alpha_2 = 1 of its limit: max_v pi_v is {float(worst):.6g}, the link {limit:.6g}"


def lemma_c2(statement, court: Court) -> Finding:
    """The final bound on the theorem bench, and on one sequence of a world with many values.  The link before it is no part of
    the verdict; where it fails is said beside it (`lemma_c2_link`)."""
    evidence = []
    for case in (*court.theorem_bench, _many_values(court.reading)):
        one = case.p["M"] > 100
        for part in PARTS if not one else PARTS[:1]:
            p = _with_alpha(case, part)
            evidence.append(
                _below(case, _second_name(part), _second_probabilities(case, p["alpha_2"], one), statement(p))
            )
    return finding(evidence, counterexample=_first(evidence))


def softmax_mass(statement, court: Court) -> Finding:
    """sum_v pi_v, and the norm of the softmax term of W_OV^rel: of single sequences, and of its expectation."""
    evidence = []
    for case in [c for c in court.theorem_bench if _meets_c1(c)]:
        C = case.p["M"] / case.p["U"]
        limit = statement["sum of pi"](case.p, C)
        evidence.append(
            fact(Route.CERTIFIED, case.name, "sum_v pi_v", "1", f"<= {limit:.9g}", limit >= 1, "probabilities sum to 1")
        )
        difference = case.true.ov_rel - case.enumerated.ov_rel.floats
        norm = float(np.linalg.norm(difference))
        ceiling = statement.get("norm", statement["sum of pi"])(case.p, C)
        why = "float64 over every sequence, an inequality"
        evidence.append(_norm_below(case.name, "||E softmax term of W_OV^rel||", norm, ceiling, why))
    for case in (*court.theorem_bench, _most_values(court.reading)):
        if not _meets_c1(case):
            continue
        ceiling = statement.get("norm", statement["sum of pi"])(case.p, case.p["M"] / case.p["U"])
        pi, mean = _one_softmax_term(case)
        name = "||pi|| ||xbar|| of s0 [sep] a s0 [sep] ..., the norm of its softmax term"
        evidence.append(_norm_below(case.name, name, pi * mean, ceiling, "float64 of one sequence, an inequality"))
        if "norm of pi" in statement:
            ceiling = statement["norm of pi"](case.p)
            evidence.append(_norm_below(case.name, "||pi|| of the same", pi, ceiling, "float64, an inequality"))
    return finding(evidence, counterexample=_first(evidence))


def _norm_below(setting: str, name: str, value: float, limit: float, why: str) -> Evidence:
    holds = value <= limit * (1 + SLACK)
    return fact(Route.ENUMERATED, setting, name, f"{value:.9g}", f"<= {limit:.9g}", holds, why)


def _one_softmax_term(case: Case) -> tuple[float, float]:
    """(||pi||, ||xbar||) of the sequence of one subject m times: its softmax term of W_OV^rel is pi xbar^T. O(V)."""
    world, tokens = case.world, _one_sequence(case)[0][0]
    logits = np.zeros(world.V)
    logits[world.M : world.M + world.n_attributes] = -1 if case.reading == "set" else -world.value_counts
    logits[world.attribute_token[tokens[0]]] += 1
    pi = np.exp(logits) / np.exp(logits).sum()
    mean = np.bincount(tokens, minlength=world.V) / len(tokens)
    return float(np.linalg.norm(pi)), float(np.linalg.norm(mean))


@cache
def _most_values(reading: str) -> Case:
    """A world that meets the hypotheses with LU eight times M: the literal reading leaves all values but the own ones out of Z."""
    world = World.balanced(320, 40, 64, 256, n_grammar=1, seed=1)
    return Case("balanced M=320 L=40 U=64 M_ft=256 N_ft=1, one sequence", world, 1, reading=reading)


# --- orders of growth ------------------------------------------------------------------------------------------------
#
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
    result = finding(evidence, counterexample=_first(evidence))
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
