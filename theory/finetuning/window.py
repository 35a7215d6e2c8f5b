"""Which positions the last w tokens of a sequence hold."""

from dataclasses import dataclass

import sympy

from theory import symbols
from theory.onehot.classes import DirectionClass


@dataclass(frozen=True)
class Window:
    """Counts of each role among the last w positions of a sequence with m subjects, T = 3m - 1."""

    m: int
    w: int

    @property
    def n_a(self) -> int:
        """Attributes sit at p_{-(3i-1)}, i = 1..m-1."""
        return min(self.m - 1, self.w // 3)

    @property
    def n_c(self) -> int:
        """Context subjects sit at p_{-(3i+1)}, i = 1..m-1."""
        return min(self.m - 1, max(0, (self.w - 2) // 3))

    @property
    def n_q(self) -> int:
        """The query sits at p_{-1}."""
        return int(self.w >= 2)

    @property
    def n_s(self) -> int:
        """Separators sit at p_{-3i}, i = 0..m-1."""
        return min(self.m, (self.w - 1) // 3 + 1)

    def values(self) -> dict[sympy.Symbol, int]:
        """Values of the symbols m, w, n_a, n_c, n_q, n_s."""
        counts = {symbols.n_a: self.n_a, symbols.n_c: self.n_c, symbols.n_q: self.n_q, symbols.n_s: self.n_s}
        return {symbols.m: self.m, symbols.w: self.w, **counts}


def window_of(m: int, window: int | None) -> Window:
    """The window of the last `window` positions; None, or more than T = 3m - 1, is the whole sequence.

    Raises ValueError for m < 1 or window < 1.
    """
    if m < 1:
        raise ValueError(f"m = {m}: a sequence has at least one subject")
    if window is not None and window < 1:
        raise ValueError(f"window = {window}: valid are None and integers >= 1")
    length = 3 * m - 1
    return Window(m, length if window is None else min(window, length))


def position_class(offset: int, m: int) -> DirectionClass:
    """Role of p_{-offset} in a sequence with m subjects. ValueError outside 0..T-1."""
    if not 0 <= offset < 3 * m - 1:
        raise ValueError(f"position = {-offset}: valid are 0 down to {-(3 * m - 2)} for m = {m}")
    if offset == 1:
        return DirectionClass.P_QUERY
    return (DirectionClass.P_SEP, DirectionClass.P_CONTEXT, DirectionClass.P_ATTRIBUTE)[offset % 3]
