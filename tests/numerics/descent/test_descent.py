"""Plain steps: the literal network's gradients, the population's, and what a step moves."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.descent import (
    Network,
    Rates,
    after_first,
    descend,
    exact_accuracy,
    gradients,
    initial,
    logits,
    sampled_accuracy,
    two_steps,
)
from numerics.models.attention_only import AttentionOnly, prop1
from numerics.models.population_gradient import loss_sum, population_gradients
from numerics.population import finetuning_gradients
from numerics.sampling import IclSampler
from numerics.world import World

WORLD = World.balanced(8, 2, 4, 4, n_grammar=2, seed=3)


def everything(n_demos: int):
    sampler = IclSampler(WORLD, n_demos)
    batch = sampler.every(0, sampler.population_size)
    return batch.tokens, batch.targets


def literal(network: Network) -> AttentionOnly:
    """The same weights in the literal network: [sep] columns in matrices of zeros."""
    d = network.V + network.T
    kq = {}
    for head, column in (("subj", network.kq_subj), ("rel", network.kq_rel)):
        kq[head] = torch.zeros((d, d), dtype=column.dtype)
        kq[head][:, network.V - 1] = column
    return AttentionOnly(network.V, network.T, kq, {"subj": network.ov_subj, "rel": network.ov_rel}, network.beta)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.5, 3.0, math.inf]), st.integers(1, 3))
def test_gradients_are_those_of_the_literal_network(seed, beta, n_demos):
    draw = torch.Generator().manual_seed(seed)
    start = initial(WORLD, n_demos, beta=beta)
    network = Network(
        *(w + torch.randn(w.shape, generator=draw, dtype=w.dtype) for w in (start.kq_subj, start.kq_rel)),
        start.ov_subj,
        start.ov_rel + torch.randn(start.ov_rel.shape, generator=draw, dtype=torch.float64),
        beta,
    )
    batch = IclSampler(WORLD, n_demos, seed=seed).draw(20)
    model = literal(network)
    torch.testing.assert_close(logits(network, batch.tokens), model(batch.tokens).detach(), rtol=1e-12, atol=1e-12)
    (loss_sum(model, batch.tokens, batch.targets, "true") / 20).backward()
    found = gradients(network, batch.tokens, batch.targets)
    unit = 1.0 if math.isinf(beta) else beta
    sep = network.V - 1
    for mine, theirs in (
        (found.kq_subj, model.kq["subj"].grad[:, sep] / unit),
        (found.kq_rel, model.kq["rel"].grad[:, sep] / unit),
        (found.ov_rel, model.ov["rel"].grad),
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-13)


def test_two_steps_on_the_whole_population_are_the_population_gradients():
    one, two = two_steps(initial(WORLD, 2), lambda: everything(2), lambda: everything(2), 0.7)
    wanted = finetuning_gradients(WORLD, 2, "true", 0.7)
    for mine, theirs in ((one.kq_subj, wanted.kq_subj), (one.ov_rel, wanted.ov_rel), (two.kq_rel, wanted.kq_rel)):
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=0, atol=1e-15)


def test_first_plain_step_moves_what_the_theorem_moves():
    rates = Rates(2.0, 3.0)
    start, _, end = (p.network for p in descend(initial(WORLD, 1, beta=4.0), lambda: everything(1), rates, 2))
    del end
    points = list(descend(start, lambda: everything(1), rates, 1))
    moved = points[1].network
    wanted = population_gradients(WORLD, 1, beta=4.0, eta_kq_subj=1.0)
    np.testing.assert_allclose((start.kq_subj - moved.kq_subj).numpy(), 2.0 * wanted.kq_subj, atol=1e-14)
    step = (start.ov_rel - moved.ov_rel).numpy()
    np.testing.assert_allclose(step[:, :-1], 3.0 * wanted.ov_rel[:, :-1], atol=1e-14)
    assert not step[:, -1].any(), "the [sep] column is projected out"
    assert torch.equal(moved.ov_subj, start.ov_subj)
    assert points[0].loss is not None and points[1].loss is None


def test_after_first_puts_the_subject_head_on_the_query():
    network = after_first(initial(WORLD, 1), torch.zeros((WORLD.V, WORLD.V), dtype=torch.float64), 1.0)
    assert network.kq_subj.nonzero().flatten().tolist() == [WORLD.V + 1]


def test_accuracy_counts_ties_as_wrong_and_samples_agree_with_all():
    # Without any weight all logits tie.
    start = initial(WORLD, 1)
    blank = Network(*(torch.zeros_like(w) for w in (start.kq_subj, start.kq_rel, start.ov_subj, start.ov_rel)), 1.0)
    sampler = IclSampler(WORLD, 1, "heldout", "all")
    assert exact_accuracy(blank, sampler).right == 0
    # On the query alone, own values tie: none is right; with the target's type boosted every sequence of that type is.
    there = after_first(start, torch.zeros_like(start.ov_rel), 1.0)
    for ell in range(WORLD.L):
        block = list(WORLD.attribute_range(ell))
        there.ov_rel[np.ix_(block, block)] = 1.0
    every = exact_accuracy(there, sampler, chunk=7)
    assert (every.right, every.total) == (every.total, sampler.population_size)
    drawn = sampled_accuracy(there, sampler, 50, chunk=16)
    assert drawn.sampled and (drawn.right, drawn.total) == (50, 50)


def test_initial_is_the_construction():
    model, network = prop1(WORLD, 2, window=3, reading="literal", beta=5.0), initial(WORLD, 2, 3, "literal", 5.0)
    tokens, _ = everything(2)
    torch.testing.assert_close(logits(network, tokens), model(tokens).detach())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Rates(math.nan, 1.0), "kq must be a finite number"),
        (lambda: Rates(1.0, math.inf), "ov must be a finite number"),
        (lambda: initial(WORLD, 1, beta=0.0), "beta must be a positive number or inf"),
        (lambda: initial(WORLD, 1).at(-1.0), "beta must be a positive number or inf"),
        (lambda: logits(initial(WORLD, 1), torch.zeros((2, 3), dtype=torch.int64)), "T = 5"),
        (lambda: list(descend(initial(WORLD, 1), lambda: everything(1), Rates(1, 1), -1)), "steps must be"),
        (lambda: sampled_accuracy(initial(WORLD, 1), IclSampler(WORLD, 1), 0), "size must be"),
    ],
)
def test_errors_name_the_parameter(call, words):
    with pytest.raises(ValueError, match=words):
        call()
