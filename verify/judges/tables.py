"""Checks of statements about the fact table: arbitrary value frequencies."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from numerics.world import World
from theory.frequencies import Frequencies
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.decided import after_hat_steps, uneven
from verify.judges.hypotheses import by_frequencies
from verify.setting import parameters
from verify.worlds import directions, frequencies


def unbalanced(statement: str, court: Court) -> Finding:
    """The derivation at the frequencies that the statement names, against enumeration, on tables that are not balanced."""
    from theory.finetuning import hat_gradients

    evidence = []
    for case in [c for c in court.bench if not c.p["balanced_ft"]]:
        values = _frequencies(statement, case.world)
        derived = case.derived
        if values is not None:
            derived = hat_gradients(_wrong(case.world, values), case.m, window=case.window, eta_ov=case.eta_ov)
        keys = directions(case.world, case.T)
        for which in ("kq_subj", "kq_rel"):
            said = [getattr(derived, which)(key) for key in keys]
            measured = getattr(case.enumerated, which).fractions.tolist()
            apart = [i for i in range(len(keys)) if said[i] != measured[i]]
            i = apart[0] if apart else 0
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    case.name,
                    f"{which}, {len(apart)} of {len(keys)} coordinates apart, the first at {' '.join(map(str, keys[i]))}:",
                    measured[i],
                    said[i],
                    not apart,
                    "exact rationals over every sequence: equality",
                )
            )
    if court.reading == "set":
        # The conclusion for arbitrary frequencies is derived in this reading.
        evidence += _conclusions(statement)
    return finding(
        evidence,
        counterexample=next(
            (
                f"{e.setting}: {e.quantity} {e.measured}, the statement says {e.printed}"
                for e in evidence
                if not e.agrees
            ),
            "",
        ),
    )


#: Both types have frequencies 3/4, 1/4 and 2/4, 2/4 among the first four: eta_OV^rel = 64/3 is where a target ties (N_ft = 2).
LIMIT = (((0, 0), (0, 1), (0, 0), (1, 1), (0, 0), (1, 0)), 4, 2)
LIMIT_STEPS = (Fraction(21), Fraction(64, 3), Fraction(22))


def _conclusions(statement: str) -> list[Evidence]:
    """Is every sequence right after the hat steps? By the frequencies that the statement names, against the decision."""
    evidence = []
    rows, M_ft, n = LIMIT
    at_limit = World(np.array(rows), range(M_ft), n_grammar=1)
    trials = [(b.name, b.world, b.n_demos, Fraction(1), b.decided) for b in uneven("set")]
    for step in LIMIT_STEPS:
        name = f"M=6 L=2 U=2 M_ft=4 N_ft=2, values {' '.join(f'{a}{b}' for a, b in rows)}, eta_OV^rel = {step}"
        trials.append((name, at_limit, n, step, after_hat_steps(at_limit, n, "set", eta=(1, step, 1))))
    for name, world, n_demos, step, decided in trials:
        p = parameters(world, n_demos, eta_ov=step, reading="set", frequencies=frequencies(world))
        values = _frequencies(statement, world)
        said = by_frequencies(p if values is None else {**p, "frequencies": _wrong(world, values)})
        evidence.append(
            fact(
                Route.ENUMERATED,
                name,
                "right on every sequence after the hat steps",
                f"{decided.holds} ({decided.words})",
                said,
                said == decided.holds,
                "decided over all sequences by count patterns, exact rationals",
            )
        )
    return evidence


def _frequencies(statement: str, world: World) -> tuple[tuple[Fraction, ...], ...] | None:
    """f_u by type as a statement would have it; None for the actual ones among the finetuning subjects."""
    if statement == "frequencies among the finetuning subjects":
        return None
    columns = []
    for l in range(world.L):
        tokens = world.attribute_range(l)
        everyone = [Fraction(int(world.value_counts[u - world.M]), world.M) for u in tokens]
        finetune = [Fraction(int(world.finetune_value_counts[u - world.M]), world.M_ft) for u in tokens]
        by_name = {
            "balanced formulas": [Fraction(1, len(tokens))] * len(tokens),
            "frequencies over all subjects": everyone,
            "frequencies squared": [f * f for f in finetune],
        }
        columns.append(tuple(by_name[statement]))
    return tuple(columns)


def _wrong(world: World, values) -> Frequencies:
    """Frequencies that a table does not have: what a wrong statement would feed the formulas."""
    actual = frequencies(world)
    wrong = object.__new__(type(actual))
    for name in ("subjects", "seen"):
        object.__setattr__(wrong, name, getattr(actual, name))
    object.__setattr__(wrong, "values", values)
    return wrong


def expected_matches(statement, court: Court) -> Finding:
    """E[C_y | y] over every sequence, for every value y."""
    from numerics.population.matches import matches
    from verify.judges.coefficients import at

    evidence = []
    for case in court.balanced_bench:
        said = at(statement, case.p)
        measured = matches(case.world, case.n_demos).given_y
        worst = max(measured.items(), key=lambda item: abs(item[1] - said))
        evidence.append(
            fact(
                Route.ENUMERATED,
                case.name,
                f"E[C_y | y = {case.world.token_name(worst[0])}]",
                worst[1],
                said,
                all(v == said for v in measured.values()),
                "exact rationals over every sequence: equality",
            )
        )
    return finding(
        evidence,
        counterexample=next(
            (f"{e.setting}: {e.quantity} = {e.measured}, printed {e.printed}" for e in evidence if not e.agrees), ""
        ),
    )
