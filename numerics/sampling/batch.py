"""Drawn sequences and the draws they came from."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class PretrainingBatch:
    """B PT sequences: tokens (B, T) and the next tokens following (B, T), ids; following[:, -1] is the last attribute.

    subjects (B,), types (B, N_tr), slots (B, N_tr) in 1..S, grammar_only (B, N_tr) bool; the types and slots of a
    grammar-only subsequence were drawn and not used.
    """

    tokens: Tensor
    following: Tensor
    subjects: Tensor
    types: Tensor
    slots: Tensor
    grammar_only: Tensor

    @property
    def targets(self) -> Tensor:
        """(B,) the token after the last position."""
        return self.following[:, -1]


@dataclass(frozen=True, eq=False)
class IclBatch:
    """B ICL sequences: tokens (B, T), targets (B,), ids; types (B,), subjects (B, m), the last one being the query."""

    tokens: Tensor
    targets: Tensor
    types: Tensor
    subjects: Tensor
