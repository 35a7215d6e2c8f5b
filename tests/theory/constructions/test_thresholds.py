"""Thresholds of beta: the smallest margin over all sequences is positive just above and nowhere beyond, and not just below."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.constructions.forward import Constructions, Token, icl
from theory.constructions import (
    ClassWeights,
    ExponentialPolynomial,
    Scores,
    Threshold,
    icl_equations,
    icl_threshold,
    pretraining_equations,
    pretraining_threshold,
    printed_weights,
    sufficient_beta,
    sufficient_closed,
    threshold_steps,
)
from theory.constructions.symbols import N_tr, S, b
from theory.frequencies import Frequencies
from theory.symbols import m as m_symbol

Case = tuple[list[Token], Token]
HEADS = {
    1: ("subject 1", "relation 1"),
    2: ("subject 2", "relation 2"),
    3: ("subject 1", "relation 1", "grammar"),
    4: ("subject 2", "relation 4", "grammar"),
}


def smallest_margin(model: Constructions, heads: Sequence[str], cases: Sequence[Case], beta: float) -> float:
    """Over all the sequences, in floating point."""
    smallest = math.inf
    for tokens, y in cases:
        logits = model.logits(heads, tokens, lambda score: Fraction(math.exp(beta * score)).limit_denominator(10**15))
        smallest = min(smallest, float(logits[y] - max(x for v, x in logits.items() if v != y)))
    return smallest


def check(threshold: Threshold, margin: Callable[[float], float]) -> None:
    """Bisection between a beta that fails and one that is right gives the same number; beyond it all is right."""
    if threshold.beta is None:
        assert margin(12.0) <= 1e-9
        return
    for extra in (1e-4, 0.3, 1.0, 3.0):
        assert margin(threshold.beta + extra) > 0
    if threshold.beta > 0:
        lower, upper = threshold.beta - 0.05, threshold.beta + 0.05
        while upper - lower > 2e-7:
            middle = (lower + upper) / 2
            lower, upper = (lower, middle) if margin(middle) > 0 else (middle, upper)
        assert abs(upper - threshold.beta) < 1e-6


def distinct(cases: list[Case]) -> list[Case]:
    return [(list(x), y) for x, y in dict.fromkeys((tuple(x), y) for x, y in cases)]


@pytest.mark.parametrize(
    "table, S, N_tr",
    [
        ([[0]], 1, 2),
        ([[0], [0]], 2, 2),
        ([[0], [0]], 1, 1),
        ([[0], [0], [1], [1]], 1, 3),
        ([[0, 0], [1, 1]], 1, 3),
        ([[0, 0], [1, 0]], 2, 1),
    ],
)
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("proposition", [1, 3])
def test_pretraining(table: list[list[int]], S: int, N_tr: int, reading: str, proposition: int) -> None:
    model = Constructions(table, 1, S, reading == "literal")
    cases = distinct([(x[:-1], x[-1]) for _, x in model.pretraining(N_tr)])
    columns = [list(column) for column in zip(*table, strict=True)]
    counts = [[column.count(u) for u in sorted(set(column))] for column in columns]
    threshold = pretraining_threshold(proposition, S, len(table[0]), N_tr, counts, reading)
    check(threshold, lambda beta: smallest_margin(model, HEADS[proposition], cases, beta))


@pytest.mark.parametrize(
    "table, finetune, m",
    [
        ([[0, 0], [1, 0], [1, 1], [0, 1]], [0, 2], 3),
        ([[0], [1], [0]], [0, 1], 3),
        ([[0], [0], [0]], [0, 1], 3),
        ([[0, 0], [0, 1], [0, 1]], [0, 1], 2),
        ([[0, 0], [1, 1], [2, 2]], [0, 1], 2),
    ],
)
@pytest.mark.parametrize("queries", ["seen", "heldout"])
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("proposition", [2, 4])
def test_icl(table: list[list[int]], finetune: list[int], m: int, queries: str, reading: str, proposition: int) -> None:
    facts = Frequencies.from_table(table, finetune)
    model = Constructions(table, 1, 1, reading == "literal", finetune)
    heldout = [j for j in range(len(table)) if j not in finetune]
    for contexts, pool in (("finetune", finetune), ("all", list(range(len(table))))):
        cases: list[Case] = []
        for l, query in product(range(len(table[0])), finetune if queries == "seen" else heldout):
            for context in product(pool, repeat=m - 1):
                cases.append((icl(table, l, (*context, query)), ("attribute", l, table[query][l])))
        threshold = icl_threshold(proposition, facts, m, queries, contexts, reading)
        check(threshold, lambda beta, cases=cases: smallest_margin(model, HEADS[proposition], cases, beta))


class ClassModel(Constructions):
    """Two heads with scores by class and a relation head that also knows own values of finetuning subjects."""

    def __init__(self, table: Sequence[Sequence[int]], weights: ClassWeights):
        super().__init__(table, 1, 1, False, range(len(table)))
        self.weights = weights

    def score(self, head: str, key: Token, distance: int, query: Token) -> int:
        if head == "grammar":
            return 0
        scores = self.weights.subject if head == "subject" else self.weights.relation
        kind = "query" if distance == 1 else {"subject": "context", "attribute": "attribute", "sep": "sep"}[str(key[0])]
        return getattr(scores, kind)

    def column(self, head: str, token: Token) -> dict[Token, Fraction]:
        if head != "relation":
            return super().column("subject 1" if head == "subject" else head, token)
        if token[0] == "attribute":
            scale = Fraction(self.weights.kappa_attribute)
            return {v: scale for v in self.vocabulary if v[0] == "attribute" and v[1] == token[1]}
        if token[0] != "subject":
            return {}
        own = self.table[int(token[1])]
        scale = Fraction(self.weights.kappa_context)
        return {v: scale for v in self.vocabulary if v[0] == "attribute" and own[int(v[1])] == v[2]}


@pytest.mark.parametrize("grammar", [False, True])
@pytest.mark.parametrize(
    "subject, relation, kappa",
    [
        (Scores(2, 1, 0, 0), Scores(0, 0, 1, 0), Fraction(0)),
        (Scores(Fraction(3, 2), Fraction(1, 2), 0, Fraction(1, 4)), Scores(Fraction(1, 2), 0, 2, 0), Fraction(1, 3)),
        (Scores(1, 0, 0, 0), Scores(1, Fraction(1, 3), Fraction(3, 2), Fraction(1, 5)), Fraction(2)),
        (Scores(1, 0, 0, 0), Scores(2, 0, 1, 0), Fraction(1)),
    ],
)
def test_class_scores(subject: Scores, relation: Scores, kappa: Fraction, grammar: bool) -> None:
    table = [[0, 0], [1, 0], [1, 1]]
    weights = ClassWeights(3, subject, relation, 2, kappa, kappa, grammar)
    model = ClassModel(table, weights)
    cases = [
        (icl(table, l, subjects), ("attribute", l, table[subjects[-1]][l]))
        for l, subjects in product(range(2), product(range(3), repeat=3))
    ]
    heads = ("subject", "relation", "grammar") if grammar else ("subject", "relation")
    threshold = weights.threshold()
    check(threshold, lambda beta: smallest_margin(model, heads, cases, beta))
    hard = min(
        logits[y] - max(x for v, x in logits.items() if v != y)
        for tokens, y in cases
        for logits in [model.logits(heads, tokens)]
    )
    if hard > 0 and threshold.beta is not None:
        # Differences of two logits between two columns: 2 for the subject head, at most 2 (2 + kappa) for the other.
        spans = (2, 2 * (2 + kappa))
        assert weights.sufficient(hard, spans) >= threshold.beta
        assert smallest_margin(model, heads, cases, weights.sufficient(hard, spans) + 1e-9) > 0


def test_closed_forms() -> None:
    """Roots printed in closed form agree with the root finder; the cubic of Proposition 4 has one positive root."""
    for proposition in (1, 3):
        for equation, slots, N in product(pretraining_equations(proposition), (1, 2, 5), (1, 2, 7)):
            values = {s: {"S": slots, "N_tr": N}[s.name] for s in equation.root.free_symbols}
            root = float(equation.root.subs(values))
            found = pretraining_threshold(proposition, slots, 2 if equation.applies == "L >= 2" else 1, N)
            known = found.roots.get(equation.rival)
            assert known == pytest.approx(math.log(root), abs=1e-12) if root > 1 else known is None
    cubic = icl_equations(4)[2].polynomial
    for M, expected in zip((2, 3, 10), (True, True, True), strict=True):
        polynomial = ExponentialPolynomial.of({p: int(c) for (p,), c in sympy.Poly(cubic.subs(m_symbol, M), b).terms()})
        assert (polynomial.sign_changes == 1) is expected
        contrast = printed_weights(4, M).threshold().beta
        assert contrast == pytest.approx(float(max(polynomial.roots())), abs=1e-12)
        assert printed_weights(4, M).threshold(False, False).beta == pytest.approx(math.log(4 * M**2 / (M - 1) ** 2))
    x = sympy.Symbol("x")
    shifted = sympy.Poly(cubic.subs(b, m_symbol - 1).subs(m_symbol, x + 2), x)
    assert all(c < 0 for c in shifted.coeffs()), "the cubic is negative at b = m - 1, so its root is larger"
    signs = [sympy.Poly(c.subs(m_symbol, x + 2), x).coeffs() for c in sympy.Poly(cubic, b).all_coeffs()]
    assert all(c > 0 for c in signs[0]) and all(c < 0 for row in signs[1:] for c in row)
    assert printed_weights(2, 6).threshold().b == pytest.approx(5)
    assert pretraining_threshold(3, 3, 1, 1).b == pytest.approx(Fraction(5 * 4, 5))
    assert len(threshold_steps(4)) == 4


def test_two_subjects_with_the_target() -> None:
    """Literal reading, N_y = 2: rho - sigma, cleared, at both extremes of the older relation tokens."""
    T = (S + 3) * N_tr - 1
    Z_s, Z_r = N_tr * b + T - N_tr, b**2 + (S + N_tr) * b + (N_tr - 1) * (S + 2)
    assert sympy.expand(Z_r.subs(b, 1) - T) == 0
    for n, expected in (
        (N_tr - 1, (N_tr - 1) * (b - 1)),
        (0, -((N_tr - 1) ** 2) * b - N_tr * (N_tr - 1) * (S + 2)),
    ):
        cleared = (b**2 + n * b) * Z_s - N_tr * b * Z_r
        assert sympy.expand(cleared - b * expected) == 0


@settings(max_examples=60, deadline=None)
@given(st.sets(st.fractions(Fraction(1, 9), Fraction(40), max_denominator=1000), min_size=1, max_size=5))
def test_roots_of_a_product_of_factors(zeros: set[Fraction]) -> None:
    """prod (e^beta - x): the roots beta > 0 are log x for x > 1, to 40 digits."""
    product = ExponentialPolynomial.power(0)
    for x in zeros:
        product = product * (ExponentialPolynomial.power(1) - ExponentialPolynomial.power(0, x))
    with mpmath.workdps(60):
        known = [mpmath.log(mpmath.mpf(x.numerator) / x.denominator) for x in sorted(zeros) if x > 1]
        found = product.roots()
        assert len(found) == len(known)
        # A root is as sharp as the polynomial is steep there: neighbours as near as 1e-6 cost digits.
        assert all(abs(a - b) < mpmath.mpf(10) ** -28 for a, b in zip(found, known, strict=True))


def test_roots_are_all_found() -> None:
    power = ExponentialPolynomial.power
    three = (power(1) - power(0, 2)) * (power(1) - power(0, 3)) * (power(1) - power(0, 3))
    assert [float(x) for x in three.roots()] == pytest.approx([math.log(2), math.log(3)], abs=1e-12)
    assert (power(2) + power(0)).roots() == ()


def test_sufficient_bounds() -> None:
    root = sufficient_beta(1, (2, 3), (Fraction(5, 2), 4), (1, Fraction(1, 2)))
    value = 2 * 2.5 / (2.5 + math.exp(root)) + 3 * 4 / (4 + math.exp(root / 2))
    assert value == pytest.approx(1, abs=1e-10)
    assert sufficient_closed(1, (2, 3), (Fraction(5, 2), 4), (1, Fraction(1, 2))) >= root


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="proposition = 2"):
        pretraining_threshold(2, 1, 1, 1)
    with pytest.raises(ValueError, match="counts = None"):
        pretraining_threshold(1, 1, 1, 1, reading="literal")
    with pytest.raises(ValueError, match="m = 1"):
        printed_weights(2, 1)
    with pytest.raises(ValueError, match="kappa_attribute = 0"):
        ClassWeights(2, Scores(1, 0, 0, 0), Scores(0, 0, 1, 0), 0)
    with pytest.raises(ValueError, match="margin"):
        sufficient_beta(0, (1,), (1,), (1,))
