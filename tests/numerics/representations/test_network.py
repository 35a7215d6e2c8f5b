"""Representations of contexts are the network's, and the shortcut of a replacement is GPT.logits_with."""

import pytest
import torch

from numerics.gpt import GPT
from numerics.representations import LAST_ATTENTION, draw_contexts, logits, points, replacing

M, L, U = 8, 2, 4
SEP = M + L * U
FACTS = M + U * torch.arange(L) + torch.arange(M)[:, None] % U
CONTEXTS = draw_contexts(FACTS, SEP, 3, 4, torch.arange(M), torch.arange(M))
MODEL = GPT(SEP + 1, 20, d=12, std=0.3, seed=1, dtype=torch.float64)


@pytest.mark.parametrize("t", [0, 2, 4])
def test_points_and_logits_are_the_network_s_at_the_query(t):
    tokens = CONTEXTS.tokens(t)
    at = torch.full((len(tokens),), 3 * t)
    found, expected = points(MODEL, CONTEXTS, t, batch=4), MODEL.representations(tokens, at)
    assert found.keys() == expected.keys() and LAST_ATTENTION in found
    assert all(torch.allclose(found[name], expected[name]) for name in found)
    assert torch.allclose(logits(MODEL, CONTEXTS, t, batch=4), MODEL(tokens)[:, -1])


@pytest.mark.parametrize("name", [LAST_ATTENTION, "layer1.attention", "layer2.residual"])
def test_replacing_is_logits_with(name):
    rows = torch.tensor([5, 0, 5])
    value = torch.randn((3, 12), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = replacing(MODEL, CONTEXTS, name, batch=4)(rows, value)
    tokens = CONTEXTS.tokens(4)[rows]
    expected = MODEL.logits_with(tokens, torch.full((3,), 12), name, value)
    assert torch.allclose(found, expected)
    assert not torch.allclose(found, MODEL(tokens)[:, -1])


@pytest.mark.parametrize("name", [LAST_ATTENTION, "layer1.attention"])
def test_replacing_a_representation_by_itself_changes_nothing(name):
    own = points(MODEL, CONTEXTS, 4)[name]
    rows = torch.arange(len(own))
    assert torch.allclose(replacing(MODEL, CONTEXTS, name)(rows, own), logits(MODEL, CONTEXTS, 4))
