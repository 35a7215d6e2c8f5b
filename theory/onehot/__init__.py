"""The abstract one-hot index algebra: a small language in which operators are written and expectations taken."""

from theory.onehot.classes import DirectionClass, EntryClass
from theory.onehot.coefficient import Coefficient, read
from theory.onehot.direction import Delta, Direction, Family, Frequency, Population, PowerSum
from theory.onehot.expectation import expectation, query_value
from theory.onehot.index import Attribute, Draw, Drawn, Grammar, Range, Subject, Type, Value
from theory.onehot.tensor import Tensor, Term, contract, product, scalar, simplify, vector, zero

__all__ = [
    "Attribute",
    "Coefficient",
    "Delta",
    "Direction",
    "DirectionClass",
    "Draw",
    "Drawn",
    "EntryClass",
    "Family",
    "Frequency",
    "Grammar",
    "Population",
    "PowerSum",
    "Range",
    "Subject",
    "Tensor",
    "Term",
    "Type",
    "Value",
    "contract",
    "expectation",
    "product",
    "query_value",
    "read",
    "scalar",
    "simplify",
    "vector",
    "zero",
]
