"""Leading terms of the balanced hat gradients, of their norms, and of the sharp condition (full window)."""

from collections.abc import Mapping

import sympy

from theory.asymptotics.expansion import Expansion, expand
from theory.finetuning.balanced import balanced_coefficients
from theory.finetuning.conclusion.sharp import sharp_condition
from theory.finetuning.norms import squared_norm
from theory.symbols import L, M_ft, U, m

Regime = Mapping[sympy.Symbol, int]


def long_context() -> Regime:
    """m -> infinity, everything else fixed."""
    return {m: 1}


def long_context_many_subjects() -> Regime:
    """m -> infinity and M_ft / U -> infinity: m ~ t, M_ft ~ t, U and L fixed."""
    return {m: 1, M_ft: 1}


def many_values() -> Regime:
    """U -> infinity with M_ft ~ U^2, m and L fixed: the scale at which the sharp condition is decided."""
    return {U: 1, M_ft: 2}


def everything_large() -> Regime:
    """m, U, L ~ t and M_ft ~ t^2: all parameters grow, M_ft fastest."""
    return {m: 1, U: 1, L: 1, M_ft: 2}


def coefficient_expansions(step: str, regime: Regime) -> dict[str, Expansion]:
    """Expansion of every non-zero balanced coefficient of a step, by class name."""
    return {
        key.value: expand(f"{step} {key.value}", value, regime)
        for key, value in balanced_coefficients(step).items()
        if value != 0
    }


def squared_norm_expansion(step: str, regime: Regime) -> Expansion:
    """Expansion of the squared Frobenius norm; the norm is its root, with the same relative order."""
    return expand(f"squared norm of {step}", squared_norm(step), regime)


def attribute_coefficient() -> Expansion:
    """Attribute coefficient of kq_rel as m and M_ft/U grow: -2 eta_ov / (27 L^2 U^3)."""
    return coefficient_expansions("kq_rel", long_context_many_subjects())["attribute"]


def heldout_threshold(regime: Regime) -> Expansion:
    """Threshold of M_ft for held-out queries: U^2/(m-1) as U grows, U/2 as m grows."""
    return expand("M_ft threshold, held-out query", sharp_condition().M_ft_heldout, regime)


def seen_condition() -> Expansion:
    """The seen-query polynomial as U grows with M_ft ~ U^2: changes sign at M_ft = U^2/(m-1) as well."""
    return expand("seen-query condition", sharp_condition().seen, many_values())
