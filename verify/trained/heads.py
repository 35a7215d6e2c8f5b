"""One network on one kind of sequences: attention, outputs against the construction, baselines, ablations.

Baselines, each under the same measures as the head that holds the role (`subject`, `relation`):

    constant    the same vector for every sequence: -1 (subject) or 1 (relation) on every attribute token
    shuffled    the construction with the facts of another subject, the values of another type
    uniform     the head's own W_OV under uniform attention
    other       the head that holds the other role
    initial     the network before training, its best head
    before      on ICL sequences, the network before finetuning, its best head
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from numerics.measures import (
    ROLES,
    ablations,
    attribute_mask,
    cosines,
    explained,
    mechanism,
    outputs,
    relation_target,
    seen_values,
    shares,
    subject_pattern,
    subject_target,
    uniform_outputs,
)
from numerics.models.factored import Factored
from numerics.sampling import IclBatch, PretrainingBatch, Tables

SCORES = ("all", "attributes", "centred", "explained")
TARGETS = ("subject", "relation")


@dataclass(frozen=True, eq=False)
class Sequences:
    """A batch of one kind ('pt', 'icl'), its subjects and types at the last position, and what the construction puts out."""

    kind: str
    batch: PretrainingBatch | IclBatch
    tables: Tables
    subjects: Tensor
    types: Tensor

    @staticmethod
    def of(batch: PretrainingBatch | IclBatch, tables: Tables) -> "Sequences":
        """The batch with the subject and the type to be recalled."""
        if isinstance(batch, IclBatch):
            return Sequences("icl", batch, tables, batch.subjects[:, -1], batch.types)
        return Sequences("pt", batch, tables, batch.subjects, batch.types[:, -1])

    def target(self, name: str, step: int = 0) -> Tensor:
        """(B, V) f_subj or f_rel; step > 0: of the subject, or type, that many further on."""
        if name == "subject":
            return subject_target(self.tables, (self.subjects + step) % self.tables.M)
        among = seen_values(self.tables) if self.kind == "icl" else None
        return relation_target(self.tables, (self.types + step) % self.tables.L, among)


def scores(outputs_: Tensor, target: Tensor, attributes: Tensor) -> dict[str, Tensor]:
    """The cosines and the explained share, by name: (..,) for outputs (B, .., V)."""
    return cosines(outputs_, target, attributes) | {"explained": explained(outputs_, target, attributes)}


def _baselines(
    sequences: Sequences, name: str, flat: Tensor, other: Tensor, references: dict[str, Tensor]
) -> dict[str, dict[str, float]]:
    """flat: (B, V) of the role's head under uniform attention; other: (B, V) of the other role's; references: (B, H, V)."""
    attributes = attribute_mask(sequences.tables)
    target = sequences.target(name)
    sign = -1.0 if name == "subject" else 1.0
    vectors = {
        "constant": (sign * attributes.float()).expand(target.shape),
        "shuffled": sequences.target(name, 1),
        "uniform": flat,
        "other": other,
        **references,
    }
    scored = {label: scores(vector, target, attributes) for label, vector in vectors.items()}
    # The best head of a network, measure by measure.
    return {label: {score: float(x.max()) for score, x in found.items()} for label, found in scored.items()}


@torch.no_grad()
def heads(model: Factored, sequences: Sequences, references: dict[str, Factored] | None = None) -> dict[str, Any]:
    """Everything about the heads, as JSON values; lists are over heads.  references: the networks 'initial', 'before'.

    Cost O(B H (T d_h + d_h V)) and O(H V^2 d_h) for W_OV.
    """
    tables, tokens = sequences.tables, sequences.batch.tokens
    attention = shares(model, sequences.batch, tables)
    patterns = [subject_pattern(ov, tables) for ov in model.ov()]
    subject_role, relation_role = ROLES[sequences.kind]
    found = mechanism(attention.by_role[subject_role], attention.by_role[relation_role], patterns)
    out, flat, attributes = outputs(model, tokens), uniform_outputs(model, tokens), attribute_mask(tables)
    beside = {label: outputs(network, tokens) for label, network in (references or {}).items()}
    roles = {"subject": found.subject_head, "relation": found.relation_head}
    measured: dict[str, Any] = {name: scores(out, sequences.target(name), attributes) for name in TARGETS}
    return {
        "shares": {name: share.tolist() for name, share in attention.by_role.items()},
        "uniform_shares": attention.uniform,
        "mechanism": asdict(found),
        # JSON has no nan.
        "patterns": [{k: x if math.isfinite(x) else None for k, x in asdict(p).items()} for p in patterns],
        "scores": {name: {score: x.tolist() for score, x in found.items()} for name, found in measured.items()},
        "baselines": {
            name: _baselines(sequences, name, flat[:, roles[name]], out[:, roles[other]], beside)
            for name, other in (("subject", "relation"), ("relation", "subject"))
        },
        "ablations": ablations(model, tokens, sequences.batch.targets),
    }
