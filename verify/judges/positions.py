"""Checks of Proposition 3 at every position: what its argmax sets hold at beta = inf, and from which finite beta on they are these."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from numerics.constructions import heads as built
from numerics.constructions.populations import law_of, pretraining_tallies
from numerics.constructions.settling import settled_from
from numerics.constructions.tally import Failure
from numerics.pretraining.enumerate import sequences as pt_sequences
from numerics.pretraining.roles import Role, roles
from theory.constructions import Prefix, Situation, position_threshold
from theory.finetuning.sequence import Reading
from verify.court import Court
from verify.evidence import Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.construction_worlds import Pretraining, pretraining_bench, unique
from verify.worlds import directions, frequencies


@cache
def _tallies(case: Pretraining, reading: str) -> dict:
    return pretraining_tallies(built.prop3(case.world, case.S, case.N_tr, reading), case.S, case.N_tr)


def _nothing_possible(case: Pretraining, role: Role, failure: Failure) -> bool:
    """Whether no token of the argmax set can come next: wrong in every sense of "correct", that of a tie included."""
    world, law = case.world, law_of(case.world, case.layout, role)
    if law.determined:
        return failure.target not in failure.argmax
    first = world.relation_token(0)
    relation, grammar = range(first, first + world.L), range(first + world.L, world.sep_token)
    return not any((v in relation and law.p_R > 0) or (v in grammar and law.p_G > 0) for v in failure.argmax)


def every_position(earlier: bool) -> Callable[[Any, Court], Finding]:
    """Can every token of the argmax set come next (the weakest sense of "correct" that forbids impossible tokens), role by role?

    True: at every position. A function: of which roles. Strings: weaker claims. The counterexample is the smallest one without
    a possible token in the argmax set, or, where there is none, the smallest; of worlds without shared values where it can. Beside
    it stands the smallest by the criterion itself, a set with possible and impossible tokens.
    """

    def check(statement: Any, court: Court) -> Finding:
        evidence, failing = [], []
        for case in pretraining_bench():
            end = case.layout.T - case.S - 2
            for role, tally in _tallies(case, court.reading).items():
                t = role.subsequence * case.layout.period + role.offset + 1
                if earlier and t >= end:
                    continue
                claimed, failure = _claimed(statement, role, case, court.reading), tally.failures["possible"]
                fine = failure is None
                measured = "possible on every sequence" if failure is None else failure.words(case.world)
                label = f"{case.name}, t={t} ({role.kind}, {role.relations_in_window} relation tokens in the window)"
                evidence.append(
                    fact(
                        Route.ENUMERATED,
                        label,
                        "every token of the argmax set can come next",
                        measured,
                        "yes" if claimed else "no",
                        fine == claimed,
                        "exact, against the law of the process",
                    )
                )
                if fine != claimed:
                    hard = failure is not None and _nothing_possible(case, role, failure)
                    failing.append(
                        (
                            not hard,
                            not unique(case.world),
                            f"{label}: {measured}" + ("; none of these can follow" if hard else ""),
                        )
                    )
        if not failing:
            return finding(evidence)
        undeniable, smallest = min(failing, key=lambda f: f[:2])[2], failing[0][2]
        beside = (
            "" if smallest == undeniable else f". Smaller, with an impossible token beside possible ones: {smallest}"
        )
        return finding(evidence, counterexample=undeniable + beside)

    return check


@cache
def _derived_roles(case: Pretraining, reading: str) -> dict[tuple[int, str, int], bool]:
    """(t, kind, relation tokens in the window) -> does the derivation by cases call every such prefix right?"""
    keys, facts = directions(case.world, 0), frequencies(case.world)
    found: dict[tuple[int, str, int], bool] = {}
    for t in range(1, case.layout.T + 1):
        known: dict[tuple[int, ...], bool] = {}
        for batch in pt_sequences(case.world, case.S, case.N_tr):
            labels = roles(case.world, case.layout, batch.tokens, t)
            for row, tokens in enumerate(batch.tokens[:, :t].tolist()):
                prefix = tuple(tokens)
                if prefix in known:
                    continue
                derived = Prefix.from_tokens(facts, case.S, case.world.G, [keys[x] for x in prefix])
                known[prefix] = derived.verdict(3, Reading(reading)).right
                role = labels.role(row)
                key = (t, role.kind, role.relations_in_window)
                found[key] = found.get(key, True) and known[prefix]
    return found


def role_is_right(role: Any, case: Pretraining, reading: str) -> bool:
    """What the derivation by cases says of a role: does every prefix with it get possible next tokens only?"""
    t = role.subsequence * case.layout.period + role.offset + 1
    return _derived_roles(case, reading)[t, role.kind, role.relations_in_window]


def _claimed(statement: Any, role: Any, case: Pretraining, reading: str) -> bool:
    """What a statement says of a role: does the argmax set hold only possible next tokens?"""
    if statement is True:
        return True
    if callable(statement):
        return statement(role, case, reading)
    return {
        "later subsequences only": not role.first,
        "after the relation token of the first": not (role.first and role.kind in ("at", "after")),
        "all but the first subsequence": not role.first,
        "all but after attributes": role.kind != "attribute",
    }[statement]


# --- finite beta ---------------------------------------------------------------------------------------------------------


def settling_of(case: Pretraining, reading: str) -> list[tuple[int, Situation, float, float | None]]:
    """(t, situation, counted, derived) of the positions t < T of the last subsequence and the attribute before it: from which
    beta on the argmax sets are those of beta = inf, situation by situation. inf: at no finite beta; derived None: not said
    where values are shared."""
    rows = []
    made = built.prop3(case.world, case.S, case.N_tr, reading)
    keys, facts = directions(case.world, 0), frequencies(case.world)
    shared = int(case.world.value_counts.max())
    tokens = np.concatenate([batch.tokens for batch in pt_sequences(case.world, case.S, case.N_tr)])
    for t in range(max(1, made.T - case.S - 2), made.T):
        groups: dict[Situation, dict[tuple[int, ...], int]] = {}
        for row, prefix in enumerate(map(tuple, tokens[:, :t].tolist())):
            situation = Prefix.from_tokens(facts, case.S, case.world.G, [keys[x] for x in prefix]).situation
            groups.setdefault(situation, {}).setdefault(prefix, row)
        for situation, first in groups.items():
            counted = settled_from(made, [tokens[list(first.values())]], t)
            rows.append((t, situation, counted, position_threshold(situation, case.world.L, case.N_tr, shared).beta))
    return rows


@cache
def settling(reading: str) -> tuple[tuple[str, float, float | None], ...]:
    """(case and position, counted, derived) of settling_of, in worlds where no two subjects share a value."""
    return tuple(
        (f"Prop. 3, {case.name}, t=T-{case.layout.T - t}, {situation.value}", counted, derived)
        for case in pretraining_bench()
        if unique(case.world)
        for t, situation, counted, derived in settling_of(case, reading)
    )
