"""Entries of the true gradients that are equal because the finetuning population looks the same from both.

A permutation of finetuning subjects, attribute types and seen values that turns the facts of the finetuning subjects into
themselves turns every sequence of the population into one of equal weight, and the initial weights into themselves: so it
leaves the gradients, entry by entry, as they are. Tokens that are never a target have the same logit wherever the initial
W_OV^subj suppresses them alike on all finetuning subjects, hence the same row of the gradient of W_OV^rel. And positions that the initial heads
attend, or do not, in the same way and that are filled alike may be permuted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, permutations

import numpy as np

from numerics.population.construction import initial_ov_subj
from numerics.population.layout import Layout
from numerics.world import World

#: Orders of the types, and subjects, up to which symmetries are sought; beyond, fewer equalities are found, none is wrong.
MOST_ORDERS, MOST_SUBJECTS = 120, 24
#: Steps of one search for a permutation of the subjects.
MOST_STEPS = 2000


@dataclass(frozen=True)
class Equal:
    """Equal numbers stand for entries that are equal: kq_subj, kq_rel (V+T,), ov_rel (V, V) [output, input].

    A number is the flat index of the first entry of its class. The initial entries of a class are equal too (columns of
    relations, which no sequence contains, stand for themselves), so the updated weights have the same equalities.
    """

    kq_subj: np.ndarray
    kq_rel: np.ndarray
    ov_rel: np.ndarray


class _Classes:
    """Union of numbers 0..size-1 into classes, each named by its least member."""

    def __init__(self, size: int) -> None:
        self.parent = np.arange(size)

    def find(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = int(self.parent[i])
        return i

    def join(self, i: int, j: int) -> None:
        a, b = self.find(i), self.find(j)
        self.parent[max(a, b)] = min(a, b)

    def numbers(self) -> np.ndarray:
        return np.array([self.find(i) for i in range(len(self.parent))])


def _mapping(
    table: list[list[int]], order: tuple[int, ...], weight: list[int], begin: list[int]
) -> tuple[list[int], dict[int, int]] | None:
    """(images of the subjects, images of the values): subject j -> image with value l of j -> value order[l] of the image.

    table: values (attribute tokens) of the subjects; weight: number of a value that its image must share; begin: images of
    the first subjects that are asked for. The first such permutation, or None (also where the search takes too long).
    """
    Q, steps = len(table), 0
    images: list[int] = []
    forward: dict[int, int] = {}
    backward: dict[int, int] = {}

    def fits(j: int, image: int) -> list[tuple[int, int]] | None:
        added: list[tuple[int, int]] = []
        for ell, u in enumerate(table[j]):
            v = table[image][order[ell]]
            if forward.get(u, v) != v or backward.get(v, u) != u or weight[u] != weight[v]:
                for a, b in added:
                    del forward[a], backward[b]
                return None
            if u not in forward:
                forward[u], backward[v] = v, u
                added.append((u, v))
        return added

    def extend() -> bool:
        nonlocal steps
        j = len(images)
        if j == Q:
            return True
        for image in [begin[j]] if j < len(begin) else range(Q):
            steps += 1
            if steps > MOST_STEPS:
                return False
            if image in images:
                continue
            added = fits(j, image)
            if added is None:
                continue
            images.append(image)
            if extend():
                return True
            images.pop()
            for a, b in added:
                del forward[a], backward[b]
        return False

    return (images, dict(forward)) if extend() else None


def _generators(world: World, reading: str) -> list[np.ndarray]:
    """Permutations (V,) of the tokens that leave the population as it is: with the identity on the types a permutation for
    every first subject that moves, and one for every order of the types."""
    F = [int(j) for j in np.sort(world.finetune_array)]
    Q, L, V = len(F), world.L, world.V
    if Q > MOST_SUBJECTS:
        return []
    table = [[int(u) for u in world.attribute_token[j]] for j in F]
    # With multiplicities W_OV^subj tells values apart by the number of their holders in the whole table.
    weight = [0] * V
    if reading != "set":
        for u in range(world.n_attributes):
            weight[world.M + u] = int(world.value_counts[u])
    same = tuple(range(L))
    asked = [(same, [*range(i), j]) for i in range(Q) for j in range(i + 1, Q)]
    asked += [(order, []) for order in islice(permutations(range(L)), MOST_ORDERS) if order != same]
    found = []
    for order, begin in asked:
        made = _mapping(table, order, weight, begin)
        if made is not None:
            images, values = made
            moved = np.arange(V)
            moved[F] = [F[k] for k in images]
            for u, v in values.items():
                moved[u] = v
            found.append(moved)
    return found


def _alike_outputs(world: World, reading: str) -> tuple[list[list[int]], list[list[int]]]:
    """Tokens with equal logits in every finetuning sequence of step 1: those never a target, and values with equal holders."""
    F = np.sort(world.finetune_array)
    rows = initial_ov_subj(world, reading)[:, F]
    held = np.zeros((world.V, len(F)), dtype=bool)
    held[world.attribute_token[F], np.arange(len(F))[:, None]] = True
    groups: dict[tuple[bytes, bytes], list[int]] = {}
    for v in range(world.V):
        groups.setdefault((rows[v].tobytes(), held[v].tobytes()), []).append(v)
    never = [group for group in groups.values() if not held[group[0]].any()]
    return never, [group for group in groups.values() if held[group[0]].any()]


def _positions(layout: Layout, window: int | None, one_row: bool) -> tuple[np.ndarray, np.ndarray]:
    """(T,) the first position like p_-i, for the subject and for the relation head: alike in what is drawn and attended.

    The initial subject head attends all subjects; only the query is tied to the target. The initial relation head attends the
    window; a slot of which the attribute alone is inside does not show its subject, unlike the others. one_row: all finetuning
    subjects hold the same values, so it makes no difference which one is shown where.
    """
    inside = layout.relation_scores(window)
    subject, relation = np.zeros((2, layout.T), dtype=np.int64)
    subject[layout.subjects[:-1]], subject[layout.subjects[-1]] = 1, 2
    relation[layout.seps], relation[layout.subjects] = 1, 2
    relation[layout.attributes] = np.where(inside[layout.attributes - 2] == 1, 3, 4)
    relation[layout.subjects[-1]] = 5
    if one_row:
        subject[layout.subjects], relation[layout.subjects], relation[layout.attributes] = 1, 2, 3
    both = layout.to_relative(subject), layout.to_relative(np.where(inside == 1, relation, 0))
    first, second = (np.array([int(np.flatnonzero(of == x)[0]) for x in of]) for of in both)
    return first, second


def equal_entries(world: World, n_demos: int, window: int | None = None, reading: str = "set") -> Equal:
    """The equalities of the true gradients that symmetries prove, as numbers of classes; W_OV^rel without its [sep] column.

    Cost O(permutations V^2), permutations at most Q^2/2 and L!, Q finetuning subjects; their search is limited.
    """
    V, layout = world.V, Layout(n_demos)
    tokens, pairs = _Classes(V), _Classes(V * V)
    grid = np.arange(V)
    for moved in _generators(world, reading):
        for token in np.flatnonzero(moved != grid):
            tokens.join(int(token), int(moved[token]))
        images = (moved[:, None] * V + moved[None, :]).ravel()
        for pair in np.flatnonzero(images != np.arange(V * V)):
            pairs.join(int(pair), int(images[pair]))
    for groups, columns in zip(_alike_outputs(world, reading), (range(V), world.finetune), strict=True):
        for group in groups:
            for v in group[1:]:
                for t in columns:
                    pairs.join(group[0] * V + t, v * V + t)
    one_row = len(np.unique(world.attribute_token[list(world.finetune)], axis=0)) == 1
    by_token = tokens.numbers()
    heads = [np.concatenate([by_token, V + p]) for p in _positions(layout, window, one_row)]
    matrix = pairs.numbers().reshape(V, V)
    relations = [world.relation_token(ell) for ell in range(world.L)]
    matrix[:, relations] = np.arange(V * V).reshape(V, V)[:, relations]
    return Equal(heads[0], heads[1], matrix)


def tightened(low: np.ndarray, high: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (any shape, Fractions) of entries of which those with one number are equal: the best of each class for all."""
    least: dict[int, Fraction] = {}
    most: dict[int, Fraction] = {}
    for a, b, k in zip(low.ravel(), high.ravel(), numbers.ravel().tolist(), strict=True):
        least[k], most[k] = max(a, least.get(k, a)), min(b, most.get(k, b))
    sides = [np.array([of[k] for k in numbers.ravel().tolist()], dtype=object) for of in (least, most)]
    return sides[0].reshape(low.shape), sides[1].reshape(low.shape)
