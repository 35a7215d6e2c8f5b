"""Checks of statements about the fact table: arbitrary value frequencies, values that one subject has alone."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np

from numerics.population import hat_gradients as marginal_hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from verify.court import Court
from verify.evidence import Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.decided import Decided, both
from verify.judges.printed_update import errors, network
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


def unique_world() -> tuple[World, int]:
    """Type 1 has one value per subject, type 2 two values; M_ft = 24 of M = 48, N_ft = 1: well inside the sharp condition for U = 2."""
    M = 48
    return World(np.stack([np.arange(M), np.arange(M) % 2], axis=1), range(M // 2), n_grammar=1), 1


@cache
def _unique_decided(reading: str) -> tuple[dict[tuple[str, int], tuple[int, int]], Decided]:
    """Errors by query pool and type (a plain forward pass over every sequence), and the decision by count patterns."""
    world, n = unique_world()
    weights = updated_weights(
        world, marginal_hat_gradients(world, n, Fraction(1), None, reading), Fraction(1), Fraction(1)
    )
    model = network(world, n, weights, math.inf)
    wrong = {
        (query, kind): errors(model, world, n, query, {kind}) for query in ("finetune", "heldout") for kind in range(2)
    }
    return wrong, both(world, n, weights)


def unique_attributes(statement: str, court: Court) -> Finding:
    """Accuracy by type after the actual hat steps, by a plain forward pass over every sequence."""
    wrong, decided = _unique_decided(court.reading)
    held, seen = [wrong["heldout", k] for k in range(2)], [wrong["finetune", k] for k in range(2)]
    facts = {
        "held-out queries right": (all(w == 0 for w, _ in held), "every held-out sequence right"),
        "type-1 held-out queries right": (held[0][0] == 0, "every held-out sequence of type 1 right"),
        "no type-1 held-out query right": (held[0][0] == held[0][1], "every held-out sequence of type 1 wrong or tied"),
        "seen queries wrong too": (all(w > 0 for w, _ in seen), "some seen sequences of each type wrong"),
    }
    holds, meaning = facts[statement]
    measured = ", ".join(f"{q} type {k + 1}: {t - w}/{t} right" for (q, k), (w, t) in wrong.items())
    evidence = [
        fact(
            Route.ENUMERATED,
            "M=48, M_ft=24, L=2, U=(48, 2), N_ft=1",
            statement,
            measured,
            meaning,
            holds,
            "forward pass of the literal network over every sequence",
        )
    ]
    total = sum(w for w, _ in held)
    evidence.append(
        fact(
            Route.CERTIFIED,
            "the same world",
            "held-out sequences not right, by count patterns",
            decided.heldout.total - (decided.heldout.right or 0),
            total,
            decided.heldout.right is not None and decided.heldout.total - decided.heldout.right == total,
            "two methods count the same sequences",
        )
    )
    return finding(evidence, counterexample=f"{measured}. {decided.failing}")


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
