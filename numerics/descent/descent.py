"""Plain gradient descent: the theorem's two steps, and as many as wanted, on batches or on whole populations.

One step moves, at once and from the same gradients,

    W_KQ^subj <- W_KQ^subj - eta_kq dL/dW_KQ^subj,   W_KQ^rel likewise,   W_OV^rel <- W_OV^rel - eta_ov P(dL/dW_OV^rel)

with KQ per unit beta and P dropping the [sep] column, as the paper projects.  W_OV^subj stays: it is not updated there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from numerics.arguments import checked_integer, checked_real
from numerics.descent.network import Gradients, Network, gradients

# Gives the batch of a step: tokens (B, T) and targets (B,).
Source = Callable[[], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Rates:
    """Step sizes of the KQ columns (both heads, per unit beta) and of W_OV^rel.  Raises ValueError unless both are finite."""

    kq: float
    ov: float

    def __post_init__(self) -> None:
        checked_real("kq", self.kq)
        checked_real("ov", self.ov)


@dataclass(frozen=True, eq=False)
class Point:
    """After `step` steps: the network, and the loss of the batch that the next step would be taken on (None at the end)."""

    step: int
    network: Network
    loss: float | None


def projected(ov: Tensor, sep: int) -> Tensor:
    """A copy (V, V) without the column of [sep]."""
    kept = ov.clone()
    kept[:, sep] = 0.0
    return kept


def moved(network: Network, found: Gradients, rates: Rates) -> Network:
    """The network one step further.  [sep] is the last token of the vocabulary."""
    return replace(
        network,
        kq_subj=network.kq_subj - rates.kq * found.kq_subj,
        kq_rel=network.kq_rel - rates.kq * found.kq_rel,
        ov_rel=network.ov_rel - rates.ov * projected(found.ov_rel, network.V - 1),
    )


def descend(network: Network, source: Source, rates: Rates, steps: int) -> Iterator[Point]:
    """steps + 1 points, the first being the network itself.  Raises ValueError for steps < 0.  Cost a step O(B V^2)."""
    for step in range(checked_integer("steps", steps, 0)):
        found = gradients(network, *source())
        yield Point(step, network, found.loss)
        network = moved(network, found, rates)
    yield Point(steps, network, None)


def after_first(network: Network, ov_rel: Tensor, eta_ov: float) -> Network:
    """The network of the second step: W_OV^rel one projected step along its gradient ov_rel (V, V), subject head on the query.

    Meant for beta = inf, where any positive multiple of h(p_-1) attends the query alone.
    """
    query = torch.zeros_like(network.kq_subj)
    query[network.V + 1] = 1.0
    return replace(network, kq_subj=query, ov_rel=network.ov_rel - eta_ov * projected(ov_rel, network.V - 1))


def two_steps(network: Network, first: Source, second: Source, eta_ov: float) -> tuple[Gradients, Gradients]:
    """The contract of the population gradients: gradients on the batch of `first`, then on that of `second` after_first."""
    one = gradients(network, *first())
    return one, gradients(after_first(network, one.ov_rel, eta_ov), *second())
