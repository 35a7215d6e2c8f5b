"""Proposition 3 at the positions before T, at a setting of the user's: who can follow at beta = inf, and what holds at finite beta."""

from __future__ import annotations

import math

from numerics.world import World
from theory.constructions import Situation, position_threshold, pretraining_statement, smallest_failures
from theory.constructions.situation import occurrence
from theory.constructions.symbols import N_tr as n_tr
from theory.constructions.symbols import S as slots
from theory.constructions.symbols import i, k
from verify.entry import Row
from verify.judges.construction_worlds import Pretraining
from verify.judges.positions import settling_of

#: Sequences whose thresholds are counted beside the derivation: every prefix is compared with every token.
COUNT = 1_000
#: Difference of a bisected and a derived threshold.
TOLERANCE = 2e-6

PLACES = {
    Situation.LAST_SLOT: "t = T-1",
    Situation.SUBJECT: "t = T-S-1",
    Situation.ATTRIBUTE: "t = T-S-2",
}
LATER = (
    Situation.LATER_NO_RELATION,
    Situation.LATER_PREVIOUS_RELATION,
    Situation.LATER_CURRENT_RELATION,
    Situation.LATER_TWO_RELATIONS,
)
FIRST = (Situation.FIRST_BEFORE_RELATION, Situation.FIRST_AFTER_RELATION)


def occurs(situation: Situation, S: int, N_tr: int) -> bool:
    """Whether some PT sequence is in the situation: if one is, one is in the first or second subsequence, in slot 1."""
    return any(bool(occurrence(situation).subs({slots: S, n_tr: N_tr, k: n, i: 1})) for n in (1, 2))


def beta_in_words(beta: float | None) -> str:
    """A threshold of `position_threshold`."""
    if beta is None:
        return "no beta: subjects that share the value tie at beta = inf"
    if math.isinf(beta):
        return "no finite beta: the tie is one of beta = inf only"
    return "every beta >= 0" if beta == 0 else f"beta > {beta:.6g} (e^beta > {math.exp(beta):.6g})"


def position_rows(world: World, S: int, N_tr: int, reading: str, size: int) -> list[Row]:
    """Two rows a situation: is every occurrence right at beta = inf, and from which beta on is the argmax set the one there."""
    p = {"S": S, "N_tr": N_tr, "N_max": int(world.value_counts.max())}
    known, rows = smallest_failures(), []
    for situation in Situation:
        name = f"every such position right, beta -> inf: {situation.value}"
        if not occurs(situation, S, N_tr):
            rows.append(Row(name, "yes", "no such position", None, "vacuous here"))
            continue
        holds = pretraining_statement(situation, 3, reading).holds(p)
        how = "every token of the argmax set can come next" if holds else f"smallest: {known.get(situation, '')}"
        rows.append(Row(name, "yes", "yes" if holds else "no", None, how))
    return rows + _settling_rows(world, S, N_tr, reading, size)


def _settling_rows(world: World, S: int, N_tr: int, reading: str, size: int) -> list[Row]:
    """From which beta on the last subsequence has the argmax sets of beta = inf; derived, and counted where size allows."""
    counted: dict[Situation, list[float]] = {}
    if size <= COUNT:
        for _, situation, beta, _ in settling_of(Pretraining("here", world, S, N_tr), reading):
            counted.setdefault(situation, []).append(beta)
    shared, rows = int(world.value_counts.max()), []
    for situation in (Situation.LAST_SLOT, *(FIRST if N_tr == 1 else LATER), Situation.SUBJECT, Situation.ATTRIBUTE):
        if not occurs(situation, S, N_tr):
            continue
        derived = position_threshold(situation, world.L, N_tr, shared)
        measured, agrees = None, True
        if situation in counted and derived.beta is not None:
            most = max(counted[situation])
            measured = beta_in_words(most if most > TOLERANCE else 0.0)
            agrees = most == derived.beta or abs(most - derived.beta) <= TOLERANCE
        place = PLACES.get(situation, "T-S <= t <= T-2")
        how = (
            f"binding rival: {derived.binding}"
            if derived.beta and derived.binding and math.isfinite(derived.beta)
            else ""
        )
        if situation == Situation.FIRST_AFTER_RELATION:
            how = "[sep], which is wrong, beyond it; G, which is right, below"
        question = f"argmax set as at beta = inf, {place}, {situation.value}"
        rows.append(Row(question, "not said", beta_in_words(derived.beta), measured, how, agrees))
    return rows
