"""Multisets w_1 <= ... <= w_k of classes with their multinomial weights and products of factors, level by level.

With F = sum_w kappa_w f_w,   F^k = sum over multisets W of  k! / prod(multiplicities!) prod_w kappa_w  f_W,   f_W = prod f_w.
Level k puts a class c before every multiset of level k - 1 that starts with c or later: in lexicographic order these are
the rows from start[c] on.  The multinomial coefficient gets the factor k / run, run = how often c now stands in front.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Multisets per block of matrix products: the inner dimension of a product, hence its roundings.
CHUNK = 512
# Bytes of the products of a level that may be stored; while it is made, its parts are there besides.
HELD = 500_000_000


@dataclass(frozen=True, eq=False)
class Level:
    """All multisets of k of A classes: kappa (n,), and for every table of factors (A, X) the products (n, X).

    start (A,): first row whose first class is >= c; run (n,): how often the first class stands in front; first (n,).
    """

    k: int
    kappa: Tensor
    products: tuple[Tensor, ...]
    start: NDArray[np.int64]
    first: Tensor
    run: Tensor

    @staticmethod
    def empty(tables: tuple[Tensor, ...], classes: int) -> "Level":
        """Level 0: the empty multiset."""
        one = torch.ones(1, dtype=torch.float64, device=tables[0].device)
        products = tuple(torch.ones(1, table.shape[1], dtype=torch.float64, device=table.device) for table in tables)
        whole = torch.full((1,), classes, dtype=torch.int64, device=one.device)
        return Level(0, one, products, np.zeros(classes, dtype=np.int64), whole, torch.zeros_like(whole))

    def blocks(
        self, weights: Tensor, tables: tuple[Tensor, ...]
    ) -> Iterator[tuple[Tensor, tuple[Tensor, ...], Tensor, Tensor]]:
        """Level k + 1 in order, at most CHUNK rows of one first class at a time: kappa, products, first, run.

        At most 4 roundings more in kappa (weights count as one), one more in products besides those of the tables.
        """
        rows = len(self.kappa)
        for c in range(len(weights)):
            for low in range(int(self.start[c]), rows, CHUNK):
                part = slice(low, min(low + CHUNK, rows))
                run = torch.where(self.first[part] == c, self.run[part], 0) + 1
                kappa = self.kappa[part] * (self.k + 1) / run * weights[c]
                products = tuple(old[part] * table[c] for old, table in zip(self.products, tables, strict=True))
                yield kappa, products, torch.full_like(run, c), run

    def next(self, weights: Tensor, tables: tuple[Tensor, ...]) -> "Level":
        """Level k + 1, stored.  Memory 8 C(A + k, k + 1) X bytes per table."""
        found = list(self.blocks(weights, tables))
        sizes = len(self.kappa) - self.start
        products = tuple(torch.cat([block[1][i] for block in found]) for i in range(len(tables)))
        kappa = torch.cat([block[0] for block in found])
        first, run = torch.cat([block[2] for block in found]), torch.cat([block[3] for block in found])
        return Level(self.k + 1, kappa, products, np.cumsum(sizes) - sizes, first, run)


def fits(A: int, k: int, entries: int) -> bool:
    """Whether a level of all multisets of k of A classes can be stored, `entries` products for each."""
    return 8 * count(A, k) * entries <= HELD


def draws(Q: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All multisets of m of Q subjects, (n, m), n = C(Q + m - 1, m), and with which probability each is drawn.

    The probability m! / prod(multiplicities!) / Q^m carries at most 3 m roundings.  Cost O(n m).
    """
    chosen = np.zeros((1, 0), dtype=np.int64)
    weight, run, start = np.ones(1), np.zeros(1, dtype=np.int64), np.zeros(Q, dtype=np.int64)
    for k in range(1, m + 1):
        parts, weights, runs = [], [], []
        for c in range(Q):
            rows = chosen[start[c] :]
            again = run[start[c] :] + 1 if k == 1 else np.where(rows[:, 0] == c, run[start[c] :], 0) + 1
            parts.append(np.concatenate([np.full((len(rows), 1), c), rows], axis=1))
            weights.append(weight[start[c] :] * k / again / Q)
            runs.append(again)
        start = np.cumsum([0, *(len(part) for part in parts)])[:-1]
        chosen, weight, run = np.concatenate(parts), np.concatenate(weights), np.concatenate(runs)
    return chosen, weight


def count(A: int, k: int) -> int:
    """C(A + k - 1, k), the number of multisets of k of A things."""
    return comb(A + k - 1, k) if A else int(k == 0)
