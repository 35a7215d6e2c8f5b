"""Finite beta through the literal network: every sequence at the sufficient one, the named sequence at the failing one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.conclusion.conditions import conditions
from numerics.conclusion.setting import make_setting
from numerics.world import World
from verify.judges.printed_update import errors, network
from verify.region.boundary import Sizes
from verify.region.finite import finite_beta, margin
from verify.region.point import OBJECTIVES, Steps, answered, between, gradients, pools
from verify.region.sufficient import Bound, sufficient_beta
from verify.region.tempered import Tempered

SIZES = Sizes(8, 2, 2, 1, 1, 0)


def found_at(M_ft: int, objective: str, steps: Steps):
    world = SIZES.world(M_ft)
    lower, upper, *units = between(world, gradients(world, 1, objective, steps), steps)
    answer = answered(world, 1, objective, lower, upper)
    assert answer.holds
    tempered = Tempered(lower, upper, (units[0], units[1]))
    return world, tempered, answer, finite_beta(world, 1, objective, tempered, answer.conditions)


def wrong(world, weights, beta: float, n_demos: int = 1) -> int:
    model = network(world, n_demos, weights, beta)
    return sum(errors(model, world, n_demos, "finetune" if pool == "seen" else pool)[0] for pool in pools(world))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("M_ft", [6, 7, 8])
def test_both_sides_through_the_literal_network(M_ft, objective, enumerated_weights):
    world, _, _, found = found_at(M_ft, objective, Steps())
    weights = enumerated_weights(world, 1, objective, Steps())
    assert found.sufficient is not None and found.fails_at is not None
    # Sharp here: the bound is reached by the sequence that it names, or nearly.
    assert found.fails_at < found.sufficient < 1.01 * found.fails_at
    for factor in (1, 2, 16):
        assert wrong(world, weights, factor * found.sufficient) == 0
    assert wrong(world, weights, found.fails_at) > 0
    _, kind, subjects = found.sequence
    tokens = make_setting(world, 1, "seen", "finetune").tokens(kind, subjects)
    target = int(world.attribute_token[subjects[-1], kind])
    with torch.no_grad():
        logits = network(world, 1, weights, found.fails_at)(torch.tensor([tokens]))[0]
    assert int(logits.argmax()) != target or logits.topk(2).values.diff().abs() < 1e-12


def test_margin_is_that_of_the_network(enumerated_weights):
    world = SIZES.world(6)
    weights = enumerated_weights(world, 1, "true", Steps())
    setting = make_setting(world, 1, "seen", "finetune")
    for beta in (0.5, 30.0):
        tokens = setting.tokens(1, (2, 5))
        target = int(world.attribute_token[5, 1])
        with torch.no_grad():
            logits = network(world, 1, weights, beta)(torch.tensor([tokens]))[0].numpy()
        others = np.delete(logits, target).max()
        assert margin(weights, np.array(tokens), target, beta) == pytest.approx(logits[target] - others, abs=1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_small_steps_are_not_lost(objective):
    """beta and the steps of the scores enter through their products alone."""
    *_, usual = found_at(6, objective, Steps())
    small = Fraction(1, 2**70)
    *_, tiny = found_at(6, objective, Steps(eta_kq_rel=small, eta_kq_subj=small))
    assert tiny.sufficient == pytest.approx(usual.sufficient * 2.0**70, rel=1e-3)
    # With the relation head's step alone its attention stays uniform, which is enough here: beta is what the subject head needs.
    *_, flat = found_at(6, objective, Steps(eta_kq_rel=small))
    assert usual.sufficient < flat.sufficient < 2 * usual.sufficient


def test_one_small_step_through_the_literal_network(enumerated_weights):
    steps = Steps(eta_kq_rel=Fraction(1, 2**20))
    world, _, _, found = found_at(6, "hat", steps)
    weights = enumerated_weights(world, 1, "hat", steps)
    assert wrong(world, weights, found.sufficient) == 0 and wrong(world, weights, found.fails_at * (1 - 1e-6)) > 0


def _cases():
    """Random small worlds, right or wrong in the limit, with the bound of their hat weights."""
    steps = Steps()
    for seed in range(14):
        for M, L, U, M_ft, n in ((5, 2, 2, 4, 1), (6, 2, 2, 6, 2), (6, 1, 3, 5, 2), (5, 3, 2, 5, 1)):
            world = World.random(M, L, U, M_ft, n_grammar=1, seed=seed)
            lower, upper, *units = between(world, gradients(world, n, "hat", steps), steps)
            tempered = Tempered(lower, upper, (units[0], units[1]))
            yield world, n, tempered, Bound(world, n, tempered, pools(world))


def test_random_worlds_through_the_literal_network(enumerated_weights):
    """What the bound proves is so at every beta beyond it, and it is never twice what is needed."""
    proven = 0
    for world, n, tempered, bound in _cases():
        beta = sufficient_beta(bound, tempered)
        if beta is None:
            continue
        weights = enumerated_weights(world, n, "hat", Steps())
        assert [wrong(world, weights, factor * beta, n) for factor in (1, 1.5, 7, 300)] == [0] * 4
        assert wrong(world, weights, beta / 2, n) > 0
        proven += 1
    assert proven >= 8


def _no_relation_leak(bound):
    bound.of_attribute = dict.fromkeys(bound.of_attribute, 1e9)


def _one_context(bound):
    bound.counts = bound.counts | {"context": 1}


def _no_spread(bound):
    bound.spread = dict.fromkeys(bound.spread, 0.0)


def _wider_gap(bound):
    bound.of_query = {kind: 2 * gap for kind, gap in bound.of_query.items()}


@pytest.mark.parametrize("mutation", [_no_relation_leak, _one_context, _no_spread, _wider_gap])
def test_mutants_let_sequences_fail(mutation, enumerated_weights):
    caught = 0
    for world, n, tempered, bound in _cases():
        mutation(bound)
        beta = sufficient_beta(bound, tempered)
        if beta is not None:
            caught += wrong(world, enumerated_weights(world, n, "hat", Steps()), beta, n) > 0
    assert caught > 0


def test_nothing_suffices_where_a_gap_is_not_positive():
    world = SIZES.world(4)
    lower, upper, *units = between(world, gradients(world, 1, "hat", Steps()), Steps())
    some = {pool: conditions(world, 1, lower, upper, pool) for pool in pools(world)}
    found = finite_beta(world, 1, "hat", Tempered(lower, upper, (units[0], units[1])), some)
    assert found.sufficient is None and "no beta is proven to suffice" in found.words()
