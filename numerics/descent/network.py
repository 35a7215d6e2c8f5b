"""The two-head network at the last token, by gathers, and the gradients of its loss on a batch.

At the last token x_T = [sep], so of the literal W_KQ (d, d) the [sep] column alone acts:

    score_i = beta (w[x_i] + w[p_{-(T-i)}]),    alpha = softmax(score),    logits = sum_heads W_OV sum_i alpha_i h(x_i)

with w (V + T,) that column per unit beta.  The average of the tokens is summed by token first, so that W_OV is one product.
Everything is taken from the literal weights of numerics.models.attention_only and gives its logits and gradients.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from numerics.arguments import checked_real
from numerics.models.attention_only import attended, prop1
from numerics.world import World


@dataclass(frozen=True, eq=False)
class Network:
    """kq_subj, kq_rel (V+T,) [sep] columns per unit beta, tokens then p_0, p_-1, ..; ov_subj, ov_rel (V, V) [output, input]."""

    kq_subj: Tensor
    kq_rel: Tensor
    ov_subj: Tensor
    ov_rel: Tensor
    beta: float

    @property
    def V(self) -> int:
        """Size of the vocabulary."""
        return len(self.ov_rel)

    @property
    def T(self) -> int:
        """Length of a sequence."""
        return len(self.kq_rel) - self.V

    def at(self, beta: float) -> "Network":
        """The same weights per unit beta at another beta > 0 or inf.  Raises ValueError."""
        return replace(self, beta=checked_real("beta", beta, infinite=True, positive=True))


@dataclass(frozen=True, eq=False)
class Gradients:
    """Of the mean loss of a batch: kq_subj, kq_rel (V+T,) per unit beta, ov_rel (V, V) before projection; loss; right (B,)."""

    kq_subj: Tensor
    kq_rel: Tensor
    ov_rel: Tensor
    loss: float
    right: Tensor


def initial(
    world: World,
    n_demos: int,
    window: int | None = None,
    reading: str = "set",
    beta: float = math.inf,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> Network:
    """The construction of Prop. 1.  Raises ValueError as numerics.models.attention_only.prop1, and for beta not positive."""
    beta = checked_real("beta", beta, infinite=True, positive=True)
    literal = prop1(world, n_demos, window, reading, beta, dtype, device)
    kq = {head: matrix.detach()[:, world.sep_token].clone() for head, matrix in literal.kq.items()}
    ov = {head: matrix.detach().clone() for head, matrix in literal.ov.items()}
    return Network(kq["subj"], kq["rel"], ov["subj"], ov["rel"], beta)


def _average(column: Tensor, beta: float, tokens: Tensor, V: int) -> Tensor:
    """(B, V) sum_i alpha_i h(x_i) of one head."""
    T = tokens.shape[1]
    scores = column[tokens] + column[V : V + T].flip(0)
    alpha = attended(scores, beta)
    return torch.zeros((len(tokens), V), dtype=column.dtype, device=column.device).scatter_add(1, tokens, alpha)


def logits(network: Network, tokens: Tensor) -> Tensor:
    """(B, V) logits at the last token of (B, T) ids.  Cost O(B V^2).  Raises ValueError for another T."""
    if tokens.ndim != 2 or tokens.shape[1] != network.T:
        raise ValueError(f"tokens must be (B, T) with T = {network.T}, got shape {tuple(tokens.shape)}")
    subject = _average(network.kq_subj, network.beta, tokens, network.V)
    relation = _average(network.kq_rel, network.beta, tokens, network.V)
    return subject @ network.ov_subj.T + relation @ network.ov_rel.T


def gradients(network: Network, tokens: Tensor, targets: Tensor) -> Gradients:
    """Gradients of the mean of -log softmax(logits)[target] over the batch, by autograd.  Cost O(B V^2).

    Per unit beta: the derivative in the column is beta times the one reported, except at beta = inf, where hard attention
    has it per unit beta already.  A tie for the largest logit counts as wrong.
    """
    columns = [weight.detach().clone().requires_grad_() for weight in (network.kq_subj, network.kq_rel, network.ov_rel)]
    here = replace(network, kq_subj=columns[0], kq_rel=columns[1], ov_rel=columns[2])
    out = logits(here, tokens)
    loss = torch.nn.functional.cross_entropy(out, targets)
    loss.backward()
    unit = 1.0 if math.isinf(network.beta) else network.beta
    found = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in columns]
    return Gradients(found[0] / unit, found[1] / unit, found[2], float(loss.detach()), right(out.detach(), targets))


def right(out: Tensor, targets: Tensor) -> Tensor:
    """(B,) bool: the target alone is the argmax of the logits (B, V)."""
    best = out.amax(1)
    alone = (out == best[:, None]).sum(1) == 1
    return alone & (out.gather(1, targets[:, None])[:, 0] == best)
