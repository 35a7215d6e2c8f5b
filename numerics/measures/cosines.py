"""Cosines of head outputs with a target, and what they can and cannot see.

    all          over all V coordinates
    attributes   over the coordinates of attribute tokens
    centred      over the attribute tokens with the mean over them removed (a constant vector scores 0)

With A attribute tokens of which L are the subject's own, a constant negative vector has with f_subj the first two cosines

    (A - L) / sqrt(A (A - L)) = sqrt(1 - L / A),

.98 at the paper's sizes: there they cannot tell the construction from a head that knows no facts.  The centred cosine can,
but is 1 for a head that pushes the subject's own values up as well (`numerics.measures.association` tells these two
apart).  No cosine sees attention: it does not change when a head puts half of its attention where its W_OV is zero.

`explained` is none of the three: the share of the variation of the outputs across sequences, on attribute tokens, that one
multiple of the target's variation explains.  Whatever is the same for every sequence scores 0.
"""

import torch
from torch import Tensor

MEASURES = ("all", "attributes", "centred")


def cosine(x: Tensor, y: Tensor) -> Tensor:
    """Cosines along the last axis; 0 where a vector is zero."""
    norms = x.norm(dim=-1) * y.norm(dim=-1)
    return torch.where(norms > 0, (x * y).sum(-1) / norms.clamp(min=torch.finfo(x.dtype).tiny), torch.zeros_like(norms))


def cosines(outputs: Tensor, target: Tensor, attributes: Tensor) -> dict[str, Tensor]:
    """measure -> (..,) mean over the sequences of the cosine of outputs (B, .., V) with target (B, V).  Cost O(B .. V).

    attributes: (V,) mask.  The mean of cosines, not the cosine of means.  Raises ValueError for shapes that do not fit.
    """
    if outputs.ndim < 2 or outputs.shape[:1] + outputs.shape[-1:] != target.shape:
        raise ValueError(
            f"outputs must be (B, .., V) with target (B, V), got {tuple(outputs.shape)} and {tuple(target.shape)}"
        )
    x = outputs.double()
    y = target.double().view(len(target), *(1,) * (outputs.ndim - 2), -1)
    x_a, y_a = x[..., attributes], y[..., attributes]
    centred = cosine(x_a - x_a.mean(-1, keepdim=True), y_a - y_a.mean(-1, keepdim=True))
    return {"all": cosine(x, y).mean(0), "attributes": cosine(x_a, y_a).mean(0), "centred": centred.mean(0)}


def explained(outputs: Tensor, target: Tensor, attributes: Tensor) -> Tensor:
    """(..,) in 0..1: 1 - |x - c y|^2 / |x|^2 with the best c, x and y outputs (B, .., V) and target (B, V) on the attribute
    tokens less their means over the sequences; 0 for outputs that do not vary and where c < 0.  Cost O(B .. V)."""
    x = outputs.double()[..., attributes]
    y = target.double()[:, attributes].view(len(target), *(1,) * (outputs.ndim - 2), -1)
    x, y = x - x.mean(0), y - y.mean(0)
    product, xx, yy = (x * y).sum((0, -1)), (x * x).sum((0, -1)), (y * y).sum((0, -1))
    # Outputs that are the same for all sequences leave rounding errors behind, not zeros.
    floor = 1e-12 * (outputs.double()[..., attributes] ** 2).sum((0, -1))
    share = product.clamp(min=0) ** 2 / (xx * yy).clamp(min=torch.finfo(x.dtype).tiny)
    return torch.where(xx > floor, share, torch.zeros_like(share))
