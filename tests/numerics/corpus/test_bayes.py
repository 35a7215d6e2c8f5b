import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.corpus import Corpus, CorpusConfig, PTSampler
from numerics.corpus.bayes import (
    bayes_accuracies,
    bayes_accuracy,
    drawn_paths,
    enumerated,
    generic_accuracy,
    posterior,
    pt_bounds,
    without_context,
)
from numerics.pretraining.chains import transition_pool
from numerics.world import World


def path_probability(chain, path):
    out = 1 / len(chain)
    for g, h in itertools.pairwise(path):
        out *= chain[g][h]
    return out


def by_hand(chains, S):
    """E max posterior, path by path."""
    G = len(chains[0])
    every = itertools.product(range(G), repeat=S)
    return math.fsum(max(path_probability(chain, path) for chain in chains) for path in every) / len(chains)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 5), st.integers(0, 10**6))
def test_accuracy_is_the_sum_over_all_paths(L, G, S, seed):
    chains = transition_pool(L, G, 0.7, seed)
    found = bayes_accuracy(chains, S)
    assert found.exact and found.paths == G**S
    assert found.value == found.low == found.high == pytest.approx(by_hand(chains, S) if S else 1 / L, abs=1e-12)
    assert enumerated(chains, S) == pytest.approx(found.value, abs=1e-12)
    assert 1 / L - 1e-12 <= found.value <= 1 + 1e-12


def test_posterior_by_hand():
    chains = [[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.5, 0.5]]]
    found = posterior(chains, [[0, 0, 1], [1, 1, 0], [0, 1, 0]])
    assert found == pytest.approx(np.array([[4 / 7, 3 / 7], [0, 1], [4 / 7, 3 / 7]]))
    assert posterior(chains, [[1]]).tolist() == [[0.5, 0.5]]
    assert np.isnan(posterior(chains[:1], [[1, 1]])).all()


def test_posterior_of_a_long_path_stays_finite():
    chains = transition_pool(3, 4, 1.0, 0)
    found = posterior(chains, drawn_paths(chains, 3000, 3, 0))
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    # Far along, the type that made the path is certain.
    assert found.diagonal() == pytest.approx(np.ones(3))


def test_extreme_chains():
    same = np.repeat(transition_pool(1, 3, 1.0, 0), 4, axis=0)
    assert bayes_accuracy(same, 6).value == pytest.approx(1 / 4)
    # Staying and moving on: two tokens tell.
    apart = [np.eye(3), np.roll(np.eye(3), 1, axis=1)]
    assert [one.value for one in bayes_accuracies(apart, (0, 1, 2, 3))] == pytest.approx([0.5, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("seed", range(3))
def test_sampled_accuracy_is_within_its_interval(seed):
    chains = transition_pool(5, 3, 1.0, seed)
    exact = bayes_accuracies(chains, (2, 5, 8))
    sampled = bayes_accuracies(chains, (2, 5, 8), size=20_001, seed=seed, limit=1)
    for one, other in zip(exact, sampled, strict=True):
        assert one.exact and not other.exact and other.paths == 20_005
        assert other.low < one.value < other.high
        # Hoeffding, (1 - 1/5) sqrt(log 40 / (2 n)) on either side.
        assert other.high - other.low == pytest.approx(1.6 * math.sqrt(math.log(40) / (2 * 20_005)))


def test_a_wrong_posterior_is_outside_the_interval():
    # The reader of the transposed chains, or of chains one type off, is not the best one.
    chains = transition_pool(4, 3, 1.0, 1)
    paths = drawn_paths(chains, 8, 20_000, 0)
    types = np.arange(20_000) % 4
    right = (posterior(chains, paths).argmax(1) == types).mean()
    exact = bayes_accuracy(chains, 8).value
    assert right == pytest.approx(exact, abs=0.02)
    wrong = chains.transpose(0, 2, 1) / chains.sum(1)[:, :, None]
    for other in (wrong, np.roll(chains, 1, axis=0)):
        assert (posterior(other, paths).argmax(1) == types).mean() < exact - 0.05


CORPUS = CorpusConfig(M=8, L=3, U=(8, 4, 2), G=3, div=0.3, pool=60).build()


def test_no_reader_of_pt_sequences_beats_the_bound():
    """The best reader, on drawn sequences, scores what the bound says: exact match and the metrics over all of them."""
    S, p_G, size = 6, 0.3, 40_000
    batch = PTSampler(CORPUS, S, 2, p_G, seed=3).draw(size)
    grammar = (batch.tokens[:, -S:] - CORPUS.first_grammar).numpy()
    guess = posterior(CORPUS.transitions, np.where(batch.grammar_only[:, None], 0, grammar)).argmax(1)
    attributes = torch.tensor(CORPUS.attribute_token)[batch.subjects, torch.tensor(guess)]
    following = CORPUS.first_grammar + torch.tensor(CORPUS.grammar_only.argmax(1))[grammar[:, -1]]
    guessed = torch.where(batch.grammar_only, following, attributes)
    right = (guessed == batch.targets).double()
    bounds, facts = pt_bounds(CORPUS, S, p_G), pt_bounds(CORPUS, S)
    error = 5 / math.sqrt(4 * size)
    assert bounds.exact.exact and right.mean().item() == pytest.approx(bounds.exact.value, abs=error)
    only = right[~batch.grammar_only].mean().item()
    assert only == pytest.approx(facts.exact.value, abs=error / 0.8) and facts.exact == facts.type
    assert bounds.type.value == pytest.approx(0.7 * facts.type.value)
    assert (bounds.subject, bounds.attribute, facts.subject) == (0.7, 0.7, 1.0)
    assert generic_accuracy(CORPUS, S) < 1


def test_generic_accuracy_by_hand():
    corpus = Corpus(World([[0], [1]], [0], 2), [[[1, 0], [0, 1]]], [[0.9, 0.1], [0.4, 0.6]])
    # After one step from uniform: (.65, .35).
    assert generic_accuracy(corpus, 1) == pytest.approx(0.65 * 0.9 + 0.35 * 0.6)


def test_a_reader_without_the_context():
    assert without_context(CORPUS, 0) == without_context(CORPUS, 1) == pytest.approx(1 / 3)
    mean = (1 / 3 + by_hand(CORPUS.transitions, 3)) / 2
    assert without_context(CORPUS, (1, 3)) == pytest.approx(mean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: posterior(np.eye(2), [[0]]), r"transitions must be \(L, G, G\), got shape \(2, 2\)"),
        (lambda: posterior([np.eye(2)], [[2]]), r"paths must be \(N, S\) integers in 0\.\.1"),
        (lambda: posterior([np.eye(2)], [0]), r"paths must be \(N, S\) integers"),
        (lambda: bayes_accuracy([np.eye(2)], -1), "lengths must be an integer >= 0, got -1"),
        (lambda: bayes_accuracy([np.eye(2)], 2, size=0), "size must be an integer >= 1, got 0"),
        (lambda: pt_bounds(CORPUS, 2, 2.0), r"p_G must be a probability, got 2\.0"),
        (lambda: without_context(CORPUS, ()), r"S_ft must be at least one length with G\^S_ft <= 1000000, got \(\)"),
        (lambda: without_context(CORPUS, 13), "S_ft must be at least one length .* got 13"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
