"""First step, true objective: W_KQ^subj and W_OV^rel of a product table, in closed form.

The subject head averages the columns of the m subjects, so a value u of a type with multiplicity N (1, or N_u) has the logit
-N + k_u/m, k_u = how many of the m draws have it, and a token that is no value has 0; the relation head adds nothing.

W_KQ^subj. Up to a constant of the sequence r_i = sum_l e(a_i^l), e = pi - h(y). The softmax part treats all m draws alike (pi depends on
the set of draws, not on which of them is the query), so its deviation from the mean has expectation 0 at every position: the
position entries are the hat ones, for every table. In a product table all subjects of F are alike too, and their entries sum
to sum_i E[r_i - rbar] = 0. So the true gradient is the hat gradient (theory.finetuning.subject_head), in both readings:

    p of query  -(m-1)/m^2 (1 - mean 1/U_l),      p of context  1/m^2 (1 - mean 1/U_l),      everything else 0.

W_OV^rel: E[e g^T] = hat part + E[pi g^T]. The type of the sequence does not touch pi, so with (per type l)

    z = E[1/Z],    mass_l = E[sum_u pi_u],    drawn_l = E[pi of the value of one draw]  (each draw alike)

and, given that a draw has the value u, pi_u has mean drawn_l and another value of the type (mass_l - drawn_l)/(U_l - 1),

    input        times                     own value    other value of the type          value of another type    no value
    s in F       (n_q+n_c)/(w M_ft)        drawn_l      (mass_l - drawn_l)/(U_l - 1)     (every type has an own)  z
    v of l'      n_a/(w L U_l')            drawn_l      (mass_l - drawn_l)/(U_l - 1)     mass_l/U_l               z
    sep          n_s/w                     mass_l/U_l for every value                                             z

with mass_l = sum_k E[c_k/Z] e^{k/m - N} and drawn_l the same weighted by k/m, c_k the number of values drawn k times.
"""

from dataclasses import dataclass
from fractions import Fraction

import mpmath
from mpmath import mpf

from theory.finetuning.product.coincidence import draws, totals
from theory.finetuning.product.moments import Group, moments
from theory.finetuning.product.table import ProductTable
from theory.finetuning.window import Window


@dataclass(frozen=True)
class SoftmaxMeans:
    """E[1/Z] (a token that is no value), and per type: mass of all values, probability of the value of one draw."""

    none: mpf
    mass: tuple[mpf, ...]
    drawn: tuple[mpf, ...]


@dataclass(frozen=True)
class Entries:
    """The distinct entries of W_OV^rel's gradient with one kind of input.

    own, other   per output type: the input's own value / another value of its type (for [sep] all values are `other`)
    cross        per output type: a value of a type that is not the input's (None where every type is)
    none         a token that is no value
    """

    own: tuple[mpf, ...]
    other: tuple[mpf, ...]
    cross: tuple[mpf, ...] | None
    none: mpf


@dataclass(frozen=True)
class FirstStep:
    """True gradients of the first step. kq_subj is exact: (query position, each context position); all else is 0.

    subject          W_OV^rel, input s in F
    attributes[l']   W_OV^rel, input a value of type l' (own and other are meaningful for output type l' only)
    sep              W_OV^rel, input [sep], before projection
    Other inputs (held-out subjects, relations, grammar) have zero columns.
    """

    kq_query: Fraction
    kq_context: Fraction
    means: SoftmaxMeans
    subject: Entries
    attributes: tuple[Entries, ...]
    sep: Entries


def softmax_means(table: ProductTable, m: int) -> SoftmaxMeans:
    """Means of the softmax of the first step at the working precision.

    Cost: independent of M, V and M_ft, and of the U_l once they exceed m; the number of distinct sums of L partitions of m, to
    the power of the number of distinct U_l (6171 for m = 6, L = 8 and one U).
    """
    kinds = list(range(m + 1))
    groups = []
    for U in table.groups:
        weights = tuple(mpmath.exp(mpf(k) / m - table.multiplicity(U)) for k in kinds)
        groups.append(Group(totals(draws(m, U), kinds, table.values.count(U)), weights))
    found = moments(groups, mpf(table.V - table.A))
    mass, drawn = {}, {}
    for U, group, counts in zip(table.groups, groups, found.counts, strict=True):
        parts = [c * e / table.values.count(U) for c, e in zip(counts, group.weights, strict=True)]
        mass[U] = mpmath.fsum(parts)
        drawn[U] = mpmath.fsum(k * part for k, part in zip(kinds, parts, strict=True)) / m
    return SoftmaxMeans(found.inverse, tuple(mass[U] for U in table.values), tuple(drawn[U] for U in table.values))


def first_step(table: ProductTable, window: Window) -> FirstStep:
    """The true gradients of the first step, at the working precision of mpmath."""
    m, w, L = window.m, window.w, table.L
    means = softmax_means(table, m)
    unequal = 1 - sum((Fraction(1, U) for U in table.values), Fraction(0)) / L
    rest = tuple(
        (mass - drawn) / (U - 1) if U > 1 else mpf(0)
        for U, mass, drawn in zip(table.values, means.mass, means.drawn, strict=True)
    )
    even = tuple(mass / U for U, mass in zip(table.values, means.mass, strict=True))

    def hat(numerator: int, U: int, denominator: int) -> mpf:
        """numerator / (U denominator), a rational of the hat part."""
        return mpf(numerator) / (U * denominator)

    shown = window.n_q + window.n_c
    subject_scale = mpf(1) / (w * table.M_ft)
    subject = Entries(
        own=tuple(
            subject_scale * (shown * drawn - mpf(window.n_q) / L - hat(window.n_c, U, L))
            for U, drawn in zip(table.values, means.drawn, strict=True)
        ),
        other=tuple(
            subject_scale * (shown * p - hat(window.n_c, U, L)) for U, p in zip(table.values, rest, strict=True)
        ),
        cross=None,
        none=subject_scale * shown * means.none,
    )
    attributes = []
    for U_in in table.values:
        scale = hat(window.n_a, U_in, w * L)
        same = [mpf(1) / U for U in table.values]
        attributes.append(
            Entries(
                own=tuple(scale * (p - f) for p, f in zip(means.drawn, same, strict=True)),
                other=tuple(scale * (p - f) for p, f in zip(rest, same, strict=True)),
                cross=tuple(scale * p for p in even),
                none=scale * means.none,
            )
        )
    separators = tuple(window.n_s * (p - hat(1, U, L)) / w for U, p in zip(table.values, even, strict=True))
    sep = Entries(own=separators, other=separators, cross=None, none=window.n_s * means.none / w)
    return FirstStep(
        kq_query=Fraction(-(m - 1), m * m) * unequal,
        kq_context=Fraction(1, m * m) * unequal,
        means=means,
        subject=subject,
        attributes=tuple(attributes),
        sep=sep,
    )
