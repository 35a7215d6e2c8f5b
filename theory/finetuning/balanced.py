"""The hat gradients of balanced worlds: f_u = 1/U for every value of every type."""

from enum import StrEnum
from typing import Any

import sympy

from theory.derivation import Derivation
from theory.finetuning.relation_head import kq_rel_derivation
from theory.finetuning.relation_values import ov_rel_derivation
from theory.finetuning.subject_head import kq_subj_derivation
from theory.onehot.classes import EntryClass
from theory.symbols import full_window


class GradientStep(StrEnum):
    """The gradients of the two steps."""

    KQ_SUBJ = "kq_subj"
    OV_REL = "ov_rel"
    OV_REL_PROJECTED = "ov_rel_projected"
    KQ_REL = "kq_rel"


def derivation(step: str) -> Derivation:
    """The derivation of a gradient, by name. ValueError for an unknown name."""
    try:
        known = GradientStep(step)
    except ValueError:
        raise ValueError(f"step = {step!r}: valid are {[s.value for s in GradientStep]}") from None
    if known == GradientStep.KQ_SUBJ:
        return kq_subj_derivation()
    if known == GradientStep.KQ_REL:
        return kq_rel_derivation()
    return ov_rel_derivation(projected=known == GradientStep.OV_REL_PROJECTED)


def balanced_coefficients(step: str, window: str = "full") -> dict[Any, sympy.Expr]:
    """Exact balanced coefficients (gradients, not updates) of every class, evaluated in O(1) for any M.

    step    "kq_subj" | "ov_rel" | "ov_rel_projected" | "kq_rel"
    window  "full" (symbols m, U, L, M_ft, eta_ov) or "general" (also w, n_a, n_c, n_q, n_s)
    Keys: DirectionClass for W_KQ, EntryClass for W_OV. Positions outside the window have coefficient 0 in kq_rel.
    Raises ValueError for an unknown step or window.
    """
    if window not in ("full", "general"):
        raise ValueError(f"window = {window!r}: valid are 'full' and 'general'")
    found = derivation(step).balanced()
    if step in (GradientStep.OV_REL, GradientStep.OV_REL_PROJECTED):
        found[EntryClass.REST] = sympy.Integer(0)
    if window == "general":
        return found
    return {key: sympy.factor(value.subs(full_window(), simultaneous=True)) for key, value in found.items()}
