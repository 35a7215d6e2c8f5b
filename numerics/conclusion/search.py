"""The smallest failing sequence: fewest different subjects, then first in token order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

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
    """All ways to split m places into d blocks, blocks numbered by first appearance."""
    for tail in product(range(d), repeat=m - 1):
        string = (0, *tail)
        top = 0
        for x in string:
            if x > top + 1:
                break
            top = max(top, x)
        else:
            if top == d - 1:
                yield string


def with_first(problem: Problem, first: int, d: int, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """All sequences with j_1 = first and exactly d different subjects as (types, query, context); None if more than
    `limit`."""
    setting = problem.setting
    place_c = {int(j): k for k, j in enumerate(setting.contexts)}
    place_q = {int(j): k for k, j in enumerate(setting.queries)}
    everyone = sorted({*place_c, *place_q} - {first})
    m, L = setting.n + 1, setting.world.L
    found: list[np.ndarray] = []
    size = 0
    for string in growth_strings(m, d):
        pools = []
        for block in range(1, d):
            places = [x for x in range(m) if string[x] == block]
            pools.append(
                [j for j in everyone if (places == [m - 1] or j in place_c) and (m - 1 not in places or j in place_q)]
            )
        if string[m - 1] == 0 and first not in place_q:
            continue
        size += L * int(np.prod([len(p) for p in pools], dtype=object))
        if size > limit:
            return None
        chosen = [t for t in product(*pools) if len(set(t)) == d - 1]
        grid = np.array(chosen, dtype=np.int64).reshape(len(chosen), d - 1)
        blocks = np.concatenate([np.full((len(grid), 1), first), grid], axis=1)
        found.append(blocks[:, list(string)])
    subjects = np.concatenate(found) if found else np.zeros((0, m), dtype=np.int64)
    query = np.array([place_q[int(j)] for j in subjects[:, -1]], dtype=np.int64)
    context = np.array([[place_c[int(j)] for j in row] for row in subjects[:, -2::-1]], dtype=np.int64).reshape(
        -1, m - 1
    )
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
