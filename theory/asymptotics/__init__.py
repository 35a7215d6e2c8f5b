"""Approximations as objects: leading term, exact remainder, order."""

from theory.asymptotics.expansion import Expansion, expand
from theory.asymptotics.gradients import (
    attribute_coefficient,
    coefficient_expansions,
    everything_large,
    heldout_threshold,
    long_context,
    long_context_many_subjects,
    many_values,
    seen_condition,
    squared_norm_expansion,
)

__all__ = [
    "Expansion",
    "attribute_coefficient",
    "coefficient_expansions",
    "everything_large",
    "expand",
    "heldout_threshold",
    "long_context",
    "long_context_many_subjects",
    "many_values",
    "seen_condition",
    "squared_norm_expansion",
]
