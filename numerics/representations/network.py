"""The 2-layer network's representations of contexts, and its logits with one of them replaced (numerics.gpt)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from numerics.gpt import GPT
from numerics.gpt.model import Block
from numerics.representations.contexts import Contexts
from numerics.representations.steering import Replaced

# What the last layer's attention adds to the stream: the representation of the task vectors.
LAST_ATTENTION = "layer2.attention"


def _parts(tokens: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    for part in tokens.split(batch):
        yield part, part.new_full((len(part),), part.shape[1] - 1)


@torch.no_grad()
def points(model: GPT, contexts: Contexts, t: int, batch: int = 512) -> dict[str, Tensor]:
    """name -> (n, d): every representation at the query, after t demonstrations.  Cost: n forward passes of 3 t + 1 tokens."""
    found = [model.representations(*part) for part in _parts(contexts.tokens(t), batch)]
    return {name: torch.cat([one[name] for one in found]) for name in found[0]}


@torch.no_grad()
def logits(model: GPT, contexts: Contexts, t: int, batch: int = 512) -> Tensor:
    """(n, V): of the token after the query, after t demonstrations."""
    return torch.cat([model.logits_at(*part) for part in _parts(contexts.tokens(t), batch)])


@torch.no_grad()
def replacing(model: GPT, contexts: Contexts, name: str = LAST_ATTENTION, batch: int = 512) -> Replaced:
    """What `steered` asks of the network: logits with representation `name` replaced at the query, at N demonstrations.

    Of 2 layers, what follows "layer2.attention" at the query depends on the stream there alone, x + value with x after layer 1: it is
    computed once, and a replacement costs the last MLP and the unembedding.  Any other name: GPT.logits_with, the same numbers.
    """
    tokens = contexts.tokens(contexts.N)
    if name == LAST_ATTENTION and model.n_layers == 2:
        before, last = points(model, contexts, contexts.N, batch)["layer1.residual"], model.blocks[1]
        if not isinstance(last, Block):
            raise TypeError(f"blocks must be Block, got {type(last)}")

        @torch.no_grad()
        def continued(rows: Tensor, value: Tensor) -> Tensor:
            x = before[rows] + value.to(before)
            return model.unembed(x + last.mlp(x))

        return continued

    @torch.no_grad()
    def whole(rows: Tensor, value: Tensor) -> Tensor:
        at = rows.new_full((len(rows),), tokens.shape[1] - 1)
        return model.logits_with(tokens[rows], at, name, value.to(model.token))

    return whole
