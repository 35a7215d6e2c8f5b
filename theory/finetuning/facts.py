"""Conditional facts about one sequence that the derivations use on the way, from the same algebra.

C_y = #{i in 1..m : a_i = y} counts the query itself. Conditioning on y = u (type l) divides by P(y = u) = f_u / L.
"""

import sympy

from theory.onehot import direction as directions
from theory.onehot.coefficient import Coefficient, read, tidy
from theory.onehot.direction import Delta
from theory.onehot.expectation import expectation, query_value
from theory.onehot.index import CONTEXT, QUERY, SEEN, SEQUENCE_TYPE, Attribute, Draw, Drawn, Subject, Type, Value
from theory.onehot.tensor import Tensor, contract, product, scalar, vector

_MARK = Type("l*")


def matches() -> Tensor:
    """C_y = 1 + sum over the context draws of 1[a_i = y]."""
    i = Draw("i", CONTEXT)
    return scalar(1) + scalar(1, [Delta(Attribute(Drawn(i), SEQUENCE_TYPE), query_value())]).summed(i)


def matched_subjects() -> Tensor:
    """sum_i 1[a_i = y] h(s_i), the query included."""
    i = Draw("i", CONTEXT)
    match = scalar(1, [Delta(Attribute(Drawn(i), SEQUENCE_TYPE), query_value())])
    return vector(directions.subject(Drawn(QUERY))) + product(match, vector(directions.subject(Drawn(i)))).summed(i)


def given_target(tensor: Tensor) -> Tensor:
    """E[h(y) tensor], an object with one more direction; read along h(u) it is E[tensor 1[y = u]]."""
    return expectation(product(vector(directions.attribute(query_value())), tensor))


def expected_matches_given_target() -> sympy.Expr:
    """E[C_y | y = u] in f_u and m."""
    u = directions.attribute(Value("u", _MARK))
    joint = read(given_target(matches()), (u,)).expression
    marginal = read(given_target(scalar(1)), (u,)).expression
    return tidy(joint / marginal)


def expected_matched_subjects() -> Coefficient:
    """Coefficient of h(s), s in F, in E[sum_i 1[a_i = y] h(s_i)]."""
    return read(expectation(matched_subjects()), (directions.subject(Subject("s*", SEEN)),))


def expected_matched_subjects_given_target() -> sympy.Expr:
    """Coefficient of h(s), s in F with a_s = u, in E[sum_i 1[a_i = y] h(s_i) | y = u] (0 if a_s is not u)."""
    u, s = Value("u", _MARK), Subject("s*", SEEN)
    output = vector(directions.attribute(u))
    joint = contract(output, given_target(matched_subjects()))
    own = Delta(u, Attribute(s, _MARK))
    mark = directions.relation(_MARK)
    numerator = read(product(vector(mark), joint), (mark, directions.subject(s)), {own: True})
    marginal = read(given_target(scalar(1)), (directions.attribute(u),)).expression
    return tidy(numerator.expression / marginal)
