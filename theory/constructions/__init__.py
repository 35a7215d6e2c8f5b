"""The constructions of Propositions 1-4: what they do on all sequences, and how large beta has to be."""

from theory.constructions.case import Case, Head, Law, Outcome, Quantity, Statement
from theory.constructions.classes import Key, TokenClass, Verdict
from theory.constructions.prefix import Prefix
from theory.constructions.pretraining import pretraining_case
from theory.constructions.pretraining_outcomes import pretraining_statement, smallest_failures
from theory.constructions.situation import Situation, hazard, next_law, uniform_distance

__all__ = [
    "Case",
    "Head",
    "Key",
    "Law",
    "Outcome",
    "Prefix",
    "Quantity",
    "Situation",
    "Statement",
    "TokenClass",
    "Verdict",
    "hazard",
    "next_law",
    "pretraining_case",
    "pretraining_statement",
    "smallest_failures",
    "uniform_distance",
]
