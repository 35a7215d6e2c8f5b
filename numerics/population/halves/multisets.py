"""The multisets of h draws from Q subjects, each with the share of the Q^h ordered draws that it stands for."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics.population.halves.rounding import weight


def multiset_count(Q: int, h: int) -> int:
    """C(Q + h - 1, h)."""
    return math.comb(Q + h - 1, h)


@dataclass(frozen=True, eq=False)
class Multisets:
    """draws (N, h) indices below Q, ascending in every row; weights (N,) h! / (prod_j count_j! Q^h), rounded."""

    Q: int
    draws: Tensor
    weights: Tensor

    @staticmethod
    def of(Q: int, h: int, device: str = "cpu") -> "Multisets":
        """All of them, lexicographic; for h = 0 the empty one.  Cost O(N h)."""
        N = multiset_count(Q, h)
        flat = itertools.chain.from_iterable(itertools.combinations_with_replacement(range(Q), h))
        draws = np.fromiter(flat, dtype=np.int64, count=N * h).reshape(N, h)
        # h! / prod count! = prod_i (i / run_i), run_i the number of equal draws up to the i-th; whole at every i.
        multiplicity = np.ones(N, dtype=np.int64 if h * Q**h < 1 << 62 else object)
        run = np.zeros(N, dtype=np.int64)
        for i in range(h):
            run = np.where(draws[:, i] == draws[:, i - 1], run + 1, 1) if i else np.ones(N, dtype=np.int64)
            multiplicity = multiplicity * (i + 1) // run
        weights = weight(multiplicity, Q**h)
        return Multisets(Q, torch.as_tensor(draws, device=device), torch.as_tensor(weights, device=device))

    def __len__(self) -> int:
        return len(self.draws)

    @property
    def h(self) -> int:
        """Number of draws."""
        return self.draws.shape[1]

    def counts(self, start: int, stop: int) -> Tensor:
        """(b, Q) how often each subject was drawn, rows start..stop-1, float64 (exact)."""
        draws = self.draws[start:stop]
        found = torch.zeros(len(draws), self.Q, dtype=torch.float64, device=draws.device)
        return found.scatter_add_(1, draws, torch.ones_like(draws, dtype=torch.float64))
