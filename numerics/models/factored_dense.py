"""The factored network on dense one-hot tensors, with every matrix (d_h, d), d = V + T, as Eq. (1) writes it.

The reference for the faster forms in output and gradient, and the slow side of their benchmark.  X is (B, t, d) float, P
(t, d); every key, query, value and output is a product with a one-hot vector.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from numerics.models.factored import Factored, checked_tokens


def one_hot(tokens: Tensor, d: int, dtype: torch.dtype) -> Tensor:
    """(B, t, d) one-hot rows."""
    return torch.nn.functional.one_hot(tokens, d).to(dtype)


def distances_aligned(of_distance: Tensor) -> Tensor:
    """(.., t, t) with entry [t, i] = of_distance[.., t, t - i] for i <= t (anything above)."""
    t = of_distance.shape[-1]
    step = torch.arange(t, device=of_distance.device)
    return of_distance.gather(-1, (step[:, None] - step).clamp(min=0).expand(of_distance.shape))


def dense_logits(model: Factored, tokens: Tensor, last: bool = False) -> Tensor:
    """(B, t, V) logits of every position, or with last (B, V), through dense one-hot tensors.  Cost O(B H t d_h d).

    Raises ValueError for tokens that are not (B, 1 <= t <= T).
    """
    t, V, d = checked_tokens(tokens, model.T).shape[1], model.V, model.V + model.T
    X = one_hot(tokens, d, model.key.dtype)
    P = one_hot(V + torch.arange(t, device=tokens.device), d, model.key.dtype)
    causal = torch.ones((t, t), dtype=torch.bool, device=tokens.device).tril()
    f: Tensor | float = 0.0
    for h in range(model.n_heads):
        # Columns at position directions exist in the literal matrices; they are multiplied by zeros.
        W_K, W_Q = model.key[h].T, pad(model.query[h].T, (0, model.T))
        W_V, W_O = pad(model.value[h].T, (0, model.T)), pad(model.output[h].T, (0, model.T))
        q = X @ W_Q.T
        if model.positions == "absolute":
            scores = q @ ((X + P) @ W_K.T).transpose(1, 2)
        else:
            # (x_i + p_{-(t-i)}) differs with the query, so the position part is aligned after its product.
            scores = q @ (X @ W_K.T).transpose(1, 2) + distances_aligned(q @ (P @ W_K.T).T)
        alpha = torch.softmax((model.scale * scores).masked_fill(~causal, -torch.inf), dim=-1)
        f = f + ((alpha @ (X @ W_V.T)) @ W_O)[..., :V]
    assert isinstance(f, Tensor)
    return f[:, -1] if last else f
