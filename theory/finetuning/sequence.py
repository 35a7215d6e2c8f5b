"""The finetuning sequence and the constructed operators, written from the definitions in the one-hot algebra.

X = [s_1, sep, a_1, ..., s_m, sep]: draw i puts its subject, its sep and (context draws only) its attribute at their
positions. A Place is one of these, for all draws of a range at once; a head attends places.
"""

from dataclasses import dataclass
from enum import StrEnum

import sympy

from theory.onehot import direction as directions
from theory.onehot.direction import Delta, Family, Population
from theory.onehot.expectation import query_value
from theory.onehot.index import (
    ALL,
    ATTRIBUTE_ONLY,
    CONTEXT,
    NO_SUBJECT,
    QUERY,
    SEQUENCE_TYPE,
    WHOLE,
    Attribute,
    Draw,
    Drawn,
    Range,
    Subject,
    Type,
    Value,
    parts,
)
from theory.onehot.tensor import Tensor, contract, product, scalar, vector
from theory.symbols import n_q


class Reading(StrEnum):
    """Readings of W_OV^subj when several subjects share a value."""

    SET = "set"
    LITERAL = "literal"


@dataclass(frozen=True)
class Place:
    """The positions of one role (subject, attribute, sep) of the draws in a range, each taken `weight` times."""

    role: Family
    draws: Range
    weight: sympy.Expr

    def draw(self) -> Draw:
        return QUERY if self.draws == QUERY.range else Draw("i", self.draws)

    def token(self) -> Tensor:
        """h(x_i)."""
        if self.role == Family.P_SUBJECT:
            return vector(directions.subject(Drawn(self.draw())))
        if self.role == Family.P_ATTRIBUTE:
            return vector(directions.attribute(Attribute(Drawn(self.draw()), SEQUENCE_TYPE)))
        return vector(directions.sep())

    def position(self) -> Tensor:
        """h(p_i)."""
        return vector(directions.position(self.role, self.draw()))

    def total(self, tensor: Tensor) -> Tensor:
        """Sum over the draws of the place, times its weight."""
        draw = self.draw()
        return self.weight * (tensor if draw == QUERY else tensor.summed(draw))


def subject_places() -> tuple[Place, ...]:
    """The m subject positions: what the subject head attends at the initial weights."""
    one = sympy.Integer(1)
    return (Place(Family.P_SUBJECT, QUERY.range, one), Place(Family.P_SUBJECT, CONTEXT, one))


def window_places() -> tuple[Place, ...]:
    """The last w = n_a + n_c + n_q + n_s positions: what the relation head attends at the initial weights."""
    one = sympy.Integer(1)
    return (
        Place(Family.P_SUBJECT, QUERY.range, n_q),
        Place(Family.P_SUBJECT, parts(WHOLE), one),
        Place(Family.P_ATTRIBUTE, parts(WHOLE, NO_SUBJECT, ATTRIBUTE_ONLY), one),
        Place(Family.P_SEP, QUERY.range, one),
        Place(Family.P_SEP, parts(WHOLE, NO_SUBJECT), one),
    )


def subject_values(reading: Reading) -> Tensor:
    """Initial W_OV^subj.

    column of s = - sum_{l,u} (1 - 1[u = a_s^l]) h(u)     (set: every value that is not its own, once)
                = - sum_{l,u} (N_u - 1[u = a_s^l]) h(u)   (literal: over all other subjects, with multiplicity)
    """
    s, kind = Subject("s", ALL), Type("l")
    u = Value("u", kind)
    own = scalar(1, [Delta(u, Attribute(s, kind))])
    every = scalar(1) if reading == Reading.SET else scalar(1, (), [Population(u)])
    outer = product(vector(directions.attribute(u)), vector(directions.subject(s)))
    return product(own - every, outer).summed(s, kind, u)


def relation_values() -> Tensor:
    """Initial W_OV^rel = sum_l sum_{u of type l} h(u) h(r_l)^T."""
    kind = Type("l")
    u = Value("u", kind)
    return product(vector(directions.attribute(u)), vector(directions.relation(kind))).summed(kind, u)


def target() -> Tensor:
    """h(y)."""
    return vector(directions.attribute(query_value()))


def kq_gradient(places: tuple[Place, ...], attention: sympy.Expr, values: Tensor) -> Tensor:
    """Hat gradient of the sep column of W_KQ for one sequence, per unit beta, with uniform attention on the places:

    sum_i alpha (r_i - rbar)(h(x_i) + h(p_i)),   r_i = -h(y)^T W_OV h(x_i),   rbar = sum_i alpha r_i.
    """
    r = {place: (-1) * contract(contract(target(), values), place.token()) for place in places}
    mean = scalar(0)
    for place in places:
        mean = mean + attention * place.total(r[place])
    gradient = Tensor((), 1)
    for place in places:
        deviation = r[place] - mean
        gradient = gradient + attention * place.total(product(deviation, place.token()))
        gradient = gradient + attention * place.total(product(deviation, place.position()))
    return gradient


def ov_gradient(places: tuple[Place, ...], attention: sympy.Expr) -> Tensor:
    """Hat gradient of W_OV for one sequence: -h(y) g^T with g = sum_i alpha h(x_i)."""
    gradient = Tensor((), 2)
    for place in places:
        gradient = gradient - attention * place.total(product(target(), place.token()))
    return gradient
