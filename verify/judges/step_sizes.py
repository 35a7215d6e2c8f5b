"""Checks of the step sizes: each varied over twelve decades, hat and true steps, full and cut windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

from paper_checks.contextual_recall.assumptions import alpha_2_limit
from theory.finetuning.conclusion import balanced_conclusion
from verify.court import Court
from verify.evidence import Finding, Route, Status, finding
from verify.judges.compare import fact
from verify.judges.decided import Boundary, after_hat_steps, after_steps, counterexample_of, uneven
from verify.judges.hypotheses import by_frequencies, sharp_condition
from verify.worlds import theorem_cases

ETAS = ("eta_kq_subj", "eta_ov", "eta_kq_rel")
STEPS = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1), Fraction(100), Fraction(10**6))


def step_sizes(statement: Callable[[dict], bool], court: Court) -> Finding:
    """Worlds inside the sharp condition, one of them uneven; one step size at a time varied over twelve decades, the others 1.

    Hat steps at the full window and at windows that cut the sequence, exact rationals; true steps at the full window,
    float64 over every sequence. Where the statement allows the steps, every sequence must be right.
    """
    made, failing = [], {}
    for b in (*_step_worlds(), uneven("set")[2]):
        for p in _step_settings(b, court.reading):
            decided = after_steps(
                b, p["objective"], p["window"], p["eta_kq_subj"], p["eta_ov"], p["eta_kq_rel"], court.reading
            )
            eta = ", ".join(str(p[k]) for k in ETAS)
            label = f"{b.name}, S={p['S']}, {p['objective']} steps, eta=({eta})"
            allowed = bool(statement(p))
            one = fact(
                Route.ENUMERATED,
                label,
                "right on every sequence",
                f"{decided.holds} ({decided.words})",
                "allowed" if allowed else "not claimed",
                decided.holds or not allowed,
                "decided over all sequences by count patterns; hat exact, true float64",
            )
            made.append((one, sum(abs(math.log(p[k])) for k in ETAS)))
            failing[label] = decided.failing
    # Disagreements first, of the smallest world those whose steps are nearest to 1.
    order = {label: i for i, label in enumerate(dict.fromkeys(e.setting.split(", S=")[0] for e, _ in made))}
    made.sort(key=lambda pair: (pair[0].agrees, order[pair[0].setting.split(", S=")[0]], pair[1]))
    evidence = [e for e, _ in made]
    if not any(e.printed == "allowed" for e in evidence):
        return Finding(Status.VACUOUS, tuple(evidence), "the statement allows no tried step size")
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
    # The derivation for arbitrary frequencies is one of the full window.
    cut = (None, T - 1, T - 3) if b.p["balanced_ft"] else (None,)
    for objective, windows in (("hat", cut), ("true", (None,))):
        for window in windows:
            for which in ETAS:
                more = () if window is not None or which != "eta_ov" else _around_the_limit(b, objective)
                for step in (*STEPS, *more):
                    steps = {**dict.fromkeys(ETAS, Fraction(1)), which: step}
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


@cache
def _around_the_limit(b: Boundary, objective: str) -> tuple[Fraction, ...]:
    """The least integer eta_OV^rel up to 10^6 at which some sequence is not right (set, full window), and the one below it.

    Doubling, then bisection: 30 decisions; if there are several such ranges of steps, the end of one of them.
    """

    def right(step: int) -> bool:
        return after_steps(b, objective, None, Fraction(1), Fraction(step), Fraction(1), "set").holds

    high = 1
    while right(high):
        high *= 2
        if high > 10**6:
            return ()
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if right(middle) else (low, middle)
    return Fraction(low), Fraction(high)


def allowed_steps(p: dict) -> bool:
    """Hat steps: exactly what the derivation allows. True steps: those within Lemma C.2's own limit of alpha_2."""
    if p["objective"] == "true":
        return p["reading"] == "set" and p["alpha_2"] <= alpha_2_limit(p)
    if p.get("frequencies") is not None and not p["balanced_ft"]:
        return by_frequencies(p)
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


WORDS = (
    "inside the sharp condition with T <= S+2, set reading, hat steps: every positive eta_KQ^subj and eta_KQ^rel, and every eta_OV^rel with "
    "eta_OV^rel (m-1)/(L T) f_max (f_max - f_y) < 1 for every type and value y, f the frequencies among the FINETUNING subjects: no limit "
    "if they are all 1/U, else a frequent value overtakes a rare one, also where every value is on M/U of all subjects. With T > S+2 the "
    "initial window term (+1 inside the window) competes with eta_KQ^rel eta_OV^rel times the update in what the relation head attends; in "
    "the literal reading eta_OV^rel has a lower bound, (M/U - 1) L T U^2/(m-1) for frequencies 1/U. Lemma C.2 uses alpha_2 <= "
    "1/(lambda_1 + m lambda_2), i.e. an upper bound on eta_OV^rel that the theorem does not state; after true steps a large eta_OV^rel does fail"
)
