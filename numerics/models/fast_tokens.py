"""The distinct tokens of a batch: of every sequence, and of the batch as a whole.

A PT sequence of T = 64 tokens has at most 16 different ones (a subject, [sep], N_tr attributes, N_tr relations, G grammar
tokens), and whatever depends on a token alone needs to be computed once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# Products are faster with sides that are multiples of the vector width: by up to three times with D = 16 columns against
# 15, by a tenth with 528 against 525.
WIDTH = 16


def rounded_up(size: int) -> int:
    """The next multiple of WIDTH."""
    return -(-size // WIDTH) * WIDTH


@dataclass(frozen=True, eq=False)
class Distinct:
    """local (B, t): slot 0..D-1 of every token in its sequence; slots (B, D): index into `tokens` (slots that are not used
    repeat the first); place (B, t): index into `tokens`; tokens (N,): the ids in the batch, ascending."""

    local: Tensor
    slots: Tensor
    place: Tensor
    tokens: Tensor

    @property
    def D(self) -> int:
        """Largest number of different tokens in a sequence, rounded up to a multiple of WIDTH."""
        return self.slots.shape[1]

    @property
    def N(self) -> int:
        """Number of different tokens in the batch."""
        return len(self.tokens)

    def one_hot(self, dtype: torch.dtype) -> Tensor:
        """(B, t, D) indicator of the slot of every token."""
        shape = (*self.local.shape, self.D)
        return torch.zeros(shape, dtype=dtype, device=self.local.device).scatter_(2, self.local[:, :, None], 1)


def batch_tokens(tokens: Tensor, V: int) -> tuple[Tensor, Tensor]:
    """(place, ids): the ids in the batch, ascending, and where every token stands among them.  Cost O(B t + V)."""
    present = torch.zeros(V, dtype=torch.bool, device=tokens.device)
    present[tokens.flatten()] = True
    number = present.cumsum(0) - 1
    return number[tokens], present.nonzero()[:, 0]


def distinct(tokens: Tensor, V: int) -> Distinct:
    """The distinct tokens of token ids (B, t).  Cost O(B t log t + V)."""
    place, ids = batch_tokens(tokens, V)
    ordered, order = place.sort(dim=1)
    changes = torch.zeros_like(ordered)
    changes[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    rank = changes.cumsum(1)
    local = torch.empty_like(rank).scatter_(1, order, rank)
    D = rounded_up(int(rank[:, -1].max()) + 1)
    slots = place[:, :1].repeat(1, D).scatter_(1, local, place)
    return Distinct(local, slots, place, ids)
