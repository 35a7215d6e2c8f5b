"""Drawn sequences of Section 2, as a next-token task."""

from dataclasses import dataclass

from torch import Tensor

IGNORED = -100  # the label that torch's cross_entropy leaves out


@dataclass(frozen=True, eq=False)
class Batch:
    """B sequences without their final token, which is the target.

    tokens (B, T) input tokens, [sep] after the end of a shorter sequence; following (B, T) the next token of each
    position, IGNORED after the end; last (B,) the position that predicts the final token; targets (B,) the final token,
    = following at last; types (B,) its attribute type; subjects (B,) its subject.  All int64.
    grammar_only (B,) bool: the last subsequence is grammar only (PT), so that the target is a grammar token, no attribute,
    and the type, drawn all the same, is not used.
    """

    tokens: Tensor
    following: Tensor
    last: Tensor
    targets: Tensor
    types: Tensor
    subjects: Tensor
    grammar_only: Tensor
