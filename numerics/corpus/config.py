"""What a corpus is made from: sizes, the prior of the chains, the requested Div, and one seed.

Facts.  "M_l denotes the number of unique values": balanced gives every value of type l to exactly M / M_l subjects, at
random; random draws values i.i.d. uniform, of which some may not occur.  The finetuning subjects are the first M_ft (the
table is random, so these are a random choice); facts and chains do not depend on M_ft.

Chains.  "We first randomly generate a large pool of transition matrices, and then use greedy selection to curate a subset."
The pool has i.i.d. Dirichlet(alpha) rows; see numerics.pretraining.chains for the greedy rule, the norms and Div.  Which matrix
the selection starts from is open: starts 0, 1, .. are tried and the first that reaches the request within NEAR
of it is taken, or else the nearest of STARTS.  div = None: no selection, the first L matrices of the pool.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.corpus.corpus import Corpus
from numerics.pretraining.chains import NORMS, greedy_selection, transition_pool
from numerics.world import World

ASSIGNMENTS = ("balanced", "random")
STARTS = 256  # greedy selections tried, at most
NEAR = 0.01  # relative difference of Div to the request at which the search stops


def selected(pool: NDArray[np.float64], L: int, norm: str, div: float, starts: int = STARTS) -> NDArray[np.float64]:
    """(L, G, G) matrices of the pool (n, G, G) by greedy selection with Div as near to the request as found.

    Raises ValueError for L outside 2..n, an unknown norm.  Cost O(starts n L G^2) at most.
    """
    best, gap = pool[:0], np.inf
    for start in range(min(starts, len(pool))):
        found = greedy_selection(pool, L, norm, div, start)
        if abs(found.div - div) < gap:
            best, gap = found.matrices, abs(found.div - div)
        if gap <= NEAR * div:
            break
    return best


def _checked_U(U: Any, M: int, L: int, assignment: str) -> tuple[int, ...]:
    try:
        given = tuple(U)
    except TypeError:
        given = (U,) * L
    if len(given) != L:
        raise ValueError(f"U must be an integer or one integer per type (L = {L}), got {U!r}")
    sizes = tuple(checked_integer("U", one, 1) for one in given)
    bad = next((one for one in sizes if M % one), None)
    if assignment == "balanced" and bad is not None:
        raise ValueError(f"U must divide M = {M} in a balanced corpus, got {bad}")
    return sizes


@dataclass(frozen=True)
class CorpusConfig:
    """Everything that decides a corpus; build() makes it, always the same one.

    U: the number of values of every type, or one per type (the paper: 256 for the first, 32 for the others).  M_ft: default
    M // 2, at least 1.  Raises ValueError naming the parameter, its value and what is valid.
    """

    M: int = 256
    L: int = 8
    U: Any = (256, 32, 32, 32, 32, 32, 32, 32)  # int or one per type; kept as a tuple, one per type
    M_ft: int | None = None
    G: int = 4
    alpha: float = 1.0
    div: float | None = 0.5
    norm: str = "variation"
    pool: int = 1000
    seed: int = 0
    assignment: str = "balanced"

    def __post_init__(self) -> None:
        M, L = checked_integer("M", self.M, 1), checked_integer("L", self.L, 1)
        assignment = checked_choice("assignment", self.assignment, ASSIGNMENTS)
        M_ft = max(1, M // 2) if self.M_ft is None else checked_integer("M_ft", self.M_ft, 1, M, f"M = {M}")
        div = None if self.div is None else checked_real("div", self.div, positive=True)
        if div is not None and L < 2:
            raise ValueError(f"div must be None when L = {L} < 2, got {div!r}")
        checked = {
            "M": M,
            "L": L,
            "U": _checked_U(self.U, M, L, assignment),
            "M_ft": M_ft,
            "G": checked_integer("G", self.G, 1),
            "alpha": checked_real("alpha", self.alpha, positive=True),
            "div": div,
            "norm": checked_choice("norm", self.norm, NORMS),
            "pool": checked_integer("pool", self.pool, L),
            "seed": checked_integer("seed", self.seed, 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def build(self) -> Corpus:
        """The corpus.  Facts, pool and the chain of generic text come from streams of their own of the seed."""
        facts, chains, generic = (int(s) for s in np.random.SeedSequence(self.seed).generate_state(3))
        # Balanced over all M subjects: with M_ft = M nothing of the table depends on the finetuning subjects.
        make = World.balanced if self.assignment == "balanced" else World.random
        table = make(self.M, self.L, self.U, self.M, self.G, facts).table
        pool = transition_pool(self.pool, self.G, self.alpha, chains)
        transitions = pool[: self.L] if self.div is None else selected(pool, self.L, self.norm, self.div)
        world = World(table, range(self.M_ft or 1), self.G)
        return Corpus(world, transitions, transition_pool(1, self.G, self.alpha, generic)[0])
