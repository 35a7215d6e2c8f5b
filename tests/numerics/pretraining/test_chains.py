from itertools import combinations

import numpy as np
import pytest

from numerics.pretraining import NORMS, distances, divergence, greedy_selection, transition_pool


def test_norms_on_two_matrices():
    one, two = np.array([[1, 0], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    found = {norm: float(distances(one, [two], norm)[0]) for norm in NORMS}
    assert found == {"entries": 1.5, "rows": 0.75, "variation": 0.375, "operator": 0.75, "max_row": 1.5}
    assert np.linalg.norm(one - two, 1) == found["operator"]
    assert np.linalg.norm(one - two, np.inf) == found["max_row"]


@pytest.mark.parametrize("norm", NORMS)
def test_divergence_is_the_least_pair(norm):
    pool = transition_pool(7, 3, 0.5, seed=4)
    np.testing.assert_allclose(pool.sum(axis=2), 1)
    pairs = [float(distances(a, b[None], norm)[0]) for a, b in combinations(pool, 2)]
    assert divergence(pool, norm) == min(pairs)
    assert divergence(np.concatenate([pool, pool[:1]]), norm) == 0


@pytest.mark.parametrize("norm", NORMS)
def test_greedy_selection(norm):
    pool = transition_pool(40, 3, 1.0, seed=1)
    found = greedy_selection(pool, 4, norm, start=5)
    assert found.indices[0] == 5 and len(set(found.indices)) == 4
    assert (found.matrices == pool[list(found.indices)]).all()
    assert found.div == divergence(found.matrices, norm)
    # Every step is the best one, by trying all.
    for k in range(1, 4):
        chosen = pool[list(found.indices[:k])]
        least = [min(float(distances(x, chosen, norm).min()), np.inf) for x in pool]
        assert least[found.indices[k]] == max(least)
    # A target that the pool can reach is met from above, and more closely than by the farthest ones.
    target = found.div / 2
    near = greedy_selection(pool, 4, norm, target, start=5)
    assert target <= near.div <= found.div
    # One that it cannot is missed from below, by the farthest ones.
    assert greedy_selection(pool, 4, norm, 1e3, start=5).indices == found.indices


def test_errors():
    pool = transition_pool(3, 2, 1.0)
    for call, message in (
        (lambda: transition_pool(0, 2, 1.0), "size must be an integer >= 1, got 0"),
        (lambda: transition_pool(1, 2, 0.0), "alpha must be a positive number, got 0.0"),
        (lambda: divergence(pool, "l1"), "norm must be one of"),
        (lambda: divergence(pool[:1]), r"matrices must be \(n, G, G\) with n >= 2, got shape \(1, 2, 2\)"),
        (lambda: greedy_selection(pool, 4), r"L must be an integer in 2\.\.3 \(the size of the pool\), got 4"),
        (lambda: greedy_selection(pool, 2, start=3), r"start must be an integer in 0\.\.2, got 3"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
