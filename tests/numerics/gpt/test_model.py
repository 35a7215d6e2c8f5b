"""The network against a plain one written from the definition: outputs, gradients, representations, steering, weights."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.gpt import GPT

torch.set_num_threads(1)
EXACT = 1e-10


def norm(x, weights, name):
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * weights[name + ".weight"] + weights[name + ".bias"]


def reference(weights, tokens, n_layers, n_heads, gelu="erf", steer=("", None, None)):
    """logits (B, t, V) and every representation (B, t, d) by loops over heads and einsum; steer: (name, at, value)."""
    x = weights["token"][tokens] + weights["position"][: tokens.shape[1]]
    t, d = tokens.shape[1], x.shape[-1]
    e = d // n_heads
    later = torch.arange(t)[None, :] > torch.arange(t)[:, None]
    seen = {}

    def passes(name, y):
        if name == steer[0]:
            y = y.clone()
            for row, at in enumerate(steer[1]):
                y[row, at] = steer[2][row]
        seen[name] = y
        return y

    for i in range(n_layers):
        w = {k.removeprefix(f"blocks.{i}."): v for k, v in weights.items() if k.startswith(f"blocks.{i}.")}
        z = norm(x, w, "norm_1")
        qkv = torch.einsum("btd,ed->bte", z, w["qkv.weight"]) + w["qkv.bias"]
        heads = []
        for h in range(n_heads):
            q, k, v = (qkv[..., part * d + h * e : part * d + (h + 1) * e] for part in range(3))
            score = torch.einsum("bqe,bke->bqk", q, k) / math.sqrt(e)
            score = score.masked_fill(later, -torch.inf).exp()
            heads.append(torch.einsum("bqk,bke->bqe", score / score.sum(-1, keepdim=True), v))
        mixed = torch.einsum("btd,ed->bte", torch.cat(heads, -1), w["out.weight"]) + w["out.bias"]
        x = x + passes(f"layer{i + 1}.attention", mixed)
        u = torch.einsum("btd,ed->bte", norm(x, w, "norm_2"), w["up.weight"]) + w["up.bias"]
        if gelu == "erf":
            u = u * (1 + torch.erf(u / math.sqrt(2))) / 2
        else:
            u = u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3))) / 2
        down = torch.einsum("btd,ed->bte", u, w["down.weight"]) + w["down.bias"]
        x = passes(f"layer{i + 1}.residual", x + passes(f"layer{i + 1}.mlp", down))
    return torch.einsum("btd,vd->btv", norm(x, weights, "norm"), weights.get("unembedding", weights["token"])), seen


def made(seed=0, **changes):
    # Large weights, so that no part of the network is near linear.
    sizes = {"V": 11, "T": 9, "n_layers": 2, "n_heads": 1, "d": 8, "std": 0.7} | changes
    model = GPT(**sizes, seed=seed, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 1:
                weight.add_(0.3 * torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return model, generator


def weights_of(model):
    return {name: weight.detach().clone().requires_grad_() for name, weight in model.named_parameters()}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_layers=st.integers(1, 3),
    n_heads=st.sampled_from((1, 2, 4)),
    gelu=st.sampled_from(("erf", "tanh")),
    tied=st.booleans(),
    t=st.integers(1, 9),
)
def test_outputs_and_gradients_are_the_references(seed, n_layers, n_heads, gelu, tied, t):
    model, generator = made(seed, n_layers=n_layers, n_heads=n_heads, gelu=gelu, tied=tied)
    tokens = torch.randint(11, (3, t), generator=generator)
    pull = torch.randn(3, t, 11, generator=generator, dtype=torch.float64)
    weights = weights_of(model)
    expected, _ = reference(weights, tokens, n_layers, n_heads, gelu)
    found = model(tokens)
    torch.testing.assert_close(found, expected, rtol=0, atol=EXACT)
    gradients = torch.autograd.grad((expected * pull).sum(), list(weights.values()))
    (found * pull).sum().backward()
    assert len(gradients) == 2 + 12 * n_layers + 2 + (not tied)
    for (name, weight), gradient in zip(model.named_parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=EXACT, atol=EXACT, msg=name)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), n_layers=st.integers(1, 3), data=st.data())
def test_at_one_position(seed, n_layers, data):
    model, generator = made(seed, n_layers=n_layers, n_heads=2)
    tokens, at = torch.randint(11, (4, 9), generator=generator), torch.randint(9, (4,), generator=generator)
    rows = torch.arange(4)
    weights = weights_of(model)
    expected, seen = reference(weights, tokens, n_layers, 2)
    found = model.logits_at(tokens, at)
    torch.testing.assert_close(found, expected[rows, at], rtol=0, atol=EXACT)
    torch.testing.assert_close(found, model(tokens)[rows, at], rtol=0, atol=EXACT)
    # Its gradient, which the objective of the final token alone uses.
    pull = torch.randn(4, 11, generator=generator, dtype=torch.float64)
    gradients = torch.autograd.grad((expected[rows, at] * pull).sum(), list(weights.values()), retain_graph=True)
    (found * pull).sum().backward()
    for weight, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=EXACT, atol=EXACT)
    representations = model.representations(tokens, at)
    assert set(representations) == set(seen) == set(model.representation_names)
    for name, value in representations.items():
        torch.testing.assert_close(value, seen[name][rows, at], rtol=0, atol=EXACT)
    # Steering: the reference with the same replacement, and no change for its own value.
    name = data.draw(st.sampled_from(model.representation_names))
    value = torch.randn(4, 8, generator=generator, dtype=torch.float64)
    steered, _ = reference(weights, tokens, n_layers, 2, steer=(name, at, value))
    torch.testing.assert_close(model.logits_with(tokens, at, name, value), steered[rows, at], rtol=0, atol=EXACT)
    own = model.logits_with(tokens, at, name, representations[name])
    torch.testing.assert_close(own, found, rtol=0, atol=EXACT)


def test_no_position_sees_a_later_token():
    model, generator = made()
    tokens = torch.randint(11, (2, 9), generator=generator)
    other = tokens.clone()
    other[:, 5] = (other[:, 5] + 1) % 11
    one, two = model(tokens), model(other)
    assert torch.equal(one[:, :5], two[:, :5])
    assert (one[:, 5:] != two[:, 5:]).any(-1).all()
    assert torch.equal(model.logits_at(tokens, torch.tensor([4, 4])), model.logits_at(other, torch.tensor([4, 4])))


def test_initial_weights():
    model = GPT(300, 100, d=64, n_layers=2, seed=3)
    again, other = GPT(300, 100, d=64, n_layers=2, seed=3), GPT(300, 100, d=64, n_layers=2, seed=4)
    for (name, one), two, three in zip(model.named_parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), name
        if one.ndim == 1:
            assert (one == (1 if "norm" in name and name.endswith("weight") else 0)).all(), name
            continue
        assert not torch.equal(one, three), name
        std = 0.02 / 2 if name.endswith(("out.weight", "down.weight")) else 0.02
        # The standard deviation of n normal numbers is within 5 / sqrt(2 n) of its own, relative.
        assert abs(one.std().item() / std - 1) < 5 / math.sqrt(2 * one.numel()), name
    # 12 d^2 + 13 d a block, a norm, and the tied vocabulary and the positions.
    assert sum(p.numel() for p in model.parameters()) == 2 * (12 * 64**2 + 13 * 64) + 2 * 64 + 400 * 64
    assert "unembedding" in dict(GPT(3, 2, d=4, tied=False).named_parameters())


def test_bfloat16_is_the_same_attention():
    # Products rounded to 8 bits: far from another mask or scale.
    model = GPT(11, 9, d=16, n_heads=2, std=0.3)
    tokens = torch.randint(11, (4, 9), generator=torch.Generator().manual_seed(0))
    exact = model(tokens)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(tokens)
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    assert (rounded - exact).abs().max() < 0.05 * exact.abs().max()
    other = tokens.clone()
    other[:, 5] = (other[:, 5] + 1) % 11
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model(other)[:, :5], rounded[:, :5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"V": 0}, "V must be an integer >= 1, got 0"),
        ({"T": 2.5}, r"T must be an integer >= 1, got 2\.5"),
        ({"d": 9, "n_heads": 2}, "d must be a multiple of n_heads = 2, got 9"),
        ({"n_layers": 0}, "n_layers must be an integer >= 1, got 0"),
        ({"std": 0.0}, r"std must be a positive number, got 0\.0"),
        ({"gelu": "relu"}, "gelu must be one of 'erf', 'tanh', got 'relu'"),
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
    ],
)
def test_what_is_no_network(arguments, message):
    with pytest.raises(ValueError, match=message):
        GPT(**({"V": 5, "T": 4, "d": 8} | arguments))


def test_what_is_no_input():
    model = GPT(5, 4, d=8)
    with pytest.raises(ValueError, match=r"tokens must be \(B, t\) with 1 <= t <= T = 4, got shape \(1, 5\)"):
        model(torch.zeros(1, 5, dtype=torch.int64))
    tokens, at = torch.zeros(2, 4, dtype=torch.int64), torch.tensor([0, 3])
    with pytest.raises(ValueError, match=r"name must be one of 'layer1.attention'.*, got 'layer3.mlp'"):
        model.logits_with(tokens, at, "layer3.mlp", torch.zeros(2, 8))
    with pytest.raises(ValueError, match=r"value must be \(B, d\) = \(2, 8\), got shape \(8,\)"):
        model.logits_with(tokens, at, "layer1.mlp", torch.zeros(8))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_same_on_cuda():
    tokens = torch.randint(11, (4, 9), generator=torch.Generator().manual_seed(0))
    one, two = (GPT(11, 9, d=16, std=0.3, dtype=torch.float64, device=where) for where in ("cpu", "cuda"))
    torch.testing.assert_close(two(tokens.cuda()).cpu(), one(tokens), rtol=0, atol=EXACT)
