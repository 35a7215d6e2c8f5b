"""The true gradients of tiny worlds in ball arithmetic at 200 bits, sequence by sequence, from the definitions."""

from itertools import product

import numpy as np
from flint import arb, ctx

from numerics.world import World

ctx.prec = 200


def _ov_subj(world: World, reading: str) -> list[dict[int, int]]:
    """Columns of W_OV^subj, as {token: entry}, summed over subjects and their attributes as the construction says."""
    columns = []
    for j in range(world.M):
        own = {int(t) for t in world.attribute_token[j]}
        column: dict[int, int] = {}
        for other in range(world.M):
            for token in map(int, world.attribute_token[other]):
                if reading == "set":
                    column[token] = 0 if token in own else -1
                else:
                    column[token] = column.get(token, 0) - 1
        if reading == "literal":
            for token in own:
                column[token] += 1
        columns.append(column)
    return columns


def _softmax(logits: list) -> list:
    exps = [logit.exp() for logit in logits]
    total = sum(exps, arb(0))
    return [one / total for one in exps]


def _zeros(size: int) -> list:
    return [arb(0) for _ in range(size)]


def gradients(world: World, n_demos: int, eta: float, window: int | None, reading: str) -> dict[str, np.ndarray]:
    """kq_subj (V+T,), ov_rel (V, V), kq_rel (V+T,) as object arrays of balls.  Cost L M_ft^m T V exponentials and more."""
    m, V = n_demos + 1, world.V
    T = 3 * m - 1
    width = T if window is None else min(window, T)
    columns = _ov_subj(world, reading)
    count = arb(world.L * world.M_ft**m)
    kq_subj, kq_rel = _zeros(V + T), _zeros(V + T)
    ov_rel = [_zeros(V) for _ in range(V)]
    population = []
    for ell in range(world.L):
        for chosen in product(world.finetune, repeat=m):
            tokens = []
            for k, j in enumerate(chosen):
                tokens += [world.subject_token(j), world.sep_token]
                if k < m - 1:
                    tokens.append(int(world.attribute_token[j, ell]))
            population.append((tokens, chosen, int(world.attribute_token[chosen[-1], ell])))
    for tokens, chosen, target in population:
        logits = _zeros(V)
        for j in chosen:
            for v, entry in columns[j].items():
                logits[v] += arb(entry) / m
        e = _softmax(logits)
        e[target] -= 1
        r = [sum((e[v] * entry for v, entry in columns[j].items()), arb(0)) for j in chosen]
        bar = sum(r, arb(0)) / m
        for k, j in enumerate(chosen):
            term = (r[k] - bar) / m / count
            kq_subj[j] += term
            kq_subj[V + T - 1 - 3 * k] += term
        for i in range(T - width, T):
            for v in range(V):
                ov_rel[v][tokens[i]] += e[v] / width / count
    step = [[arb(-eta) * ov_rel[v][x] if x != world.sep_token else arb(0) for x in range(V)] for v in range(V)]
    for tokens, chosen, target in population:
        inside = range(T - width, T)
        logits = [sum((step[v][tokens[i]] for i in inside), arb(0)) / width for v in range(V)]
        for v, entry in columns[chosen[-1]].items():
            logits[v] += entry
        e = _softmax(logits)
        e[target] -= 1
        r = {i: sum((e[v] * step[v][tokens[i]] for v in range(V)), arb(0)) for i in inside}
        bar = sum(r.values(), arb(0)) / width
        for i in inside:
            term = (r[i] - bar) / width / count
            kq_rel[tokens[i]] += term
            kq_rel[V + T - 1 - i] += term
    return {
        name: np.array(value, dtype=object)
        for name, value in (("kq_subj", kq_subj), ("ov_rel", ov_rel), ("kq_rel", kq_rel))
    }


def included(value: np.ndarray, radius: np.ndarray, exact: np.ndarray) -> bool:
    """Whether every exact ball lies within the radius of the value, for certain."""
    pairs = zip(value.ravel().tolist(), radius.ravel().tolist(), exact.ravel().tolist(), strict=True)
    return all(abs(arb(v) - x) <= arb(r) + abs(x) * arb(2) ** -150 + arb(2) ** -1000 for v, r, x in pairs)
