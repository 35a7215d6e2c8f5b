import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.models.attention_only import AttentionOnly, attended, prop1
from numerics.population.construction import initial_kq_rel, initial_kq_subj, initial_ov_rel, initial_ov_subj
from numerics.population.enumerate import sequences
from numerics.world import World

WORLD = World([[0, 0], [1, 0], [1, 1]], [0, 1], 1)


def test_hard_attention_and_its_derivative():
    scores = torch.tensor([[1.0, 3.0, 3.0, 0.0]], dtype=torch.float64, requires_grad=True)
    alpha = attended(scores, math.inf)
    assert alpha.tolist() == [[0, 0.5, 0.5, 0]]
    jacobian = torch.autograd.functional.jacobian(lambda s: attended(s, math.inf), scores.detach())[0, :, 0]
    assert jacobian.tolist() == [[0, 0, 0, 0], [0, 0.25, -0.25, 0], [0, -0.25, 0.25, 0], [0, 0, 0, 0]]
    # It is the limit of the derivative per unit beta.
    near = torch.autograd.functional.jacobian(lambda s: attended(s, 50.0), scores.detach())[0, :, 0] / 50
    torch.testing.assert_close(near, jacobian, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_outer_products_give_the_matrices_of_the_populations(small_worlds, windows, data):
    world, window = data.draw(small_worlds), data.draw(windows)
    n_demos, reading = data.draw(st.integers(1, 2)), data.draw(st.sampled_from(["set", "literal"]))
    model, T = prop1(world, n_demos, window, reading), 3 * n_demos + 2
    width = T if window is None else min(window, T)
    for head, column in (("subj", initial_kq_subj(world, T)), ("rel", initial_kq_rel(world, T, width))):
        matrix = np.zeros((world.V + T, world.V + T))
        matrix[:, world.sep_token] = column
        assert (model.kq[head].detach().numpy() == matrix).all()
    assert (model.ov["subj"].detach().numpy() == initial_ov_subj(world, reading)).all()
    assert (model.ov["rel"].detach().numpy() == initial_ov_rel(world)).all()


def test_attention_of_the_construction():
    model = prop1(WORLD, 2, window=3)
    tokens = torch.as_tensor(next(sequences(WORLD, 2)).tokens)
    subject, relation = model.attention("subj", tokens), model.attention("rel", tokens)
    for alpha, attended_to in ((subject, [1, 0, 0, 1, 0, 0, 1, 0]), (relation, [0, 0, 0, 0, 0, 1, 1, 1])):
        expected = torch.tensor(attended_to, dtype=torch.float64) / 3
        torch.testing.assert_close(alpha, expected.expand(alpha.shape), rtol=1e-15, atol=0)


def test_pretraining_sentence_is_recalled():
    # s_j r_l [sep]: relation head on the relation and the last positions, subject head on s_j; the target wins.
    model = prop1(WORLD, 1, window=None)
    for j in range(WORLD.M):
        for ell in range(WORLD.L):
            tokens = torch.tensor([[WORLD.subject_token(j), WORLD.relation_token(ell), WORLD.sep_token]])
            assert model.attention("rel", tokens, 3)[0, 1] == 1
            logits = model(tokens, 3)[0]
            assert logits.argmax() == WORLD.attribute_token[j, ell]
            assert (logits == logits.max()).sum() == 1


def test_positions_are_relative_and_attention_causal():
    generator = torch.Generator().manual_seed(0)
    V, T = 4, 3
    kq = {head: torch.randn(V + T, V + T, generator=generator, dtype=torch.float64) for head in ("subj", "rel", "grm")}
    ov = {head: torch.randn(V + T, V + T, generator=generator, dtype=torch.float64) for head in kq}
    model = AttentionOnly(V, T, kq, ov, beta=1.3)
    tokens = torch.tensor([[2, 0, 3], [2, 0, 1]])
    # By hand, Eq. (1) at t = 2: positions p_-1 for the first token and p_0 for the second.
    h = torch.eye(V + T, dtype=torch.float64)
    expected = torch.zeros(V + T, dtype=torch.float64)
    for head in kq:
        rows = torch.stack([h[2] + h[V + 1], h[0] + h[V]])
        alpha = torch.softmax(1.3 * rows @ kq[head] @ h[0], 0)
        expected += ov[head] @ (alpha[0] * h[2] + alpha[1] * h[0])
    found = model(tokens, 2)
    torch.testing.assert_close(found[0], expected[:V], rtol=1e-13, atol=1e-13)
    assert (found[0] == found[1]).all()
    # A (V, V) matrix acts as the (d, d) matrix padded by zeros.
    padded = {head: torch.zeros_like(matrix) for head, matrix in ov.items()}
    for head in ov:
        padded[head][:V, :V] = ov[head][:V, :V]
    small = AttentionOnly(V, T, kq, {head: matrix[:V, :V] for head, matrix in ov.items()}, 1.3)
    torch.testing.assert_close(small(tokens), AttentionOnly(V, T, kq, padded, 1.3)(tokens))


def test_errors():
    eye = torch.eye(5)
    with pytest.raises(ValueError, match="same heads"):
        AttentionOnly(3, 2, {"subj": eye}, {"rel": eye})
    with pytest.raises(ValueError, match=r"kq\['subj'\] must be \(d, d\) with d = 5, got \(4, 4\)"):
        AttentionOnly(3, 2, {"subj": torch.eye(4)}, {"subj": eye})
    with pytest.raises(ValueError, match=r"ov\['subj'\] must be \(d, d\) or \(V, V\), got \(4, 4\)"):
        AttentionOnly(3, 2, {"subj": eye}, {"subj": torch.eye(4)})
    with pytest.raises(ValueError, match=r"t must be an integer in 1\.\.8, got 9"):
        prop1(WORLD, 2)(torch.zeros((1, 9), dtype=torch.long), 9)
    for arguments, message in (({"reading": "x"}, "reading"), ({"window": 0}, "window"), ({"n_demos": 0}, "n_demos")):
        with pytest.raises(ValueError, match=f"{message} must be"):
            prop1(WORLD, **({"n_demos": 1} | arguments))
