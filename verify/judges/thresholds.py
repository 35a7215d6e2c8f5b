"""Checks of "sufficiently large beta": the sharp threshold in closed form against the enumerated one, to 1e-6.

For Proposition 3 at the last token, and at the positions t < T: from which beta on the argmax sets are those of beta = inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from numerics.constructions import heads as built
from numerics.constructions.margins import margins
from numerics.constructions.threshold import finite_threshold
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining.enumerate import sequences as pt_sequences
from theory.constructions import icl_threshold, pretraining_threshold
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding, number
from verify.judges.compare import fact
from verify.judges.construction_worlds import InContext, Pretraining, context_bench, pretraining_bench
from verify.judges.positions import settling
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
            found = finite_threshold(margins(made, pt_sequences(case.world, case.S, case.N_tr)))
            derived = pretraining_threshold(proposition, case.S, case.world.L, case.N_tr, _counts(case), reading)
            rows.append((f"Prop. {proposition}, {case.name}", found, derived.beta))
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
        found = finite_threshold(margins(made, icl_sequences(case.world, case.N_ft, pool, "finetune")))
        derived = icl_threshold(proposition, frequencies(case.world), case.N_ft + 1, query, "finetune", reading)
        name = f"Prop. {proposition}, {case.name}, {query} queries"
        rows.append((name, found, derived.beta))
    return rows


def _placed(proposition: int, reading: str) -> list[tuple[str, str, float | None, float | None]]:
    """(case, quantity, counted, derived) at the last token, and for Prop. 3 before it."""
    last = [(n, "beta from which every sequence is right", a, b) for n, a, b in _measured(proposition, reading)]
    if proposition != 3:
        return last
    question = "beta from which the argmax sets are those of beta = inf"
    return last + [(name, question, a, b) for name, a, b in settling(reading)]


def _number(value: float | None) -> str:
    if value is None:
        return "none: wrong or tied for large beta"
    return "no finite beta, beta = inf only" if math.isinf(value) else number(float(value))


def thresholds(*propositions: int) -> Callable[[Any, Court], Finding]:
    """True: for large beta every sequence of the bench is right at the last token, and before it the argmax sets are those of
    beta = inf at beta = inf at least. A function of the derived threshold: that it is the counted one."""

    def check(statement: Any, court: Court) -> Finding:
        evidence: list[Evidence] = []
        for proposition in propositions:
            for name, quantity, counted, derived in _placed(proposition, court.reading):
                if statement is True:
                    said, agrees = "exists", counted is not None
                else:
                    limit = None if derived is None else statement(derived)
                    said = _number(limit)
                    agrees = counted == limit or (
                        counted is not None and limit is not None and abs(counted - limit) <= TOLERANCE
                    )
                why = f"margins of all sequences, {TOLERANCE:g}"
                evidence.append(fact(Route.ENUMERATED, name, quantity, _number(counted), said, agrees, why))
        first = next((e for e in evidence if not e.agrees), None)
        return finding(
            evidence,
            counterexample=""
            if first is None
            else f"{first.setting}: {first.quantity}: {first.measured}, the statement says {first.printed}",
        )

    return check
