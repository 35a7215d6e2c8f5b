"""Indices of the one-hot algebra: what a direction, a delta or a frequency can be about.

A Range is a set of disjoint named parts, so inclusion and disjointness are set operations and every contraction
can be checked: subjects are seen or held out; draws (the slots of a sequence) are the query or context draws,
the latter split by how much of their triple s, sep, a lies inside the window.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Range:
    """A set of index values, as a union of disjoint named parts."""

    parts: frozenset[str]

    def __le__(self, other: "Range") -> bool:
        return self.parts <= other.parts

    def disjoint(self, other: "Range") -> bool:
        return not self.parts & other.parts


def parts(*names: str) -> Range:
    """Range made of the named parts."""
    return Range(frozenset(names))


ALL = parts("seen", "heldout")
SEEN = parts("seen")
HELDOUT = parts("heldout")
TYPES = parts("types")
VALUES = parts("values")
GRAMMAR_TOKENS = parts("grammar")

# A context draw i has its attribute at p_{1-3i}, its sep at p_{-3i}, its subject at p_{-1-3i}: the window, which
# is made of the last positions, meets them in this order.
QUERY_DRAW = "query"
WHOLE, NO_SUBJECT, ATTRIBUTE_ONLY, OUTSIDE = "whole", "no_subject", "attribute_only", "outside"
CONTEXT = parts(WHOLE, NO_SUBJECT, ATTRIBUTE_ONLY, OUTSIDE)
DRAWS = parts(QUERY_DRAW, WHOLE, NO_SUBJECT, ATTRIBUTE_ONLY, OUTSIDE)


@dataclass(frozen=True)
class Type:
    """An attribute type l."""

    name: str
    range: Range = TYPES


@dataclass(frozen=True)
class Subject:
    """A subject s that is not random."""

    name: str
    range: Range = ALL


@dataclass(frozen=True)
class Draw:
    """A slot of the sequence; its subject is random."""

    name: str
    range: Range = DRAWS


@dataclass(frozen=True)
class Drawn:
    """The subject s_{j_k} at slot k: uniform on F."""

    draw: Draw

    @property
    def range(self) -> Range:
        return SEEN


@dataclass(frozen=True)
class Value:
    """A value u of type l that is not random."""

    name: str
    type: Type
    range: Range = VALUES


@dataclass(frozen=True)
class Attribute:
    """The value a_s^l of subject s of type l."""

    subject: Subject | Drawn
    type: Type

    @property
    def range(self) -> Range:
        return VALUES


@dataclass(frozen=True)
class Grammar:
    """A grammar token."""

    name: str
    range: Range = GRAMMAR_TOKENS


Variable: TypeAlias = Type | Subject | Draw | Value | Grammar
Index: TypeAlias = Type | Subject | Draw | Value | Grammar | Drawn | Attribute

SEQUENCE_TYPE = Type("ell")
QUERY = Draw("q", parts(QUERY_DRAW))


def substitute(item: Any, old: Any, new: Any) -> Any:
    """Replace the index `old` by `new` everywhere inside `item` (indices, tuples, frozensets, dataclasses)."""
    if item == old:
        return new
    if isinstance(item, tuple):
        return tuple(substitute(part, old, new) for part in item)
    if isinstance(item, frozenset):
        return frozenset(substitute(part, old, new) for part in item)
    if is_dataclass(item) and not isinstance(item, Range | type):
        return type(item)(**{f.name: substitute(getattr(item, f.name), old, new) for f in fields(item)})
    return item


def contains(item: Any, index: Any) -> bool:
    """Whether `index` occurs inside `item`."""
    if item == index:
        return True
    if isinstance(item, tuple | frozenset):
        return any(contains(part, index) for part in item)
    if is_dataclass(item) and not isinstance(item, Range | type):
        return any(contains(getattr(item, f.name), index) for f in fields(item))
    return False
