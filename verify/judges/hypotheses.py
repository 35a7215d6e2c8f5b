"""Checks of the theorem's conclusion and hypotheses against decisions over all sequences."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from numerics.world import World
from paper_checks.contextual_recall.assumptions import THEOREM_2
from theory.finetuning.conclusion import balanced_conclusion
from verify.court import Court
from verify.evidence import Finding, Route, Status, finding
from verify.judges.compare import fact
from verify.judges.decided import (
    Boundary,
    after_hat_steps,
    after_steps,
    boundary,
    counterexample_of,
    ov_step,
    says,
)
from verify.setting import parameters


def hypotheses(statement: Callable[[dict], bool], court: Court, exact: bool) -> Finding:
    """A condition on the setting against decisions on both sides of the boundary, and at worlds that meet Theorem 2's hypotheses."""
    evidence, failing = [], {}
    for b in (*_inside_hypotheses(court.reading), *boundary(court.reading)):
        evidence.append(says(b, bool(statement(b.p)), b.decided, exact))
        failing[b.name] = b.decided.failing
    if not exact and court.reading == "set":
        # The theorem is about the actual loss: the same worlds after the true steps, softmax term kept.
        for b in (*_inside_hypotheses("set"), *boundary("set")[:8]):
            decided = after_steps(b, "true", None, Fraction(1), Fraction(1), Fraction(1), "set")
            name = f"{b.name}, true steps"
            predicted = bool(statement(b.p))
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    name,
                    "right on every sequence",
                    f"{decided.holds} ({decided.words})",
                    predicted,
                    decided.holds or not predicted,
                    "float64 gradients over every sequence, decided over all sequences by count patterns",
                )
            )
            failing[name] = decided.failing
    if not exact and not any(e.printed == "True" for e in evidence):
        return Finding(Status.VACUOUS, tuple(evidence), "the statement claims nothing on any tried world")
    evidence.sort(key=lambda e: e.agrees)
    return finding(evidence, counterexample=counterexample_of(evidence, failing))


def sharp_condition(p: dict) -> bool:
    """What the derivation says, as a predicate of a balanced setting, at the reading and eta_OV^rel of the decision."""
    eta = None if p["reading"] == "set" else Fraction(p["eta_ov"])
    return balanced_conclusion(p["M"], p["L"], p["U"], p["M_ft"], p["m"], eta_ov=eta, reading=p["reading"]).holds


@cache
def _inside_hypotheses(reading: str) -> tuple[Boundary, ...]:
    """The smallest balanced settings that meet every hypothesis of Theorem 2: four that fail and four that hold.

    All (L, U, N_ft, M_ft = kU, M) with L <= 3, U <= 6, N_ft <= 2, k <= 12 and the least M that the hypotheses allow are
    ordered by their number of sequences, so the first failing one is the smallest counterexample in that range.
    """
    found = []
    for L, U, n, k in itertools.product(range(1, 4), range(1, 7), (1, 2), range(2, 13)):
        m, M_ft = n + 1, k * U
        M = max(M_ft + 1, 4 * m * L)
        M = -(-M // U) * U
        T = 3 * m - 1
        p: dict[str, Any] = {
            "M": M,
            "L": L,
            "U": U,
            "M_ft": M_ft,
            "m": m,
            "N_ft": n,
            "T": T,
            "S": T - 2,
            "all_values_seen": True,
            "balanced_all": True,
            "eta_ov": ov_step(reading),
            "reading": reading,
        }
        if all(a.holds(p) for a in THEOREM_2):
            found.append((L * M_ft**m + L * (M - M_ft) * M_ft**n, M, p))
    found.sort(key=lambda item: item[:2])
    chosen = [p for _, _, p in found if not sharp_condition(p)][:4] + [p for _, _, p in found if sharp_condition(p)][:4]
    made = []
    for p in chosen:
        world = World.balanced(p["M"], p["L"], p["U"], p["M_ft"], n_grammar=1, seed=2)
        name = f"balanced M={p['M']} L={p['L']} U={p['U']} M_ft={p['M_ft']} N_ft={p['N_ft']}"
        full = parameters(world, p["N_ft"], eta_ov=p["eta_ov"], reading=reading)
        made.append(
            Boundary(name, world, p["N_ft"], full, after_hat_steps(world, p["N_ft"], reading, eta=(1, p["eta_ov"], 1)))
        )
    return tuple(made)
