import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.models.attention_only import AttentionOnly
from numerics.models.factored import Factored, literal
from numerics.models.factored_dense import dense_logits
from numerics.models.fast_loss import fast_logits, fast_loss, gathers_loss, loss_through
from numerics.models.fast_tokens import distinct
from numerics.pretraining import sampled
from numerics.world import World

torch.set_num_threads(1)
dense_loss = loss_through(dense_logits)


def network(V, T, H, positions, scale=1.0, seed=0) -> Factored:
    """Weights large enough that attention is far from uniform and the softmax part counts."""
    return Factored(V, T, H, 8, positions, scale, std=0.6, seed=seed, dtype=torch.float64)


def gradients(model, loss, tokens, targets):
    model.zero_grad()
    found = loss(model, tokens, targets, True)
    found.loss.backward()
    return found, {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("positions", ["relative", "absolute"])
@pytest.mark.parametrize("H", [2, 3])
@pytest.mark.parametrize("phase", ["PT", "FT"])
def test_fast_equals_dense_on_sequences_of_the_paper(positions, H, phase):
    world = World.balanced(16, 3, 4)
    drawn = sampled(world, 5, 3, 9, seed=1)
    tokens = torch.as_tensor(drawn.tokens)
    targets = torch.as_tensor(drawn.following if phase == "PT" else drawn.targets)
    # The network has more positions than the sequences.
    model = network(world.V, 30, H, positions, scale=1.3)
    expected, wanted = gradients(model, dense_loss, tokens, targets)
    alpha = model.attention(tokens)
    assert alpha.amax() > 0.9  # far from uniform
    for loss in (gathers_loss, fast_loss):
        found, got = gradients(model, loss, tokens, targets)
        torch.testing.assert_close(found.loss, expected.loss, rtol=0, atol=1e-10)
        assert (found.predictions == expected.predictions).all()
        for name, gradient in wanted.items():
            assert gradient.abs().max() > 1e-4
            torch.testing.assert_close(got[name], gradient, rtol=0, atol=1e-10)
    last = phase == "FT"
    torch.testing.assert_close(fast_logits(model, tokens, last), dense_logits(model, tokens, last), rtol=0, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_fast_equals_dense_on_any_tokens(data):
    V, T, B = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    t = data.draw(st.integers(1, T))
    positions = data.draw(st.sampled_from(["relative", "absolute"]))
    model = network(V, T, data.draw(st.integers(1, 3)), positions, seed=data.draw(st.integers(0, 9)))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    tokens = torch.randint(V, (B, t), generator=generator)
    shape = (B,) if data.draw(st.booleans()) else (B, t)
    targets = torch.randint(V, shape, generator=generator)
    expected, wanted = gradients(model, dense_loss, tokens, targets)
    found, got = gradients(model, fast_loss, tokens, targets)
    torch.testing.assert_close(found.loss, expected.loss, rtol=0, atol=1e-10)
    for name, gradient in wanted.items():
        torch.testing.assert_close(got[name], gradient, rtol=0, atol=1e-10)


def test_distinct_tokens_give_the_sequence_back():
    tokens = torch.tensor([[4, 1, 4, 4], [7, 7, 7, 7], [0, 1, 2, 3]])
    found = distinct(tokens, 9)
    assert found.tokens.tolist() == [0, 1, 2, 3, 4, 7]
    assert (found.tokens[found.place] == tokens).all()
    assert (found.tokens[found.slots].gather(1, found.local) == tokens).all()
    assert found.local.amax(1).tolist() == [1, 0, 3]
    assert (found.one_hot(torch.float64).sum(2) == 1).all()


@pytest.mark.parametrize("positions", ["relative", "absolute"])
def test_literal_network_is_the_same_function(positions):
    generator = torch.Generator().manual_seed(0)
    model = network(7, 9, 2, positions, scale=0.7)
    tokens = torch.randint(7, (5, 9), generator=generator)
    # Relative positions: one literal network for every query position; absolute: one each.
    for t in range(1, 10):
        network_t = literal(model, 9 if positions == "relative" else t, ("rel", "subj"))
        assert isinstance(network_t, AttentionOnly)
        torch.testing.assert_close(network_t(tokens, t), dense_logits(model, tokens)[:, t - 1], rtol=0, atol=1e-12)
        alpha = network_t.attention("subj", tokens, t)
        torch.testing.assert_close(alpha, model.attention(tokens)[:, 1, t - 1, :t], rtol=0, atol=1e-12)


def test_by_hand():
    # Eq. (1) at t = 2 with every number written out: d_h = 1, so all factors are scalars per direction.
    model = Factored(3, 4, 1, 1, dtype=torch.float64)
    with torch.no_grad():
        model.key[0, :, 0] = torch.tensor([0.5, -1.0, 2.0, 0.3, -0.7, 9.0, 9.0], dtype=torch.float64)
        model.query[0, :, 0] = torch.tensor([1.0, 2.0, -1.5], dtype=torch.float64)
        model.value[0, :, 0] = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
        model.output[0, :, 0] = torch.tensor([1.0, 3.0, -1.0], dtype=torch.float64)
    # x_1 = 2 one step back (p_-1 = -0.7), x_2 = 1 here (p_0 = 0.3), query 2.0.
    weights = np.exp([2.0 * (2.0 - 0.7), 2.0 * (-1.0 + 0.3)])
    z = (weights @ [0.5, -2.0]) / weights.sum()
    np.testing.assert_allclose(model(torch.tensor([[2, 1]]))[0, 1].detach(), z * np.array([1.0, 3.0, -1.0]), rtol=1e-14)


def test_heads_add_up_and_predictions_only_when_asked():
    model = network(6, 8, 3, "relative")
    tokens = torch.randint(6, (4, 8), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.head_outputs(tokens).sum(1), model(tokens), rtol=0, atol=1e-12)
    assert fast_loss(model, tokens, tokens).predictions is None
    assert (fast_loss(model, tokens, tokens, True).predictions == model(tokens).argmax(-1)).all()


def test_a_hopeless_target_has_an_exact_loss():
    # The probability of the target is exp(-900), which is 0 in float64; its loss is not.
    model = Factored(2, 2, 1, 1, dtype=torch.float64)
    with torch.no_grad():
        model.value[0, :, 0], model.output[0, :, 0] = 1.0, torch.tensor([900.0, 0.0], dtype=torch.float64)
    tokens, targets = torch.zeros((1, 2), dtype=torch.long), torch.ones((1, 2), dtype=torch.long)
    assert fast_loss(model, tokens, targets).loss.item() == 900.0


def test_the_seed_decides_the_weights():
    one, two, other = Factored(5, 4, seed=3), Factored(5, 4, seed=3), Factored(5, 4, seed=4)
    assert all((a == b).all() for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert (one.key != other.key).any()
    assert abs(float(Factored(60, 4).key.detach().std()) - 0.02) < 3e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": "none"}, "positions must be one of 'relative', 'absolute', got 'none'"),
        ({"n_heads": 0}, "n_heads must be an integer >= 1, got 0"),
        ({"std": 0.0}, "std must be a positive number, got 0.0"),
        ({"scale": -1.0}, "scale must be a positive number, got -1.0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        Factored(4, 4, **arguments)


def test_errors_of_tokens_and_names():
    model = network(4, 3, 2, "relative")
    tokens = torch.zeros((2, 4), dtype=torch.long)
    for call in (model, model.attention, lambda x: fast_loss(model, x, x), lambda x: dense_logits(model, x)):
        with pytest.raises(ValueError, match=r"tokens must be .* t <= T = 3, got shape \(2, 4\)"):
            call(tokens)
    with pytest.raises(ValueError, match=r"targets must be \(B, t\) = \(2, 3\) or \(B,\) = \(2,\), got \(2, 2\)"):
        fast_loss(model, tokens[:, :3], tokens[:, :2])
    with pytest.raises(ValueError, match="names must be 2 different names"):
        literal(model, names=("a", "a"))
