"""ICL sequences of Section 4, drawn on the device, vectorised.

X = [s_{j1}, sep, a_{j1}^l, ..., s_{jm}, sep],  m = n_demos + 1,  T = 3m - 1,  target a_{jm}^l:
type l uniform in L; the query j_m uniform on the query pool, the contexts i.i.d. uniform on the context pool.
"""

import torch
from torch import Tensor

from numerics.arguments import checked_integer
from numerics.sampling.batch import IclBatch
from numerics.sampling.tables import Tables, seeded
from numerics.world import World


def assembled(tables: Tables, types: Tensor, subjects: Tensor) -> IclBatch:
    """The sequences with these types (B,) and subjects (B, m), m >= 1.  Cost O(B m)."""
    attributes = tables.attribute_token[subjects, types[:, None]]
    tokens = torch.stack([subjects, torch.full_like(subjects, tables.sep), attributes], dim=2).flatten(1)
    return IclBatch(tokens[:, :-1].contiguous(), attributes[:, -1], types, subjects)


class IclSampler:
    """Draws ICL sequences; the state of `generator` is the whole state.

    Pools: 'finetune', 'heldout' or 'all'.  Raises ValueError for n_demos < 0, an unknown or empty pool.
    """

    def __init__(
        self,
        world: World,
        n_demos: int,
        query: str = "finetune",
        context: str = "finetune",
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        self.n_demos = checked_integer("n_demos", n_demos, 0)
        self.tables = Tables.of(world, device)
        self.queries, self.contexts = self.tables.pool(query), self.tables.pool(context)
        self.generator = seeded(checked_integer("seed", seed, 0), self.tables.device)

    @property
    def T(self) -> int:
        """Number of tokens of a sequence, 3 (n_demos + 1) - 1."""
        return 3 * self.n_demos + 2

    def _uniform(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self.generator, device=self.tables.device)

    def draw(self, size: int) -> IclBatch:
        """`size` independent sequences.  Raises ValueError for size < 1.  Cost O(size T)."""
        B = checked_integer("size", size, 1)
        types = self._uniform(self.tables.L, B)
        contexts = self.contexts[self._uniform(len(self.contexts), B, self.n_demos)]
        queries = self.queries[self._uniform(len(self.queries), B, 1)]
        return assembled(self.tables, types, torch.cat([contexts, queries], dim=1))

    @property
    def population_size(self) -> int:
        """Number of different draws, L |Q| |C|^n_demos."""
        return self.tables.L * len(self.queries) * len(self.contexts) ** self.n_demos

    def every(self, start: int, stop: int) -> IclBatch:
        """The draws number start..stop-1 of the population, in lexicographic order (type, contexts, query).

        Raises ValueError unless 0 <= start < stop <= population_size < 2^63.
        """
        size = self.population_size
        if not 0 <= start < stop <= size < 2**63:
            raise ValueError(f"start, stop must be 0 <= start < stop <= {size} (< 2^63), got {start}, {stop}")
        number = torch.arange(start, stop, device=self.tables.device)
        number, query = number.div(len(self.queries), rounding_mode="floor"), number % len(self.queries)
        columns = [self.queries[query]]
        for _ in range(self.n_demos):
            columns.append(self.contexts[number % len(self.contexts)])
            number = number.div(len(self.contexts), rounding_mode="floor")
        return assembled(self.tables, number, torch.stack(columns[::-1], dim=1))
