"""Means of numbers of values over the softmax normaliser: all that the true gradients of a product table need.

    Z = sum of e^{logit} over tokens that are no value + sum over groups and kinds of c_kind e^{f_kind},

c the totals of theory.finetuning.product.coincidence, independent between groups. A finite sum with rational probabilities:

    E[1/Z]   and   E[c_kind / Z]   for every kind of every group,     so that E[pi summed over the values of a kind] = e^{f} E[c/Z].
"""

from dataclasses import dataclass

from mpmath import mpf

from theory.finetuning.product.coincidence import Totals


@dataclass(frozen=True)
class Group:
    """The types of one size: distribution of the totals, and e^{f_kind} for every kind."""

    totals: Totals
    weights: tuple[mpf, ...]


@dataclass(frozen=True)
class Moments:
    """inverse = E[1/Z]; counts[group][kind] = E[c_kind / Z]."""

    inverse: mpf
    counts: tuple[tuple[mpf, ...], ...]


def moments(groups: list[Group], constant: mpf) -> Moments:
    """The means, at the working precision of mpmath; `constant` is the part of Z of tokens that are no value.

    Cost: product over the groups of the number of distinct totals, times the number of kinds.
    """
    prepared = []
    for group in groups:
        rows = []
        for counts, p in group.totals.items():
            part = sum((c * e for c, e in zip(counts, group.weights, strict=True) if c), mpf(0))
            rows.append((counts, mpf(p.numerator) / p.denominator, part))
        prepared.append(rows)
    sums = [[mpf(0)] * len(group.weights) for group in groups]

    def visit(depth: int, weight: mpf, Z: mpf) -> mpf:
        """E[1/Z] over the groups from `depth` on, times weight; adds c * that to `sums` on the way back."""
        if depth == len(prepared):
            return weight / Z
        total = mpf(0)
        for counts, p, part in prepared[depth]:
            inner = visit(depth + 1, weight * p, Z + part)
            total += inner
            for kind, c in enumerate(counts):
                if c:
                    sums[depth][kind] += c * inner
        return total

    inverse = visit(0, mpf(1), constant)
    return Moments(inverse, tuple(tuple(column) for column in sums))
