"""Ground truth for the derivations: hat gradients from the definitions, over every sequence, in Fractions."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

Direction = tuple[str | int, ...]
Column = dict[Direction, Fraction]
Matrix = dict[tuple[Direction, Direction], Fraction]


def sequences(
    table: Sequence[Sequence[int]], finetune: Sequence[int], m: int
) -> Iterator[tuple[Fraction, int, list[Direction], Direction]]:
    """(probability, type, tokens p_0 first, target) for every sequence of the population."""
    kinds = range(len(table[0]))
    values = [sorted({row[kind] for row in table}) for kind in kinds]
    probability = Fraction(1, len(values) * len(finetune) ** m)
    for kind in kinds:
        for drawn in product(finetune, repeat=m):
            tokens: list[Direction] = []
            for j in drawn:
                tokens += [("subject", j), ("sep",), ("attribute", kind, values[kind].index(table[j][kind]))]
            *inputs, target = tokens
            yield probability, kind, inputs[::-1], target


def kq_column(tokens: list[Direction], attended: list[int], r: dict[int, Fraction]) -> Column:
    """sum_i alpha (r_i - rbar)(h(x_i) + h(p_i)) with uniform attention on the positions `attended`."""
    alpha = Fraction(1, len(attended))
    mean = alpha * sum(r.values())
    column: Column = defaultdict(Fraction)
    for i in attended:
        column[tokens[i]] += alpha * (r[i] - mean)
        column[("position", -i)] += alpha * (r[i] - mean)
    return column


def kq_subj(table: Sequence[Sequence[int]], finetune: Sequence[int], m: int, literal: bool) -> Column:
    """First-step hat gradient of W_KQ^subj."""
    total: Column = defaultdict(Fraction)
    for probability, kind, tokens, target in sequences(table, finetune, m):
        values = sorted({row[kind] for row in table})
        y = values[int(target[2])]
        attended = [i for i, token in enumerate(tokens) if token[0] == "subject"]
        r = {}
        for i in attended:
            own = table[int(tokens[i][1])][kind] == y
            count = sum(row[kind] == y for row in table) if literal else 1
            r[i] = Fraction(count - own)
        for key, value in kq_column(tokens, attended, r).items():
            total[key] += probability * value
    return total


def ov_rel(table: Sequence[Sequence[int]], finetune: Sequence[int], m: int, w: int) -> Matrix:
    """First-step hat gradient of W_OV^rel, [output, input]."""
    total: Matrix = defaultdict(Fraction)
    for probability, _, tokens, target in sequences(table, finetune, m):
        for token in tokens[:w]:
            total[target, token] -= probability / w
    return total


def kq_rel(table: Sequence[Sequence[int]], finetune: Sequence[int], m: int, w: int, eta_ov: Fraction) -> Column:
    """Second-step hat gradient of W_KQ^rel after the projected step on W_OV^rel."""
    gradient = ov_rel(table, finetune, m, w)
    total: Column = defaultdict(Fraction)
    for probability, _, tokens, target in sequences(table, finetune, m):
        attended = list(range(w))
        r = {}
        for i in attended:
            projected = Fraction(0) if tokens[i] == ("sep",) else gradient.get((target, tokens[i]), Fraction(0))
            r[i] = eta_ov * projected
        for key, value in kq_column(tokens, attended, r).items():
            total[key] += probability * value
    return total
