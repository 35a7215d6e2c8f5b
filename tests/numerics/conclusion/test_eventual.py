"""The order of the logits at all large beta, against the softmax written out in balls, and against hard attention."""

import itertools
from fractions import Fraction

import flint
import numpy as np
import pytest

from numerics.conclusion import decide
from numerics.conclusion.eventual import eventual
from numerics.conclusion.setting import make_setting
from numerics.population import finetuning_gradients, hat_gradients
from numerics.updates import UpdatedWeights, updated_weights
from numerics.world import World

BETA, BITS = 5_000, 40_000


def exact_weights(world, n, eta_ov=1, eta_rel=1, eta_subj=1):
    gradients = hat_gradients(world, n_demos=n, eta_ov=Fraction(eta_ov))
    return updated_weights(world, gradients, Fraction(eta_subj), Fraction(eta_rel))


def ball(x) -> flint.arb:
    x = Fraction(x)
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def in_balls(world, n, weights, pool) -> tuple[int, int]:
    """(right, wrong) at BETA; the rest cannot be told apart."""
    before, flint.ctx.prec = flint.ctx.prec, BITS
    right = wrong = 0
    try:
        setting = make_setting(world, n, pool, "finetune")
        V = world.V
        for ell in range(world.L):
            for subjects in itertools.product(*[setting.contexts.tolist()] * n, setting.queries.tolist()):
                tokens = np.array(setting.tokens(ell, subjects))
                T, logits = len(tokens), [flint.arb(0)] * V
                for kq, ov in ((weights.kq_subj, weights.ov_subj), (weights.kq_rel, weights.ov_rel)):
                    scores = [Fraction(kq[x]) + Fraction(kq[V + T - 1 - i]) for i, x in enumerate(tokens)]
                    shares = [(ball(score - max(scores)) * BETA).exp() for score in scores]
                    whole = sum(shares, flint.arb(0))
                    for v in range(V):
                        logits[v] += (
                            sum((ball(ov[v, x]) * s for x, s in zip(tokens, shares, strict=True)), flint.arb(0)) / whole
                        )
                target = int(world.attribute_token[subjects[-1], ell])
                others = [logits[v] for v in range(V) if v != target]
                right += all(logits[target] > other for other in others)
                wrong += any(logits[target] < other for other in others)
    finally:
        flint.ctx.prec = before
    return right, wrong


WORLDS = [
    (World.balanced(6, 2, 2, 4, n_grammar=1, seed=1), (1, 1, 1)),
    (World.balanced(6, 2, 2, 4, n_grammar=1, seed=1), (1, 1000, 1)),
    (World([[0, 0], [0, 1], [1, 1], [1, 0]], [0, 1, 2], n_grammar=1), (1, 50, 1)),
    (World([[0], [1], [0]], [0, 1], n_grammar=1), (1, 1, 1)),
]


@pytest.mark.parametrize(("world", "steps"), WORLDS)
def test_signs_are_those_of_the_softmax_at_a_large_beta(world, steps):
    weights = exact_weights(world, 1, *steps)
    for pool in ("seen", "heldout"):
        found = eventual(world, 1, weights, pool)
        assert found.right + found.tied + found.wrong == found.total
        assert in_balls(world, 1, weights, pool) == (found.right, found.wrong)


def test_some_of_them_are_wrong_and_some_right():
    counts = [eventual(world, 1, exact_weights(world, 1, *steps), "heldout") for world, steps in WORLDS]
    assert any(c.wrong for c in counts) and any(c.holds for c in counts)
    assert all((c.first_wrong is None) == (c.wrong == 0) for c in counts)


@pytest.mark.parametrize("seed", range(6))
def test_what_hard_attention_decides_strictly_stays(seed):
    """A strict order at beta = inf is one at all large beta; only ties may be broken."""
    world = World.random(6, 2, 2 + seed % 2, 4, n_grammar=1, seed=seed)
    weights = exact_weights(world, 1)
    for pool in ("seen", "heldout"):
        hard, found = decide(world, 1, weights, pool), eventual(world, 1, weights, pool)
        assert hard.right <= found.right and hard.total - hard.right - hard.ties <= found.wrong
        assert found.total == hard.total


def test_equal_logits_at_every_beta_are_a_tie():
    """No step at all: the own values of a query are told apart by nothing."""
    world = WORLDS[0][0]
    weights = exact_weights(world, 1)
    flat = UpdatedWeights(weights.kq_subj, weights.kq_rel, weights.ov_subj, np.zeros_like(weights.ov_rel))
    # A query's own context: the subject head says the same of all its values.
    alone = World([[0, 0], [1, 1]], [0, 1], n_grammar=1)
    same = exact_weights(alone, 1)
    nothing = UpdatedWeights(same.kq_subj, same.kq_rel, same.ov_subj, np.zeros_like(same.ov_rel))
    assert eventual(alone, 1, nothing, "seen").right == 0 and eventual(alone, 1, nothing, "seen").tied > 0
    assert eventual(world, 1, flat, "seen").right == 0


def test_too_many_and_what_is_not_rational():
    world = WORLDS[0][0]
    with pytest.raises(ValueError, match="at most 10 sequences of the pool seen, got 32"):
        eventual(world, 1, exact_weights(world, 1), "seen", limit=10)
    weights = updated_weights(world, finetuning_gradients(world, 1, "hat"))
    broken = UpdatedWeights(weights.kq_subj * np.nan, weights.kq_rel, weights.ov_subj, weights.ov_rel)
    with pytest.raises(ValueError, match="finite"):
        eventual(world, 1, broken, "seen")
