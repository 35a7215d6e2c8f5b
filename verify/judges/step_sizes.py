"""Checks of the step sizes: each varied over twelve decades, hat and true steps, full and cut windows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

from paper_checks.contextual_recall.assumptions import alpha_2_limit
from theory.finetuning.conclusion import balanced_conclusion
from verify.court import Court
from verify.evidence import Finding, Route, Status, finding
from verify.judges.compare import fact
from verify.judges.decided import Boundary, after_hat_steps, after_steps, counterexample_of
from verify.judges.hypotheses import sharp_condition
from verify.worlds import theorem_cases

STEPS = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1), Fraction(100), Fraction(10**6))


def step_sizes(statement: Callable[[dict], bool], court: Court) -> Finding:
    """Worlds inside the sharp condition; one step size at a time varied over twelve decades, the others 1.

    Hat steps at the full window and at windows that cut the sequence, exact rationals; true steps at the full window,
    float64 over every sequence. Where the statement allows the steps, every sequence must be right.
    """
    evidence, failing = [], {}
    for b in _step_worlds():
        for p in _step_settings(b, court.reading):
            decided = after_steps(
                b, p["objective"], p["window"], p["eta_kq_subj"], p["eta_ov"], p["eta_kq_rel"], court.reading
            )
            eta = ", ".join(str(p[k]) for k in ("eta_kq_subj", "eta_ov", "eta_kq_rel"))
            label = f"{b.name}, S={p['S']}, {p['objective']} steps, eta=({eta})"
            allowed = bool(statement(p))
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    label,
                    "right on every sequence",
                    f"{decided.holds} ({decided.words})",
                    "allowed" if allowed else "not claimed",
                    decided.holds or not allowed,
                    "decided over all sequences by count patterns; hat exact, true float64",
                )
            )
            failing[label] = decided.failing
    if not any(e.printed == "allowed" for e in evidence):
        return Finding(Status.VACUOUS, tuple(evidence), "the statement allows no tried step size")
    evidence.sort(key=lambda e: e.agrees)
    return finding(evidence, counterexample=counterexample_of(evidence, failing))


@cache
def _step_worlds() -> tuple[Boundary, ...]:
    """Two worlds that meet every hypothesis of Theorem 2 and lie inside the sharp condition."""
    made = []
    for case in theorem_cases("set"):
        if case.p["L"] > 1 and sharp_condition({**case.p, "reading": "set"}):
            made.append(
                Boundary(case.name, case.world, case.n_demos, case.p, after_hat_steps(case.world, case.n_demos, "set"))
            )
    return tuple(made[:2])


def _step_settings(b: Boundary, reading: str) -> list[dict]:
    T = b.p["T"]
    found = []
    for objective, windows in (("hat", (None, T - 1, T - 3)), ("true", (None,))):
        for window in windows:
            for which in ("eta_kq_subj", "eta_ov", "eta_kq_rel"):
                for step in STEPS:
                    steps = {"eta_kq_subj": Fraction(1), "eta_ov": Fraction(1), "eta_kq_rel": Fraction(1), which: step}
                    alpha_2 = float(steps["eta_ov"]) / (b.p["L"] * T * b.p["U"] ** 2)
                    found.append(
                        {
                            **b.p,
                            **steps,
                            "S": T - 2 if window is None else window - 2,
                            "window": window,
                            "reading": reading,
                            "objective": objective,
                            "alpha_2": alpha_2,
                        }
                    )
    return found


def allowed_steps(p: dict) -> bool:
    """Hat steps: exactly what the derivation allows. True steps: those within Lemma C.2's own limit of alpha_2."""
    if p["objective"] == "true":
        return p["reading"] == "set" and p["alpha_2"] <= alpha_2_limit(p)
    return balanced_conclusion(
        p["M"],
        p["L"],
        p["U"],
        p["M_ft"],
        p["m"],
        window=p["window"],
        eta_kq_subj=p["eta_kq_subj"],
        eta_ov=p["eta_ov"],
        eta_kq_rel=p["eta_kq_rel"],
        reading=p["reading"],
    ).holds
