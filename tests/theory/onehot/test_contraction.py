"""Deltas, ranges and products of the one-hot algebra."""

import pytest
import sympy

from theory.onehot import direction as directions
from theory.onehot.direction import Delta, Family, inner
from theory.onehot.index import (
    ALL,
    CONTEXT,
    HELDOUT,
    QUERY,
    SEEN,
    WHOLE,
    Attribute,
    Draw,
    Drawn,
    Subject,
    Type,
    Value,
    parts,
)
from theory.onehot.tensor import contract, product, scalar, simplify, vector, zero
from theory.symbols import L, M, m, n_c

s, t = Subject("s", ALL), Subject("t", SEEN)
kind = Type("l")
u = Value("u", kind)


def test_families_are_orthogonal() -> None:
    assert inner(directions.subject(s), directions.relation(kind)) is None
    assert inner(directions.position(Family.P_SEP, QUERY), directions.position(Family.P_SUBJECT, QUERY)) is None
    assert inner(directions.sep(), directions.sep()) == ()


def test_delta_is_symmetric() -> None:
    assert Delta(s, t) == Delta(t, s)
    assert len({Delta(s, t), Delta(t, s)}) == 1


def test_sum_over_larger_range_contracts() -> None:
    every = vector(directions.subject(s)).summed(s)
    result = contract(vector(directions.subject(t)), every)
    assert [term.coefficient for term in result.terms] == [1]
    assert not result.terms[0].bound


def test_disjoint_ranges_give_zero() -> None:
    seen = vector(directions.subject(t)).summed(t)
    heldout = vector(directions.subject(Subject("x", HELDOUT)))
    assert contract(heldout, seen) == zero(0)


def test_sum_over_smaller_range_is_refused() -> None:
    seen = vector(directions.subject(t)).summed(t)
    with pytest.raises(ValueError, match="does not contain"):
        contract(vector(directions.subject(s)), seen)


def test_two_bound_indices_keep_the_smaller_range() -> None:
    result = contract(vector(directions.subject(s)).summed(s), vector(directions.subject(t)).summed(t))
    (term,) = result.terms
    assert [index.range for index in term.bound] == [SEEN]


def test_operator_acts_on_attribute() -> None:
    """(sum_u h(u) h(r_l)^T) h(r_l) = sum_u h(u), and 0 on anything else."""
    operator = product(vector(directions.attribute(u)), vector(directions.relation(kind))).summed(kind, u)
    applied = contract(operator, vector(directions.relation(Type("k"))))
    assert applied == simplify(vector(directions.attribute(Value("u", Type("k")))).summed(Value("u", Type("k"))))
    assert contract(operator, vector(directions.sep())) == zero(1)


def test_bound_indices_do_not_capture_free_ones() -> None:
    """(sum_i 1[a_i = y]) h(s_i) with free i: the sum's i must be renamed, not the free one."""
    i = Draw("i", CONTEXT)
    match = scalar(1, [Delta(Attribute(Drawn(i), kind), Attribute(Drawn(QUERY), kind))]).summed(i)
    free = vector(directions.subject(Drawn(i)))
    for result in (product(match, free), product(free, match)):
        (term,) = result.terms
        assert term.directions == (directions.subject(Drawn(i)),)
        assert i not in term.bound


def test_equal_sums_with_different_names_cancel() -> None:
    i, k = Draw("i", CONTEXT), Draw("k", CONTEXT)
    first = vector(directions.subject(Drawn(i))).summed(i)
    second = vector(directions.subject(Drawn(k))).summed(k)
    assert simplify(first - second) == zero(1)


def test_unused_sums_count() -> None:
    i = Draw("i", CONTEXT)
    (term,) = simplify(scalar(1).summed(i, Type("k"))).terms
    assert sympy.expand(term.coefficient - (m - 1) * L) == 0
    (term,) = simplify(scalar(1).summed(Draw("i", parts(WHOLE)))).terms
    assert term.coefficient == n_c
    assert M not in term.coefficient.free_symbols


def test_ranks_are_checked() -> None:
    with pytest.raises(ValueError, match="rank = 1"):
        scalar(1) + vector(directions.sep())
    with pytest.raises(ValueError, match="rank = 0"):
        contract(scalar(1), vector(directions.sep()))
    with pytest.raises(ValueError, match="role"):
        directions.position(Family.SUBJECT, QUERY)
