"""Checks of the remark on coverage, and of the two printed relation heads of the ICL constructions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numerics.constructions import heads as built
from verify.court import Court
from verify.evidence import Finding, Route
from verify.judges.compare import fact
from verify.judges.construction_worlds import context_bench, uncovered_bench
from verify.judges.constructions import closed, icl_sights
from verify.judges.sight import Sight


def sharp(o: Sight) -> bool:
    """Right exactly where the target is in U' and so is one context value at least (literal: and N_y = 1)."""
    return o.target_seen and o.context_seen > 0 and o.weight(o.own[o.kind]) == 1


def coverage(statement: bool | str | Callable[[Sight], bool], court: Court) -> Finding:
    """Where some values are not seen in finetuning: queries and contexts from all subjects, every sequence.

    A function says of a sequence whether it is right. True: no sequence with an unseen target is. Strings: slips.
    """
    evidence = []
    for case in (*uncovered_bench(), *(context_bench() if callable(statement) else ())):
        world = case.world
        for proposition in (2, 4):
            made = (
                built.prop2(world, case.N_ft, court.reading)
                if proposition == 2
                else built.prop4(world, case.N_ft, 1, court.reading)
            )
            right, apart = {True: [0, 0], False: [0, 0]}, 0
            for sight, found, row, target in icl_sights(case, made, court.reading, "all", "all"):
                good = [int(v) for v in np.flatnonzero(found.argmax[row])] == [target]
                right[sight.target_seen][0] += good
                right[sight.target_seen][1] += 1
                apart += callable(statement) and statement(sight) != good
            covered, uncovered = right[True], right[False]
            holds = {
                True: uncovered[0] == 0,
                "uncovered targets right": uncovered[0] == uncovered[1],
                "covered targets wrong": covered[1] > 0 and covered[0] == 0,
            }
            measured = f"covered targets {covered[0]}/{covered[1]} right, uncovered {uncovered[0]}/{uncovered[1]}"
            if callable(statement):
                measured += f"; otherwise than stated: {apart}"
            agrees = apart == 0 if callable(statement) else holds[statement]
            said = "as stated, sequence by sequence" if callable(statement) else statement
            quantity = f"Prop. {proposition}, queries and contexts from all subjects"
            evidence.append(fact(Route.ENUMERATED, case.name, quantity, measured, said, agrees, "exact rationals"))
    return closed(evidence)


def relation_heads(statement: dict[str, str], court: Court) -> Finding:
    """The two printed relation heads, entry by entry: [sep] column of W_KQ, and W_OV."""
    evidence = []
    for covered, bench in ((True, context_bench()), (False, uncovered_bench())):
        for case in bench:
            two, four = (
                built.prop2(case.world, case.N_ft).heads["rel"],
                built.prop4(case.world, case.N_ft, 1).heads["rel"],
            )
            same = {
                "kq": bool((two.kq == four.kq).all()),
                "ov": bool((two.ov * four.ov_denominator == four.ov * two.ov_denominator).all()),
            }
            for part, equal in same.items():
                key = part if part == "kq" else f"ov {'covered' if covered else 'uncovered'}"
                said = statement.get(key, statement.get(part, "equal"))
                evidence.append(
                    fact(
                        Route.SYMBOLIC,
                        case.name,
                        f"W_{part.upper()}^rel of Eq. (5) and of Prop. 4 ({'U′ = U' if covered else 'U′ ≠ U'})",
                        "equal" if equal else "different",
                        said,
                        (said == "equal") == equal,
                        "integer matrices",
                    )
                )
    return closed(evidence)
