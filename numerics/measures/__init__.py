"""Measures of what the heads of a trained network do: attention by role, outputs against the constructions, W_OV, ablations."""

from numerics.measures.ablation import ablations, outputs, uniform_outputs
from numerics.measures.association import (
    SubjectPattern,
    relation_separation,
    separation,
    subject_pattern,
    value_separation,
)
from numerics.measures.cosines import MEASURES, cosine, cosines, explained
from numerics.measures.mechanism import HALF_WAY, KINDS, MAJORITY, Mechanism, mechanism
from numerics.measures.shares import ROLES, shares
from numerics.measures.targets import attribute_mask, own_values, relation_target, seen_values, subject_target

__all__ = [
    "HALF_WAY",
    "KINDS",
    "MAJORITY",
    "MEASURES",
    "ROLES",
    "Mechanism",
    "SubjectPattern",
    "ablations",
    "attribute_mask",
    "cosine",
    "cosines",
    "explained",
    "mechanism",
    "outputs",
    "own_values",
    "relation_separation",
    "relation_target",
    "seen_values",
    "separation",
    "shares",
    "subject_pattern",
    "subject_target",
    "uniform_outputs",
    "value_separation",
]
