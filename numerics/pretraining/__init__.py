"""The pretraining (PT) population: every sequence, the exact next-token law, position roles, and the Markov chains."""

from numerics.pretraining.chains import (
    NORMS,
    Selection,
    distances,
    divergence,
    greedy_selection,
    transition_pool,
)
from numerics.pretraining.enumerate import Sequences, population_size, sampled, sequences, weight
from numerics.pretraining.law import hazard, next_token_law
from numerics.pretraining.layout import Layout
from numerics.pretraining.roles import KINDS, Role, roles

__all__ = [
    "KINDS",
    "NORMS",
    "Layout",
    "Role",
    "Selection",
    "Sequences",
    "distances",
    "divergence",
    "greedy_selection",
    "hazard",
    "next_token_law",
    "population_size",
    "roles",
    "sampled",
    "sequences",
    "transition_pool",
    "weight",
]
