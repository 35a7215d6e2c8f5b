"""Tallies of a construction over whole populations: PT by position role, ICL by which values finetuning has seen."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.constructions.evaluate import evaluate
from numerics.constructions.families import signatures
from numerics.constructions.heads import Construction
from numerics.constructions.tally import Accumulator, Law, Tally, merged
from numerics.population.enumerate import sequences as icl_sequences
from numerics.population.layout import Layout as IclLayout
from numerics.pretraining.enumerate import sequences as pt_sequences
from numerics.pretraining.law import hazard
from numerics.pretraining.layout import Layout
from numerics.pretraining.roles import Role, roles
from numerics.world import World


def law_of(world: World, layout: Layout, role: Role) -> Law:
    """The next-token law of a role (see numerics.pretraining.law)."""
    if role.determined:
        return Law(world.L, world.G)
    eta = hazard(layout.S, role.offset) if role.kind in ("subject", "before") else Fraction(0)
    p_G = (1 - eta) / world.G if world.G else Fraction(0)
    return Law(world.L, world.G, eta / world.L, p_G, determined=False)


def pretraining_tallies(
    construction: Construction, S: int, n_tr: int, positions: Sequence[int] | None = None, chunk: int = 1 << 13
) -> dict[Role, Tally]:
    """For every role of the positions t (from 1; default all of 1..T) its tally over every PT sequence.

    Raises ValueError if the construction has another T, or for positions outside 1..T.
    Cost O(size |positions| V^2) per head, size = M (L S G^(S-1))^N_tr.
    """
    layout, world = Layout(S, n_tr), construction.world
    if construction.T != layout.T:
        raise ValueError(f"construction must have T = {layout.T} for S = {S}, n_tr = {n_tr}, got {construction.T}")
    positions = range(1, layout.T + 1) if positions is None else positions
    collected: dict[Role, Accumulator] = defaultdict(Accumulator)
    for batch in pt_sequences(world, S, n_tr, chunk):
        following = batch.following
        for t in positions:
            evaluation = evaluate(construction, batch.tokens, t)
            subsequence, _ = layout.place(t)
            codes = signatures(world, batch.subjects, batch.types[:, subsequence], evaluation.argmax)
            found = roles(world, layout, batch.tokens, t)
            groups = found.kind * (layout.T + 1) + found.relations_in_window
            for group in np.unique(groups):
                rows = np.flatnonzero(groups == group)
                role = found.role(int(rows[0]))
                law = law_of(world, layout, role)
                collected[role].add(world, law, evaluation, rows, batch.tokens, following[:, t - 1], codes)
    return {role: collected[role].tally() for role in sorted(collected)}


def grouped(tallies: Mapping[Role, Tally], key: Callable[[Role], Hashable]) -> dict[Hashable, Tally]:
    """The tallies of all roles with the same key, merged; for example key = lambda role: (role.first, role.kind)."""
    groups: dict[Hashable, list[Tally]] = defaultdict(list)
    for role, tally in tallies.items():
        groups[key(role)].append(tally)
    return {name: merged(members) for name, members in groups.items()}


@dataclass(frozen=True, order=True)
class Case:
    """Which values of the sequence's type finetuning has seen: the target, and how many of the N_ft in the context."""

    target_seen: bool
    contexts_seen: int


def icl_tallies(
    construction: Construction,
    n_demos: int,
    query: str = "finetune",
    context: str = "finetune",
    chunk: int = 1 << 13,
) -> dict[Case, Tally]:
    """For every case its tally over every ICL sequence at the last position (pools: finetune, heldout, all).

    Raises ValueError if the construction has another T, or for an unknown pool.  An empty pool gives no case.
    Cost O(size V^2) per head, size = L |Q| |C|^N_ft.
    """
    world = construction.world
    T = IclLayout(n_demos).T
    if construction.T != T:
        raise ValueError(f"construction must have T = {T} for n_demos = {n_demos}, got {construction.T}")
    seen = np.zeros(world.V, dtype=np.bool_)
    seen[world.attribute_token[world.finetune_array]] = True
    collected: dict[Case, Accumulator] = defaultdict(Accumulator)
    for batch in icl_sequences(world, n_demos, query, context, chunk):
        evaluation = evaluate(construction, batch.tokens)
        codes = signatures(world, batch.subjects[:, -1], batch.types, evaluation.argmax)
        contexts = seen[batch.tokens[:, 2::3]].sum(axis=1)
        groups = seen[batch.targets] * (n_demos + 1) + contexts
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            case = Case(bool(group > n_demos), int(group) % (n_demos + 1))
            law = Law(world.L, world.G)
            collected[case].add(world, law, evaluation, rows, batch.tokens, batch.targets, codes)
    return {case: collected[case].tally() for case in sorted(collected)}
