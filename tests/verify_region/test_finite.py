"""Finite beta through the literal network: every sequence at the sufficient one, the named sequence at the failing one."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import flint
import numpy as np
import pytest
import torch

from numerics.conclusion.conditions import conditions
from numerics.conclusion.setting import make_setting
from numerics.world import World
from theory.finetuning.conclusion import limit_condition
from verify.judges.printed_update import errors, network
from verify.region.boundary import Sizes
from verify.region.finite import _Wrong, finite_beta
from verify.region.point import OBJECTIVES, Steps, answered, between, gradients, pools
from verify.region.sufficient import Bound, window
from verify.region.tempered import Tempered

SIZES = Sizes(8, 2, 2, 1, 1, 0)


#: U^2/N_ft beyond M_ft: the query leads the relation head.
BEHIND = Sizes(12, 2, 3, 1, 1, 1)


def found_at(M_ft: int, objective: str, steps: Steps, sizes: Sizes = SIZES):
    world = sizes.world(M_ft)
    lower, upper, *units = between(world, gradients(world, 1, objective, steps), steps)
    answer = answered(world, 1, objective, lower, upper)
    tempered = Tempered(lower, upper, (units[0], units[1]))
    return world, tempered, answer, finite_beta(world, 1, objective, tempered, answer.conditions)


def wrong(world, weights, beta: float, n_demos: int = 1) -> int:
    model = network(world, n_demos, weights, beta)
    return sum(errors(model, world, n_demos, "finetune" if pool == "seen" else pool)[0] for pool in pools(world))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("M_ft", [6, 7, 8])
def test_both_sides_through_the_literal_network(M_ft, objective, enumerated_weights):
    world, _, answer, found = found_at(M_ft, objective, Steps())
    weights = enumerated_weights(world, 1, objective, Steps())
    assert answer.holds and found.proven.last is None and found.above is None
    # Sharp here: the bound is reached by the sequence that it names, or nearly.
    assert found.below.beta < found.proven.first < 1.01 * found.below.beta
    for factor in (1, 2, 16, math.inf):
        assert wrong(world, weights, factor * found.proven.first) == 0
    assert wrong(world, weights, found.below.beta) > 0
    _, kind, subjects = found.below.sequence
    tokens = make_setting(world, 1, "seen", "finetune").tokens(kind, subjects)
    target = int(world.attribute_token[subjects[-1], kind])
    with torch.no_grad():
        logits = network(world, 1, weights, found.below.beta)(torch.tensor([tokens]))[0]
    assert int(logits.argmax()) != target or logits.topk(2).values.diff().abs() < 1e-12


def test_right_at_every_finite_beta_and_tied_at_infinity(enumerated_weights):
    """Balanced, hat: the query leads the relation head, but its column does not tell its own values apart; attributes decide."""
    world, tempered, answer, found = found_at(9, "hat", Steps(), BEHIND)
    weights = enumerated_weights(world, 1, "hat", Steps())
    assert answer.holds is False and found.proven.last is None
    lead = -min(Bound(world, 1, tempered, pools(world)).of_attribute.values()) * float(tempered.steps[1])
    # Up to a loss of e^10 of attention on attributes float64 tells the logits apart.
    for beta in np.geomspace(found.proven.first, 10 / lead, 9):
        assert wrong(world, weights, float(beta)) == 0
    assert 10 / lead > 100 * found.proven.first
    assert wrong(world, weights, found.below.beta) > 0 and wrong(world, weights, math.inf) > 0
    assert "every finite beta >=" in found.words()


def _right_in_balls(world, n_demos: int, weights, beta: int) -> bool:
    """Every sequence of both pools right, in ball arithmetic fine enough for margins of e^-beta."""
    before, flint.ctx.prec = flint.ctx.prec, 6000
    try:
        for pool in pools(world):
            setting = make_setting(world, n_demos, pool, "finetune")
            for ell in range(world.L):
                for subjects in itertools.product(*[setting.contexts.tolist()] * n_demos, setting.queries.tolist()):
                    tokens = np.array(setting.tokens(ell, subjects))
                    target = int(world.attribute_token[subjects[-1], ell])
                    margins = _margins(weights, tokens, beta)
                    if not all(margins[target] > other for v, other in enumerate(margins) if v != target):
                        return False
        return True
    finally:
        flint.ctx.prec = before


def _margins(weights, tokens, beta: int) -> list[flint.arb]:
    def ball(x: Fraction) -> flint.arb:
        return flint.arb(flint.fmpq(Fraction(x).numerator, Fraction(x).denominator))

    V, T = len(weights.ov_subj), len(tokens)
    logits = [flint.arb(0)] * V
    for kq, ov in ((weights.kq_subj, weights.ov_subj), (weights.kq_rel, weights.ov_rel)):
        scores = [Fraction(kq[x]) + Fraction(kq[V + T - 1 - i]) for i, x in enumerate(tokens)]
        shares = [ball((score - max(scores)) * beta).exp() for score in scores]
        whole = sum(shares, flint.arb(0))
        for x, share in zip(tokens, shares, strict=True):
            for v in np.flatnonzero(ov[:, x]):
                logits[v] = logits[v] + ball(ov[v, x]) * share / whole
    return logits


def test_margins_far_below_what_float64_can_tell(enumerated_weights):
    """'Every finite beta' is meant so: the target is first by e^-790 at beta = 10^6, where float64 has a tie; at infinity it is one."""
    world, _, _, found = found_at(9, "hat", Steps(), BEHIND)
    weights = enumerated_weights(world, 1, "hat", Steps())
    assert found.proven.last is None
    assert _right_in_balls(world, 1, weights, 10**6) and _right_in_balls(world, 1, weights, 2000)
    assert not _right_in_balls(world, 1, weights, 20)
    assert wrong(world, weights, 1e6) > 0 and wrong(world, weights, math.inf) > 0


#: Balanced, but not every pair of values is on as many subjects.
SKEW = World.balanced(24, 3, 4, 16, n_grammar=1, seed=1)


def test_a_window_of_beta(enumerated_weights):
    """True steps: a seen query's column prefers some of its own values, a little; they win where it has nearly all the attention."""
    world, steps = SKEW, Steps()
    lower, upper, *units = between(world, gradients(world, 1, "true", steps), steps)
    answer = answered(world, 1, "true", lower, upper)
    found = finite_beta(world, 1, "true", Tempered(lower, upper, (units[0], units[1])), answer.conditions)
    weights = enumerated_weights(world, 1, "true", steps)
    first, last = found.proven.first, found.proven.last
    assert answer.holds is False
    for beta in np.geomspace(first, last, 7):
        assert wrong(world, weights, float(beta)) == 0
    assert found.below.beta < first < last < found.above.beta < 1.01 * last
    for beta in (found.below.beta, 1.001 * found.above.beta, 2 * last, 10 * last, math.inf):
        assert wrong(world, weights, beta) > 0
    assert "<= beta <=" in found.words() and found.as_json()["sufficient"] is None


@pytest.mark.parametrize("bits", [40, 75, 300])
def test_a_difference_below_float64_is_no_tie(bits):
    """A seen query's column that holds its target's entry a little lower loses at large beta, however little that is."""
    world, tempered, _, usual = found_at(9, "hat", Steps(), BEHIND)
    column = tempered.lower.ov_rel.copy()
    column[world.attribute_token[0, 0], 0] -= Fraction(1, 2**bits)
    lower = replace(tempered.lower, ov_rel=column)
    bound = Bound(world, 1, replace(tempered, lower=lower, upper=lower), pools(world))
    found = window(bound, tempered)
    assert bound.exact == (bits == 40) and not bound.rising() and usual.proven.last is None
    assert found is not None and found.last is not None and found.last < 1e6


def test_a_tie_that_no_enclosure_can_tell_is_not_said_to_fail():
    """Where own values are exchangeable their entries are equal, and certified bounds can neither prove nor refute what is beyond."""
    world, steps = World.balanced(40, 2, 4, 16, n_grammar=2, seed=1), Steps()
    lower, upper, *units = between(world, gradients(world, 1, "true", steps), steps)
    answer = answered(world, 1, "true", lower, upper)
    found = finite_beta(world, 1, "true", Tempered(lower, upper, (units[0], units[1])), answer.conditions)
    assert found.proven.last is not None and found.above is None and "beyond it nothing is proven" in found.words()


def test_what_surely_fails_is_what_the_network_gets_wrong(enumerated_weights):
    """Exact weights: the same answer as the literal network on every sequence, on either side of its turning point."""
    world, tempered, _, _ = found_at(6, "hat", Steps())
    weights, surely = enumerated_weights(world, 1, "hat", Steps()), _Wrong(tempered)
    setting = make_setting(world, 1, "seen", "finetune")
    answers = set()
    for beta in (3.0, 20.0, 60.0):
        for ell, context, query in itertools.product(range(world.L), setting.contexts, range(world.M)):
            tokens = setting.tokens(ell, (int(context), query))
            target = int(world.attribute_token[query, ell])
            with torch.no_grad():
                logits = network(world, 1, weights, beta)(torch.tensor([tokens]))[0].numpy()
            gap = logits[target] - np.delete(logits, target).max()
            if abs(gap) > 1e-12:
                assert surely(np.array(tokens), target, beta) == (gap < 0)
                answers.add(bool(gap < 0))
    assert answers == {True, False}


@pytest.mark.parametrize("name", ["ov_rel", "ov_subj", "kq_rel", "kq_subj"])
def test_nothing_fails_surely_where_the_bounds_leave_it_open(name):
    """A sequence that fails with the weights in the middle does not surely do so with bounds far around them."""
    world, tempered, _, found = found_at(6, "hat", Steps())
    _, ell, subjects = found.below.sequence
    tokens = np.array(make_setting(world, 1, "seen", "finetune").tokens(ell, subjects))
    target, middle = int(world.attribute_token[subjects[-1], ell]), getattr(tempered.lower, name)
    assert _Wrong(tempered)(tokens, target, found.below.beta)
    wide = replace(
        tempered,
        lower=replace(tempered.lower, **{name: middle - Fraction(1, 4)}),
        upper=replace(tempered.upper, **{name: middle + Fraction(1, 4)}),
    )
    assert not _Wrong(wide)(tokens, target, found.below.beta)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_small_steps_are_not_lost(objective):
    """beta and the steps of the scores enter through their products alone."""
    *_, usual = found_at(6, objective, Steps())
    small = Fraction(1, 2**70)
    *_, tiny = found_at(6, objective, Steps(eta_kq_rel=small, eta_kq_subj=small))
    assert tiny.proven.first == pytest.approx(usual.proven.first * 2.0**70, rel=1e-3)
    # With the relation head's step alone its attention stays uniform, which is enough here: beta is what the subject head needs.
    *_, flat = found_at(6, objective, Steps(eta_kq_rel=small))
    assert usual.proven.first < flat.proven.first < 2 * usual.proven.first


def test_one_small_step_through_the_literal_network(enumerated_weights):
    steps = Steps(eta_kq_rel=Fraction(1, 2**20))
    world, _, _, found = found_at(6, "hat", steps)
    weights = enumerated_weights(world, 1, "hat", steps)
    assert wrong(world, weights, found.proven.first) == 0 and wrong(world, weights, found.below.beta * (1 - 1e-6)) > 0


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
    """What is proven is so at every beta of it, as far as float64 tells logits apart; its start is mostly less than twice what is needed."""
    proven = sharp = limited = beyond = 0
    for world, n, tempered, bound in _cases():
        found = window(bound, tempered)
        if found is None:
            continue
        weights = enumerated_weights(world, n, "hat", Steps())
        behind = max(0.0, -min(bound.of_attribute.values())) * bound.steps[1]
        last = min(300 * found.first, 15 / behind if behind else math.inf) if found.last is None else found.last
        for beta in np.geomspace(found.first, max(found.first, last), 5):
            assert wrong(world, weights, float(beta), n) == 0, (world.table, beta)
        sharp += wrong(world, weights, found.first / 2, n) > 0
        proven += 1
        limited += found.last is not None
        beyond += wrong(world, weights, math.inf, n) > 0
    assert proven >= 12 and sharp > 0.8 * proven and limited >= 1 and beyond > limited, (proven, sharp, limited, beyond)


def _no_relation_leak(bound):
    bound.of_attribute = dict.fromkeys(bound.of_attribute, 1e9)


def _one_context(bound):
    bound.counts = bound.counts | {"context": 1}


def _no_spread(bound):
    bound.spread = dict.fromkeys(bound.spread, 0.0)


def _wider_gap(bound):
    bound.of_query = {kind: 2 * gap for kind, gap in bound.of_query.items()}


def _no_sign(bound):
    bound.rising = lambda: True


@pytest.mark.parametrize("mutation", [_no_relation_leak, _one_context, _no_spread, _wider_gap, _no_sign])
def test_mutants_let_sequences_fail(mutation, enumerated_weights):
    caught = 0
    for world, n, tempered, bound in _cases():
        mutation(bound)
        found = window(bound, tempered)
        if found is not None:
            weights = enumerated_weights(world, n, "hat", Steps())
            last = 1e3 * found.first if found.last is None else found.last
            caught += any(wrong(world, weights, float(beta), n) for beta in np.geomspace(found.first, last, 4))
    assert caught > 0


UNIT = Steps()


def searched(world, n: int, objective: str, steps: Steps = UNIT):
    lower, upper, *units = between(world, gradients(world, n, objective, steps), steps)
    some = {pool: conditions(world, n, lower, upper, pool) for pool in pools(world)}
    return finite_beta(world, n, objective, Tempered(lower, upper, (units[0], units[1])), some)


#: Value 2 of the first type is with a held-out subject alone.
UNSHOWN = World([[j // 4, j % 2] for j in range(8)] + [[0, 0], [1, 1], [2, 1]], list(range(8)), n_grammar=1)


def wrong_in(world, weights, beta: float, part: str) -> int:
    """Sequences of a part, one context, that the literal network does not answer right."""
    setting = make_setting(world, 1, part.partition("_")[0], "finetune")
    shown = [set(world.attribute_token[world.finetune_array, ell].tolist()) for ell in range(world.L)]
    model, count = network(world, 1, weights, beta), 0
    for ell, c, q in itertools.product(range(world.L), setting.contexts.tolist(), setting.queries.tolist()):
        target = int(world.attribute_token[q, ell])
        if part == "heldout_covered" and target not in shown[ell]:
            continue
        with torch.no_grad():
            logits = model(torch.tensor([setting.tokens(ell, (c, q))]))[0]
        top = logits.topk(2).values
        count += int(logits.argmax()) != target or bool(top[0] - top[1] < 1e-13)
    return count


def test_a_value_that_is_never_shown_spoils_its_own_sequences_alone(enumerated_weights):
    found = searched(UNSHOWN, 1, "hat")
    weights = enumerated_weights(UNSHOWN, 1, "hat", Steps())
    assert found.proven is None and list(found.parts) == ["seen", "heldout", "heldout_covered"]
    assert found.parts["heldout"].proven is None
    for name in ("seen", "heldout_covered"):
        part = found.parts[name]
        for factor in (1, 2, 16):
            assert wrong_in(UNSHOWN, weights, factor * part.proven.first, name) == 0
        assert wrong_in(UNSHOWN, weights, part.below.beta, name) > 0
        assert part.proven.first < 1.01 * part.below.beta
        # All of one context or the other with the query that has the value.
        assert wrong_in(UNSHOWN, weights, part.proven.first, "heldout") == 8
    words = found.words()
    assert words.startswith("no beta at which it is proven; seen queries: every sequence is right at every finite beta")
    assert "held-out queries with values that finetuning subjects have: every sequence is right" in words
    assert found.as_json()["parts"]["seen"]["sufficient"] == found.parts["seen"].proven.first


def test_after_true_steps_even_what_was_never_shown_is_answered(enumerated_weights):
    """In the columns of its type the softmax term lowers its row too, but less than those of the query's other values."""
    found = searched(UNSHOWN, 1, "true")
    weights = enumerated_weights(UNSHOWN, 1, "true", Steps())
    assert found.proven.last is None and found.parts == {}
    assert wrong(UNSHOWN, weights, 2 * found.proven.first) == 0 < wrong(UNSHOWN, weights, found.below.beta)


def test_no_parts_where_everything_is_proven_or_there_is_one():
    assert found_at(6, "hat", Steps())[-1].parts == {}
    alone = World([[0, 0], [0, 1], [1, 0]], [0, 1, 2], n_grammar=1)
    assert searched(alone, 1, "hat").parts == {}


def test_parts_without_unshown_values():
    """Nothing proven: pools, and no third part that would be the second again."""
    world = World.random(8, 2, (2, 3), 4, n_grammar=1, seed=5)
    found = searched(world, 1, "hat")
    assert found.proven is None
    has = world.finetune_value_counts[world.attribute_token[world.heldout] - world.M] > 0
    assert has.all() and list(found.parts) == ["seen", "heldout"]


def test_what_is_too_much_is_said(monkeypatch):
    monkeypatch.setattr("verify.region.finite.WORK", 10.0)
    *_, found = found_at(6, "hat", Steps())
    assert (
        found.proven is None
        and "not sought: an evaluation has 9.6e+01 operations, at most 1e+01 are done" in found.words()
    )
    assert found.as_json()["why"]


@pytest.mark.parametrize(("U", "copies"), [(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)])
@pytest.mark.parametrize("eta_rel", [1, 1000])
def test_what_is_proven_without_end_has_the_derived_limit(U, copies, eta_rel):
    """Every pair of values equally often, hat: the bound proves every large beta where the derivation says that all are right, nowhere else."""
    pairs = list(itertools.product(range(U), repeat=2))
    world = World([*pairs * copies, *pairs], range(U**2 * copies), n_grammar=1)
    found = searched(world, 1, "hat", Steps(eta_kq_rel=Fraction(eta_rel)))
    proven = found.proven is not None and found.proven.last is None
    assert proven == limit_condition(world.M, 2, U, world.M_ft, 2, Fraction(1), Fraction(eta_rel), Fraction(1))
