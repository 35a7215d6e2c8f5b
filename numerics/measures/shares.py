"""Attention of the last position by role, for the two kinds of sequences: what Figs. 9, 11, 22 and 25 show.

The roles of numerics.training.attention, and on PT sequences `first_subject`, the first token (every subsequence begins with
the same subject, which the position alone tells apart).
"""

import torch
from torch import Tensor

from numerics.models.factored import Factored
from numerics.sampling.batch import IclBatch, PretrainingBatch
from numerics.sampling.tables import Tables
from numerics.training.attention import Shares, attention_roles

# The role of the subject head and of the relation head on the two kinds of sequences.
ROLES = {"pt": ("subject_token", "own_relation"), "icl": ("query", "attributes")}


@torch.no_grad()
def shares(model: Factored, batch: IclBatch | PretrainingBatch, tables: Tables) -> Shares:
    """As attention_roles, with first_subject.  Cost O(B H T d_h)."""
    found = attention_roles(model, batch, tables)
    if isinstance(batch, IclBatch):
        return found
    first = model.attention(batch.tokens, last=True)[:, :, 0, 0]
    is_subject = batch.tokens[:, :1] < tables.M
    by_role: dict[str, Tensor] = found.by_role | {"first_subject": (first * is_subject).mean(0)}
    if "subject_token" not in by_role:
        # One subsequence: the own subject is the only one.
        by_role["subject_token"] = by_role["own_subject"]
    share = is_subject.double().mean().item() / batch.tokens.shape[1]
    uniform = {"subject_token": found.uniform["own_subject"]} | found.uniform | {"first_subject": share}
    return Shares(by_role, uniform)
