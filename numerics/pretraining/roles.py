"""The role of a position in a PT sequence: what stands there, in which subsequence, and what the window still shows.

    subject                 offset 0
    before, at, after       a slot i < S whose relation comes later, stands there, or came earlier in the subsequence
    last_at, last_after     slot S, the relation stands there, or came earlier in the subsequence
    sep, attribute          offsets S + 1 and S + 2

The window of position t is t - S - 1 .. t (what p = h(p_0) + .. + h(p_{-S-1}) covers); it can still contain the relation
token of the previous subsequence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.pretraining.layout import Layout
from numerics.world import World

KINDS = ("subject", "before", "at", "after", "last_at", "last_after", "sep", "attribute")
DETERMINED = frozenset({"last_at", "last_after", "sep", "attribute"})


@dataclass(frozen=True, order=True)
class Role:
    """subsequence counted from 0, offset in it (0..S+2), kind (of KINDS), relation tokens in the window of S + 2."""

    subsequence: int
    offset: int
    kind: str
    relations_in_window: int

    @property
    def first(self) -> bool:
        """Whether this is the first subsequence: no [sep] and no attribute before it."""
        return self.subsequence == 0

    @property
    def determined(self) -> bool:
        """Whether the prefix determines the next token, whatever S, L and G."""
        return self.kind in DETERMINED


@dataclass(frozen=True, eq=False)
class Roles:
    """Roles of position t in B sequences: kind (B,) indices into KINDS, relations_in_window (B,)."""

    subsequence: int
    offset: int
    kind: NDArray[np.int64]
    relations_in_window: NDArray[np.int64]

    def role(self, row: int) -> Role:
        """The role in one sequence."""
        return Role(self.subsequence, self.offset, KINDS[self.kind[row]], int(self.relations_in_window[row]))


def roles(world: World, layout: Layout, tokens: NDArray[np.int64], t: int) -> Roles:
    """Roles of position t (from 1) in tokens (B, >= t).  Raises ValueError for t outside 1..T.  Cost O(B t)."""
    subsequence, offset = layout.place(t)
    start = t - 1 - offset
    first = world.relation_token(0)
    relation = (tokens[:, :t] >= first) & (tokens[:, :t] < first + world.L)
    inside = relation[:, max(0, t - layout.window) :].sum(axis=1, dtype=np.int64)
    if offset in (0, layout.S + 1, layout.S + 2):
        name = {0: "subject", layout.S + 1: "sep", layout.S + 2: "attribute"}[offset]
        kind = np.full(len(tokens), KINDS.index(name), dtype=np.int64)
    else:
        last = offset == layout.S
        at, after = KINDS.index("last_at" if last else "at"), KINDS.index("last_after" if last else "after")
        seen = relation[:, start:].any(axis=1)
        kind = np.where(relation[:, -1], at, np.where(seen, after, KINDS.index("before"))).astype(np.int64)
    return Roles(subsequence, offset, kind, inside)
