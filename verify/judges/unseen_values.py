"""Checks of claims about values that no finetuning subject has: held-out queries whose target is such a value y.

Where the subject head attends the query alone, W_OV^subj gives 0 on the query's own values (in the literal reading on those that
no other subject has, below that on shared ones) and -1 or less on the other values; so y starts level with those and with every
token that is no value (logit 0), and the relation head decides:

    hat steps    row y of W_OV^rel is 0, for y is never a target: a tie at best, whatever the table, the steps and the attention.
    true steps   row v moves by -eta_ov E[pi_v xbar^T] more. In finetuning y has the least logit (-1; in the literal reading the
                 least of the level ones), so it is lowered least: one attended column that occurs there puts it above the tokens
                 that are no value. Columns that do not occur (unseen values, held-out subjects, [sep] by the projection) are 0 and
                 leave the tie; so does a second unseen value of the query, whose row is the same.
                 Attended attributes a, of the type l of y: they lift values u of that type, none of them the query's own, by
                 eta_ov (m-1)/(T L) f_a f_u, and must not win back their -1. A shared y (literal) is not lifted back either:
                 E[xbar_a] = (m-1) f_a / (T L), pi_v <= 1/(M+G+1) for a v that is no value, M_ft f_u >= 1.
                 Attended finetuning subjects c lift values of every type, E[1[target = u] xbar_c] <= ((m-1) f_u + 1)/(T L M_ft),
                 the query's own seen values with them, which start level (set): their sign is that of a difference of two small
                 numbers. With none of those (L = 1, or the literal reading) y is right as long as all of this stays below 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import torch

from numerics.conclusion import decide
from numerics.population import finetuning_gradients
from numerics.population import hat_gradients as marginal_hat_gradients
from numerics.population.enumerate import sequences
from numerics.updates import UpdatedWeights, updated_weights
from numerics.world import World
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.printed_update import network

OBJECTIVES = ("hat", "true")

#: What the relation head attends on one sequence, as far as W_OV^rel knows it: columns that occurred in finetuning.
NOTHING, ATTRIBUTES, SUBJECTS = "no column that occurs in finetuning", "attributes that occur", "subjects that occur"


@dataclass(frozen=True)
class Trial:
    """A table (one row of value indices a subject), who is finetuned, and how: eta_ov in units of the limit above, 0 for 1."""

    name: str
    table: tuple[tuple[int, ...], ...]
    M_ft: int
    N_ft: int = 1
    context: str = "finetune"
    part: int = 0

    @property
    def world(self) -> World:
        return World(np.array(self.table), range(self.M_ft), n_grammar=1)

    @property
    def eta_ov(self) -> Fraction:
        """`part` times the step at which two values that one finetuning subject each has reach the limit; 1 for part 0."""
        limit = Fraction((3 * self.N_ft + 2) * len(self.table[0]) * self.M_ft**2, self.N_ft)
        return Fraction(self.part) * limit or Fraction(1)


def _half(M: int, unique: int = 1, N_ft: int = 1, context: str = "finetune", part: int = 0) -> Trial:
    """`unique` types with one value a subject, one type with two values; the first half of the subjects is finetuned."""
    sizes = ", ".join([str(M)] * unique + ["2"])
    where = "" if context == "finetune" else ", contexts from all subjects"
    step = "" if not part else f", eta_ov = {part} limits"
    name = f"M={M}, L={unique + 1}, U=({sizes}), M_ft={M // 2}, N_ft={N_ft}{where}{step}"
    return Trial(name, tuple((j,) * unique + (j % 2,) for j in range(M)), M // 2, N_ft, context, part)


#: Smallest first: all M = 4, 6, 8, ... up to past the point where the true steps do it, then one world for each condition.
TRIALS = (
    *(_half(M) for M in range(4, 26, 2)),
    _half(12, N_ft=2),
    _half(16, N_ft=2),
    _half(24, context="all"),
    _half(32, unique=2),
    _half(24, part=10),
    _half(48),
    # One type; then all finetuning subjects alike, where the subject head does not attend the query alone; then a shared y.
    Trial("M=3, L=1, U=3, M_ft=2, N_ft=1", ((0,), (1,), (2,)), 2),
    Trial("M=4, L=1, U=2, M_ft=3 alike, N_ft=1", ((0,), (0,), (0,), (1,)), 3),
    Trial("M=10, L=1, U=3, M_ft=8, the held-out ones alike, N_ft=1", tuple((v,) for v in (0, 1) * 4 + (2, 2)), 8),
    Trial("the same, eta_ov = 10 limits", tuple((v,) for v in (0, 1) * 4 + (2, 2)), 8, part=10),
)


@dataclass(frozen=True)
class Group:
    """Held-out queries of one trial, alike in what a statement may look at: `right` of `total` have the target strictly first."""

    trial: Trial
    kind: int
    p: dict
    right: int
    total: int
    words: str


def unseen_rule(p: dict) -> bool | None:
    """Derived: is the query right?  None where the derivation does not say."""
    if p["objective"] == "hat":
        return False
    if not p["queried"]:
        return None
    if p["unseen_own"] > 1 or p["attends"] == NOTHING:
        return False
    small = p["lifted_by"][p["attends"]] < 1
    if p["shared"]:
        return False if small and p["attends"] == ATTRIBUTES else None
    # A finetuning subject's column lifts or lowers the query's own seen values, which start level with y.
    if p["attends"] == SUBJECTS and p["seen_own"]:
        return None
    return True if small else None


WORDS = (
    "a held-out query whose value y no finetuning subject has: after the hat steps never right (row y of W_OV^rel is 0, at best a tie with "
    "every token that is no value). After the true steps, where the subject head attends the query alone, right if y is the query's only unseen "
    "value (in the literal reading: the only one that no other subject has), the relation head attends attributes that occur in finetuning "
    "and eta_ov (m-1) f^2 < L T for the most frequent value of the type: y has the least pi in finetuning, so the softmax term lowers "
    "its row least. Not right, at best a tie, with a second such value or where no attended column occurs in finetuning (the query itself, "
    "held-out subjects, unseen values). Where finetuning subjects are attended, the query's own seen values are lifted too: right if none "
    "starts level with y (L = 1, or the literal reading) and eta_ov is small; otherwise, and at larger eta_ov, it depends on the table. "
    "U'_1 = U_1 and M_1 = M leave no held-out subject; and at U = (256, 32 x 7), N_ft = 5 no sequence is right after the hat steps even with "
    "M_ft = M = 256"
)


def unique_attributes(statement: Callable[[dict], bool | None], court: Court) -> Finding:
    """Every held-out query whose target no finetuning subject has, after both kinds of steps: right, or not, where stated?"""
    evidence, words = [], {}
    for trial in TRIALS:
        for objective in OBJECTIVES:
            groups = decided(trial, objective, court.reading)
            for group in groups:
                p = group.p
                label = (
                    f"{trial.name}: {objective} steps, {p['unseen_own']} unseen of its values, attends {p['attends']}"
                )
                said = statement(p)
                if said is None:
                    continue
                agrees = group.right == (group.total if said else 0)
                what = f"type {group.kind + 1}, target not seen in finetuning: held-out queries right"
                why = "forward pass of the literal network over every sequence, ties within 1e-13"
                measured = f"{group.right}/{group.total}"
                expected = "every one right" if said else "none right"
                evidence.append(fact(Route.ENUMERATED, label, what, measured, expected, agrees, why))
                words[label] = group.words
            evidence.append(_counted_twice(trial, objective, court.reading))
    wrong = [e for e in evidence if not e.agrees]
    if not wrong:
        return finding(evidence)
    parts = []
    for objective in OBJECTIVES:
        # Trials are ordered by size: the first that disagrees is the smallest, for each kind of steps.
        first = next((e for e in wrong if f": {objective} steps" in e.setting and e.setting in words), None)
        if first is not None:
            parts.append(f"{first.setting}: {first.quantity} {first.measured}. {words[first.setting]}")
    return finding(evidence, counterexample=" ".join(parts))


@cache
def _weights(trial: Trial, objective: str, reading: str) -> tuple[World, UpdatedWeights, float]:
    """Weights after the steps, all steps but eta_ov 1; and the distance within which logits are ties."""
    world = trial.world
    if objective == "hat":
        gradients = marginal_hat_gradients(world, trial.N_ft, trial.eta_ov, None, reading)
        return world, updated_weights(world, gradients, Fraction(1), Fraction(1)), 0.0
    made = updated_weights(
        world, finetuning_gradients(world, trial.N_ft, "true", float(trial.eta_ov), None, reading), 1.0, 1.0
    )
    return world, made, 1e-13 * max(float(np.abs(made.kq_rel).max()), float(np.abs(made.kq_subj).max()), 1.0)


@cache
def decided(trial: Trial, objective: str, reading: str) -> tuple[Group, ...]:
    """The held-out queries whose target is unseen, by type and by what the heads attend. O(sequences * (V + T)^2)."""
    world, weights, tie = _weights(trial, objective, reading)
    model = network(world, trial.N_ft, weights, math.inf)
    lifts = [_lifts(trial, world, kind) for kind in range(world.L)]
    holders = np.bincount(world.attribute_token.ravel(), minlength=world.V)
    found: dict[tuple, list] = {}
    for block in sequences(world, trial.N_ft, "heldout", trial.context):
        tokens = torch.as_tensor(block.tokens)
        logits = model(tokens)
        attended, queried = (model.attention(head, tokens).detach().numpy() > 0 for head in ("rel", "subj"))
        targets = torch.as_tensor(block.targets)[:, None]
        own = logits.gather(1, targets)[:, 0]
        others = logits.scatter(1, targets, -torch.inf)
        margin = (own - others.amax(1)).detach().numpy()
        for i, kind in enumerate(block.types):
            if not _unseen(world, int(block.targets[i])):
                continue
            query = int(block.subjects[i][-1])
            # Own values that start level with a y that no other subject has.
            level = [int(u) for u in world.attribute_token[query] if reading == "set" or holders[u] == 1]
            p = {
                "objective": objective,
                "reading": reading,
                "queried": set(block.tokens[i][queried[i]].tolist()) == {query},
                "shared": int(block.targets[i]) not in level,
                "unseen_own": sum(_unseen(world, u) for u in level),
                "seen_own": sum(not _unseen(world, u) for u in level),
                "attends": _attends(world, block.tokens[i][attended[i]]),
                "lifted_by": lifts[kind],
            }
            key = (int(kind), *(value for name, value in p.items() if name != "lifted_by"))
            right, total, p, words = found.get(key, (0, 0, p, ""))
            if margin[i] <= tie and not words:
                names = " ".join(world.token_name(int(t)) for t in block.tokens[i])
                outcome = "ties" if margin[i] >= -tie else "loses"
                words = f"On [{names}] the target {world.token_name(int(block.targets[i]))} {outcome}."
            found[key] = [right + int(margin[i] > tie), total + 1, p, words]
    return tuple(Group(trial, key[0], p, right, total, words) for key, (right, total, p, words) in found.items())


def _lifts(trial: Trial, world: World, kind: int) -> dict[str, Fraction]:
    """Bounds of what another value, or a token that is no value, gains on an unseen one of this type, by what is attended."""
    counts = [max(np.bincount(column)) for column in world.value_index[world.seen].T]
    top, most = Fraction(int(counts[kind]), world.M_ft), Fraction(int(max(counts)), world.M_ft)
    T = 3 * trial.N_ft + 2
    of_subjects = (trial.N_ft * most + 1) / (T * world.L * world.M_ft)
    lowered = Fraction(trial.N_ft + 1, T * world.M_ft * (world.M + world.n_grammar + 1))
    return {
        ATTRIBUTES: trial.eta_ov * trial.N_ft * top**2 / (T * world.L),
        SUBJECTS: trial.eta_ov * (of_subjects + lowered),
    }


def _unseen(world: World, value: int) -> bool:
    return not world.finetune_value_counts[value - world.M]


def _attends(world: World, tokens) -> str:
    """The attended tokens whose column of W_OV^rel may differ from 0."""
    some = [int(t) for t in tokens]
    if any(t < world.M and world.seen[t] for t in some):
        return SUBJECTS
    values = [t for t in some if world.type_of_token(t) is not None]
    return ATTRIBUTES if any(not _unseen(world, t) for t in values) else NOTHING


def _counted_twice(trial: Trial, objective: str, reading: str) -> Evidence:
    """The same held-out sequences by count patterns: no query with an unseen target may be right beyond those counted above."""
    world, weights, tie = _weights(trial, objective, reading)
    counted = decide(world, trial.N_ft, weights, "heldout", trial.context, tie_tolerance=tie)
    groups = decided(trial, objective, reading)
    right, total = sum(g.right for g in groups), sum(g.total for g in groups)
    agrees = counted.right is not None and right <= counted.right <= right + counted.total - total
    return fact(
        Route.CERTIFIED,
        f"{trial.name}: {objective} steps, by count patterns",
        "held-out queries right, with those whose target is seen",
        counted.right,
        f"{right} .. {right + counted.total - total}",
        agrees,
        "two methods count the same sequences",
    )
