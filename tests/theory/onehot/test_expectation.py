"""Coincidence splitting and expectations against brute-force sums over small concrete ranges."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product as cartesian

import pytest
import sympy

from theory.onehot import direction as directions
from theory.onehot.coefficient import Coefficient, read
from theory.onehot.counting import coincidences, set_partitions, size
from theory.onehot.direction import Delta, Frequency, Population
from theory.onehot.expectation import expectation, query_value
from theory.onehot.index import CONTEXT, DRAWS, QUERY, SEEN, SEQUENCE_TYPE, Attribute, Draw, Drawn, Subject, Type, Value
from theory.onehot.tensor import Tensor, product, scalar, vector
from theory.symbols import L, M_ft, f_s, f_u, m, n_a, n_c, n_s, power_sum

i, j, k = Draw("i", CONTEXT), Draw("j", CONTEXT), Draw("k", DRAWS)
VALUES = [0, 0, 0, 1, 2]
SIZE = 3


def value(draw: Draw) -> Attribute:
    return Attribute(Drawn(draw), SEQUENCE_TYPE)


def match(a: Draw, b: Draw) -> Tensor:
    return scalar(1, [Delta(value(a), value(b))])


def frequency(draw: Draw) -> Tensor:
    return scalar(1, (), [Frequency(value(draw))])


def f(v: int) -> Fraction:
    return Fraction(VALUES.count(v), len(VALUES))


def brute(summand: Callable[[tuple[int, ...]], Fraction]) -> Fraction:
    """Average over all draws (the query is the last one) of a function of the drawn subjects."""
    drawn = list(cartesian(range(len(VALUES)), repeat=SIZE))
    return sum((Fraction(summand(subjects)) for subjects in drawn), Fraction(0)) / len(drawn)


def number(coefficient: Coefficient, u: int = 0) -> Fraction:
    """The coefficient in a world with one type whose finetuning subjects have VALUES."""
    point: dict = {m: SIZE, L: 1, M_ft: len(VALUES), f_u: f(u), f_s: f(u)}
    point |= {power_sum(p): sum(f(v) ** p for v in set(VALUES)) for p in (2, 3, 4, 5)}
    result = sympy.Rational(coefficient.expression.subs({a: sympy.Rational(str(b)) for a, b in point.items()}))
    return Fraction(int(result.p), int(result.q))


def scalar_value(tensor: Tensor) -> Fraction:
    """E of a scalar, read along a marker direction."""
    marker = directions.sep()
    return number(read(expectation(product(tensor, vector(marker))), (marker,)))


QUERY_SLOT = SIZE - 1
CONTEXT_SLOTS = range(SIZE - 1)


def test_pairs_of_context_draws() -> None:
    """sum_{i, j} 1[a_i = a_j] f(a_i): i = j and i != j."""
    derived = scalar_value(product(match(i, j), frequency(i)).summed(i, j))
    assert derived == brute(
        lambda d: sum((VALUES[d[a]] == VALUES[d[b]]) * f(VALUES[d[a]]) for a in CONTEXT_SLOTS for b in CONTEXT_SLOTS)
    )


def test_three_indices_and_the_query() -> None:
    """sum_{i, j in context} sum_{k in all} 1[a_i = a_k] 1[a_j = y] f(y)."""
    summand = product(product(match(i, k), match(j, QUERY)), frequency(QUERY))
    derived = scalar_value(summand.summed(i, j, k))
    assert derived == brute(
        lambda d: sum(
            (VALUES[d[a]] == VALUES[d[c]]) * (VALUES[d[b]] == VALUES[d[QUERY_SLOT]]) * f(VALUES[d[QUERY_SLOT]])
            for a in CONTEXT_SLOTS
            for b in CONTEXT_SLOTS
            for c in range(SIZE)
        )
    )


@pytest.mark.parametrize("subject", [0, 3])
def test_extracting_a_subject(subject: int) -> None:
    """Coefficient of h(s) in sum_{i, k} 1[a_k = y] f(a_i) h(s_i)."""
    vector_sum = product(product(match(k, QUERY), frequency(i)), vector(directions.subject(Drawn(i)))).summed(i, k)
    derived = read(expectation(vector_sum), (directions.subject(Subject("s", SEEN)),))
    expected = brute(
        lambda d: sum(
            (VALUES[d[c]] == VALUES[d[QUERY_SLOT]]) * f(VALUES[d[a]]) * (d[a] == subject)
            for a in CONTEXT_SLOTS
            for c in range(SIZE)
        )
    )
    assert number(derived, VALUES[subject]) == expected


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_extracting_a_value(chosen: int) -> None:
    """Coefficient of h(u) in sum_{i, j} 1[a_i = y] f(a_j)^2 h(a_j)."""
    square = product(frequency(j), frequency(j))
    vector_sum = product(product(match(i, QUERY), square), vector(directions.attribute(value(j)))).summed(i, j)
    derived = read(expectation(vector_sum), (directions.attribute(Value("u", Type("l"))),))
    expected = brute(
        lambda d: sum(
            (VALUES[d[a]] == VALUES[d[QUERY_SLOT]]) * f(VALUES[d[b]]) ** 2 * (VALUES[d[b]] == chosen)
            for a in CONTEXT_SLOTS
            for b in CONTEXT_SLOTS
        )
    )
    assert number(derived, chosen) == expected


def test_extracting_a_value_and_a_subject() -> None:
    """[u, s] entry of E[sum_i h(y) h(s_i)^T], for own and other values."""
    operator = product(vector(directions.attribute(query_value())), vector(directions.subject(Drawn(k)))).summed(k)
    u, s = Value("u", Type("l")), Subject("s", SEEN)
    own = Delta(u, Attribute(s, Type("l")))
    for subject, chosen in ((0, 0), (0, 1), (3, 1), (4, 0)):
        known = {own: VALUES[subject] == chosen}
        derived = read(expectation(operator), (directions.attribute(u), directions.subject(s)), known)
        expected = brute(
            lambda d, s=subject, v=chosen: sum((VALUES[d[QUERY_SLOT]] == v) * (d[c] == s) for c in range(SIZE))
        )
        assert number(derived, chosen) == expected


def test_coincidences_partition_the_index_tuples() -> None:
    """The counts of all patterns of three draws add up to the product of the ranges."""
    total = sum(count for _, count, _ in coincidences((i, j, k), frozenset()))
    assert sympy.expand(total - (m - 1) ** 2 * m) == 0


def test_kept_draws_are_not_counted() -> None:
    for _, count, bound in coincidences((i, j), frozenset({i})):
        assert len(bound) == 1
        assert sympy.expand(count).free_symbols <= {m, n_a, n_c, n_s}


def test_set_partitions_are_bell_numbers() -> None:
    draws = tuple(Draw(name, CONTEXT) for name in "abcd")
    assert [len(list(set_partitions(draws[:n]))) for n in range(5)] == [1, 1, 2, 5, 15]


def test_sizes_add_up() -> None:
    assert sympy.expand(size(DRAWS) - m) == 0
    with pytest.raises(ValueError, match="size"):
        size(Value("u", Type("l")).range)


def test_unsupported_expectations_are_refused() -> None:
    with pytest.raises(ValueError, match="not supported"):
        expectation(scalar(1, (), [Population(query_value())]))
    with pytest.raises(ValueError, match="one type per draw"):
        expectation(product(match(i, QUERY), scalar(1, (), [Frequency(Attribute(Drawn(i), Type("k")))])).summed(i))
    with pytest.raises(ValueError, match="random subjects"):
        expectation(scalar(1, [Delta(Drawn(i), Drawn(QUERY))]).summed(i))


def test_undecided_delta_is_refused() -> None:
    operator = product(vector(directions.attribute(query_value())), vector(directions.subject(Drawn(QUERY))))
    probes = (directions.attribute(Value("u", Type("l"))), directions.subject(Subject("s", SEEN)))
    with pytest.raises(ValueError, match="undecided"):
        read(expectation(operator), probes)
