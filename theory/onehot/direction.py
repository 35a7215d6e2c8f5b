"""Directions h(.) of the one-hot space, their inner products, deltas and the scalar factors of a term."""

from dataclasses import dataclass
from enum import StrEnum

from theory.onehot.index import Attribute, Draw, Drawn, Grammar, Index, Subject, Type, Value


class Family(StrEnum):
    """The orthogonal families; positions are split by the role of the token at the position."""

    SUBJECT = "subject"
    ATTRIBUTE = "attribute"
    RELATION = "relation"
    GRAMMAR = "grammar"
    SEP = "sep"
    P_SUBJECT = "position of the subject"
    P_ATTRIBUTE = "position of the attribute"
    P_SEP = "position of the sep"


@dataclass(frozen=True)
class Direction:
    """A unit vector: a family and its index."""

    family: Family
    index: tuple[Index, ...]


def subject(s: Subject | Drawn) -> Direction:
    return Direction(Family.SUBJECT, (s,))


def attribute(value: Value | Attribute) -> Direction:
    """h(u) of a value u of type l: the index is the pair (l, u)."""
    return Direction(Family.ATTRIBUTE, (value.type, value))


def relation(kind: Type) -> Direction:
    return Direction(Family.RELATION, (kind,))


def grammar(token: Grammar) -> Direction:
    return Direction(Family.GRAMMAR, (token,))


def sep() -> Direction:
    return Direction(Family.SEP, ())


def position(role: Family, draw: Draw) -> Direction:
    """Position of the subject, attribute or sep of the given draw (roles P_SUBJECT, P_ATTRIBUTE, P_SEP)."""
    if role not in (Family.P_SUBJECT, Family.P_ATTRIBUTE, Family.P_SEP):
        raise ValueError(f"role = {role!r}: a position role is P_SUBJECT, P_ATTRIBUTE or P_SEP")
    return Direction(role, (draw,))


@dataclass(frozen=True)
class Delta:
    """1[left = right]; equal whatever the order of the sides."""

    left: Index
    right: Index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Delta):
            return NotImplemented
        return {self.left, self.right} == {other.left, other.right}

    def __hash__(self) -> int:
        return hash(frozenset((self.left, self.right)))


@dataclass(frozen=True)
class Frequency:
    """f_u: the fraction of the finetuning subjects that have the value."""

    value: Value | Attribute


@dataclass(frozen=True)
class Population:
    """N_u: the number of all subjects that have the value."""

    value: Value | Attribute


@dataclass(frozen=True)
class PowerSum:
    """P_k(l) = sum over the values u of type l of f_u^k."""

    k: int
    type: Type


Factor = Frequency | Population | PowerSum


def inner(a: Direction, b: Direction) -> tuple[Delta, ...] | None:
    """<a, b> as a product of deltas; None is zero (different families are orthogonal)."""
    if a.family != b.family:
        return None
    return tuple(Delta(x, y) for x, y in zip(a.index, b.index, strict=True))
