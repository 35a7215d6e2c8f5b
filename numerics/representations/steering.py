"""Steering by task vectors (Section 3.4).

    v_l = 1 / K sum_k f(X_{l,T}^k)                 the mean representation of type l at the last position
    f(X_{l,T}^k') <- (1 - beta) v_l + beta v_l'    on other sequences of type l than those that v_l is the mean of

and then the ranks, in the predicted probabilities of the whole vocabulary, of the query's own attributes of the source type l
and of the target type l'.  Rank 1 is the best; among equal probabilities every one has the mean of the ranks they take.

What a crossing says.  `crossing` is the least beta from which on the target's mean rank is better than the source's.  Swapping
l and l' turns beta into 1 - beta: where the rest of the network sees nothing of the context's type but this vector, the mean
over all ordered pairs (l, l') of the source's rank at beta is that of the target's at 1 - beta, and the two cross at 1/2,
however strong the vectors are and whatever the network (exactly so where every type is asked of the same queries, `same_queries` of
numerics.representations.contexts; for one pair it can be elsewhere).  A mean crossing above 1/2 thus
measures how much of the type reaches the output past the vector (through the residual stream at the query, which the first
layer wrote), not how far the vectors are apart.  How strong they are is seen at the end points instead: the ranks of the
source at beta = 0 and of the target at beta = 1, beside those with vectors that know no type (`untyped`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.arguments import checked_real
from numerics.representations.contexts import Contexts

# Predicted logits (B, V) of the contexts' sequences number rows (B,) with the representation at their last position replaced by
# value (B, d), which has the dtype and the device of the vectors.
Replaced = Callable[[Tensor, Tensor], Tensor]


def task_vectors(points: Tensor, labels: Tensor, L: int) -> Tensor:
    """(L, d) float64: the mean of points (n, d) of every label (n,).  Raises ValueError for a label without a point."""
    counts = torch.bincount(labels, minlength=L)
    if len(counts) != L or bool((counts == 0).any()):
        raise ValueError(f"labels must be 0..{L - 1}, each with a point, got counts {counts.tolist()}")
    sums = points.new_zeros((L, points.shape[1]), dtype=torch.float64).index_add_(0, labels, points.double())
    return sums / counts[:, None]


def untyped(points: Tensor, labels: Tensor, L: int, seed: int = 0) -> Tensor:
    """(L, d): task vectors of shuffled labels, the control: as many points in every mean, and no type."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return task_vectors(points, labels[order.to(labels.device)], L)


def ranks(logits: Tensor, tokens: Tensor) -> Tensor:
    """(B,) float64: rank of tokens (B,) in logits (B, V): 1 + those above + half of the others that are equal.

    Logits and probabilities have the same ranks, but for probabilities that round to the same number.
    Raises ValueError for logits that are nan.
    """
    if bool(torch.isnan(logits).any()):
        raise ValueError("logits must be numbers, got nan")
    mine = logits.gather(1, tokens[:, None])
    above, equal = (logits > mine).sum(1), (logits == mine).sum(1) - 1
    return 1 + above.double() + equal.double() / 2


@dataclass(frozen=True, eq=False)
class Steered:
    """Mean ranks over the sequences, [source type, target type, beta] (L, L, n) float64 on the CPU, nan where the types are
    equal; target_best: share of the sequences in which the target's rank is better than the source's; target_first: in
    which it is 1."""

    betas: tuple[float, ...]
    source: Tensor
    target: Tensor
    target_best: Tensor
    target_first: Tensor


def steered(
    replaced: Replaced, contexts: Contexts, vectors: Tensor, betas: Sequence[float], batch: int = 512
) -> Steered:
    """Steers every sequence of the contexts, at N demonstrations, to every other type.

    vectors (L, d).  Cost: L K (L - 1) len(betas) forward passes.  Raises ValueError for a beta outside [0, 1], no beta, vectors of
    another number of types than the facts.
    """
    betas = tuple(checked_real("betas", beta) for beta in betas)
    if not betas or min(betas) < 0 or max(betas) > 1:
        raise ValueError(f"betas must be numbers in [0, 1], at least one, got {betas!r}")
    L, n = contexts.attribute_token.shape[1], len(betas)
    if len(vectors) != L:
        raise ValueError(f"vectors must be ({L}, d), got {tuple(vectors.shape)}")
    sources, device = contexts.types, vectors.device
    rows = torch.cartesian_prod(*(torch.arange(k, device=device) for k in (len(sources), L, n)))
    rows = rows[sources[rows[:, 0]] != rows[:, 1]]
    weight = torch.tensor(betas, dtype=vectors.dtype, device=device)
    sums = torch.zeros((5, L * L * n), dtype=torch.float64, device=device)
    for sequence, l, at in (part.unbind(1) for part in rows.split(batch)):
        source, beta = sources[sequence], weight[at][:, None]
        logits = replaced(sequence, (1 - beta) * vectors[source] + beta * vectors[l])
        own, other = (
            ranks(logits, contexts.attribute_token[contexts.queries[sequence], types]) for types in (source, l)
        )
        found = torch.stack([own, other, (other < own).double(), (other == 1).double(), torch.ones_like(own)])
        sums.index_add_(1, (source * L + l) * n + at, found)
    means = (sums[:4] / sums[4]).reshape(4, L, L, n).cpu()
    return Steered(betas, *means)


def off_diagonal(values: Tensor) -> Tensor:
    """(n,): the mean over all ordered pairs of different types of values (L, L, n)."""
    L = len(values)
    return values[~torch.eye(L, dtype=torch.bool)].mean(0)


def crossing(betas: Sequence[float], source: Sequence[float], target: Sequence[float]) -> float | None:
    """The beta from which on the target's rank is better than the source's, for good; None if it is not at the largest beta.

    betas ascend; between two of them the ranks are taken as linear.  0 (the least beta) if it is better everywhere.
    """
    ahead = [float(a) - float(b) for a, b in zip(source, target, strict=True)]
    if len(betas) != len(ahead) or not ahead:
        raise ValueError(f"betas must be as many as the ranks, at least one, got {len(betas)} and {len(ahead)}")
    if ahead[-1] <= 0:
        return None
    last = max((i for i, lead in enumerate(ahead) if lead <= 0), default=-1)
    if last < 0:
        return float(betas[0])
    low, high = ahead[last], ahead[last + 1]
    return float(betas[last] + (betas[last + 1] - betas[last]) * (0 - low) / (high - low))
