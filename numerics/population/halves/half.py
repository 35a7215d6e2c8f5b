"""One half of the draws of a sequence, tabulated, and the sum over the other half that GEMMs do.

A sequence has f_c = omega_c prod_k phi_c(x_k) with independent, identically distributed draws x_k, so all that matters of
half of the draws is the row F[c] = prod phi_c(x_k) of their multiset, and for every multiset alpha of the one half

    T_c(alpha) = sum_beta mu_beta F_beta[c] / Z(alpha, beta),      Z(alpha, beta) = sum_c (omega_c F_alpha[c]) F_beta[c],

is a GEMM, a reciprocal and a GEMM.  One column of F stands for all tokens whose logit never moves, so Z needs no more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.population.halves.multisets import Multisets

# draws (b, h) -> F (b, C).
Factors = Callable[[Tensor], Tensor]
# Rows of F in a block of either half: the inner dimension of GEMMs, hence in every bound.  An accelerator is given four
# times as many, for the second GEMM, (b, b) @ (b, C), to have tiles enough for its processors.
BLOCK = 1024
# Entries of F that may be kept (two arrays of 128 MiB); a longer half is tabulated anew wherever it is needed.
HELD = 1 << 24


def block_rows(device: str) -> int:
    """Rows in a block on a device."""
    return BLOCK if torch.device(device).type == "cpu" else 4 * BLOCK


@dataclass(frozen=True, eq=False)
class Half:
    """The multisets of one half, and how to make their rows F."""

    multisets: Multisets
    factors: Factors
    block: int
    held: tuple[Tensor, Tensor] | None

    @staticmethod
    def of(multisets: Multisets, factors: Factors, columns: int, block: int) -> "Half":
        """A half, tabulated at once where that fits in HELD entries.  Cost O(N h C)."""
        half = Half(multisets, factors, block, None)
        if len(multisets) * columns > HELD:
            return half
        made = [half.rows(start, stop) for start, stop in half.bounds()]
        held = torch.cat([f for f, _ in made]), torch.cat([w for _, w in made])
        return Half(multisets, factors, block, held)

    def bounds(self, first: int = 0, last: int | None = None) -> list[tuple[int, int]]:
        """(start, stop) of the blocks of rows first..last-1."""
        end = len(self.multisets) if last is None else min(last, len(self.multisets))
        return [(start, min(start + self.block, end)) for start in range(first, end, self.block)]

    def rows(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """(F, mu F), each (b, C), of rows start..stop-1."""
        if self.held is not None:
            return self.held[0][start:stop], self.held[1][start:stop]
        f = self.factors(self.multisets.draws[start:stop])
        return f, f * self.multisets.weights[start:stop, None]


class Workspace:
    """One buffer for the reciprocals of a block: a fresh one for every block costs as much as the arithmetic."""

    def __init__(self, device: str, rows: int, columns: int) -> None:
        self.buffer = torch.empty(rows * columns, dtype=torch.float64, device=device)

    def reciprocals(self, left: Tensor, right: Tensor) -> Tensor:
        """(b, b') 1 / (left @ right^T), valid until the next call."""
        rows, columns = len(left), len(right)
        z = self.buffer[: rows * columns].view(rows, columns)
        return torch.mm(left, right.T, out=z).reciprocal_()

    def sums(self, left: Tensor, other: Half) -> Tensor:
        """(b, C) T for left (b, C) = omega F_alpha and every row of the other half.

        The count of an entry: those of an entry of 1/Z and of mu F, the rows of a block, and the number of blocks.  Cost 4 b N C flops.
        """
        total = torch.zeros_like(left)
        for start, stop in other.bounds():
            f, weighted = other.rows(start, stop)
            total.addmm_(self.reciprocals(left, f), weighted)
        return total
