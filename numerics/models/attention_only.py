"""The literal one-layer attention-only network in PyTorch, with its constructed weights.

    g^t = X_{1:t}^T softmax((X_{1:t} + P_{T-t+1:T}) W_KQ x_t),     f^t = sum_heads W_OV g^t,     logits = <h(v), f^t>,

with dense one-hot embeddings in R^d, d = V + T: tokens first, then positions p_0, p_-1, ..., p_-(T-1), row i of P being
p_-(T-i).  Weights of the score matrix are held per unit beta: the scores are beta W_KQ.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from numerics.arguments import checked_choice, checked_integer
from numerics.world import World

READINGS = ("set", "literal")


def attended(scores: Tensor, beta: float, tie_tolerance: float = 1e-9) -> Tensor:
    """softmax(beta * scores) over the last dimension; at beta = inf hard attention, uniform over the ties.

    Hard attention is the softmax restricted to the scores within tie_tolerance of the largest, where it is uniform; its
    autograd is the limit of the Jacobian per unit beta, alpha_j (1[i = j] - alpha_i) on the ties and 0 elsewhere.
    """
    if math.isinf(beta):
        top = scores.detach() >= scores.detach().amax(-1, keepdim=True) - tie_tolerance
        # On the ties the values are made equal without touching the derivative, so that alpha is exactly uniform.
        level = torch.where(top, scores - scores.detach(), torch.full_like(scores, -torch.inf))
        return torch.softmax(level, dim=-1)
    # A softmax does not see a common shift; without it a huge beta would overflow.
    return torch.softmax(beta * (scores - scores.detach().amax(-1, keepdim=True)), dim=-1)


class AttentionOnly(nn.Module):
    """The network.  kq, ov: for every head a (d, d) matrix W_KQ per unit beta and a (d, d) or (V, V) matrix W_OV.

    Heads are named ('subj', 'rel', and 'grm' where there are three).  Raises ValueError for shapes that do not fit.
    """

    def __init__(self, V: int, T: int, kq: Mapping[str, Tensor], ov: Mapping[str, Tensor], beta: float = math.inf):
        super().__init__()
        self.V, self.T, self.d, self.beta = V, T, V + T, beta
        if set(kq) != set(ov) or not kq:
            raise ValueError(f"kq and ov must have the same heads, got {sorted(kq)} and {sorted(ov)}")
        for head in kq:
            if kq[head].shape != (self.d, self.d):
                raise ValueError(f"kq[{head!r}] must be (d, d) with d = {self.d}, got {tuple(kq[head].shape)}")
            if ov[head].shape not in ((self.d, self.d), (V, V)):
                raise ValueError(f"ov[{head!r}] must be (d, d) or (V, V), got {tuple(ov[head].shape)}")
        self.kq = nn.ParameterDict({head: nn.Parameter(matrix) for head, matrix in kq.items()})
        self.ov = nn.ParameterDict({head: nn.Parameter(matrix) for head, matrix in ov.items()})

    def attention(self, head: str, tokens: Tensor, t: int | None = None) -> Tensor:
        """(B, t) attention of position t (counted from 1; default the last one) on positions 1..t."""
        t = self.T if t is None else checked_integer("t", t, 1, self.T)
        X, P = self._embeddings(tokens, t)
        scores = torch.einsum("btd,de,be->bt", X + P, self.kq[head], X[:, -1])
        return attended(scores, self.beta)

    def _embeddings(self, tokens: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """X_{1:t} (B, t, d) and P_{T-t+1:T} (t, d), whose last row is p_0."""
        dtype, device = next(iter(self.kq.values())).dtype, tokens.device
        one_hot = torch.eye(self.d, dtype=dtype, device=device)
        return one_hot[tokens[:, :t]], one_hot[self.V + torch.arange(t - 1, -1, -1, device=device)]

    def forward(self, tokens: Tensor, t: int | None = None) -> Tensor:
        """(B, V) logits at position t of token ids (B, >= t).  Cost O(B (t d + d^2)) per head."""
        t = self.T if t is None else checked_integer("t", t, 1, self.T)
        X, _ = self._embeddings(tokens, t)
        f = torch.zeros((len(tokens), self.d), dtype=X.dtype, device=X.device)
        for head, ov in self.ov.items():
            g = torch.einsum("btd,bt->bd", X, self.attention(head, tokens, t))
            n = ov.shape[0]
            f = f + nn.functional.pad(g[:, :n] @ ov.T, (0, self.d - n))
        return f[:, : self.V]


def prop1(
    world: World,
    n_demos: int,
    window: int | None = None,
    reading: str = "set",
    beta: float = math.inf,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> AttentionOnly:
    """The initial construction, by outer products of one-hot vectors.

        W_KQ^subj = sum_j h(s_j) h(sep)^T          W_KQ^rel = (sum_l h(r_l) + sum_{i < w} h(p_-i)) h(sep)^T
        W_OV^subj = -sum_j sum_u h(u) h(s_j)^T     W_OV^rel = sum_l sum_{u of type l} h(u) h(r_l)^T

    Reading "set": u runs over the values that are not s_j's, once each; "literal": over the values of all other
    subjects, with multiplicity.  window None: all T positions.  Raises ValueError for n_demos < 1, window < 1, an
    unknown reading.
    """
    checked_choice("reading", reading, READINGS)
    T = 3 * (checked_integer("n_demos", n_demos, 1) + 1) - 1
    width = T if window is None else min(checked_integer("window", window, 1, why="or None for all positions"), T)
    V, d = world.V, world.V + T
    h = torch.eye(d, dtype=dtype, device=device)
    p = h[V:]
    attribute = world.attribute_token
    kq = {head: torch.zeros((d, d), dtype=dtype, device=device) for head in ("subj", "rel")}
    ov = {head: torch.zeros((V, V), dtype=dtype, device=device) for head in ("subj", "rel")}
    sep = h[world.sep_token]
    for j in range(world.M):
        s_j = world.subject_token(j)
        kq["subj"] += torch.outer(h[s_j], sep)
        # Literally, a value of s_j counts once for every OTHER subject that has it, N_u - 1 times.
        others = np.delete(attribute, j, axis=0).ravel()
        if reading == "set":
            others = np.setdiff1d(attribute, attribute[j])
        total = h[torch.as_tensor(others, device=device), :V].sum(0)
        ov["subj"] -= torch.outer(total, h[s_j, :V])
    for ell in range(world.L):
        kq["rel"] += torch.outer(h[world.relation_token(ell)], sep)
        for u in world.attribute_range(ell):
            ov["rel"] += torch.outer(h[u, :V], h[world.relation_token(ell), :V])
    for i in range(width):
        kq["rel"] += torch.outer(p[i], sep)
    return AttentionOnly(V, T, kq, ov, beta)
