"""What a head is for: the accuracy without it.

    none       the network as it is
    mean       the head puts out its mean over the batch: whatever it says about this sequence is gone
    uniform    the head attends to all positions alike, through the same W_OV: what its attention is worth

A cosine says what a head's output looks like; only this says that the prediction needs it.  Without the subject head a
network that works as constructed guesses among the values of the type, without the relation head among the subject's.
"""

import torch
from torch import Tensor

from numerics.models.factored import Factored


@torch.no_grad()
def outputs(model: Factored, tokens: Tensor) -> Tensor:
    """(B, H, V) outputs of the heads at the last position.  Cost O(B H (T d_h + d_h V))."""
    z = (model.attention(tokens, last=True) @ model.value[:, tokens].transpose(0, 1))[:, :, 0]
    return _written(model, z.transpose(0, 1))


def _written(model: Factored, z: Tensor) -> Tensor:
    """(B, H, V) from what the heads read, z (H, B, d_h): one product per head, not one per sequence."""
    return (z @ model.output.transpose(1, 2)).transpose(0, 1)


@torch.no_grad()
def uniform_outputs(model: Factored, tokens: Tensor) -> Tensor:
    """(B, H, V) outputs of the heads if they attended to all positions alike.  Cost as `outputs`."""
    return _written(model, model.value[:, tokens].mean(2))


def exact(logits: Tensor, targets: Tensor) -> float:
    """Share of the rows (B, V) whose argmax is the target (B,)."""
    return float((logits.argmax(-1) == targets).double().mean())


def ablations(model: Factored, tokens: Tensor, targets: Tensor) -> dict[str, list[float]]:
    """'none' -> [accuracy]; 'mean', 'uniform' -> accuracy with that done to each head (H).  Cost O(H) of `outputs`."""
    out, flat = outputs(model, tokens), uniform_outputs(model, tokens)
    total = out.sum(1)
    means = [exact(total - out[:, h] + out[:, h].mean(0), targets) for h in range(model.n_heads)]
    flats = [exact(total - out[:, h] + flat[:, h], targets) for h in range(model.n_heads)]
    return {"none": [exact(total, targets)], "mean": means, "uniform": flats}
