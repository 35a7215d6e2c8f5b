"""Finite beta for two heads whose final scores depend on the class of the position only (ICL sequences).

Per unit beta a head scores the query q, a context subject c, an attribute a, sep s (token score plus position score).
With b = e^beta: Z = b^q + (m-1) b^c + (m-1) b^a + m b^s, and Q = b^q/Z, C = b^c/Z, A = b^a/Z per position. The subject
head has the printed W_OV^subj ("set", or "literal" where all N_u = 1: then they are equal). The relation head maps an
attribute to kappa_a on all values of its type, a context subject to kappa_c on its own values and the query to kappa_q on
its own values (kappa_q = 0 for a held-out query); sep to 0. All context attributes lie in U'.

Let a context have n_y draws with the value y, and let n be the number of draws that have a rival value. With indices s, r
for the heads, D = kappa_c C_r + C_s >= 0, E = kappa_q Q_r + Q_s, F = kappa_a (m-1) A_r the margins are

  other value of the type           E + (n_y - n) D
  own attribute of another type     F + (n_y - n) D
  other value of another type       F + E + (n_y - n) D
  a token that is not a value       F + E - Q_s - (m-1) C_s + n_y D
                                    less 2m/(3m-1) if there is a grammar head

All are affine in the counts, so the worst sequence is a vertex: every context draw the same kind of subject. If some
query and context subject differ in a type ("contrast"), n_y = 0 is possible, with n = m-1 for the other subject's value;
if they also share a value of another type ("shared"), an own attribute has n = m-1 at n_y = 0; else n <= n_y for it. The
third margin is never below both of the first two. Times Z_s Z_r > 0 every margin is an exponential polynomial in beta:
beyond its largest root it has the sign of its leading term, so the threshold is the largest of the roots.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import mpmath

from theory.constructions.exponential import ExponentialPolynomial

Number = int | Fraction


@dataclass(frozen=True)
class Scores:
    """Scores per unit beta of a head: query, each context subject, each attribute, each sep."""

    query: Number
    context: Number
    attribute: Number
    sep: Number

    def terms(self, m: int) -> dict[str, ExponentialPolynomial]:
        """Z and the unnormalised weights of one position of each class."""
        power = ExponentialPolynomial.power
        query, context, attribute = power(self.query), power(self.context), power(self.attribute)
        Z = query + (m - 1) * context + (m - 1) * attribute + power(self.sep, m)
        return {"Z": Z, "Q": query, "C": context, "A": attribute}

    def attended(self, m: int) -> tuple[int, Fraction | None]:
        """Positions with the largest score, and its gap to the next (None: all positions are attended)."""
        sizes = ((self.query, 1), (self.context, m - 1), (self.attribute, m - 1), (self.sep, m))
        present = [(Fraction(x), n) for x, n in sizes if n]
        top = max(x for x, _ in present)
        below = [x for x, _ in present if x < top]
        return sum(n for x, n in present if x == top), (top - max(below) if below else None)


@dataclass(frozen=True)
class ClassWeights:
    """Final weights by class, m >= 2 draws; `grammar` adds the head of Proposition 4. kappas are >= 0.

    Raises ValueError for m < 2 or a negative kappa.
    """

    m: int
    subject: Scores
    relation: Scores
    kappa_attribute: Number = 1
    kappa_context: Number = 0
    kappa_query: Number = 0
    grammar: bool = False

    def __post_init__(self) -> None:
        if self.m < 2:
            raise ValueError(f"m = {self.m}: valid are integers >= 2 (one demonstration at least)")
        if min(self.kappa_attribute, self.kappa_context, self.kappa_query) < 0:
            raise ValueError("kappa: all three have to be >= 0, or the worst contexts are others")
        if self.kappa_attribute == 0:
            raise ValueError("kappa_attribute = 0: valid is a positive number (else own attributes of all types tie)")

    def margins(self, contrast: bool = True, shared: bool = True) -> dict[str, ExponentialPolynomial]:
        """Worst margins times Z_s Z_r (times 3m - 1 with a grammar head), by rival."""
        if shared and not contrast:
            raise ValueError(
                "shared = True, contrast = False: subjects that share a value in one type and differ in another do differ"
            )
        s, r, m = self.subject.terms(self.m), self.relation.terms(self.m), self.m
        one_draw = self.kappa_context * r["C"] * s["Z"] + s["C"] * r["Z"]
        query = self.kappa_query * r["Q"] * s["Z"] + s["Q"] * r["Z"]
        attributes = (self.kappa_attribute * (m - 1)) * r["A"] * s["Z"]
        outside = attributes + query - s["Q"] * r["Z"] - (m - 1) * s["C"] * r["Z"]
        if not contrast:
            outside = outside + (m - 1) * one_draw
        if self.grammar:
            outside = (3 * m - 1) * outside - (2 * m) * s["Z"] * r["Z"]
        found = {"a token that is not a value": outside}
        if contrast:
            found["other value of the type"] = query - (m - 1) * one_draw
        if shared:
            found["own attribute of another type"] = attributes - (m - 1) * one_draw
        return found

    def threshold(self, contrast: bool = True, shared: bool = True) -> Threshold:
        """The infimum of beta >= 0 beyond which every sequence is right; beta None if there is none."""
        return largest(self.margins(contrast, shared))

    def sufficient(self, margin: Number, spans: tuple[Number, Number]) -> float:
        """A beta beyond which every margin stays positive, from `margin` at beta = inf: see sufficient_beta."""
        T = 3 * self.m - 1
        ratios, gaps = [], []
        for scores in (self.subject, self.relation):
            n, gap = scores.attended(self.m)
            ratios.append(Fraction(T - n, n))
            gaps.append(gap if gap is not None else Fraction(1))
        return sufficient_beta(margin, spans, ratios, gaps)


@dataclass(frozen=True)
class Threshold:
    """beta: right on every sequence exactly beyond it (and not at values just below, or beta = 0); None if never.

    binding   the rival whose margin vanishes there (None: all margins are positive for every beta > 0)
    roots     per rival, the largest root >= 0 of its cleared margin (None: no root), or the reason of a failure
    always    right at every real beta, 0 and negative ones among them
    """

    beta: float | None
    binding: str | None
    roots: dict[str, float | None]
    always: bool = False

    @property
    def b(self) -> float | None:
        """e^beta."""
        return None if self.beta is None else float(mpmath.exp(self.beta))


def largest(margins: dict[str, ExponentialPolynomial]) -> Threshold:
    """The largest root among the margins; None if one of them is not positive for large beta."""
    failing = next((name for name, margin in margins.items() if margin.leading <= 0), None)
    roots = {name: max(map(float, margin.roots()), default=None) for name, margin in margins.items()}
    if failing is not None:
        return Threshold(None, failing, roots)
    known = {name: root for name, root in roots.items() if root is not None}
    if not known:
        return Threshold(0.0, None, roots, all(margin.positive for margin in margins.values()))
    binding = max(known, key=lambda name: known[name])
    return Threshold(known[binding], binding, roots)


def sufficient_beta(margin: Number, spans: Iterable[Number], ratios: Iterable[Number], gaps: Iterable[Number]) -> float:
    """Root of  sum_h D_h r_h / (r_h + e^(beta gap_h)) = margin:  every margin is positive beyond it.

    A head that attends n of T positions at beta = inf, gap_h above the next score, has at most the mass
    r/(r + e^(beta gap)), r = (T - n)/n, elsewhere; moving a mass eps between input tokens changes a difference of two
    logits by at most eps D, D the largest difference of that difference between two columns of W_OV. The left side
    falls in beta, so the root is unique (0 if it is already below the margin at beta = 0).
    Raises ValueError unless margin > 0, D >= 0, r >= 0 and gaps > 0.
    """
    heads = list(zip(map(Fraction, spans), map(Fraction, ratios), map(Fraction, gaps), strict=True))
    if margin <= 0 or any(D < 0 or r < 0 or gap <= 0 for D, r, gap in heads):
        raise ValueError(f"margin, heads = {margin}, {heads}: valid are margin > 0, spans and ratios >= 0, gaps > 0")

    def loss(beta: float) -> float:
        return float(sum(float(D) / (1 + mpmath.exp(float(gap) * beta) / float(r)) for D, r, gap in heads if D and r))

    if loss(0.0) < margin:
        return 0.0
    upper = 1.0
    while loss(upper) >= margin:
        upper *= 2
    lower = 0.0
    while upper - lower > 1e-13 * max(1.0, upper):
        middle = (lower + upper) / 2
        lower, upper = (lower, middle) if loss(middle) < margin else (middle, upper)
    return upper


def sufficient_closed(
    margin: Number, spans: Iterable[Number], ratios: Iterable[Number], gaps: Iterable[Number]
) -> float:
    """The closed form max_h ln(r_h (H D_h/margin - 1))/gap_h, each head given the same part of the margin; >= the root."""
    heads = list(zip(map(Fraction, spans), map(Fraction, ratios), map(Fraction, gaps), strict=True))
    if margin <= 0:
        raise ValueError(f"margin = {margin}: valid is a positive margin at beta = inf")
    needed = [(r * (len(heads) * D / Fraction(margin) - 1), gap) for D, r, gap in heads]
    return max([float(mpmath.log(float(x)) / float(gap)) for x, gap in needed if x > 1], default=0.0)
