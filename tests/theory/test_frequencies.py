"""Frequencies of a fact table and exact evaluation."""

from fractions import Fraction

import pytest
import sympy

from theory.frequencies import Frequencies
from theory.rational import evaluate
from theory.symbols import U, m, power_sum


def test_from_table() -> None:
    frequencies = Frequencies.from_table([[5, 0], [7, 1], [5, 2]], [0, 1])
    assert frequencies.values == ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 2), Fraction(1, 2), Fraction(0)))
    assert frequencies.subjects == ((0, 0), (1, 1), (0, 2))
    assert frequencies.seen == (True, True, False)
    assert (frequencies.M, frequencies.L, frequencies.M_ft) == (3, 2, 2)
    assert frequencies.power_sum(2, 0) == Fraction(1, 2)


def test_inconsistent_frequencies_are_refused() -> None:
    half = (Fraction(1, 2), Fraction(1, 2))
    with pytest.raises(ValueError, match="f_u must be"):
        Frequencies((half,), ((0,), (0,)), (True, True))
    with pytest.raises(ValueError, match="at least one"):
        Frequencies((half,), ((0,), (1,)), (False, False))
    with pytest.raises(ValueError, match="one per subject"):
        Frequencies((half,), ((0,), (1,)), (True,))
    with pytest.raises(ValueError, match="valid are 0 to 1"):
        Frequencies((half,), ((0,), (2,)), (True, True))
    with pytest.raises(ValueError, match="one per type"):
        Frequencies((half,), ((0, 0), (1, 1)), (True, True))
    with pytest.raises(ValueError, match="finetune = 2"):
        Frequencies.from_table([[0], [1]], [0, 2])
    with pytest.raises(ValueError, match="finetune = "):
        Frequencies.from_table([[0], [1]], [])


def test_evaluation_is_exact() -> None:
    expression = m / 3 + 1 / (U * m) - sympy.Rational(1, 7)
    assert evaluate(expression, {m: 2, U: Fraction(1, 5)}) == Fraction(2, 3) + Fraction(5, 2) - Fraction(1, 7)
    with pytest.raises(ValueError, match="no value for"):
        evaluate(expression, {m: 2})
    with pytest.raises(ValueError, match="rational function"):
        evaluate(sympy.sqrt(U), {U: 2})
    with pytest.raises(ValueError, match="k = 1"):
        power_sum(1)
