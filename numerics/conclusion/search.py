"""The smallest failing sequence (decision.Counterexample says what smallest means)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, permutations, product
from math import comb, factorial, perm

import numpy as np

from numerics.conclusion.cases import Cases
from numerics.conclusion.decision import Counterexample
from numerics.conclusion.enumerate import Key, smallest_failure
from numerics.conclusion.evaluate import evaluate
from numerics.conclusion.forward import describe
from numerics.conclusion.problem import Problem
from numerics.conclusion.rational import Weights

Example = tuple[Key, int, tuple[int, ...]]

WORK = 5_000_000  # entries of logits that the search may compute
BLOCK = 1 << 13


def witness(
    problem: Problem, cases: Cases, subj: int, rel: int, target: int, context: tuple[int, ...] | None
) -> Example:
    """A sequence of the case (subj state, rel state, target); context: the indices of its slots if already known."""
    setting = problem.setting
    states = cases.states(0)[subj], cases.states(1)[rel]
    relation_type = states[0].relation_type
    axes = cases.axes(relation_type)
    fits = problem.target[relation_type] == target
    for h, (state, axis, number) in enumerate(zip(states, axes, (subj, rel), strict=True)):
        bottom, width, own, _ = cases.head_states(h, relation_type, axis)
        if state.fixed:
            fits &= own[:, 0 if state.lo == state.hi else 1] == number
        else:
            fits &= bottom + width <= state.lo
    query = int(np.flatnonzero(fits)[0])
    if context is None:
        context = _fill(cases, states, axes, setting.n)
    subjects = (*(int(setting.contexts[c]) for c in reversed(context)), int(setting.queries[query]))
    return (len(set(subjects)), tuple(setting.tokens(relation_type, subjects))), relation_type, subjects


def _fill(cases: Cases, states: tuple, axes: tuple, n: int) -> tuple[int, ...]:
    """Contexts for all slots: each below the states' hi, and for each head with lo < hi one slot at lo; few different
    ones."""
    allowed: list[np.ndarray] = [np.zeros(0)] * n
    reaching: list[list[np.ndarray]] = [[], []]
    for g, group in enumerate(cases.groups):
        inside = (axes[0].index[g] < states[0].hi) & (axes[1].index[g] < states[1].hi)
        reach = [inside & (axes[h].index[g] >= states[h].lo) if states[h].lo < states[h].hi else inside for h in (0, 1)]
        for slot in group:
            allowed[slot] = inside
        reaching[0].append(reach[0])
        reaching[1].append(reach[1])
    group_of = {slot: g for g, group in enumerate(cases.groups) for slot in group}

    def rest(chosen: dict[int, int]) -> tuple[int, ...]:
        out = []
        for slot in range(n):
            used = [c for c in chosen.values() if allowed[slot][c]]
            out.append(chosen.get(slot, used[0] if used else int(np.flatnonzero(allowed[slot])[0])))
        return tuple(out)

    for slot in range(n):
        both = np.flatnonzero(reaching[0][group_of[slot]] & reaching[1][group_of[slot]])
        if len(both):
            return rest({slot: int(both[0])})
    for a, b in product(range(n), range(n)):
        ca, cb = np.flatnonzero(reaching[0][group_of[a]]), np.flatnonzero(reaching[1][group_of[b]])
        if a != b and len(ca) and len(cb):
            return rest({a: int(ca[0]), b: int(cb[0])})
    raise AssertionError("a counted case has no sequence")


def growth_strings(m: int, d: int) -> Iterator[tuple[int, ...]]:
    """All ways to split m places into d blocks, blocks numbered by first appearance, in lexicographic order: O(m) each."""

    def completed(prefix: list[int], blocks: int) -> list[int]:
        """The first string with this prefix, which has so many blocks."""
        return prefix + [0] * (m - len(prefix) - (d - blocks)) + list(range(blocks, d))

    if not 1 <= d <= m:
        return
    string: list[int] | None = completed([0], 1)
    while string is not None:
        yield tuple(string)
        # blocks[i]: how many the places up to i have.
        blocks = list(accumulate((x + 1 for x in string), max))
        following = None
        for i in range(m - 1, 0, -1):
            x = string[i] + 1
            after = max(blocks[i - 1], x + 1)
            if x <= min(blocks[i - 1], d - 1) and d - after <= m - 1 - i:
                following = completed([*string[:i], x], after)
                break
        string = following


def splits(m: int, d: int) -> int:
    """Number of growth strings: the Stirling number of the second kind."""
    return sum((-1) ** (d - k) * comb(d, k) * k**m for k in range(d + 1)) // factorial(d)


def with_first(problem: Problem, first: int, d: int, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """All sequences with j_1 = first and exactly d different subjects as (types, query, context); None if there may be more
    than `limit` (counted beforehand: what is too much is not begun)."""
    setting = problem.setting
    place_c = {int(j): k for k, j in enumerate(setting.contexts)}
    place_q = {int(j): k for k, j in enumerate(setting.queries)}
    contexts = sorted(set(place_c) - {first})
    n, L = setting.n, setting.world.L
    # The query's block: that of the first place, that of another context place, or its own.
    both = [j for j in contexts if j in place_q]
    alone = sorted(set(place_q) - {first})
    ends: list[tuple[int, list[int], int]] = [(0, [], d - 1)] if first in place_q else []
    ends += [(b, both, d - 2) for b in range(1, d)] if both else []
    ends += [(d, alone, d - 2)] if alone and d >= 2 else []

    found: list[np.ndarray] = []
    size = sum(
        L * splits(n, d if end < d else d - 1) * perm(len(contexts), others) * max(1, len(pool))
        for end, pool, others in ends
    )
    if size > limit:
        return None
    for end, pool, others in ends:
        # Different subjects for blocks 1, 2, ...: the query's own from `pool`, the others from the contexts.
        rests = permutations(contexts, others)
        chosen = (
            [(*rest[: end - 1], j, *rest[end - 1 :]) for rest in rests for j in pool if j not in rest]
            if end
            else list(rests)
        )
        grid = np.array(chosen, dtype=np.int64).reshape(len(chosen), d - 1)
        subjects_of = np.concatenate([np.full((len(grid), 1), first), grid], axis=1)
        for string in growth_strings(n, d if end < d else d - 1):
            found.append(subjects_of[:, [*string, min(end, d - 1)]])
    subjects = np.concatenate(found) if found else np.zeros((0, n + 1), dtype=np.int64)
    query = np.array([place_q[int(j)] for j in subjects[:, -1]], dtype=np.int64)
    context = np.array([[place_c[int(j)] for j in row] for row in subjects[:, -2::-1]], dtype=np.int64).reshape(-1, n)
    types = np.repeat(np.arange(L), len(subjects))
    return types, np.tile(query, L), np.tile(context, (L, 1))


def smallest(problem: Problem) -> tuple[Example | None, int]:
    """(the smallest failing sequence if the search reached it, else None; d below which no sequence fails for
    certain)."""
    setting = problem.setting
    left = WORK // setting.world.V
    for d in range(1, setting.n + 2):
        for first in setting.contexts:
            batch = with_first(problem, int(first), d, left)
            if batch is None:
                return None, d
            left -= len(batch[0])
            best: Example | None = None
            for start in range(0, len(batch[0]), BLOCK):
                types, query, context = (x[start : start + BLOCK] for x in batch)
                found = smallest_failure(problem, types, query, context, evaluate(problem, types, query, context).sign)
                if found is not None and (best is None or found[0] < best[0]):
                    best = found
            if best is not None:
                return best, d
    return None, setting.n + 2


def counterexample(problem: Problem, weights: Weights, examples: Sequence[Example]) -> Counterexample:
    """The smallest failing sequence, or, where the search would take too long, the smallest of the given failing
    ones."""
    found, _ = smallest(problem)
    chosen = min(examples, key=lambda e: e[0]) if found is None else found
    return describe(problem.setting, weights, chosen[1], chosen[2], problem.tolerance, smallest=found is not None)
