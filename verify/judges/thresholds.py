"""Checks of "sufficiently large beta": the sharp threshold in closed form against the enumerated one, to 1e-6."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from numerics.constructions import heads as built
from numerics.constructions.margins import margins
from numerics.constructions.threshold import bisected_threshold
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining.enumerate import sequences as pt_sequences
from theory.constructions import icl_threshold, pretraining_threshold
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding, number
from verify.judges.compare import fact
from verify.judges.constructions import InContext, Pretraining, context_bench, pretraining_bench
from verify.worlds import frequencies

#: The bisection's own tolerance; both numbers are infima of the beta from which on every sequence is right.
TOLERANCE = 2e-6


def _counts(case: Pretraining) -> list[list[int]]:
    """Per type N_u of its values."""
    world = case.world
    return [[int(n) for n in np.bincount(world.value_index[:, l])] for l in range(world.L)]


@cache
def _measured(proposition: int, reading: str) -> tuple[tuple[str, float | None, float | None], ...]:
    """(case, enumerated threshold, derived threshold); None: not right for large beta."""
    rows = []
    if proposition in (1, 3):
        for case in pretraining_bench():
            made = (built.prop1 if proposition == 1 else built.prop3)(case.world, case.S, case.N_tr, reading)
            found = bisected_threshold(margins(made, pt_sequences(case.world, case.S, case.N_tr)))
            derived = pretraining_threshold(proposition, case.S, case.world.L, case.N_tr, _counts(case), reading)
            rows.append((f"Prop. {proposition}, {case.name}", None if found is None else found.beta, derived.beta))
    else:
        for demos in context_bench():
            rows += _in_context(proposition, demos, reading)
    return tuple(rows)


def _in_context(proposition: int, case: InContext, reading: str) -> list[tuple[str, float | None, float | None]]:
    made = (
        built.prop2(case.world, case.N_ft, reading)
        if proposition == 2
        else built.prop4(case.world, case.N_ft, 1, reading)
    )
    rows = []
    for query, pool in (("seen", "finetune"), ("heldout", "heldout")):
        if query == "heldout" and not len(case.world.heldout):
            continue
        found = bisected_threshold(margins(made, icl_sequences(case.world, case.N_ft, pool, "finetune")))
        derived = icl_threshold(proposition, frequencies(case.world), case.N_ft + 1, query, "finetune", reading)
        name = f"Prop. {proposition}, {case.name}, {query} queries"
        rows.append((name, None if found is None else found.beta, derived.beta))
    return rows


def thresholds(*propositions: int) -> Callable[[Any, Court], Finding]:
    """True: a finite threshold exists on every bench world. A function of the derived threshold: that it is the enumerated one."""

    def check(statement: Any, court: Court) -> Finding:
        evidence: list[Evidence] = []
        for proposition in propositions:
            for name, measured, derived in _measured(proposition, court.reading):
                shown = "none: wrong or tied for large beta" if measured is None else number(measured)
                if statement is True:
                    evidence.append(
                        fact(
                            Route.ENUMERATED,
                            name,
                            "beta from which every sequence is right",
                            shown,
                            "exists",
                            measured is not None,
                            "bisection over all sequences",
                        )
                    )
                    continue
                said = None if derived is None else statement(derived)
                agrees = (measured is None) == (said is None) and (
                    measured is None or said is None or abs(measured - said) <= TOLERANCE
                )
                evidence.append(
                    fact(
                        Route.ENUMERATED,
                        name,
                        "beta from which every sequence is right",
                        shown,
                        "none" if said is None else number(float(said)),
                        agrees,
                        f"bisection over all sequences, {TOLERANCE:g}",
                    )
                )
        first = next((e for e in evidence if not e.agrees), None)
        return finding(
            evidence,
            counterexample=""
            if first is None
            else f"{first.setting}: {first.measured}, the statement says {first.printed}",
        )

    return check
