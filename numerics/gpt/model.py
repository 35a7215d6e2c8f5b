"""The 2-layer decoder of Section 3: pre-LN blocks, learned positions, logits at every position.

    x^0_t = E[token_t] + P[t]
    y = x^{i-1} + Attention_i(LN(x^{i-1})),     x^i = y + MLP_i(LN(y))                       i = 1 .. n_layers
    logits_t = U LN(x^{n_layers}_t),            U = E unless `tied` is False

    Attention(z) = W_o [per head: softmax over s <= t of q_t . k_s / sqrt(d / n_heads)] v + b,  q, k, v = W z + b
    MLP(z) = W_2 GELU(W_1 z + b_1) + b_2,       W_1 (4d, d)

The paper (App. B.1) says "a 2-layer 1-head GPT-2 type decoder-only transformer (Karpathy), embedding dimension 256" and no more.
Open, and taken as in nanoGPT: U tied to E (minGPT has its own U: tied=False), biases everywhere, the exact GELU (GPT-2 and minGPT
have the tanh form: gelu="tanh"), weights and positions N(0, 0.02), W_o and W_2 N(0, 0.02 / sqrt(2 n_layers)), biases 0.
No dropout: every batch is fresh.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from numerics.arguments import checked_choice, checked_integer, checked_real

GELUS = {"erf": "none", "tanh": "tanh"}


def _causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention (B, heads, t, e).  On the CPU the fused form's gradient is four times slower in bfloat16 than products."""
    if q.dtype != torch.bfloat16 or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    later = torch.full((q.shape[2], q.shape[2]), -torch.inf, dtype=q.dtype).triu(1)
    scores = torch.baddbmm(later, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), alpha=q.shape[-1] ** -0.5)
    return torch.bmm(torch.softmax(scores, -1), v.flatten(0, 1)).view_as(q)


class Block(nn.Module):
    """One layer; `attention` and `mlp` are what the two halves add to the stream."""

    def __init__(self, d: int, n_heads: int, gelu: str):
        super().__init__()
        self.n_heads, self.gelu = n_heads, GELUS[gelu]
        self.norm_1, self.norm_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def attention(self, x: Tensor) -> Tensor:
        """(B, t, d) -> (B, t, d), causal.  Cost O(B t d^2 + B t^2 d)."""
        q, k, v = (self._heads(part) for part in self.qkv(self.norm_1(x)).chunk(3, -1))
        mixed = _causal(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def attention_at(self, x: Tensor, at: Tensor) -> Tensor:
        """The same at one position of each sequence: (B, t, d) and (B,) -> (B, d), with t - 1 queries less."""
        d = x.shape[-1]
        z = self.norm_1(x)
        k, v = (self._heads(part) for part in F.linear(z, self.qkv.weight[d:], self.qkv.bias[d:]).chunk(2, -1))
        q = self._heads(F.linear(_at(z, at), self.qkv.weight[:d], self.qkv.bias[:d])[:, None])
        seen = torch.arange(x.shape[1], device=x.device) <= at[:, None]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None])
        return self.out(mixed.transpose(1, 2).flatten(1))

    def mlp(self, x: Tensor) -> Tensor:
        """(.., d) -> (.., d)."""
        return self.down(F.gelu(self.up(self.norm_2(x)), approximate=self.gelu))

    def forward(self, x: Tensor) -> Tensor:
        """The stream after the block, (B, t, d)."""
        x = x + self.attention(x)
        return x + self.mlp(x)


def _at(x: Tensor, at: Tensor) -> Tensor:
    """(B, t, d) -> (B, d), row b at position at[b]."""
    return x[torch.arange(len(x), device=x.device), at]


class GPT(nn.Module):
    """GPT(V, T): at most T positions; weights are drawn from `seed` alone, the same on every device.

    Raises ValueError for sizes < 1, d that n_heads does not divide, std <= 0, or an unknown gelu.
    """

    def __init__(
        self,
        V: int,
        T: int,
        n_layers: int = 2,
        n_heads: int = 1,
        d: int = 256,
        std: float = 0.02,
        seed: int = 0,
        gelu: str = "erf",
        tied: bool = True,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ):
        super().__init__()
        self.V, self.T = checked_integer("V", V, 1), checked_integer("T", T, 1)
        self.n_layers, self.n_heads = checked_integer("n_layers", n_layers, 1), checked_integer("n_heads", n_heads, 1)
        self.d = checked_integer("d", d, 1)
        if d % n_heads:
            raise ValueError(f"d must be a multiple of n_heads = {n_heads}, got {d!r}")
        checked_real("std", std, positive=True)
        checked_choice("gelu", gelu, tuple(GELUS))
        self.token, self.position = nn.Parameter(torch.empty(V, d)), nn.Parameter(torch.empty(T, d))
        self.blocks = nn.ModuleList(Block(d, n_heads, gelu) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d)
        self.unembedding = None if tied else nn.Parameter(torch.empty(V, d))
        self._draw(std, checked_integer("seed", seed, 0))
        self.to(dtype=dtype, device=device)

    @torch.no_grad()
    def _draw(self, std: float, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                narrow = name.endswith(("out.weight", "down.weight"))
                weight.normal_(0, std / sqrt(2 * self.n_layers) if narrow else std, generator=generator)
            elif name.endswith("bias"):
                weight.zero_()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.token.device

    def _embedded(self, tokens: Tensor) -> Tensor:
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= self.T:
            raise ValueError(f"tokens must be (B, t) with 1 <= t <= T = {self.T}, got shape {tuple(tokens.shape)}")
        return F.embedding(tokens, self.token) + self.position[: tokens.shape[1]]

    def stream(self, tokens: Tensor) -> Tensor:
        """(B, t) -> (B, t, d), what the last block leaves.  Raises ValueError for tokens that are not (B, 1 <= t <= T)."""
        x = self._embedded(tokens)
        for block in self.blocks:
            x = block(x)
        return x

    def unembed(self, x: Tensor) -> Tensor:
        """Streams (.., d) -> logits (.., V), under autocast too in the precision of the weights: in bfloat16 they tie."""
        with torch.autocast(x.device.type, enabled=False):
            return F.linear(self.norm(x), self.token if self.unembedding is None else self.unembedding)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B, t, V).  Raises ValueError as `stream`.  Cost O(n_layers B t (12 d^2 + 2 t d) + B t d V)."""
        return self.unembed(self.stream(tokens))

    def _followed(self, tokens: Tensor, at: Tensor, name: str = "", value: Tensor | None = None) -> dict[str, Tensor]:
        """The representations at `at`, (B, d) each, with the one called `name` set to value there; "end" is the last stream.

        The last block is computed at `at` alone.
        """
        x, found = self._embedded(tokens), {}
        rows = torch.arange(len(x), device=x.device)

        def passes(own: str, full: Tensor) -> Tensor:
            """A representation (B, t, d), in the last block (B, d), after the replacement."""
            if own == name and value is not None:
                full = value.to(full) if full.ndim == 2 else full.index_put((rows, at), value.to(full))
            found[own] = full if full.ndim == 2 else _at(full, at)
            return full

        for i, block in enumerate(self.blocks, 1):
            if not isinstance(block, Block):
                raise TypeError(f"blocks must be Block, got {type(block)}")
            last = i == self.n_layers
            mixed = passes(f"layer{i}.attention", block.attention_at(x, at) if last else block.attention(x))
            x = (_at(x, at) if last else x) + mixed
            x = passes(f"layer{i}.residual", x + passes(f"layer{i}.mlp", block.mlp(x)))
        return found | {"end": x}

    @property
    def representation_names(self) -> tuple[str, ...]:
        """The keys of `representations`."""
        return tuple(
            f"layer{i}.{part}" for i in range(1, self.n_layers + 1) for part in ("attention", "mlp", "residual")
        )

    def logits_at(self, tokens: Tensor, at: Tensor) -> Tensor:
        """(B, V): row b of forward's logits at position at[b] (B,); the last block is computed there alone."""
        return self.unembed(self._followed(tokens, at)["end"])

    def representations(self, tokens: Tensor, at: Tensor) -> dict[str, Tensor]:
        """At positions at (B,), (B, d) each: for layer i = 1 .. n_layers

        layer{i}.attention   what the attention adds to the stream (with W_o and its bias)
        layer{i}.mlp         what the MLP adds to the stream
        layer{i}.residual    the stream after the block
        """
        found = self._followed(tokens, at)
        return {name: found[name] for name in self.representation_names}

    def logits_with(self, tokens: Tensor, at: Tensor, name: str, value: Tensor) -> Tensor:
        """logits_at of the same pass with representation `name` set to value (B, d) at position `at`; all later layers see it.

        Raises ValueError for an unknown name or a value that is not (B, d).
        """
        checked_choice("name", name, self.representation_names)
        if value.shape != (len(tokens), self.d):
            raise ValueError(f"value must be (B, d) = ({len(tokens)}, {self.d}), got shape {tuple(value.shape)}")
        return self.unembed(self._followed(tokens, at, name, value)["end"])
