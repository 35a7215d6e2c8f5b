"""Markov chains drawn in parallel over time.

Step t of a chain with rows P[g] is a map of the G states: with u_t uniform in [0, 1) it sends g to the h with
F[g, h-1] <= u_t < F[g, h], F the cumulative rows, which is h with probability P[g, h] for every g.  The state after t steps is
the composition of the first t maps applied to the first state.  All prefixes of a composition come from a doubling scan: after
round k, place t holds the maps t - 2^k + 1 .. t composed, and composing it with place t - 2^k doubles the span.
"""

import torch
from torch import Tensor

from numerics.corpus.corpus import Corpus


def cumulative(chains: Tensor) -> Tensor:
    """(.., G, G - 1) the cumulative rows without the last, which is 1."""
    return chains.cumsum(-1)[..., :-1].contiguous()


def composed(maps: Tensor) -> Tensor:
    """Prefix compositions of maps (N, n, G): [:, t] = map t after .. after map 0.  Cost O(N n G log n)."""
    span, n = 1, maps.shape[1]
    while span < n:
        maps = torch.cat([maps[:, :span], maps[:, span:].gather(2, maps[:, :-span])], dim=1)
        span *= 2
    return maps


class Chains:
    """The chains of a corpus on a device: types 0..L-1 and, as number L, generic text."""

    def __init__(self, corpus: Corpus, device: str | torch.device = "cpu"):
        chains = torch.cat([torch.tensor(corpus.transitions), torch.tensor(corpus.grammar_only)[None]])
        self.G, self.generic = corpus.G, corpus.L
        self.thresholds = cumulative(chains).to(device)

    def draw(self, kinds: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """(*kinds.shape, length) states 0..G-1: the first uniform, then the chain `kinds` of each.

        Cost O(n length G (G + log length)), n the number of chains drawn; no step waits for the one before.
        """
        device, n = kinds.device, kinds.numel()
        first = torch.randint(self.G, (n, 1), generator=generator, device=device)
        if length < 2:
            return first[:, :length].reshape(*kinds.shape, length)
        u = torch.rand((n, length - 1), generator=generator, device=device, dtype=torch.float64)
        thresholds = self.thresholds[kinds.reshape(-1)]  # (n, G, G - 1)
        maps = torch.zeros((n, length - 1, self.G), dtype=torch.int64, device=device)
        for h in range(self.G - 1):
            maps += u[:, :, None] >= thresholds[:, None, :, h]
        rest = composed(maps).gather(2, first[:, None].expand(n, length - 1, 1))[:, :, 0]
        return torch.cat([first, rest], dim=1).view(*kinds.shape, length)
