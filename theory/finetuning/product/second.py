"""Second step, true objective: W_KQ^rel of a product table, in closed form.

B = -eta_ov * (true gradient of W_OV^rel without its [sep] column) has, by symmetry, one entry per (output type, own / other value) and
input kind; columns of subjects of F differ only in which values are their own. So a repeated subject adds nothing beyond its
values, and the logits of a sequence of type l, subject head on the query alone, relation head uniform over the window,

    value of type l':   -N + 1[the query has it] + (1/w) [ (n_q + n_c) B_other + (k^s + n_q 1[the query has it]) (B_own - B_other)
                                                    + n_a D_other + k^a (D_own - D_other)   if l' = l, else n_a D_cross ]
    no value:           (1/w) [ (n_q + n_c) B_none + n_a D_none ]

(B: column of a subject, D: column of an attribute of type l; k^s, k^a: context subjects / attributes in the window with the value)
depend on the coincidences of the values alone. Contexts outside the window do not occur. With Delta = own - other and
mass = mean of pi summed over a type (none: over the tokens that are no value), the means of r_i = e^T B x_i given the type l are

    query     sum_l' [Delta_l' pi(query's value of l') + B_other mass_l'] + B_none mass_none - B_own,l
    context   sum_l' [Delta_l' pi(its value of l')     + B_other mass_l'] + B_none mass_none - Delta_l/U_l - B_other,l
    attribute Delta^D_l pi(it) + D_other mass_l + sum_{l' != l} D_cross mass_l' + D_none mass_none - Delta^D_l/U_l - D_other
    [sep]     0 (projected)

If the window cuts a context so that its attribute is inside and its subject outside ("lone", at most one), that draw counts in
k^a but not in k^s: pi of its value, hence r of its attribute, has another mean than that of the other attributes.
rbar is the mean over the window, and by the symmetries every token's share of E[r_i - rbar] is even: the gradient is, averaged over l,

    p of query (r_q - rbar)/w    p of context (r_c - rbar)/w    p of attribute (r_a - rbar)/w    p of sep -rbar/w
    s in F     [n_q (r_q - rbar) + n_c (r_c - rbar)]/(w M_ft)   sep -n_s rbar/w
    value of l [sum over attribute positions of (r_a - rbar)]/(w L U_l)  (no average)      everything else 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import mpmath
from mpmath import mpf

from theory.finetuning.product.coincidence import Placing, placings, totals
from theory.finetuning.product.first import Entries, FirstStep
from theory.finetuning.product.moments import Group, moments
from theory.finetuning.product.table import ProductTable
from theory.finetuning.window import Window
from theory.onehot.classes import DirectionClass


@dataclass(frozen=True)
class SecondStep:
    """True gradient of the [sep] column of W_KQ^rel: per type its values, the rest by class (other classes are 0).

    Positions outside the window have 0. `lone` is the position of the attribute whose subject is outside the window, None if there
    is no such attribute; the class P_ATTRIBUTE is that of the others.
    """

    attributes: tuple[mpf, ...]
    lone: mpf | None
    classes: Mapping[DirectionClass, mpf]


@dataclass(frozen=True)
class _Means:
    """Mean r of each kind of position, given the type."""

    query: mpf
    context: mpf
    attribute: mpf
    lone: mpf

    def attributes(self, window: Window) -> mpf:
        """Sum over the attribute positions of the window."""
        return window.n_c * self.attribute + (window.n_a - window.n_c) * self.lone

    def over(self, window: Window) -> mpf:
        return (window.n_q * self.query + window.n_c * self.context + self.attributes(window)) / window.w


def second_step(table: ProductTable, window: Window, first: FirstStep, eta_ov: mpf) -> SecondStep:
    """The true gradient of the second step, at the working precision. Cost as `_given_type`, once per distinct U_l."""
    by_size = {U: _given_type(table, window, first, eta_ov, table.values.index(U)) for U in table.groups}
    w, L = window.w, table.L
    position = {role: mpf(0) for role in (DirectionClass.P_QUERY, DirectionClass.P_CONTEXT, DirectionClass.P_ATTRIBUTE)}
    position[DirectionClass.P_SEP] = mpf(0)
    attributes, lone = [], mpf(0)
    for U in table.values:
        means = by_size[U]
        mean = means.over(window)
        position[DirectionClass.P_QUERY] += window.n_q * (means.query - mean) / (w * L)
        position[DirectionClass.P_CONTEXT] += (means.context - mean) / (w * L) if window.n_c else 0
        position[DirectionClass.P_ATTRIBUTE] += (means.attribute - mean) / (w * L) if window.n_c else 0
        position[DirectionClass.P_SEP] -= mean / (w * L)
        lone += (means.lone - mean) / (w * L)
        attributes.append((means.attributes(window) - window.n_a * mean) / (w * L * U))
    query, context = position[DirectionClass.P_QUERY], position[DirectionClass.P_CONTEXT]
    classes = dict(position)
    classes[DirectionClass.SUBJECT_SEEN] = (query + window.n_c * context) / table.M_ft
    classes[DirectionClass.SEP] = window.n_s * position[DirectionClass.P_SEP]
    return SecondStep(tuple(attributes), lone if window.n_a > window.n_c else None, classes)


def _given_type(table: ProductTable, window: Window, first: FirstStep, eta_ov: mpf, kind: int) -> _Means:
    """Mean r of the positions of sequences of one type. Cost: the distinct totals of L - 1 types times those of the one type; it
    depends on m and L, not on M, V, M_ft, nor on the U_l once they exceed m (m = 6, L = 8, one U: 19 times 81939, a minute)."""
    w, n_q, n_c, n_a = window.w, window.n_q, window.n_c, window.n_a
    B, D = _step(first.subject, eta_ov), _step(first.attributes[kind], eta_ov)
    own_type = table.values[kind]
    others = list(table.values[:kind] + table.values[kind + 1 :])
    sizes = [own_type, *sorted(set(others))]
    groups, all_kinds = [], []
    for i, U in enumerate(sizes):
        same = i == 0
        profiles = placings(n_c, same and n_a > n_c, U)
        kinds = sorted({value for profile in profiles for value, _ in profile}, key=repr)
        at = table.values.index(U) if not same else kind
        cross = D.cross[at] if D.cross is not None else mpf(0)

        def logit(value: Placing, at: int = at, U: int = U, same: bool = same, cross: mpf = cross) -> mpf:
            update = (n_q + n_c) * B.other[at] + (value.subjects + n_q * value.own) * (B.own[at] - B.other[at])
            update += n_a * D.other[at] + value.attributes * (D.own[at] - D.other[at]) if same else n_a * cross
            return update / w + int(value.own) - table.multiplicity(U)

        weights = tuple(mpmath.exp(logit(value)) for value in kinds)
        groups.append(Group(totals(profiles, kinds, 1 if same else others.count(U)), weights))
        all_kinds.append(kinds)
    constant = (table.V - table.A) * mpmath.exp(((n_q + n_c) * B.none + n_a * D.none) / w)
    found = moments(groups, constant)
    query = context = attribute = lone = mpf(0)
    for i, (U, kinds, group, counts) in enumerate(zip(sizes, all_kinds, groups, found.counts, strict=True)):
        at = table.values.index(U) if i else kind
        shares = [c * e for c, e in zip(counts, group.weights, strict=True)]
        mass = mpmath.fsum(shares)
        delta = B.own[at] - B.other[at]
        asked = mpmath.fsum(p for value, p in zip(kinds, shares, strict=True) if value.own)
        query += delta * asked + B.other[at] * mass
        context += B.other[at] * mass
        if n_c:
            context += delta * mpmath.fsum(v.subjects * p for v, p in zip(kinds, shares, strict=True)) / n_c
        if i == 0:
            step = D.own[at] - D.other[at]
            common = D.other[at] * mass - step / U
            if n_c:
                placed = mpmath.fsum(v.subjects * p for v, p in zip(kinds, shares, strict=True)) / n_c
                attribute += step * placed
            lone += step * mpmath.fsum(p for v, p in zip(kinds, shares, strict=True) if v.attributes > v.subjects)
        else:
            common = D.cross[at] * mass if D.cross is not None else mpf(0)
        attribute += common
        lone += common
    none = constant * found.inverse
    delta = B.own[kind] - B.other[kind]
    return _Means(
        query=query + B.none * none - B.own[kind],
        context=context + B.none * none - delta / own_type - B.other[kind],
        attribute=attribute + D.none * none - D.other[kind],
        lone=lone + D.none * none - D.other[kind],
    )


def _step(entries: Entries, eta_ov: mpf) -> Entries:
    """-eta_ov times the entries."""

    def scaled(column: tuple[mpf, ...]) -> tuple[mpf, ...]:
        return tuple(-eta_ov * x for x in column)

    cross = None if entries.cross is None else scaled(entries.cross)
    return Entries(scaled(entries.own), scaled(entries.other), cross, -eta_ov * entries.none)
