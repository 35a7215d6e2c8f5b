"""What a statement about a construction may look at: one sequence at one position, in token ids and counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.world import World


@dataclass(frozen=True, eq=False)
class Sight:
    """One sequence at position t (from 1). `kind`: the type in force (of the current subsequence, or of the ICL sequence);
    `subject`: s_j on PT, the query on ICL; `reading` decides `weight`."""

    world: World
    tokens: NDArray[np.int64]
    t: int
    subject: int
    kind: int
    reading: str
    S: int = 1
    N_tr: int = 1
    N_ft: int = 1

    @property
    def T(self) -> int:
        return len(self.tokens)

    @cached_property
    def every_value(self) -> list[int]:
        return list(range(self.world.M, self.world.M + self.world.n_attributes))

    def values(self, kind: int) -> list[int]:
        return list(self.world.attribute_range(kind))

    @cached_property
    def own(self) -> list[int]:
        return [int(u) for u in self.world.attribute_token[self.subject]]

    def weight(self, u: int) -> int:
        """1 (set) or N_u (literal)."""
        return 1 if self.reading == "set" else int(self.world.value_counts[u - self.world.M])

    def subjects_with(self, u: int) -> list[int]:
        return [int(j) for j in np.flatnonzero((self.world.attribute_token == u).any(axis=1))]

    @cached_property
    def grammar(self) -> list[int]:
        return [self.world.grammar_token(g) for g in range(self.world.G)]

    @cached_property
    def relations(self) -> list[int]:
        return [self.world.relation_token(l) for l in range(self.world.L)]

    @property
    def sep(self) -> int:
        return self.world.sep_token

    @cached_property
    def seen(self) -> list[int]:
        """x_1 .. x_t."""
        return [int(x) for x in self.tokens[: self.t]]

    @property
    def relation_types(self) -> list[int]:
        """Types of the relation tokens so far, in order."""
        first = self.relations[0]
        return [x - first for x in self.seen if x in self.relations]

    @property
    def subjects_so_far(self) -> int:
        return sum(x < self.world.M for x in self.seen)

    @property
    def earlier_attributes(self) -> list[int]:
        """Attribute tokens so far, in order."""
        return [x for x in self.seen if self.world.M <= x < self.world.M + self.world.n_attributes]

    @property
    def context(self) -> list[int]:
        """Attribute tokens of an ICL context."""
        return self.earlier_attributes

    @cached_property
    def covered(self) -> frozenset[int]:
        """U': the values of the finetuning subjects."""
        return frozenset(int(u) for u in np.unique(self.world.attribute_token[self.world.finetune_array]))

    @property
    def target_seen(self) -> bool:
        """Whether the own value of the type in force is in U'."""
        return self.own[self.kind] in self.covered

    @property
    def context_seen(self) -> int:
        """Attribute tokens of an ICL context that are in U'."""
        return sum(u in self.covered for u in self.context)

    def relations_back(self, k: int) -> int:
        """Relation tokens among the last k tokens."""
        return sum(x in self.relations for x in self.seen[-k:])

    def attended_relations(self) -> int:
        """Relation tokens among the last S + 2 that x_t attends: all of them, or only x_t's own kind if x_t is a relation token."""
        window, current = self.seen[-(self.S + 2) :], self.seen[-1]
        if current in self.relations:
            return sum(x == current for x in window)
        return self.relations_back(self.S + 2)


def families(sight: Sight, chosen: list[int]) -> frozenset[str]:
    """An argmax set in words: G, R, sep, subject, own (target), other; a family of which only a part is in the set is "some …"."""
    world, found, rest = sight.world, set(), set(chosen)
    for name, tokens in (("G", sight.grammar), ("R", sight.relations), ("sep", [sight.sep])):
        inside = rest & set(tokens)
        if inside:
            found.add(name if inside == set(tokens) else f"some {name}")
        rest -= inside
    for token in rest:
        if token == sight.subject:
            found.add("subject")
        elif token < world.M:
            found.add("other subject")
        else:
            found.add("own value" if token in sight.own else "other value")
    return frozenset(found)
