"""Proposition 3 at t < T and finite beta: the argmax set of beta = infinity is there just above the threshold and beyond, and not just
below; where the threshold is infinite the tie is broken at every finite beta. Plain loops over every sequence."""

import math
from fractions import Fraction
from itertools import product

import pytest
import sympy

from tests.theory.constructions.forward import Constructions
from theory.constructions import Prefix, Situation, position_equations, position_threshold
from theory.constructions.symbols import b
from theory.frequencies import Frequencies

HEADS = ("subject 1", "relation 1", "grammar")
TABLES = {1: [[0], [1]], 2: [[0, 0], [1, 1]]}


def argmax(model: Constructions, tokens: list, beta: float | None) -> frozenset:
    if beta is None:
        logits = model.logits(HEADS, tokens)
    else:
        logits = model.logits(HEADS, tokens, lambda score: Fraction(math.exp(beta * score)).limit_denominator(10**12))
    top = max(logits.values())
    return frozenset(v for v, x in logits.items() if x >= top - Fraction(1, 10**9))


@pytest.mark.parametrize("L, S, N_tr", [(1, 1, 1), (1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 1), (2, 3, 1), (2, 2, 2)])
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_thresholds_of_positions(L, S, N_tr, reading):
    model = Constructions(TABLES[L], 1, S, reading == "literal")
    facts = Frequencies.from_table(TABLES[L], [0, 1])
    groups: dict[Situation, dict[tuple, list]] = {}
    for _, sequence in model.pretraining(N_tr):
        T = len(sequence) - 1
        for t in range(max(1, T - S - 2), T):
            tokens = list(sequence[:t])
            situation = Prefix.from_tokens(facts, S, 1, tokens).situation
            groups.setdefault(situation, {})[tuple(tokens)] = tokens
    assert Situation.LAST_SLOT in groups
    for situation, prefixes in groups.items():
        threshold = position_threshold(situation, L, N_tr).beta
        limits = [(tokens, argmax(model, tokens, None)) for tokens in prefixes.values()]

        def same(beta, limits=limits):
            return all(argmax(model, tokens, beta) == said for tokens, said in limits)

        if threshold == math.inf:
            assert not any(same(beta) for beta in (0.5, 2.0, 6.0))
            continue
        assert all(same(threshold + extra) for extra in (1e-3, 1.0, 4.0))
        if threshold > 0:
            assert not same(threshold - 1e-3)


def test_closed_forms():
    """sep at T - 1: e^beta > N + sqrt(N^2 + N - 1); 2 for one subsequence, where the first one needs e^beta < 2."""
    for N in range(1, 8):
        assert position_threshold(Situation.LAST_SLOT, 2, N).b == pytest.approx(N + math.sqrt(N * N + N - 1))
        assert position_threshold(Situation.LAST_SLOT, 1, N).b <= position_threshold(Situation.LAST_SLOT, 2, N).b + 1e-9
    assert position_threshold(Situation.ATTRIBUTE, 8, 5).b == pytest.approx(7)
    assert position_threshold(Situation.FIRST_AFTER_RELATION, 2, 1).b == pytest.approx(2)
    for situation in (Situation.LAST_SLOT, Situation.ATTRIBUTE, Situation.FIRST_AFTER_RELATION):
        for equation, N in product(position_equations(situation), (2, 3, 6)):
            values = {s: N for s in equation.root.free_symbols}

            assert (
                equation.polynomial.subs(values | {s: N for s in equation.polynomial.free_symbols - {b}})
                .subs(b, equation.root.subs(values))
                .simplify()
                == 0
            )


def test_bad_arguments():
    with pytest.raises(ValueError, match="N_tr = 1: no attribute"):
        position_threshold(Situation.ATTRIBUTE, 2, 1)
    with pytest.raises(ValueError, match="valid are integers >= 1"):
        position_threshold(Situation.LAST_SLOT, 0, 1)
    with pytest.raises(ValueError, match="situation = on sep"):
        position_equations(Situation.SEP)


@pytest.mark.parametrize("situation", [Situation.LAST_SLOT, Situation.ATTRIBUTE, Situation.FIRST_AFTER_RELATION])
def test_every_closed_root_is_a_root_and_the_largest(situation):
    """The closed forms are shown beside thresholds that are found from the polynomials: they must say the same."""
    for equation in position_equations(situation):
        for N in range(2, 7):
            held = {symbol: N for symbol in equation.polynomial.free_symbols if symbol != b}
            roots = [complex(r) for r in sympy.Poly(equation.polynomial.subs(held), b).nroots()]
            largest = max(r.real for r in roots if abs(r.imag) < 1e-9)
            assert float(equation.root.subs(held)) == pytest.approx(largest, abs=1e-9)
