"""Ground truth: true gradients of both steps from the definitions, over every sequence, dense, at mpmath's precision."""

from itertools import product

import mpmath
from mpmath import mpf

Column = dict[object, mpf]


def world(values, M, V):
    """(table of M subjects, token names): F is the product table, held-out subjects repeat it, so all values are balanced."""
    rows = list(product(*[range(U) for U in values]))
    table = [rows[j % len(rows)] for j in range(M)]
    tokens = [("subject", j) for j in range(M)] + [("attribute", l, u) for l, U in enumerate(values) for u in range(U)]
    tokens += [("relation", l) for l in range(len(values))] + [("sep",)]
    tokens += [("grammar", g) for g in range(V - len(tokens))]
    assert len(tokens) == V
    return table, len(rows), tokens


def gradients(values, M, V, m, w, reading, eta_ov):
    """kq_subj, ov_rel and kq_rel as dictionaries over directions; ov_rel[output, input]."""
    table, M_ft, tokens = world(values, M, V)
    L = len(values)
    count = [[sum(row[l] == u for row in table) for u in range(U)] for l, U in enumerate(values)]

    def column(j):
        """W_OV^subj h(s_j)."""
        return {
            ("attribute", l, u): -((1 if reading == "set" else count[l][u]) - (table[j][l] == u))
            for l, U in enumerate(values)
            for u in range(U)
            if reading == "literal" or table[j][l] != u
        }

    columns = [column(j) for j in range(M_ft)]
    probability = mpf(1) / (L * M_ft**m)

    def sequences():
        for l in range(L):
            for drawn in product(range(M_ft), repeat=m):
                inputs = []
                for j in drawn:
                    inputs += [("subject", j), ("sep",), ("attribute", l, table[j][l])]
                *inputs, target = inputs
                yield inputs[::-1], target

    def error(logits, target):
        exponentials = {x: mpmath.exp(logits.get(x, 0)) for x in tokens}
        Z = sum(exponentials.values())
        e = {x: p / Z for x, p in exponentials.items()}
        e[target] -= 1
        return e

    def add(total, inputs, attended, r):
        mean = sum(r) / len(attended)
        for i, value in zip(attended, r, strict=True):
            for key in (inputs[i], ("position", -i)):
                total[key] = total.get(key, mpf(0)) + probability * (value - mean) / len(attended)

    kq_subj, ov_rel, kq_rel = {}, {}, {}
    for inputs, target in sequences():
        attended = [i for i, x in enumerate(inputs) if x[0] == "subject"]
        logits = {}
        for i in attended:
            for x, value in columns[inputs[i][1]].items():
                logits[x] = logits.get(x, mpf(0)) + mpf(value) / m
        e = error(logits, target)
        add(kq_subj, inputs, attended, [sum(e[x] * v for x, v in columns[inputs[i][1]].items()) for i in attended])
        for x in inputs[:w]:
            for token in tokens:
                ov_rel[token, x] = ov_rel.get((token, x), mpf(0)) + probability * e[token] / w
    for inputs, target in sequences():
        logits = {x: mpf(v) for x, v in columns[inputs[1][1]].items()}
        shown = {i: {x: -eta_ov * ov_rel[x, inputs[i]] for x in tokens} for i in range(w) if inputs[i] != ("sep",)}
        for part in shown.values():
            for x in tokens:
                logits[x] = logits.get(x, mpf(0)) + part[x] / w
        e = error(logits, target)
        r = [sum(e[x] * shown[i][x] for x in tokens) if i in shown else mpf(0) for i in range(w)]
        add(kq_rel, inputs, list(range(w)), r)
    return kq_subj, ov_rel, kq_rel
