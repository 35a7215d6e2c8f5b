"""Where the tokens of an ICL sequence stand, and what the initial heads attend.

    X = [s_{j1}, sep, a_{j1}, s_{j2}, sep, a_{j2}, ..., s_{jm}, sep],     T = 3m - 1,     m = N_ft + 1.

Slot k = 0..m-1 holds its subject at index 3k and a [sep] at 3k + 1; the m - 1 context slots also hold their attribute
at 3k + 2; slot m - 1 is the query.  The position p_{-o} of index i is o = T - 1 - i.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_integer

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """The layout of a sequence with n_demos demonstrations.  Raises ValueError for n_demos < 1."""

    n_demos: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_demos", checked_integer("n_demos", self.n_demos, 1))

    @property
    def m(self) -> int:
        """Number of subjects in a sequence."""
        return self.n_demos + 1

    @property
    def T(self) -> int:
        """Number of tokens in a sequence."""
        return 3 * self.m - 1

    @property
    def subjects(self) -> IntArray:
        """(m,) indices of the subjects; the last one is the query."""
        return 3 * np.arange(self.m)

    @property
    def seps(self) -> IntArray:
        """(m,) indices of the [sep] tokens; the last one is the end of the sequence."""
        return 3 * np.arange(self.m) + 1

    @property
    def attributes(self) -> IntArray:
        """(m - 1,) indices of the context attributes."""
        return 3 * np.arange(self.n_demos) + 2

    def width(self, window: int | None) -> int:
        """The number min(w, T) of positions in the window; None: all T.  Raises ValueError for w < 1."""
        if window is None:
            return self.T
        return min(checked_integer("window", window, 1, why="or None for all positions"), self.T)

    def subject_scores(self) -> IntArray:
        """(T,) scores per unit beta of the initial subject head: 1 on subjects."""
        scores = np.zeros(self.T, dtype=np.int64)
        scores[self.subjects] = 1
        return scores

    def relation_scores(self, window: int | None) -> IntArray:
        """(T,) scores per unit beta of the initial relation head: 1 on the last min(w, T) positions."""
        return (np.arange(self.T) >= self.T - self.width(window)).astype(np.int64)

    def to_relative(self, by_index: NDArray) -> NDArray:
        """An array over indices 0..T-1 as one over positions p_0, p_-1, ..., p_-(T-1)."""
        return by_index[::-1]


def attention(scores: IntArray, beta: float) -> FloatArray:
    """(T,) softmax of beta * scores; at beta = inf uniform over the maxima."""
    top = scores == scores.max()
    weights = top.astype(np.float64) if np.isinf(beta) else np.exp(beta * (scores - scores.max()))
    return weights / weights.sum()
