"""Frobenius norms of the balanced hat gradients (full window): entries of a class times how many there are.

The gradient of W_KQ is (column) h(sep)^T, so its Frobenius norm is the norm of the column; per unit beta.
"""

import sympy

from theory.finetuning.balanced import balanced_coefficients
from theory.onehot.classes import DirectionClass, EntryClass
from theory.symbols import L, M, M_ft, U, m


def multiplicities() -> dict[DirectionClass | EntryClass, sympy.Expr]:
    """How many directions or entries each class holds (full window); classes with zero coefficients are left out."""
    return {
        DirectionClass.SUBJECT_SEEN: M_ft,
        DirectionClass.SUBJECT_HELDOUT: M - M_ft,
        DirectionClass.ATTRIBUTE: L * U,
        DirectionClass.RELATION: L,
        DirectionClass.SEP: sympy.Integer(1),
        DirectionClass.P_QUERY: sympy.Integer(1),
        DirectionClass.P_CONTEXT: m - 1,
        DirectionClass.P_ATTRIBUTE: m - 1,
        DirectionClass.P_SEP: m,
        EntryClass.ATTRIBUTE_ATTRIBUTE: L * U**2,
        EntryClass.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE: L * (L - 1) * U**2,
        EntryClass.OWN_ATTRIBUTE_SEEN: L * M_ft,
        EntryClass.OTHER_ATTRIBUTE_SEEN: L * (U - 1) * M_ft,
        EntryClass.ATTRIBUTE_HELDOUT: L * U * (M - M_ft),
        EntryClass.ATTRIBUTE_SEP: L * U,
        EntryClass.ATTRIBUTE_RELATION_SAME_TYPE: L * U,
    }


def squared_norm(step: str, without: tuple[DirectionClass | EntryClass, ...] = ()) -> sympy.Expr:
    """Exact squared Frobenius norm of a balanced hat gradient, some classes left out; `step` as in balanced_coefficients."""
    counts = multiplicities()
    coefficients = balanced_coefficients(step).items()
    terms = (counts[key] * value**2 for key, value in coefficients if value != 0 and key not in without)
    return sympy.factor(sum(terms, sympy.Integer(0)))


def norm(step: str) -> sympy.Expr:
    """Exact Frobenius norm of a balanced hat gradient (U >= 1, so |U - 1| = U - 1)."""
    return sympy.sqrt(squared_norm(step)).subs(sympy.Abs(U - 1), U - 1)
