"""From which beta the argmax sets are those of beta = inf: against the literal network just above and just below."""

import math

import numpy as np
import pytest
import torch

from numerics.constructions import network, prop3
from numerics.constructions.evaluate import evaluate
from numerics.constructions.settling import settled_from
from numerics.pretraining import sequences
from numerics.world import World

WORLD = World([[0, 0], [1, 1]], [0, 1], 2)


def same(construction, tokens, t, beta) -> bool:
    with torch.no_grad():
        logits = network(construction, beta)(torch.from_numpy(tokens), t).numpy()
    top = logits >= logits.max(axis=1, keepdims=True) - 1e-11
    return bool((top == evaluate(construction, tokens, t).argmax).all())


@pytest.mark.parametrize("S, N_tr", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3)])
def test_against_the_literal_network(S, N_tr):
    construction = prop3(WORLD, S, N_tr)
    tokens = np.concatenate([batch.tokens for batch in sequences(WORLD, S, N_tr)])
    for t in range(1, construction.T + 1):
        found = settled_from(construction, [tokens[:5], tokens[5:]], t)
        if found == math.inf:
            assert not any(same(construction, tokens, t, beta) for beta in (0.5, 2.0, 5.0))
            continue
        assert all(same(construction, tokens, t, found + extra) for extra in (1e-4, 0.5, 3.0))
        assert found == 0 or not same(construction, tokens, t, found - 1e-4)


def test_no_sequence():
    with pytest.raises(ValueError, match="at least one sequence"):
        settled_from(prop3(WORLD, 1, 1), [], 2)
