"""The attention-only network that is trained: factored W_K, W_Q, W_V, W_O per head, by gathers instead of one-hot vectors.

    score_{t,i} = scale (x_i + p)^T W_K^T W_Q x_t,  i <= t,     g^t = sum_i alpha_{t,i} x_i,
    logits^t    = sum_heads W_O^T W_V g^t                       (fixed one-hot embeddings, tied unembedding)

W_K, W_Q, W_V, W_O are (d_h, d) with d = V + T; every factor is held transposed, row c being its column for direction c:
key (H, V + T, d_h), query, value, output (H, V, d_h).  The columns of W_Q, W_V and W_O at position directions never act
in Eq. (1), where positions are added to the key inputs alone, and so do not exist here.

Positions (row V + o of key is direction o of them):
    relative   Eq. (1): key i sees p_{-(t-i)}, o = t - i, the distance to the query
    absolute   key i sees the encoding of its own index, o = i - 1; the paper names the variant (C.3.2) and refers for
               its definition to App. B, which has none.  Reading: Eq. (1) with that one change.
Eq. (1) has no scaling of the scores: scale = 1.
"""

import torch
from torch import Tensor, nn

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.models.attention_only import AttentionOnly

POSITIONS = ("relative", "absolute")


def checked_tokens(tokens: Tensor, T: int) -> Tensor:
    """Token ids (B, t) with 1 <= t <= T.  Raises ValueError."""
    if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= T or not len(tokens):
        raise ValueError(f"tokens must be (B, t) with B >= 1 and 1 <= t <= T = {T}, got shape {tuple(tokens.shape)}")
    return tokens


class Factored(nn.Module):
    """The network with n_heads heads of width d_h on V tokens and at most T positions; N(0, std) entries.

    The weights are drawn on the CPU from `seed`, so that a seed means the same network on every device.
    Raises ValueError for sizes < 1, std <= 0, scale <= 0, unknown positions.
    """

    def __init__(
        self,
        V: int,
        T: int,
        n_heads: int = 3,
        d_h: int = 256,
        positions: str = "relative",
        scale: float = 1.0,
        std: float = 0.02,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ):
        super().__init__()
        self.V, self.T = checked_integer("V", V, 1), checked_integer("T", T, 1)
        self.n_heads, self.d_h = checked_integer("n_heads", n_heads, 1), checked_integer("d_h", d_h, 1)
        self.positions = checked_choice("positions", positions, POSITIONS)
        self.scale = checked_real("scale", scale, positive=True)
        std = checked_real("std", std, positive=True)
        generator = torch.Generator().manual_seed(checked_integer("seed", seed, 0))
        for name, rows in (("key", self.V + self.T), ("query", self.V), ("value", self.V), ("output", self.V)):
            entries = torch.randn((self.n_heads, rows, self.d_h), generator=generator, dtype=torch.float64) * std
            self.register_parameter(name, nn.Parameter(entries.to(device=device, dtype=dtype)))

    key: nn.Parameter
    query: nn.Parameter
    value: nn.Parameter
    output: nn.Parameter

    def position_index(self, t: int, queries: Tensor) -> Tensor:
        """(Q, t) rows of `key` (after the first V) that key i = 0..t-1 sees for each query index; causal entries only."""
        i = torch.arange(t, device=queries.device)
        if self.positions == "absolute":
            return i.expand(len(queries), t)
        return (queries[:, None] - i).clamp(min=0)

    def attention(self, tokens: Tensor, last: bool = False) -> Tensor:
        """(B, H, t, t) attention of every position, or with last (B, H, 1, t) of the last.  Cost O(B H (t d_h + t^2 d_h)).

        Raises ValueError for tokens that are not (B, 1 <= t <= T).
        """
        t = checked_tokens(tokens, self.T).shape[1]
        queries = torch.arange(t, device=tokens.device)[-1:] if last else torch.arange(t, device=tokens.device)
        q = self.query[:, tokens[:, queries]].transpose(0, 1)
        k = self.key[:, tokens].transpose(0, 1)
        p = self.key[:, self.V : self.V + t]
        at = self.position_index(t, queries)
        of_position = torch.einsum("bhqd,hod->bhqo", q, p)
        of_position = of_position.gather(3, at.expand(*of_position.shape[:3], t))
        scores = self.scale * (q @ k.transpose(2, 3) + of_position)
        ahead = torch.arange(t, device=tokens.device) > queries[:, None]
        return torch.softmax(scores.masked_fill(ahead, -torch.inf), dim=-1)

    def head_outputs(self, tokens: Tensor, last: bool = False) -> Tensor:
        """(B, H, Q, V) outputs f_h of the heads at every position, or at the last one (Q = 1).  Raises as attention."""
        z = self.attention(tokens, last) @ self.value[:, tokens].transpose(0, 1)
        return z @ self.output.transpose(1, 2)

    def forward(self, tokens: Tensor, last: bool = False) -> Tensor:
        """(B, t, V) logits of every position, or with last (B, V) of the last.  Raises as attention.

        Cost O(B H t (d_h V + t d_h)), plain gathers and products; numerics.models.fast_loss has the same faster.
        """
        z = self.attention(tokens, last) @ self.value[:, tokens].transpose(0, 1)
        # All heads in one product: (B, Q, H d_h) @ (H d_h, V).
        joined = z.transpose(1, 2).flatten(2)
        logits = joined @ self.output.transpose(1, 2).flatten(0, 1)
        return logits[:, 0] if last else logits

    def ov(self) -> Tensor:
        """(H, V, V) matrices W_OV = W_O^T W_V, [head, output, input].  Cost O(H V^2 d_h)."""
        return self.output @ self.value.transpose(1, 2)

    def kq(self, T: int | None = None) -> Tensor:
        """(H, V + T, V) columns of W_KQ = W_K^T W_Q at the tokens, [head, key, query], the scale included.

        Position rows are p_0, p_-1, .., p_-(T-1).  For absolute positions they hold for queries at position T alone.
        Cost O(H (V + T) V d_h).  Raises ValueError for T outside 1..self.T.
        """
        T = self.T if T is None else checked_integer("T", T, 1, self.T)
        rows = self.key[:, self.V : self.V + T]
        if self.positions == "absolute":
            rows = rows.flip(1)
        return self.scale * torch.cat([self.key[:, : self.V], rows], dim=1) @ self.query.transpose(1, 2)


def literal(model: Factored, T: int | None = None, names: tuple[str, ...] | None = None) -> AttentionOnly:
    """The same network with literal matrices W_KQ (d, d) and W_OV (V, V), d = V + T, at beta = 1, for sequences of T.

    names: of the heads, default 'head0', 'head1', ...  Trained weights so run wherever constructions do.  A model with
    absolute positions has one literal W_KQ per query position; this is the one of position T, the last.
    Raises ValueError for T outside 1..model.T or a wrong number of names.  Cost O(H V (V + T) d_h).
    """
    T = model.T if T is None else checked_integer("T", T, 1, model.T)
    names = tuple(f"head{h}" for h in range(model.n_heads)) if names is None else names
    if len(names) != model.n_heads or len(set(names)) != len(names):
        raise ValueError(f"names must be {model.n_heads} different names, got {names!r}")
    with torch.no_grad():
        padded = nn.functional.pad(model.kq(T), (0, T))
        ov = model.ov()
    kq_of = {name: padded[h].clone() for h, name in enumerate(names)}
    return AttentionOnly(model.V, T, kq_of, {name: ov[h].clone() for h, name in enumerate(names)}, beta=1.0)
