"""Ranks with ties, task vectors, crossings, and that the mean crossing is 1/2 where only the vector carries the type."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.representations import crossing, draw_contexts, off_diagonal, ranks, steered, task_vectors, untyped

M, L, U = 12, 3, 4
SEP = M + L * U
FACTS = M + U * torch.arange(L) + torch.stack([(torch.arange(M) * k + torch.arange(M) // U) % U for k in (1, 2, 3)], 1)
EVERY = torch.arange(M)


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=4), st.integers(0, 4))
def test_ranks_are_means_over_the_orders_of_ties(rows, token):
    found = ranks(torch.tensor(rows).float(), torch.full((len(rows),), token))
    for row, rank in zip(rows, found.tolist(), strict=True):
        places = [i + 1 for i, value in enumerate(sorted(row, reverse=True)) if value == row[token]]
        assert rank == sum(places) / len(places)


def test_ranks_refuse_nan():
    with pytest.raises(ValueError, match="logits must be numbers, got nan"):
        ranks(torch.tensor([[math.nan, 0]]), torch.tensor([0]))


def test_task_vectors_are_means():
    points, labels = torch.tensor([[1.0, 0], [3, 0], [0, 5]]), torch.tensor([1, 1, 0])
    assert task_vectors(points, labels, 2).tolist() == [[0, 5], [2, 0]]
    with pytest.raises(ValueError, match="each with a point"):
        task_vectors(points, labels, 3)
    mixed = untyped(points, labels, 2, seed=1)
    assert torch.allclose(mixed[0] + 2 * mixed[1], points.sum(0).double())


def test_crossing():
    betas = (0.0, 0.5, 1.0)
    assert crossing(betas, [1, 1, 5], [5, 5, 1]) == pytest.approx(0.75)
    assert crossing(betas, [1, 3, 5], [5, 3, 1]) == pytest.approx(0.5)
    assert crossing(betas, [1, 1, 1], [5, 5, 1]) is None
    assert crossing(betas, [9, 9, 9], [1, 1, 1]) == 0
    # Only the last passing counts.
    assert crossing(betas, [2, 0, 2], [0, 2, 0]) == pytest.approx(0.75)
    with pytest.raises(ValueError):
        crossing(betas, [1, 2], [1, 2])


def network(tokens, value, leak, weak=1.0):
    """Logits with 2 at the query's attributes and the type's strength added to those of the type: value, and leak of the context's own."""
    query = tokens[:, -1]
    seen = FACTS.new_tensor(-1).expand(len(tokens)) if tokens.shape[1] < 2 else (tokens[:, 1] - M) // U
    strength = value + leak * torch.nn.functional.one_hot(seen, L)
    logits = torch.zeros((len(tokens), SEP + 1), dtype=torch.float64)
    for l in range(L):
        types = torch.arange(M + l * U, M + (l + 1) * U)
        logits[:, types] += weak * strength[:, l : l + 1] + 0.01 * torch.sin(types * (l + 1.0))
    logits[torch.arange(len(tokens))[:, None], FACTS[query]] += 2
    return logits


def of(contexts, leak, weak=1.0):
    return lambda rows, value: network(contexts.tokens(contexts.N)[rows], value, leak, weak)


def shared_queries(seed=0):
    """Contexts in which every type is asked of the same subjects."""
    contexts = draw_contexts(FACTS, SEP, 6, 3, EVERY, EVERY, seed=seed, same_queries=True)
    assert torch.equal(contexts.queries, contexts.queries[:6].repeat(L))
    return contexts


@pytest.mark.parametrize("weak", [0.1, 1.0, 10.0])
def test_mean_crossing_is_one_half_without_a_leak_however_strong_the_vectors(weak):
    betas = [i / 10 for i in range(11)]
    vectors = torch.tensor([[3.0, 0, 1], [0, 1, 0], [1, 0, 2]], dtype=torch.float64)
    contexts = shared_queries()
    found = steered(of(contexts, 0, weak), contexts, vectors, betas, batch=50)
    source, target = off_diagonal(found.source), off_diagonal(found.target)
    assert torch.allclose(source, target.flip(0), atol=1e-12)
    assert crossing(betas, source, target) == pytest.approx(0.5, abs=1e-9)


def test_a_leak_moves_the_crossing_and_untyped_vectors_do_not_steer():
    betas = [i / 20 for i in range(21)]
    contexts, vectors = shared_queries(), 4 * torch.eye(L, dtype=torch.float64)
    for leak, expected in ((0.0, 0.5), (2.0, 0.75), (5.0, None)):
        found = steered(of(contexts, leak), contexts, vectors, betas)
        at = crossing(betas, off_diagonal(found.source), off_diagonal(found.target))
        assert at == (expected if expected is None else pytest.approx(expected, abs=0.03))
    flat = steered(of(contexts, 1.0), contexts, 0 * vectors + 1, betas)
    assert crossing(betas, off_diagonal(flat.source), off_diagonal(flat.target)) is None


def test_steered_against_a_loop():
    contexts, betas = shared_queries(1), (0.0, 0.3, 1.0)
    vectors = torch.randn((L, L), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = steered(of(contexts, 0.2), contexts, vectors, betas, batch=7)
    tokens = contexts.tokens(3)
    for l in range(L):
        for other in range(L):
            if l == other:
                assert bool(found.source[l, l].isnan().all())
                continue
            mine = tokens[contexts.types == l]
            for i, beta in enumerate(betas):
                value = ((1 - beta) * vectors[l] + beta * vectors[other]).expand(len(mine), -1)
                logits = network(mine, value, 0.2)
                own, aim = (ranks(logits, FACTS[mine[:, -1], kind]) for kind in (l, other))
                assert float(found.source[l, other, i]) == pytest.approx(float(own.mean()))
                assert float(found.target[l, other, i]) == pytest.approx(float(aim.mean()))
                assert float(found.target_best[l, other, i]) == pytest.approx(float((aim < own).double().mean()))
                assert float(found.target_first[l, other, i]) == pytest.approx(float((aim == 1).double().mean()))


def test_errors():
    contexts, vectors = shared_queries(), torch.eye(L)
    for betas in ((), (1.5,), (math.nan,)):
        with pytest.raises(ValueError, match="betas must be"):
            steered(of(contexts, 0), contexts, vectors, betas)
    with pytest.raises(ValueError, match=r"vectors must be \(3, d\), got \(2, 3\)"):
        steered(of(contexts, 0), contexts, vectors[:2], (0.5,))
