"""The chain of bounds of the second iteration, link by link: what the softmax term adds to the hat gradient of W_KQ^rel.

With d_i = r_i - r_hat_i = sum_v pi_v h(v)^T W_OV^rel x_i >= 0, the attention uniform over T and keys x_i + p_i of norm sqrt 2, in units
of alpha_2 (subject head on the query, W_OV^rel as printed):

    ||difference||  <=  c max_i d_i / alpha_2  <=  (max_u pi_u) B  <=  (e/M) B  <=  last,      last << m^2
    link                1                      2                   Lemma C.2    3               4
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from numerics.models.population_gradient import backpropagate
from numerics.world import World
from paper_checks.claim import much_larger
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from verify.court import PAPER, Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.bounds import SLACK
from verify.judges.compare import fact
from verify.judges.sequencewise import second_step_model
from verify.observe import observe
from verify.worlds import Case

#: alpha_2 in parts of the largest that Lemma C.2 admits.
PARTS = (Fraction(1), Fraction(1, 10))

LINKS = ("link 1", "link 2", "link 3", "whole chain", "link 4")


@dataclass(frozen=True)
class Single:
    """One sequence: the norm of its difference and max d, both over alpha_2, and the largest pi of a value."""

    words: str
    norm: float
    largest: float
    pi: float


def neglect_grid() -> list[dict]:
    """Integer settings that meet Theorem 2's hypotheses at the paper's own factor 4, ordered by size; and the paper's own."""
    found = []
    for l, u, ratio, n in itertools.product((1, 2, 4, 8), (2, 4, 8, 16, 32), (4, 8), (1, 2, 5)):
        p = {
            "L": l,
            "U": u,
            "M_ft": ratio * u,
            "M": max(2 * ratio, 4 * (n + 1) * l // u + 1) * u,
            "m": n + 1,
            "N_ft": n,
        }
        if much_larger(p["M"], p["m"] * p["L"]) and p["M"] > p["M_ft"]:
            found.append(p)
    return sorted([*found, dict(PAPER)], key=lambda p: p["L"] * p["M_ft"] ** p["m"])


def relation_difference(statement, court: Court) -> Finding:
    """Every link, on single sequences, on closed forms of many settings, and the whole on expectations over every sequence."""
    found: dict[str, list[Evidence]] = {link: [] for link in LINKS}
    for case in (*court.theorem_bench, _many_heldout(court.reading)):
        for part in PARTS if statement["range of Lemma C.2"] else (*PARTS, _beyond(case)):
            alpha = part * _limit(case)
            label = f"{case.name}, alpha_2 = {part} of its limit"
            for link, made in _links(case, alpha, statement, label):
                found[link].append(made)
            norm, last = _expected_difference(case, alpha), statement["last"](case.p)
            text = "||E true - E hat|| / alpha_2, second step, printed W_OV^rel"
            why = "float64 autograd over every sequence, an inequality"
            found["whole chain"].append(_below(Route.AUTOGRAD, label, text, norm, last, why))
    for p in neglect_grid():
        label = _label(p)
        middle, last = math.e / p["M"] * statement["middle"](p), statement["last"](p)
        text, why = f"link 3, with Lemma C.2: (e/M) {statement['words']}", "closed forms of the setting"
        found["link 3"].append(_below(Route.SYMBOLIC, label, text, middle, last, why))
        if statement["much smaller than m^2"]:
            why = '"<<" read as a factor 4, the paper\'s own M_ft / U'
            found["link 4"].append(
                _below(Route.SYMBOLIC, label, "link 4: last bound / m^2", last / p["m"] ** 2, 0.25, why)
            )
    evidence = [e for link in LINKS for e in found[link]]
    return finding(evidence, counterexample=_failures(found))


def _label(p: dict) -> str:
    return f"M={p['M']} L={p['L']} U={p['U']} M_ft={p['M_ft']} N_ft={p['N_ft']}"


def _below(route: Route, setting: str, quantity: str, value: float, limit: float, why: str) -> Evidence:
    holds = value <= limit * (1 + SLACK)
    return fact(route, setting, quantity, f"{value:.6g}", f"<= {limit:.6g}", holds, why)


def _failures(found: dict[str, list[Evidence]]) -> str:
    """The first link that fails and its smallest case, then the others; at the paper's own sizes too where they fail there."""
    texts = []
    for link in LINKS:
        wrong = [e for e in found[link] if not e.agrees]
        if not wrong:
            continue
        first = wrong[0]
        text = f"{first.setting}: {first.quantity} is {first.measured}, the statement says {first.printed}"
        own = next((e for e in wrong if e.setting == _label(PAPER)), None)
        if own is not None and own is not first:
            text += f" (at {own.setting}: {own.measured} against {own.printed})"
        texts.append(text)
    return "; ".join(texts)


def _limit(case: Case) -> Fraction:
    return Fraction(alpha_2_limit({**case.p, "T": Fraction(case.T), "M_ft": Fraction(case.p["M_ft"])}))


def _beyond(case: Case) -> Fraction:
    """A part of the limit at which pi gathers on the type's values: "literal" first has to lift them from -(M/U - 1)."""
    return Fraction(20) + (Fraction(case.p["M"], case.p["U"]) if case.reading == "literal" else 0)


def _links(case: Case, alpha: Fraction, statement, label: str):
    """Links 1 and 2 on the sequence where each is nearest to failing."""
    why = "float64 autograd of single sequences, an inequality"
    singles = _singles(case, alpha)
    middle = statement["middle"](case.p)
    one = max(singles, key=lambda s: s.norm / (statement["factor"] * s.largest))
    two = max(singles, key=lambda s: s.largest / s.pi)
    text = f"link 1: ||true - hat|| / alpha_2 against {statement['factor']:.4g} max |r - r_hat| / alpha_2"
    yield (
        "link 1",
        _below(Route.AUTOGRAD, f"{label}: {one.words}", text, one.norm, statement["factor"] * one.largest, why),
    )
    text = f"link 2: {statement['factor']:.4g} max |r - r_hat| / alpha_2 against max pi {statement['words']}"
    yield (
        "link 2",
        _below(Route.AUTOGRAD, f"{label}: {two.words}", text, statement["factor"] * two.largest, two.pi * middle, why),
    )


@cache
def _singles(case: Case, alpha: Fraction) -> tuple[Single, ...]:
    model = second_step_model(case, float(alpha))
    values = slice(case.world.M, case.world.M + case.world.n_attributes)
    ov = model.ov["rel"].detach().numpy()
    found = []
    for o in observe(model, case.world, case.n_demos, 64):
        d = o.pi @ ov[:, o.tokens]
        weights = o.alpha["rel"] * (d - o.alpha["rel"] @ d)
        words = " ".join(case.world.token_name(int(t)) for t in o.tokens)
        norm = float(np.linalg.norm(weights @ o.keys))
        found.append(
            Single(words, norm / float(alpha), float(np.abs(d).max()) / float(alpha), float(o.pi[values].max()))
        )
    return tuple(found)


@cache
def _expected_difference(case: Case, alpha: Fraction) -> float:
    """||E true - E hat|| / alpha_2 by autograd over every sequence, the [sep] column of W_KQ^rel."""
    gradients = []
    for objective in ("true", "hat"):
        model = second_step_model(case, float(alpha))
        backpropagate(model, case.world, case.n_demos, objective)
        gradient = model.kq["rel"].grad
        assert gradient is not None
        gradients.append(gradient.numpy()[:, case.world.sep_token].copy())
    return float(np.linalg.norm(gradients[0] - gradients[1])) / float(alpha)


@cache
def _many_heldout(reading: str) -> Case:
    """M far above everything else: e/M is small, but a large alpha_2 gathers pi on the values of the type all the same."""
    world = World.balanced(160, 1, 2, 8, n_grammar=1, seed=1)
    return Case("balanced M=160 L=1 U=2 M_ft=8 N_ft=1", world, 1, reading=reading)
