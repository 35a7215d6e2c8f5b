"""Finite beta through the literal network: every sequence at the sufficient one, the named sequence at the failing one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.conclusion.conditions import conditions
from numerics.conclusion.setting import make_setting
from verify.judges.printed_update import errors, network
from verify.region.boundary import Sizes
from verify.region.finite import Tempered, finite_beta, margin, sufficient_beta
from verify.region.point import OBJECTIVES, Steps, answered, between, gradients, pools

SIZES = Sizes(8, 2, 2, 1, 1, 0)


def found_at(M_ft: int, objective: str, steps: Steps):
    world = SIZES.world(M_ft)
    lower, upper, *units = between(world, gradients(world, 1, objective, steps), steps)
    answer = answered(world, 1, objective, lower, upper)
    assert answer.holds
    tempered = Tempered(lower, upper, (units[0], units[1]))
    return world, tempered, answer, finite_beta(world, 1, objective, tempered, answer.conditions)


def wrong(world, weights, beta: float) -> int:
    model = network(world, 1, weights, beta)
    return sum(errors(model, world, 1, "finetune" if pool == "seen" else pool)[0] for pool in pools(world))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("M_ft", [6, 7, 8])
def test_both_sides_through_the_literal_network(M_ft, objective, enumerated_weights):
    world, _, _, found = found_at(M_ft, objective, Steps())
    weights = enumerated_weights(world, 1, objective, Steps())
    assert found.sufficient is not None and found.fails_at is not None and found.fails_at < found.sufficient
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
def test_a_small_step_is_not_lost(objective):
    """beta and the steps of the scores enter through their products alone."""
    *_, usual = found_at(6, objective, Steps())
    small = Fraction(1, 2**70)
    *_, tiny = found_at(6, objective, Steps(eta_kq_rel=small, eta_kq_subj=Fraction(1)))
    assert tiny.sufficient == pytest.approx(usual.sufficient * 2.0**70, rel=1e-3)


def test_mutants_are_rejected(enumerated_weights):
    """A bound without the distance to the least attribute, or twice the margin, lets sequences fail."""
    world, tempered, answer, found = found_at(7, "hat", Steps())
    weights = enumerated_weights(world, 1, "hat", Steps())
    larger = {
        pool: [replace(c, low=c.low * 2**30) if c.head == "output" else c for c in some]
        for pool, some in answer.conditions.items()
    }
    mutant = sufficient_beta(world, 1, tempered, larger)
    assert mutant is not None and mutant < found.sufficient and wrong(world, weights, mutant) > 0
    assert wrong(world, weights, found.sufficient / 2**12) > 0


def test_nothing_suffices_where_a_gap_is_not_positive():
    world = SIZES.world(4)
    lower, upper, *units = between(world, gradients(world, 1, "hat", Steps()), Steps())
    some = {pool: conditions(world, 1, lower, upper, pool) for pool in pools(world)}
    found = finite_beta(world, 1, "hat", Tempered(lower, upper, (units[0], units[1])), some)
    assert found.sufficient is None and "no beta is proven to suffice" in found.words()
