"""The constructions of Propositions 1-4: what they do on all sequences, and how large beta has to be."""

from theory.constructions.case import Case, Head, Law, Outcome, Quantity, Statement
from theory.constructions.class_scores import (
    ClassWeights,
    Scores,
    Threshold,
    sufficient_beta,
    sufficient_closed,
)
from theory.constructions.classes import Key, TokenClass, Verdict
from theory.constructions.exponential import ExponentialPolynomial
from theory.constructions.icl import IclSequence, icl_case, icl_margin, icl_parameters, icl_statement
from theory.constructions.positions import position_equations, position_threshold
from theory.constructions.prefix import Prefix
from theory.constructions.pretraining import pretraining_case
from theory.constructions.pretraining_outcomes import pretraining_statement, sep_margin, smallest_failures
from theory.constructions.relation_heads import RelationHeads, relation_heads
from theory.constructions.situation import Situation, hazard, next_law, uniform_distance
from theory.constructions.thresholds import (
    Equation,
    icl_contrast,
    icl_equations,
    icl_threshold,
    pretraining_equations,
    pretraining_threshold,
    printed_weights,
    threshold_steps,
)

__all__ = [
    "Case",
    "ClassWeights",
    "Equation",
    "ExponentialPolynomial",
    "Head",
    "IclSequence",
    "Key",
    "Law",
    "Outcome",
    "Prefix",
    "Quantity",
    "RelationHeads",
    "Scores",
    "Situation",
    "Statement",
    "Threshold",
    "TokenClass",
    "Verdict",
    "hazard",
    "icl_case",
    "icl_contrast",
    "icl_equations",
    "icl_margin",
    "icl_parameters",
    "icl_statement",
    "icl_threshold",
    "next_law",
    "position_equations",
    "position_threshold",
    "pretraining_case",
    "pretraining_equations",
    "pretraining_statement",
    "pretraining_threshold",
    "printed_weights",
    "relation_heads",
    "sep_margin",
    "smallest_failures",
    "sufficient_beta",
    "sufficient_closed",
    "threshold_steps",
    "uniform_distance",
]
