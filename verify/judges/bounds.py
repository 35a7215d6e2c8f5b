"""Checks of inequalities over every sequence of small worlds: Lemmas C.1 and C.2, and the softmax term of W_OV^rel."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np

from numerics.population.probabilities import largest_probabilities
from numerics.world import World
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from paper_checks.contextual_recall.lemmas import lemma_c2_bounds
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
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
    return finding(evidence, counterexample=first_failing(evidence))


def first_failing(evidence: list[Evidence]) -> str:
    """The first that fails, in words; empty if none does."""
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
    return finding(evidence, counterexample=first_failing(evidence))


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
    return finding(evidence, counterexample=first_failing(evidence))


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
    return finding(evidence, counterexample=first_failing(evidence))


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
