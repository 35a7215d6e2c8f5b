from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.constructions import (
    NOTIONS,
    Construction,
    grouped,
    icl_tallies,
    pretraining_tallies,
    prop1,
    prop2,
    prop3,
    prop4,
)
from numerics.constructions.families import FAMILIES, in_words, signatures
from numerics.constructions.heads import pretrained_relation_head
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining import Layout, next_token_law, roles, sequences
from numerics.world import World

WORLD = World([[0, 0], [1, 0], [1, 1]], [0, 1], 2)


def judged(world, S, row, t, target, logits):
    """Outcome, distance, notions of one position, by the definitions, on full vectors."""
    top = {v for v in range(world.V) if logits[v] == max(logits)}
    law = next_token_law(world, S, row[:t])
    outcome = ("right" if len(top) == 1 else "tie") if target in top else "wrong"
    distance = sum(abs(p - (Fraction(1, len(top)) if v in top else 0)) for v, p in enumerate(law)) / 2
    support = {v for v in range(world.V) if law[v] > 0}
    modes = {v for v in range(world.V) if law[v] == max(law)}
    notions = {"possible": top <= support, "mode": top == modes, "support": top == support, "law": distance == 0}
    return outcome, distance, notions, top


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_pretraining_tallies_are_the_counts(tables, oracle, data):
    world, kind = data.draw(tables), data.draw(st.sampled_from([1, 3]))
    S, n_tr = data.draw(st.sampled_from([(1, 2), (2, 1), (3, 1), (2, 2)]))
    world = World(world.table[:2], [0], world.G if (S, n_tr) != (2, 2) else 1)
    reading = data.draw(st.sampled_from(["set", "literal"]))
    rule, layout = oracle(world, kind, S + 2, reading), Layout(S, n_tr)
    expected = defaultdict(lambda: defaultdict(Counter))
    failures = defaultdict(list)
    for batch in sequences(world, S, n_tr):
        for t in range(1, layout.T + 1):
            found = roles(world, layout, batch.tokens, t)
            for i, (row, target) in enumerate(
                zip(batch.tokens.tolist(), batch.following[:, t - 1].tolist(), strict=True)
            ):
                role = found.role(i)
                outcome, distance, notions, _ = judged(world, S, row, t, target, rule.logits(row, t))
                expected[role]["outcome"][outcome] += 1
                expected[role]["distance"][distance] += 1
                for notion, holds in notions.items():
                    expected[role]["agrees"][notion] += holds
                    if not holds:
                        failures[role, notion].append((t, tuple(row[:t])))
    construction = {1: prop1, 3: prop3}[kind](world, S, n_tr, reading)
    tallies = pretraining_tallies(construction, S, n_tr, chunk=data.draw(st.sampled_from([50, 10000])))
    assert set(tallies) == set(expected)
    for role, tally in tallies.items():
        outcome = expected[role]["outcome"]
        assert (tally.right, tally.tie, tally.wrong) == (outcome["right"], outcome["tie"], outcome["wrong"])
        assert tally.count == sum(outcome.values()) == sum(tally.argmax.values())
        assert tally.distance == expected[role]["distance"]
        assert tally.mean_distance == sum(d * n for d, n in tally.distance.items()) / tally.count
        assert tally.always_right == (tally.least_margin > 0)
        for notion in NOTIONS:
            assert tally.agrees[notion] == expected[role]["agrees"][notion]
            failure = tally.failures[notion]
            least = min(failures[role, notion], default=None)
            assert (None if failure is None else (failure.length, failure.prefix)) == least
            assert tally.holds(notion) == (failure is None)


def test_families():
    subjects, types = np.array([1, 0]), np.array([0, 1])
    chosen = np.zeros((2, WORLD.V), dtype=bool)
    chosen[0, [1, int(WORLD.attribute_token[1, 0]), 0, WORLD.sep_token]] = True
    chosen[1, [*range(WORLD.relation_token(0), WORLD.sep_token - 1)]] = True
    found = [in_words(int(code)) for code in signatures(WORLD, subjects, types, chosen)]
    assert found == [{"own attribute", "subject", "other subject (some)", "[sep]"}, {"R", "G (some)"}]
    everything = signatures(WORLD, subjects, types, np.ones_like(chosen))
    assert [in_words(int(code)) for code in everything] == [set(FAMILIES)] * 2


def last_of_prop1(table, reading):
    tallies = pretraining_tallies(prop1(World(table, [0], 1), 2, 2, reading), 2, 2, [9])
    (tally,) = grouped(tallies, lambda role: role.kind).values()
    return tally


def test_last_token_of_prop1():
    unique, shared = [[0, 0], [1, 1], [2, 2]], [[0, 0], [1, 0], [2, 1]]
    for table, reading in ((unique, "set"), (unique, "literal"), (shared, "set")):
        tally = last_of_prop1(table, reading)
        assert tally.always_right and tally.argmax == {frozenset({"own attribute"}): tally.count}
        assert tally.least_margin == 1
    # Literally the shared value gets -1 for the other subject that has it: no more than any token outside the values.
    tally = last_of_prop1(shared, "literal")
    assert (tally.right, tally.tie, tally.wrong) == (tally.count * 2 // 3, tally.count // 3, 0)
    # And -2 where two others have it: less than those.
    tally = last_of_prop1([[0], [0], [0]], "literal")
    assert (tally.right, tally.tie, tally.wrong) == (0, 0, tally.count)


def test_positional_window_is_what_picks_the_current_relation():
    # Mutant: without p the head averages the relations of both subsequences.
    heads = prop1(WORLD, 2, 2).heads | {"rel": pretrained_relation_head(WORLD, 9, 0)}
    tallies = pretraining_tallies(Construction(WORLD, 9, heads), 2, 2, [9])
    assert not any(tally.always_right for tally in tallies.values())
    # Mutant: from width 2 S + 3 on the window reaches the last slot of the subsequence before.
    for width, right in ((4, True), (6, True), (7, False)):
        heads = prop1(WORLD, 2, 2).heads | {"rel": pretrained_relation_head(WORLD, 9, width)}
        tallies = pretraining_tallies(Construction(WORLD, 9, heads), 2, 2, [9])
        assert all(tally.always_right for tally in tallies.values()) == right


def test_grammar_of_prop3():
    tallies = pretraining_tallies(prop3(WORLD, 4, 2), 4, 2)
    by_kind = grouped(tallies, lambda role: (role.kind, role.first, role.relations_in_window))
    # No [sep] in the window of the first subsequence: after the relation only [sep] is predicted.
    for kind in ("at", "after"):
        assert by_kind[kind, True, 1].argmax == {frozenset({"[sep]"}): by_kind[kind, True, 1].count}
        assert by_kind[kind, True, 1].agrees["possible"] == 0
        assert by_kind[kind, False, 1].holds("law")
    # Two relations in the window tie [sep] with the grammar tokens.
    assert by_kind["after", False, 2].argmax == {frozenset({"G", "[sep]"}): by_kind["after", False, 2].count}
    # The relation of the subsequence before hides that one is still to come.
    assert by_kind["before", False, 1].argmax == {frozenset({"G"}): by_kind["before", False, 1].count}
    assert by_kind["before", False, 1].agrees["support"] == 0
    for kind in ("last_at", "last_after"):
        assert by_kind[kind, True, 1].always_right and by_kind[kind, False, 1].always_right
    assert "next: g0" in by_kind["at", True, 1].failures["law"].words(WORLD)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_icl_tallies_are_the_counts(tables, oracle, data):
    world, kind, n_demos = data.draw(tables), data.draw(st.sampled_from([2, 4])), data.draw(st.integers(1, 2))
    query, context = (
        data.draw(st.sampled_from(["finetune", "heldout", "all"])),
        data.draw(st.sampled_from(["finetune", "all"])),
    )
    reading = data.draw(st.sampled_from(["set", "literal"]))
    rule = oracle(world, kind, 4, reading)
    construction = prop2(world, n_demos, reading) if kind == 2 else prop4(world, n_demos, 2, reading)
    expected = defaultdict(Counter)
    for batch in icl_sequences(world, n_demos, query, context):
        for row, target in zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True):
            logits = rule.logits(row, len(row))
            best = [v for v in range(world.V) if logits[v] == max(logits)]
            seen = set(world.attribute_token[list(world.finetune)].ravel().tolist())
            outcome = "wrong" if target not in best else "right" if len(best) == 1 else "tie"
            expected[target in seen, sum(v in seen for v in row[2::3])][outcome] += 1
    tallies = icl_tallies(construction, n_demos, query, context, chunk=20)
    assert {(c.target_seen, c.contexts_seen): (t.right, t.tie, t.wrong) for c, t in tallies.items()} == {
        case: (n["right"], n["tie"], n["wrong"]) for case, n in expected.items()
    }


def test_errors():
    with pytest.raises(ValueError, match="construction must have T = 9 for S = 2, n_tr = 2, got 4"):
        pretraining_tallies(prop1(WORLD, 2, 1), 2, 2)
    with pytest.raises(ValueError, match="construction must have T = 8 for n_demos = 2, got 5"):
        icl_tallies(prop2(WORLD, 1), 2)
    with pytest.raises(ValueError, match=r"t must be an integer in 1\.\.4, got 0"):
        pretraining_tallies(prop1(WORLD, 2, 1), 2, 1, [0])
