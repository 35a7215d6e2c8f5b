"""The population that is decided: type l, a query subject of one pool, n_demos context subjects of another, all
combinations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numerics.world import World

QUERY_POOLS = ("seen", "heldout")
CONTEXT_POOLS = ("finetune", "all")


@dataclass(frozen=True)
class Setting:
    """All L * |queries| * |contexts|^n sequences X = [s_{j1}, sep, a_{j1}, ..., s_{jm}, sep], n = n_demos, m = n + 1.

    Slot i = 1..n holds the context subject at p_{-1-3i}, its sep at p_{-3i}, its attribute at p_{1-3i}; the query
    subject is at p_{-1}, the last sep at p_0. Slot i is therefore subject j_{m-i}: slot n comes first in the sequence.
    """

    world: World
    n: int
    queries: np.ndarray
    contexts: np.ndarray

    @property
    def T(self) -> int:
        return 3 * self.n + 2

    @property
    def total(self) -> int:
        return int(self.world.L) * len(self.queries) * len(self.contexts) ** self.n

    def tokens(self, relation_type: int, subjects: Sequence[int]) -> list[int]:
        """Token ids (T,) of the sequence with subjects (j_1, ..., j_m)."""
        ids: list[int] = []
        for j in subjects:
            ids += [int(j), int(self.world.sep_token), int(self.world.attribute_token[j, relation_type])]
        return ids[:-1]


def make_setting(world: World, n_demos: int, query: str, context: str) -> Setting:
    """The setting of the two pools; the pools are sorted by subject.

    Raises ValueError for n_demos < 1 or an unknown pool.
    """
    if isinstance(n_demos, bool) or not isinstance(n_demos, int | np.integer) or n_demos < 1:
        raise ValueError(f"n_demos = {n_demos!r}: must be an integer >= 1")
    if query not in QUERY_POOLS:
        raise ValueError(f"query = {query!r}: must be one of {', '.join(QUERY_POOLS)}")
    if context not in CONTEXT_POOLS:
        raise ValueError(f"context = {context!r}: must be one of {', '.join(CONTEXT_POOLS)}")
    seen = np.array(sorted(int(j) for j in world.finetune), dtype=np.int64)
    everyone = np.arange(world.M, dtype=np.int64)
    queries = seen if query == "seen" else np.setdiff1d(everyone, seen)
    return Setting(world, int(n_demos), queries, seen if context == "finetune" else everyone)
