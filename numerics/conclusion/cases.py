"""Sequences sorted into cases by what their slots' maximal levels are, and counted without enumerating them.

Fix the type l. A slot with context subject c reaches in a head the level x(c) = max(level of the subject token, level
of the attribute token). The fixed tokens (query and seps) reach the floor F = max(query level, sep level) of that head.
With A = max over the slots of x, the head attends
    A < F   the fixed tokens at F only                     ("fixed"),
    A = F   these and the slot tokens of level F           ("equal"),
    A > F   the slot tokens of level A only                ("context").
All three are "levels below `hi` allowed, and level `lo` reached if lo < hi" for the slots. Slots are independent draws,
so
    N(i, j) = number of contexts in which all slots stay below level i of the subj head and below level j of the rel
    head
            = prod over groups of (number of c with x_subj(c) < i and x_rel(c) < j)^(slots of the group),
and a level that is reached exactly is a difference of N in that direction. Queries enter only through their floors,
fixed tokens and targets; for "context" in both heads only through the number of queries with lower floors, a 2-d
cumulative count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from numerics.conclusion.levels import Ranks
from numerics.conclusion.setting import Setting


@dataclass(frozen=True)
class State:
    """What one head does in a case of type `relation_type`.

    Slot levels (indices into Axis.levels) below hi are allowed, a level from lo on is reached by some slot if lo < hi
    (with intervals hi may exceed lo + 1). fixed: columns and multiplicities of the fixed tokens attended; slots: sorted
    columns of the slot tokens at level lo, of all allowed contexts.
    """

    relation_type: int
    lo: int
    hi: int
    fixed: tuple[tuple[int, int], ...]
    slots: tuple[int, ...]

    @property
    def vertices(self) -> tuple[int, ...]:
        """Columns whose convex hull contains the head's output."""
        return tuple(sorted({c for c, _ in self.fixed} | set(self.slots)))


@dataclass(frozen=True)
class Case:
    """count sequences: the product of the query multiplicity and of the number of contexts. Ids index
    Cases.states[head]."""

    subj: np.ndarray
    rel: np.ndarray
    target: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Axis:
    """Levels (ascending ranks) that slots reach in one head at one type; index (groups, |C|) of the slot's level in
    them.

    subject, attribute: (groups, |C|) ranks of the two tokens.
    """

    levels: np.ndarray
    index: np.ndarray
    subject: np.ndarray
    attribute: np.ndarray


@dataclass
class StateTable:
    """The different states of one head, numbered in order of appearance."""

    states: list[State] = field(default_factory=list)
    number: dict[State, int] = field(default_factory=dict)

    def add(self, state: State) -> int:
        if state not in self.number:
            self.number[state] = len(self.states)
            self.states.append(state)
        return self.number[state]


def make_axis(ranks: Ranks, groups: list[list[int]], relation_type: int) -> Axis:
    first = [group[0] for group in groups]
    subject, attribute = ranks.subject[first], ranks.attribute[first, relation_type]
    levels, index = np.unique(np.maximum(subject, attribute), return_inverse=True)
    return Axis(levels, index.reshape(subject.shape), subject, attribute)


def count_below(axes: tuple[Axis, Axis], groups: list[list[int]], dtype: type) -> np.ndarray:
    """N (n_subj + 1, n_rel + 1): contexts with all slots below level i in the subj head and j in the rel head."""
    shape = (len(axes[0].levels) + 1, len(axes[1].levels) + 1)
    product: np.ndarray = np.ones(shape, dtype=dtype)
    for g, group in enumerate(groups):
        histogram = np.zeros(shape, dtype=np.int64)
        np.add.at(histogram, (axes[0].index[g] + 1, axes[1].index[g] + 1), 1)
        product = product * histogram.cumsum(axis=0).cumsum(axis=1).astype(dtype) ** len(group)
    return product


def slot_columns(axis: Axis, columns: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, ...]]:
    """For every level the sorted columns of the slot tokens that have it; columns: of the subjects and attributes
    (|C|,)."""
    found: list[set[int]] = [set() for _ in axis.levels]
    for rank, column in ((axis.subject, columns[0]), (axis.attribute, columns[1])):
        at = np.searchsorted(axis.levels, rank)
        hit = axis.levels[np.minimum(at, len(axis.levels) - 1)] == rank
        pairs = np.unique(np.stack([at[hit], np.broadcast_to(column, rank.shape)[hit]], axis=1), axis=0)
        for level, c in pairs.tolist():
            found[level].add(c)
    return [tuple(sorted(s)) for s in found]


@dataclass
class Cases:
    """Iterating yields blocks of cases that partition the population. Cost, per type: O(levels_subj levels_rel (groups
    + U) + |Q| (levels_subj + levels_rel)) integer operations, int64 when the population is below 2^62, else Python
    integers.

    column: per head (V,) column id of a token. target, attribute: (L, |Q|), (L, |C|) token ids.
    """

    setting: Setting
    ranks: tuple[Ranks, Ranks]
    groups: list[list[int]]
    column: tuple[np.ndarray, np.ndarray]
    target: np.ndarray
    attribute: np.ndarray
    tables: tuple[StateTable, StateTable] = field(default_factory=lambda: (StateTable(), StateTable()))

    @property
    def dtype(self) -> type:
        return np.int64 if self.setting.total < 2**62 else object

    def states(self, head: int) -> list[State]:
        return self.tables[head].states

    def axes(self, relation_type: int) -> tuple[Axis, Axis]:
        subj, rel = (make_axis(r, self.groups, relation_type) for r in self.ranks)
        return subj, rel

    def head_states(
        self, head: int, relation_type: int, axis: Axis
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(bottom (|Q|,), width (|Q|,), ids of the fixed and equal states (|Q|, 2), ids of the context states
        (levels,)).

        bottom: number of slot levels below the query's floor; width: number of levels at it (0 or 1; any with
        intervals).
        """
        setting, ranks, table, column = self.setting, self.ranks[head], self.tables[head], self.column[head]
        sep_top = int(ranks.sep.max())
        n_sep = int((ranks.sep == sep_top).sum())
        sep_column = int(column[setting.world.sep_token])
        at_level = slot_columns(axis, (column[setting.contexts], column[self.attribute[relation_type]]))
        bottom = np.searchsorted(axis.levels, np.maximum(ranks.query, sep_top))
        width = np.searchsorted(axis.levels, np.maximum(ranks.query_top, sep_top), side="right") - bottom
        own = np.zeros((len(bottom), 2), dtype=np.int64)
        for q, (b, w) in enumerate(zip(bottom.tolist(), width.tolist(), strict=True)):
            fixed: dict[int, int] = {}
            if ranks.query_top[q] >= sep_top:
                fixed[int(column[setting.queries[q]])] = 1
            if ranks.query[q] <= sep_top:
                fixed[sep_column] = fixed.get(sep_column, 0) + n_sep
            pairs = tuple(sorted(fixed.items()))
            own[q, 0] = table.add(State(relation_type, b, b, pairs, ()))
            if w:
                slots = at_level[b] if w == 1 else tuple(sorted(set().union(*at_level[b : b + w])))
                own[q, 1] = table.add(State(relation_type, b, b + w, pairs, slots))
        context = [table.add(State(relation_type, k, k + 1, (), at_level[k])) for k in range(len(axis.levels))]
        return bottom, width, own, np.array(context, dtype=np.int64)

    def fixed(self, relation_type: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per query (|Q|,): its states with only fixed tokens attended, in both heads, and the number of such
        contexts."""
        axes = self.axes(relation_type)
        bottom_s, _, own_s, _ = self.head_states(0, relation_type, axes[0])
        bottom_r, _, own_r, _ = self.head_states(1, relation_type, axes[1])
        return own_s[:, 0], own_r[:, 0], count_below(axes, self.groups, self.dtype)[bottom_s, bottom_r]

    def __iter__(self) -> Iterator[Case]:
        for relation_type in range(len(self.target)):
            yield from self.of_type(relation_type)

    def of_type(self, relation_type: int) -> Iterator[Case]:
        axes = self.axes(relation_type)
        N = count_below(axes, self.groups, self.dtype)
        bottom_s, width_s, own_s, context_s = self.head_states(0, relation_type, axes[0])
        bottom_r, width_r, own_r, context_r = self.head_states(1, relation_type, axes[1])
        target = self.target[relation_type]
        first_s, first_r = bottom_s + width_s, bottom_r + width_r
        # "context" in both heads: contexts with exactly these levels times queries whose floors lie below them.
        reached = np.diff(np.diff(N, axis=0), axis=1)
        for y in np.unique(target):
            chosen = target == y
            queries = np.zeros((N.shape[0], N.shape[1]), dtype=np.int64)
            np.add.at(queries, (first_s[chosen], first_r[chosen]), 1)
            count = reached * queries.cumsum(axis=0).cumsum(axis=1)[:-1, :-1].astype(self.dtype)
            i, j = np.nonzero(count)
            yield Case(context_s[i], context_r[j], np.full(len(i), y), count[i, j])
        # At least one head at the query's floor.
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

        def add(subj: np.ndarray, rel: np.ndarray, y: int, count: np.ndarray) -> None:
            keep = np.flatnonzero(count)
            wide = np.broadcast_to(subj, count.shape)[keep], np.broadcast_to(rel, count.shape)[keep]
            parts.append((wide[0], wide[1], np.full(len(keep), y), count[keep]))

        for q in range(len(target)):
            bs, br, y = int(bottom_s[q]), int(bottom_r[q]), int(target[q])
            above_s, above_r = int(first_s[q]), int(first_r[q])
            rows = [(own_s[q, 0], N[bs])] + ([(own_s[q, 1], N[above_s] - N[bs])] if above_s > bs else [])
            cols = [(own_r[q, 0], N[:, br])] + ([(own_r[q, 1], N[:, above_r] - N[:, br])] if above_r > br else [])
            for state, row in rows:
                own = [row[br]] + ([row[above_r] - row[br]] if above_r > br else [])
                add(np.array([state]), own_r[q, : len(own)], y, np.array(own, dtype=self.dtype))
                if above_r < len(context_r):
                    add(np.array([state]), context_r[above_r:], y, np.diff(row[above_r:]))
            for state, col in cols:
                if above_s < len(context_s):
                    add(context_s[above_s:], np.array([state]), y, np.diff(col[above_s:]))
        subj, rel, targets, count = (np.concatenate([p[k] for p in parts]) for k in range(4))
        yield Case(subj, rel, targets, count)


def attention_counts(cases: Cases, head: int) -> dict[int, int]:
    """Number of sequences by the bit set of attended kinds (1 query, 2 context subjects, 4 attributes, 8 sep), for one
    head.

    Per group and level the contexts split by strict/weak bounds on the two tokens; products over the slots and
    inclusion- exclusion count the contexts in which subjects, attributes, both or none are at the level. Cost O(L
    levels (groups + |Q|)).
    """
    ranks, dtype = cases.ranks[head], cases.dtype
    sep_top = int(ranks.sep.max())
    floor = np.maximum(ranks.query, sep_top)
    fixed = np.where(ranks.query >= sep_top, 1, 0) + np.where(ranks.query <= sep_top, 8, 0)
    signatures, multiplicity = np.unique(np.stack([floor, fixed], axis=1), axis=0, return_counts=True)
    total: dict[int, int] = {}

    def put(mask: int, count: int) -> None:
        if count:
            total[mask] = total.get(mask, 0) + count

    for relation_type in range(len(cases.target)):
        axis = make_axis(ranks, cases.groups, relation_type)
        levels = np.unique(np.concatenate([axis.levels, floor]))
        below: np.ndarray = np.ones((2, 2, len(levels)), dtype=dtype)
        for g, group in enumerate(cases.groups):
            subject, attribute = axis.subject[g][:, None], axis.attribute[g][:, None]
            for s in (0, 1):
                for a in (0, 1):
                    inside = (subject < levels + s) & (attribute < levels + a)
                    below[s, a] = below[s, a] * inside.sum(axis=0).astype(dtype) ** len(group)
        none, by = below[0, 0], below
        kinds = {2: by[1, 0] - none, 4: by[0, 1] - none, 6: by[1, 1] - by[1, 0] - by[0, 1] + none}
        for (level, mask), many in zip(signatures.tolist(), multiplicity.tolist(), strict=True):
            at = int(np.searchsorted(levels, level))
            put(mask, many * int(none[at]))
            for kind, count in kinds.items():
                put(mask | kind, many * int(count[at]))
                put(kind, many * int(count[at + 1 :].sum()))
    return total
