"""Checks of statements about the fact table: arbitrary value frequencies."""

from __future__ import annotations

from fractions import Fraction

from numerics.world import World
from verify.court import Court
from verify.evidence import Finding, Route, finding
from verify.judges.compare import fact
from verify.worlds import Case, directions, frequencies


def unbalanced(statement: str, court: Court) -> Finding:
    """The derivation at the frequencies that the statement names, against enumeration, on tables that are not balanced."""
    from theory.finetuning import hat_gradients

    evidence = []
    for case in [c for c in court.bench if not c.p["balanced_ft"]]:
        values = _frequencies(statement, case.world)
        derived = case.derived
        if values is not None:
            derived = hat_gradients(_unchecked(case, values), case.m, window=case.window, eta_ov=case.eta_ov)
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
                    f"{which}, {len(apart)} of {len(keys)} coordinates apart, {keys[i]}",
                    measured[i],
                    said[i],
                    not apart,
                    "exact rationals over every sequence: equality",
                )
            )
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


def _unchecked(case: Case, values):
    """Frequencies that a table does not have: what a wrong statement would feed the formulas."""
    actual = frequencies(case.world)
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
