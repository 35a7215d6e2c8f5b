"""Checks of Propositions 1-4: every PT and ICL sequence of small worlds through the constructed heads, exact at beta = inf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from numerics.constructions import heads as built
from numerics.constructions.evaluate import Evaluation, evaluate
from numerics.constructions.heads import Construction
from numerics.constructions.populations import pretraining_tallies
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining.enumerate import sequences as pt_sequences
from numerics.pretraining.layout import Layout
from numerics.pretraining.roles import roles
from numerics.world import World
from theory.constructions import Prefix
from theory.finetuning.sequence import Reading
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.sight import Sight, families
from verify.worlds import directions, frequencies


@dataclass(frozen=True, eq=False)
class Pretraining:
    """A world with the shape of its PT sequences."""

    name: str
    world: World
    S: int
    N_tr: int

    @property
    def layout(self) -> Layout:
        return Layout(self.S, self.N_tr)


@dataclass(frozen=True, eq=False)
class InContext:
    """A world with the number of demonstrations of its ICL sequences."""

    name: str
    world: World
    N_ft: int


def _table(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows)


UNIQUE = _table((0, 0), (1, 1), (2, 2))
SHARED = _table((0, 0), (0, 1), (1, 0), (1, 1))
PARTLY = _table((0, 0), (0, 1), (1, 2))


@cache
def pretraining_bench() -> tuple[Pretraining, ...]:
    """Unique, shared and partly shared values; S = 1..3, one to three subsequences."""
    shapes = (
        ("unique values M=3 L=2 S=1 N_tr=1 G=1", UNIQUE, 1, 1, 1),
        ("shared values M=4 L=2 U=2 S=1 N_tr=2 G=1", SHARED, 1, 2, 1),
        ("unique values M=3 L=2 S=1 N_tr=3 G=1", UNIQUE, 1, 3, 1),
        ("unique values M=3 L=2 S=2 N_tr=2 G=1", UNIQUE, 2, 2, 1),
        ("shared values M=4 L=2 U=2 S=3 N_tr=2 G=1", SHARED, 3, 2, 1),
        ("partly shared values M=3 L=2 S=2 N_tr=2 G=2", PARTLY, 2, 2, 2),
        ("unique values M=3 L=2 S=3 N_tr=2 G=2", UNIQUE, 3, 2, 2),
    )
    return tuple(Pretraining(name, World(table, range(len(table)), G), S, n) for name, table, S, n, G in shapes)


@cache
def context_bench() -> tuple[InContext, ...]:
    """Every value seen in finetuning; unique and shared values; with held-out subjects where values are shared."""
    shapes = (
        ("unique values M=3 L=2 M_ft=3 N_ft=1", UNIQUE, 3, 1),
        ("shared values M=4 L=2 U=2 M_ft=3 N_ft=1", SHARED, 3, 1),
        ("shared values M=4 L=2 U=2 M_ft=3 N_ft=2", SHARED, 3, 2),
        ("unique values M=3 L=2 M_ft=3 N_ft=3", UNIQUE, 3, 3),
    )
    return tuple(InContext(name, World(table, range(F), 2), n) for name, table, F, n in shapes)


@cache
def uncovered_bench() -> tuple[InContext, ...]:
    """Some values occur outside the finetuning subjects only."""
    return (
        InContext(
            "M=4 L=2, value 2 of type 2 on a held-out subject only, M_ft=3 N_ft=1",
            World(_table((0, 0), (1, 1), (0, 1), (1, 2)), range(3), 1),
            1,
        ),
        InContext(
            "M=3 L=1, value 1 on a held-out subject only, M_ft=2 N_ft=2",
            World(_table((0,), (0,), (1,)), range(2), 1),
            2,
        ),
    )


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


def _closed(evidence: list[Evidence]) -> Finding:
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
    return _closed(evidence)


def two_head_logits(statement: Callable, court: Court) -> Finding:
    reading, evidence = court.reading, []
    for case in pretraining_bench():
        made = built.prop1(case.world, case.S, case.N_tr, reading)
        sights = pt_sights(case, made, made.T, reading)
        evidence.append(
            _compared(case.name, "f at t = T, two heads", sights, lambda f, row: _sparse(f.logits(row)), statement)
        )
    return _closed(evidence)


def grammar_at_end(statement: Callable, court: Court) -> Finding:
    evidence = []
    for case in pretraining_bench():
        made = built.prop3(case.world, case.S, case.N_tr, court.reading)
        sights = pt_sights(case, made, made.T, court.reading)
        evidence.append(
            _compared(case.name, "f_grm at t = T", sights, lambda f, row: _sparse(f.heads["grm"].f(row)), statement)
        )
    return _closed(evidence)


def after_attribute(statement: Callable, court: Court) -> Finding:
    """f_grm at t = T - S - 2, where there is an earlier subsequence."""
    evidence = []
    for case in [c for c in pretraining_bench() if c.N_tr > 1]:
        made = built.prop3(case.world, case.S, case.N_tr, court.reading)
        sights = pt_sights(case, made, made.T - case.S - 2, court.reading)
        evidence.append(
            _compared(case.name, "f_grm at t = T-S-2", sights, lambda f, row: _sparse(f.heads["grm"].f(row)), statement)
        )
    return _closed(evidence)


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
    return _closed(evidence)


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
    return _closed(evidence)


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
        return _closed(evidence)

    return check


# --- right on every sequence --------------------------------------------------------------------------------------------


@cache
def _last(proposition: int, reading: str) -> tuple[tuple[str, int, int, int, str], ...]:
    """(case, right, ties, total, first failing sequence) of the last position, for a proposition."""
    rows = []
    if proposition in (1, 3):
        for case in pretraining_bench():
            made = (built.prop1 if proposition == 1 else built.prop3)(case.world, case.S, case.N_tr, reading)
            rows.append((case.name, *outcomes(pt_sights(case, made, made.T, reading))))
    else:
        for demos in context_bench():
            made = (
                built.prop2(demos.world, demos.N_ft, reading)
                if proposition == 2
                else built.prop4(demos.world, demos.N_ft, 1, reading)
            )
            for query in ("finetune", "heldout"):
                for context in ("finetune", "all"):
                    if query == "heldout" and not len(demos.world.heldout):
                        continue
                    sights = icl_sights(demos, made, reading, query, context)
                    rows.append((f"{demos.name}, query {query}, context {context}", *outcomes(sights)))
    return tuple(rows)


def outcomes(sights: Iterator[tuple[Sight, Evaluation, int, int]]) -> tuple[int, int, int, str]:
    right = ties = total = 0
    failing = ""
    for sight, found, row, target in sights:
        total += 1
        best = [int(v) for v in np.flatnonzero(found.argmax[row])]
        right += best == [target]
        ties += target in best and len(best) > 1
        if best != [target] and not failing:
            name = sight.world.token_name
            failing = f"{words(sight)} -> {', '.join(name(v) for v in best[:4])}{' …' if len(best) > 4 else ''}; target {name(target)}"
    return right, ties, total, failing


def last(proposition: int) -> Callable[[Any, Court], Finding]:
    """True: every sequence right; "unique": right exactly where no two subjects share a value; False: none right; "ties …": all tie."""

    def check(statement: Any, court: Court) -> Finding:
        evidence = []
        for name, right, ties, total, failing in _last(proposition, court.reading):
            expected = {True: right == total, False: right == 0, "ties allowed everywhere": ties == total}
            unique = (right == total) == name.startswith("unique")
            agrees = unique if statement == "unique" else expected[statement]
            measured = f"{right} of {total} right, {ties} ties" + (f"; {failing}" if failing else "")
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    name,
                    f"Prop. {proposition}, last token",
                    measured,
                    statement,
                    agrees,
                    "exact rationals",
                )
            )
        return _closed(evidence)

    return check


@cache
def _tallies(case: Pretraining, reading: str) -> dict:
    return pretraining_tallies(built.prop3(case.world, case.S, case.N_tr, reading), case.S, case.N_tr)


def every_position(earlier: bool) -> Callable[[Any, Court], Finding]:
    """Are all tokens of the argmax set possible next tokens (the weakest sense of "correct"), role by role?

    True: at every position. A frozenset of (first subsequence?, role): exactly at the others. Strings: weaker claims.
    """

    def check(statement: Any, court: Court) -> Finding:
        evidence = []
        for case in pretraining_bench():
            end = case.layout.T - case.S - 2
            for role, tally in _tallies(case, court.reading).items():
                t = role.subsequence * case.layout.period + role.offset + 1
                if earlier and t >= end:
                    continue
                fine = tally.holds("possible")
                agrees = fine == _claimed(statement, role, case, court.reading)
                failure = tally.failures["possible"]
                measured = "possible on every sequence" if fine else failure.words(case.world)
                label = f"{case.name}, t={t} ({role.kind}, {role.relations_in_window} relation tokens in the window)"
                evidence.append(
                    fact(
                        Route.ENUMERATED,
                        label,
                        "argmax a possible next token",
                        measured,
                        "correct" if _claimed(statement, role, case, court.reading) else "not correct",
                        agrees,
                        "exact, against the law of the process",
                    )
                )
        return _closed(evidence)

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


def coverage(statement: Any, court: Court) -> Finding:
    """Held-out queries where some values are not seen in finetuning: right exactly where the target's value is seen."""
    evidence = []
    for case in uncovered_bench():
        seen = {int(u) for u in np.unique(case.world.attribute_token[case.world.finetune_array])}
        for proposition in (2, 4):
            made = (
                built.prop2(case.world, case.N_ft, court.reading)
                if proposition == 2
                else built.prop4(case.world, case.N_ft, 1, court.reading)
            )
            right = {True: [0, 0], False: [0, 0]}
            for _, found, row, target in icl_sights(case, made, court.reading, "heldout"):
                best = [int(v) for v in np.flatnonzero(found.argmax[row])]
                right[target in seen][0] += best == [target]
                right[target in seen][1] += 1
            covered, uncovered = right[True], right[False]
            facts = {
                True: uncovered[0] == 0,
                "and covered right": uncovered[0] == 0 and covered[0] == covered[1],
                "uncovered targets right": uncovered[0] == uncovered[1],
                "covered targets wrong": covered[1] > 0 and covered[0] == 0,
            }
            measured = f"covered targets {covered[0]}/{covered[1]} right, uncovered {uncovered[0]}/{uncovered[1]}"
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    case.name,
                    f"Prop. {proposition}, held-out queries",
                    measured,
                    statement,
                    facts[statement],
                    "exact rationals",
                )
            )
    return _closed(evidence)


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
    return _closed(evidence)
