"""Sentences about Propositions 3 and 4 that no judge computes on its way: each by enumeration of small worlds."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.constructions import prop3
from numerics.constructions.heads import prop4
from numerics.constructions.margins import collected
from numerics.pretraining.enumerate import sequences
from numerics.world import World
from verify.judges.construction_worlds import context_bench, uncovered_bench
from verify.judges.constructions import icl_sights

TABLES = [
    ([[0, 0], [0, 1]], {True, False}),
    ([[0, 0], [0, 0]], {False}),
    ([[0, 0], [0, 1], [1, 1]], {True, False}),
]


@pytest.mark.parametrize(("table", "expected"), TABLES)
def test_at_large_finite_beta_earlier_attributes_break_the_tie_after_an_attribute(table, expected):
    """S = 1, N_tr = 3, t = T-S-2: the subject alone exactly where no other one has all attributes shown so far."""
    world = World(table, range(len(table)), 1)
    made = prop3(world, 1, 3)
    t, outcomes = made.T - 3, set()
    for batch in sequences(world, 1, 3):
        for tokens, subject in zip(batch.tokens, batch.subjects, strict=True):
            others = (np.arange(world.V) != subject)[None]
            margin = collected(made, [(tokens[None], np.array([subject]), others)], t).at(12.0).min()
            shown = {int(x) for x in tokens[:t]} & set(range(world.M, world.M + world.n_attributes))
            rivals = [j for j in range(world.M) if j != subject and shown <= {int(x) for x in world.attribute_token[j]}]
            assert (margin > 1e-12) == (not rivals)
            outcomes.add(not rivals)
    assert outcomes == expected


def test_all_sequences_of_a_type_are_right_exactly_where_its_values_are_covered():
    seen = set()
    for case in (*context_bench(), *uncovered_bench()):
        world = case.world
        trained = {int(x) for x in world.attribute_token[world.finetune_array].ravel()}
        right = [True] * world.L
        for sight, found, row, target in icl_sights(case, prop4(world, case.N_ft, 1, "set"), "set", "all"):
            right[sight.kind] &= [int(v) for v in np.flatnonzero(found.argmax[row])] == [target]
        for kind in range(world.L):
            covered = set(world.attribute_range(kind)) <= trained
            assert right[kind] == covered, case.name
            seen.add(covered)
    assert seen == {True, False}
