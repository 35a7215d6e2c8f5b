"""What Props. 1 and 2 say the heads put out at the last position.

    f_subj(X) = -(sum_u h(u) - sum_l h(a_j^l))     -1 at every value that is not the subject's own, 0 at its own
    f_rel(X)  = sum of h(u) over the values of the type (Prop. 2: over U'_l, those seen in finetuning)

and the mirror image of f_subj that a boosting head puts out, sum_l h(a_j^l).
"""

import torch
from torch import Tensor

from numerics.sampling.tables import Tables


def attribute_mask(tables: Tables) -> Tensor:
    """(V,) bool: the attribute tokens."""
    return tables.type_of_token >= 0


def seen_values(tables: Tables) -> Tensor:
    """(V,) bool: the values of the finetuning subjects, the union of the U'_l."""
    mask = torch.zeros_like(tables.type_of_token, dtype=torch.bool)
    mask[tables.attribute_token[tables.finetune].flatten()] = True
    return mask


def own_values(tables: Tables, subjects: Tensor) -> Tensor:
    """(B, V): 1 at the values of the subjects (B,), their boosting construction.  Cost O(B V)."""
    out = torch.zeros((len(subjects), tables.V), device=tables.device)
    return out.scatter_(1, tables.attribute_token[subjects], 1.0)


def subject_target(tables: Tables, subjects: Tensor) -> Tensor:
    """(B, V): f_subj of the subjects (B,).  Cost O(B V)."""
    return own_values(tables, subjects) - attribute_mask(tables).float()


def relation_target(tables: Tables, types: Tensor, among: Tensor | None = None) -> Tensor:
    """(B, V): f_rel of the types (B,), over the values of the mask `among` (V,) alone if given.  Cost O(B V)."""
    out = tables.type_of_token == types[:, None]
    return (out if among is None else out & among).float()
