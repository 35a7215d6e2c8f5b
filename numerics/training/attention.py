"""What the heads attend to: attention maps, and the share of attention by role, beside what uniform attention gives.

Roles are of the attended position, seen from the last position of a sequence.

    ICL   query (its subject), context_subjects, attributes, context_seps, sep (the last token itself)
    PT    own_ = in the subsequence of the last position, earlier_ = before it; each with subject, relation, grammar, and
          sep, attribute.  On PT sequences the most recent subject is the same token as the earlier ones: only positions tell
          them apart, and `subject_token` adds both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.models.factored import Factored
from numerics.sampling.batch import IclBatch, PretrainingBatch
from numerics.sampling.tables import Tables

KINDS = ("subject", "attribute", "relation", "grammar", "sep")


@dataclass(frozen=True, eq=False)
class Shares:
    """by_role: role -> (H,) mean attention of every head on the positions of the role; uniform: role -> mean share under
    uniform attention.  They add up to 1 over the roles, except for subject_token, which is a sum of two."""

    by_role: dict[str, Tensor]
    uniform: dict[str, float]

    def strongest(self) -> tuple[str, ...]:
        """For every head the role with the largest share (roles that are sums left out)."""
        names = [name for name in self.by_role if name != "subject_token"]
        top = torch.stack([self.by_role[name] for name in names]).argmax(0)
        return tuple(names[int(k)] for k in top)


def token_kinds(tables: Tables, tokens: Tensor) -> Tensor:
    """Indices into KINDS, of any shape."""
    kind = torch.full_like(tokens, KINDS.index("attribute"))
    kind[tokens < tables.M] = KINDS.index("subject")
    kind[tokens >= tables.first_relation] = KINDS.index("relation")
    kind[tokens >= tables.first_grammar] = KINDS.index("grammar")
    kind[tokens == tables.sep] = KINDS.index("sep")
    return kind


def icl_roles(tokens: Tensor) -> dict[str, Tensor]:
    """role -> (B, T) bool, of ICL sequences (B, T = 3m - 1)."""
    at = torch.arange(tokens.shape[1], device=tokens.device)
    query = len(at) - 2
    found = {
        "query": at == query,
        "context_subjects": (at % 3 == 0) & (at != query),
        "attributes": at % 3 == 2,
        "context_seps": (at % 3 == 1) & (at != query + 1),
        "sep": at == query + 1,
    }
    return {name: mask.expand(tokens.shape) for name, mask in found.items()}


def pretraining_roles(tables: Tables, tokens: Tensor, S: int) -> dict[str, Tensor]:
    """role -> (B, T) bool, of PT sequences (B, T = (S + 3) n - 1)."""
    own = torch.arange(tokens.shape[1], device=tokens.device) >= tokens.shape[1] - (S + 2)
    kind = token_kinds(tables, tokens)
    found = {}
    for where, mask in (("own", own), ("earlier", ~own)):
        for number, name in enumerate(KINDS):
            found[f"{where}_{name}"] = (kind == number) & mask
    return found


@torch.no_grad()
def attention_map(model: Factored, tokens: Tensor) -> Tensor:
    """(H, T, T) attention of one sequence (T,): [head, query position, key position]."""
    return model.attention(tokens[None])[0]


@torch.no_grad()
def attention_roles(
    model: Factored, batch: IclBatch | PretrainingBatch, tables: Tables, S: int | None = None
) -> Shares:
    """The shares at the last position, averaged over the batch.  S: slots of a PT subsequence, by default from the batch.

    Cost O(B H T d_h).  Roles that stand nowhere in the batch are left out.
    """
    if isinstance(batch, IclBatch):
        roles = icl_roles(batch.tokens)
    else:
        if S is None:
            S = (batch.tokens.shape[1] + 1) // batch.types.shape[1] - 3
        roles = pretraining_roles(tables, batch.tokens, S)
    alpha = model.attention(batch.tokens, last=True)[:, :, 0]
    shares = {name: (alpha * mask[:, None]).sum(2).mean(0) for name, mask in roles.items() if mask.any()}
    uniform = {name: roles[name].double().mean().item() for name in shares}
    if "own_subject" in shares and "earlier_subject" in shares:
        shares["subject_token"] = shares["own_subject"] + shares["earlier_subject"]
        uniform["subject_token"] = uniform["own_subject"] + uniform["earlier_subject"]
    return Shares(shares, uniform)
