"""Where the tokens of a pretraining (PT) sequence stand.

Each of the N_tr subsequences is  [s_j, g_1 .. g_S, sep, a_j^l]:  S + 3 tokens at offsets 0 .. S + 2, a relation token in
one of the S slots.  The last attribute is left out (it is the target):  T = (S + 3) N_tr - 1, the last token is [sep].
Positions t are counted from 1, as in Eq. (1); the next token after position t is x_{t+1}.
"""

from dataclasses import dataclass

from numerics.arguments import checked_integer


@dataclass(frozen=True)
class Layout:
    """The layout of N_tr = n_tr subsequences with S slots.  Raises ValueError for S < 1 or n_tr < 1."""

    S: int
    n_tr: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "S", checked_integer("S", self.S, 1))
        object.__setattr__(self, "n_tr", checked_integer("n_tr", self.n_tr, 1))

    @property
    def period(self) -> int:
        """Number of tokens of a subsequence, S + 3."""
        return self.S + 3

    @property
    def T(self) -> int:
        """Number of tokens of a sequence, (S + 3) N_tr - 1."""
        return self.period * self.n_tr - 1

    @property
    def window(self) -> int:
        """Number of positions in p = h(p_0) + .. + h(p_{-S-1}), which is S + 2."""
        return self.S + 2

    def place(self, t: int) -> tuple[int, int]:
        """(subsequence counted from 0, offset in 0..S+2) of position t.  Raises ValueError for t outside 1..T."""
        return divmod(checked_integer("t", t, 1, self.T) - 1, self.period)
