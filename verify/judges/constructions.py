"""Checks of Propositions 1-4: every PT and ICL sequence of small worlds through the constructed heads, exact at beta = inf."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from numerics.constructions import heads as built
from numerics.constructions.evaluate import Evaluation, evaluate
from numerics.constructions.heads import Construction
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining.enumerate import sequences as pt_sequences
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.construction_worlds import (
    InContext,
    Pretraining,
    context_bench,
    pretraining_bench,
)
from verify.judges.sight import Sight, families

# --- sequences with their sights ---------------------------------------------------------------------------------------


def pt_sights(
    case: Pretraining, construction: Construction, t: int, reading: str
) -> Iterator[tuple[Sight, Evaluation, int, int]]:
    """(sight, evaluation of its batch, row, next token) of every PT sequence at position t."""
    subsequence, _ = case.layout.place(t)
    for batch in pt_sequences(case.world, case.S, case.N_tr):
        found, following = evaluate(construction, batch.tokens, t), batch.following
        for row in range(len(batch.tokens)):
            sight = Sight(
                case.world,
                batch.tokens[row],
                t,
                int(batch.subjects[row]),
                int(batch.types[row, subsequence]),
                reading,
                case.S,
                case.N_tr,
            )
            yield sight, found, row, int(following[row, t - 1])


def icl_sights(
    case: InContext, construction: Construction, reading: str, query: str, context: str = "finetune"
) -> Iterator[tuple[Sight, Evaluation, int, int]]:
    """The same for the last position of every ICL sequence."""
    for batch in icl_sequences(case.world, case.N_ft, query, context):
        found = evaluate(construction, batch.tokens)
        for row in range(len(batch.tokens)):
            sight = Sight(
                case.world,
                batch.tokens[row],
                batch.tokens.shape[1],
                int(batch.subjects[row, -1]),
                int(batch.types[row]),
                reading,
                N_ft=case.N_ft,
            )
            yield sight, found, row, int(batch.targets[row])


def words(sight: Sight, upto: int | None = None) -> str:
    return " ".join(sight.world.token_name(int(x)) for x in sight.tokens[: upto or sight.t])


def _sparse(vector: tuple[Fraction, ...]) -> dict[int, Fraction]:
    return {i: x for i, x in enumerate(vector) if x != 0}


def _shown(sight: Sight, coefficients: dict[int, Fraction], most: int = 6) -> str:
    names = [f"{sight.world.token_name(u)}: {c}" for u, c in sorted(coefficients.items()) if c != 0]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _compared(
    case_name: str,
    quantity: str,
    sights: Iterator[tuple[Sight, Evaluation, int, int]],
    measured: Callable,
    said: Callable,
) -> Evidence:
    """All sequences of a case against a statement; the first disagreement (sequences come in lexicographic order) is shown."""
    total, apart = 0, None
    for sight, found, row, _ in sights:
        total += 1
        if apart is None:
            a, b = measured(found, row), {k: v for k, v in said(sight).items() if v != 0}
            if a != b:
                difference = sorted(k for k in {*a, *b} if a.get(k, 0) != b.get(k, 0))
                keep = set(difference[:3])
                apart = (
                    words(sight),
                    _shown(sight, {k: a.get(k, Fraction(0)) for k in keep}) or "0 there",
                    _shown(sight, {k: b.get(k, Fraction(0)) for k in keep}) or "0 there",
                )
    if apart is None:
        return fact(
            Route.ENUMERATED, case_name, quantity, f"equal on all {total} sequences", "equal", True, "exact rationals"
        )
    return fact(
        Route.ENUMERATED, f"{case_name}: {apart[0]}", quantity, apart[1], apart[2], False, "exact rationals: equality"
    )


def _first(evidence: list[Evidence]) -> str:
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {e.quantity} is {e.measured}, the statement says {e.printed}"
    return ""


def closed(evidence: list[Evidence]) -> Finding:
    return finding(evidence, counterexample=_first(evidence))


# --- outputs -----------------------------------------------------------------------------------------------------------


def f_subj(statement: Callable, court: Court) -> Finding:
    """f_subj at t = T of Prop. 1 on PT, and at the last token of Prop. 2 on ICL."""
    reading, evidence = court.reading, []
    for case in pretraining_bench():
        made = built.prop1(case.world, case.S, case.N_tr, reading)
        sights = pt_sights(case, made, made.T, reading)
        evidence.append(
            _compared(case.name, "f_subj", sights, lambda f, row: _sparse(f.heads["subj"].f(row)), statement)
        )
    return closed(evidence)


def two_head_logits(statement: Callable, court: Court) -> Finding:
    reading, evidence = court.reading, []
    for case in pretraining_bench():
        made = built.prop1(case.world, case.S, case.N_tr, reading)
        sights = pt_sights(case, made, made.T, reading)
        evidence.append(
            _compared(case.name, "f at t = T, two heads", sights, lambda f, row: _sparse(f.logits(row)), statement)
        )
    return closed(evidence)


def grammar_at_end(statement: Callable, court: Court) -> Finding:
    evidence = []
    for case in pretraining_bench():
        made = built.prop3(case.world, case.S, case.N_tr, court.reading)
        sights = pt_sights(case, made, made.T, court.reading)
        evidence.append(
            _compared(case.name, "f_grm at t = T", sights, lambda f, row: _sparse(f.heads["grm"].f(row)), statement)
        )
    return closed(evidence)


def after_attribute(statement: Callable, court: Court) -> Finding:
    """f_grm at t = T - S - 2, where there is an earlier subsequence."""
    evidence = []
    for case in [c for c in pretraining_bench() if c.N_tr > 1]:
        made = built.prop3(case.world, case.S, case.N_tr, court.reading)
        sights = pt_sights(case, made, made.T - case.S - 2, court.reading)
        evidence.append(
            _compared(case.name, "f_grm at t = T-S-2", sights, lambda f, row: _sparse(f.heads["grm"].f(row)), statement)
        )
    return closed(evidence)


def before_end(statement: Callable, court: Court) -> Finding:
    """f_rel^t and f_subj^t at the last subsequence's positions t < T."""
    evidence = []
    for case in pretraining_bench():
        made = built.prop3(case.world, case.S, case.N_tr, court.reading)
        first = max(1, made.T - case.S - 2)
        for t in range(first, made.T):
            for name, part in (("rel", 0), ("subj", 1)):
                sights = pt_sights(case, made, t, court.reading)
                evidence.append(
                    _compared(
                        f"{case.name}, t=T-{made.T - t}",
                        f"f_{name}^t",
                        sights,
                        lambda f, row, name=name: _sparse(f.heads[name].f(row)),
                        lambda o, part=part: statement(o)[part],
                    )
                )
    return closed(evidence)


def icl_output(statement: Callable, court: Court) -> Finding:
    """f of Prop. 4 at the last token, seen and held-out queries, every value covered."""
    evidence = []
    for case in context_bench():
        made = built.prop4(case.world, case.N_ft, 1, court.reading)
        for query in ("finetune", "heldout"):
            if query == "heldout" and not len(case.world.heldout):
                continue
            sights = icl_sights(case, made, court.reading, query)
            evidence.append(
                _compared(
                    f"{case.name}, query {query}",
                    "f, three heads",
                    sights,
                    lambda f, row: _sparse(f.logits(row)),
                    statement,
                )
            )
    return closed(evidence)


# --- argmax sets -------------------------------------------------------------------------------------------------------


def _argmax(case_name: str, sights: Iterator[tuple[Sight, Evaluation, int, int]], statement: Callable) -> Evidence:
    total, apart = 0, None
    for sight, found, row, _ in sights:
        total += 1
        if apart is None:
            chosen = families(sight, [int(v) for v in np.flatnonzero(found.argmax[row])])
            said = statement(sight)
            if chosen != said:
                apart = words(sight), chosen, said
    name = "argmax set"
    if apart is None:
        return fact(
            Route.ENUMERATED,
            case_name,
            name,
            f"as stated on all {total} sequences",
            "as stated",
            True,
            "exact rationals",
        )
    shown = [", ".join(sorted(x)) for x in apart[1:]]
    return fact(Route.ENUMERATED, f"{case_name}: {apart[0]}", name, shown[0], shown[1], False, "exact rationals")


def argmax_at(
    back: Callable[[Pretraining], list[int]], least_S: int = 1, least_N: int = 1
) -> Callable[[Callable, Court], Finding]:
    """A check of the argmax set at the positions T - k, k in back(case)."""

    def check(statement: Callable, court: Court) -> Finding:
        evidence = []
        for case in pretraining_bench():
            if least_S > case.S or case.N_tr < least_N:
                continue
            made = built.prop3(case.world, case.S, case.N_tr, court.reading)
            for k in back(case):
                sights = pt_sights(case, made, made.T - k, court.reading)
                evidence.append(_argmax(f"{case.name}, t=T-{k}", sights, statement))
        return closed(evidence)

    return check


# --- right on every sequence --------------------------------------------------------------------------------------------


def others(made: Construction) -> Construction:
    """A third reading of W_OV^subj: each value that some OTHER subject has once, shared own values among them."""
    world, head = made.world, made.heads["subj"]
    ov = np.zeros_like(head.ov)
    for s in range(world.M):
        ov[world.attribute_token[np.arange(world.M) != s], s] = -head.ov_denominator
    return replace(made, heads={**made.heads, "subj": replace(head, ov=ov)})


@dataclass(frozen=True)
class Outcomes:
    """Counts of sequences: right, ties with the target among the best, all; `lone` of them have a target that belongs to one
    subject, and lone_right of those are right; the first that is not right, in words."""

    right: int
    ties: int
    total: int
    lone: int
    lone_right: int
    failing: str


@cache
def _last(proposition: int, reading: str) -> tuple[tuple[str, Outcomes], ...]:
    """(case, outcomes) of the last position, for a proposition. Where the reading is literal, the third one follows beside it."""
    rows = []
    for case in pretraining_bench() if proposition in (1, 3) else ():
        made = (built.prop1 if proposition == 1 else built.prop3)(case.world, case.S, case.N_tr, reading)
        for name, weights in _readings(case.name, made, reading):
            rows.append((name, outcomes(pt_sights(case, weights, made.T, reading))))
    for demos in context_bench() if proposition in (2, 4) else ():
        made = (
            built.prop2(demos.world, demos.N_ft, reading)
            if proposition == 2
            else built.prop4(demos.world, demos.N_ft, 1, reading)
        )
        for query, context in itertools.product(("finetune", "heldout"), ("finetune", "all")):
            if query == "heldout" and not len(demos.world.heldout):
                continue
            for name, weights in _readings(demos.name, made, reading):
                sights = icl_sights(demos, weights, reading, query, context)
                rows.append((f"{name}, query {query}, context {context}", outcomes(sights)))
    return tuple(rows)


def _readings(name: str, made: Construction, reading: str) -> list[tuple[str, Construction]]:
    if reading == "set":
        return [(name, made)]
    return [(name, made), (f"{name}, values of the other subjects once", others(made))]


def outcomes(sights: Iterator[tuple[Sight, Evaluation, int, int]]) -> Outcomes:
    right = ties = total = lone = lone_right = 0
    failing = ""
    for sight, found, row, target in sights:
        total += 1
        best = [int(v) for v in np.flatnonzero(found.argmax[row])]
        alone = int(sight.world.value_counts[target - sight.world.M]) == 1
        right += best == [target]
        lone += alone
        lone_right += alone and best == [target]
        ties += target in best and len(best) > 1
        if best != [target] and not failing:
            name = sight.world.token_name
            failing = f"{words(sight)} -> {', '.join(name(v) for v in best[:4])}{' …' if len(best) > 4 else ''}; target {name(target)}"
    return Outcomes(right, ties, total, lone, lone_right, failing)


#: Says that a sequence is right exactly where its target belongs to one subject.
LONE = "exactly where the target belongs to one subject"


def last(proposition: int) -> Callable[[Any, Court], Finding]:
    """True: every sequence right; LONE: right exactly where N_y = 1; False: none right; "ties …": all tie."""

    def check(statement: Any, court: Court) -> Finding:
        evidence = []
        for name, found in _last(proposition, court.reading):
            agrees = {
                True: found.right == found.total,
                False: found.right == 0,
                "ties allowed everywhere": found.ties == found.total,
                LONE: found.right == found.lone_right == found.lone,
            }[statement]
            measured = f"{found.right} of {found.total} right, {found.ties} ties"
            measured += f"; {found.failing}" if found.failing else ""
            said = "every sequence right" if statement is True else statement
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    name,
                    f"Prop. {proposition}, last token",
                    measured,
                    said,
                    agrees,
                    "exact rationals",
                )
            )
        return closed(evidence)

    return check
