"""ICL sequences cut after t demonstrations, t = 0..N: X_{l,t} = [s_j1, a_j1^l, sep, .., s_jt, a_jt^l, sep, s_q].

Nested: the t demonstrations of a sequence are the first t of its N, and the query s_q is the same at every t, so that what
changes with t is the context alone.  (Cutting X_l after its t-th pair makes the next context subject the query: the same law
where queries and contexts are drawn from one pool, with the query changing along.)

As printed, X_{l,t} = [s_j0, a_j0, sep, s_j1, .., s_j(t+1)] "with t demonstrations" has t + 1 pairs before its query.  Here t
is the number of pairs; t = 0 is the query alone, which carries no type.

Pools: the N + 1 subjects of a sequence are i.i.d. uniform (as in Section 2), contexts on one pool, the query on another.

Halves.  Each type's values are split at random into two halves; sequence k draws its context from the subjects whose value is
in half k mod 2.  Sequences of different halves share no value of the context: only those are compared (`comparable`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.arguments import checked_integer


@dataclass(frozen=True, eq=False)
class Contexts:
    """types (n,), subjects (n, N), attributes (n, N) tokens of the demonstrations, queries (n,), half (n,) 0 or 1; type-major."""

    attribute_token: Tensor
    sep: int
    types: Tensor
    subjects: Tensor
    attributes: Tensor
    queries: Tensor
    half: Tensor
    halved: bool

    @property
    def N(self) -> int:
        """The most demonstrations."""
        return self.subjects.shape[1]

    def tokens(self, t: int) -> Tensor:
        """(n, 3 t + 1) int64: X_{l,t}.  Raises ValueError unless 0 <= t <= N."""
        checked_integer("t", t, 0, self.N)
        pairs = torch.stack([self.subjects, self.attributes, torch.full_like(self.subjects, self.sep)], dim=2)
        return torch.cat([pairs[:, :t].flatten(1), self.queries[:, None]], dim=1)

    def answers(self, types: Tensor | None = None) -> Tensor:
        """(n,) attribute tokens of the queries, of the sequences' own types or of the given ones (n,)."""
        return self.attribute_token[self.queries, self.types if types is None else types]

    @property
    def comparable(self) -> Tensor | None:
        """(n, n) bool: pairs of different halves; None (all pairs) where the values were not halved."""
        return self.half[:, None] != self.half[None, :] if self.halved else None


def draw_contexts(
    attribute_token: Tensor,
    sep: int,
    per_type: int,
    N: int,
    queries: Tensor,
    pool: Tensor,
    seed: int = 0,
    halved: bool = False,
    same_queries: bool = False,
) -> Contexts:
    """`per_type` sequences of every type with up to N demonstrations.  Cost O(L per_type N + M L).

    attribute_token (M, L): token of every fact; queries, pool: subjects of the queries and of the contexts; the tensors may be
    on any device, the draws are made on the CPU and do not depend on it.  Raises ValueError for per_type < 2, N < 0, an empty pool, and with
    `halved` for a type that has fewer than two values in the pool.
    """
    K, N = checked_integer("per_type", per_type, 2), checked_integer("N", N, 0)
    if not len(queries) or not len(pool):
        raise ValueError(f"queries, pool must have a subject each, got {len(queries)}, {len(pool)}")
    device, facts, pool = attribute_token.device, attribute_token.cpu(), pool.cpu()
    L = facts.shape[1]
    generator = torch.Generator().manual_seed(checked_integer("seed", seed, 0))
    types = torch.arange(L).repeat_interleave(K)
    half = torch.arange(K).repeat(L) % 2
    asked = queries.cpu()[torch.randint(len(queries), (L * K,), generator=generator)]
    asked = asked[:K].repeat(L) if same_queries else asked
    subjects = pool[torch.randint(len(pool), (L * K, N), generator=generator)]
    if halved:
        for l in range(L):
            first = _half_of_values(facts[pool, l], l, generator)
            for side in (0, 1):
                among = pool[first if side == 0 else ~first]
                rows = ((types == l) & (half == side)).nonzero()[:, 0]
                subjects[rows] = among[torch.randint(len(among), (len(rows), N), generator=generator)]
    attributes = facts[subjects, types[:, None]]
    types, subjects, attributes, asked, half = (t.to(device) for t in (types, subjects, attributes, asked, half))
    return Contexts(attribute_token, sep, types, subjects, attributes, asked, half, halved)


def _half_of_values(values: Tensor, l: int, generator: torch.Generator) -> Tensor:
    """(P,) bool: whether the value of each subject of the pool is in the first half of the type's values."""
    names, index = values.unique(return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"pool must have two values or more of every type, got {len(names)} of type {l}")
    chosen = torch.randperm(len(names), generator=generator)[: len(names) // 2]
    return torch.isin(index, chosen)
