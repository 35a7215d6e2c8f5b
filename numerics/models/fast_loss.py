"""The next-token loss of the factored network and its gradient, on the distinct tokens of the batch.

    logits^t = sum_{h, e} mass^t_{h,e} r_{h,e},     r_{h,e} = W_O^T W_V h(token of slot e)

is a product with the H D rows of the sequence's own tokens; r is built once per token of the batch.  Beside gathers, which
put B T H d_h V operations into the output matrix, this needs B T H D V + N H d_h V: with D = 16 tokens of a sequence and
N = 250 of a batch about eight times less.  G = softmax - one-hot replaces the logits in place, and

    d r = mass^T G (per sequence, then added up by token),   d W_V = d r W_O,   d W_O = d r^T W_V,   d mass = G r^T.

At the last position alone (finetuning) plain products over the batch's tokens are enough.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable
from torch.nn.functional import pad

from numerics.models.factored import Factored, checked_tokens
from numerics.models.fast_attention import Mass, attention_gradient, attention_mass, summed_rows
from numerics.models.fast_tokens import Distinct, batch_tokens, distinct, rounded_up


class Loss(NamedTuple):
    """loss: mean cross-entropy (differentiable); predictions: argmax token of every position that counts, if asked for."""

    loss: Tensor
    predictions: Tensor | None


def _rows(found: Distinct, H: int) -> Tensor:
    """(B H D,) index into the (H N) rows: h N + slot."""
    heads = torch.arange(H, device=found.slots.device) * found.N
    return (heads[:, None] + found.slots[:, None, :]).flatten()


class _Forward(NamedTuple):
    """What the gradient needs; W is V rounded up, with logits of -inf beyond V: value (H, N, d_h) and output (H, W, d_h)
    columns, index of the rows, rows by sequence (B, H D, W), logits (B, T, W)."""

    found: Distinct
    state: Mass
    value: Tensor
    output: Tensor
    row_index: Tensor
    rows: Tensor
    logits: Tensor


def _forward(model: Factored, tokens: Tensor) -> _Forward:
    found = distinct(tokens, model.V)
    state = attention_mass(model.key, model.query, found, model.positions == "relative", model.scale)
    value = model.value.index_select(1, found.tokens)
    index = _rows(found, model.n_heads)
    W = rounded_up(model.V)
    output = pad(model.output, (0, 0, 0, W - model.V))
    rows = torch.bmm(value, output.transpose(1, 2)).view(-1, W)
    rows = rows.index_select(0, index).view(len(tokens), -1, W)
    logits = torch.bmm(state.mass, rows)
    logits[..., model.V :] = -torch.inf
    return _Forward(found, state, value, output, index, rows, logits)


class _DistinctLoss(Function):
    """Mean loss, and the argmax of every position if asked for; the gradient of the four weights."""

    @staticmethod
    def forward(
        ctx: Any,
        key: Tensor,
        query: Tensor,
        value: Tensor,
        output: Tensor,
        model: Factored,
        tokens: Tensor,
        y: Tensor,
        predict: bool,
    ) -> tuple[Tensor, Tensor | None]:
        forward = _forward(model, tokens)
        logits = forward.logits
        at = y[..., None]
        predictions = logits.argmax(-1) if predict else None
        behind = logits.amax(-1) - logits.gather(2, at)[..., 0]
        G = torch.softmax(logits, dim=-1, out=logits)
        # log-sum-exp is the best logit minus the log of its probability, which is at least 1/V: exact however small the
        # probability of the target.
        loss = (behind - G.amax(-1).log()).mean()
        G.scatter_add_(2, at, G.new_full(at.shape, -1.0))
        # G lies where the logits were.
        ctx.state = (model, forward)
        if predictions is not None:
            ctx.mark_non_differentiable(predictions)
        return loss, predictions

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        model, (found, state, v, output, index, rows, G) = ctx.state
        (B, T), V, H, N = found.local.shape, model.V, model.n_heads, found.N
        each = d_loss / (B * T)
        d_rows = torch.bmm(state.mass.transpose(1, 2), G).view(-1, G.shape[-1])
        d_rows = summed_rows(d_rows, index, H * N).view(H, N, -1).mul_(each)
        d_v, d_output = torch.bmm(d_rows, output), torch.bmm(d_rows.transpose(1, 2), v)[:, :V]
        # This order of the product is the faster one by a third.
        d_mass = torch.bmm(rows, G.transpose(1, 2)).transpose(1, 2).contiguous().mul_(each)
        d_q, d_k, d_p = attention_gradient(state, found, d_mass, model.positions == "relative", model.scale)
        ctx.state = None
        gradients = []
        for weight, d in ((model.key, d_k), (model.query, d_q), (model.value, d_v)):
            gradients.append(torch.zeros_like(weight).index_copy_(1, found.tokens, d))
        gradients[0][:, V : V + T] = d_p
        return *gradients, d_output, None, None, None, None


def last_logits(model: Factored, tokens: Tensor) -> Tensor:
    """(B, V) logits of the last position, differentiable.  Raises ValueError for tokens not (B, 1 <= t <= T).

    Cost O(H (N B d_h + B d_h V)) with N tokens in the batch.
    """
    t = checked_tokens(tokens, model.T).shape[1]
    place, ids = batch_tokens(tokens, model.V)
    # The last token is the same one in most batches ([sep]): scores are built per distinct query.
    asked, query_ids = batch_tokens(tokens[:, -1], model.V)
    q = model.query.index_select(1, query_ids)
    of_token = (q @ model.key.index_select(1, ids).transpose(1, 2)).index_select(1, asked)
    at = model.position_index(t, torch.tensor([t - 1], device=tokens.device))[0]
    of_position = (q @ model.key[:, model.V : model.V + t].transpose(1, 2))[:, :, at].index_select(1, asked)
    place = place.expand(model.n_heads, *place.shape)
    alpha = torch.softmax(model.scale * (of_token.gather(2, place) + of_position), dim=-1)
    mass = torch.zeros_like(of_token).scatter_add(2, place, alpha)
    z = mass @ model.value.index_select(1, ids)
    return z.transpose(0, 1).flatten(1) @ model.output.transpose(1, 2).flatten(0, 1)


def fast_logits(model: Factored, tokens: Tensor, last: bool = False) -> Tensor:
    """(B, t, V) logits of every position, or with last (B, V); without a gradient at every position.

    Raises ValueError for tokens that are not (B, 1 <= t <= T).
    """
    checked_tokens(tokens, model.T)
    if last:
        return last_logits(model, tokens)
    with torch.no_grad():
        return _forward(model, tokens).logits[..., : model.V]


def fast_loss(model: Factored, tokens: Tensor, targets: Tensor, predict: bool = False) -> Loss:
    """The loss at every position, targets (B, t), or at the last one, targets (B,).  Raises ValueError for bad shapes.

    Cost O(B T H D V + N H d_h V) for D distinct tokens of a sequence and N of the batch (module text).
    """
    checked_tokens(tokens, model.T)
    if targets.shape == tokens.shape[:1]:
        return _cross_entropy(last_logits(model, tokens), targets, predict)
    if targets.shape != tokens.shape:
        raise ValueError(
            f"targets must be (B, t) = {tuple(tokens.shape)} or (B,) = ({len(tokens)},), got {tuple(targets.shape)}"
        )
    weights = (model.key, model.query, model.value, model.output)
    return Loss(*_DistinctLoss.apply(*weights, model, tokens, targets, predict))


def _cross_entropy(logits: Tensor, targets: Tensor, predict: bool) -> Loss:
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), targets.flatten())
    return Loss(loss, logits.detach().argmax(-1) if predict else None)


def loss_through(logits: Callable[..., Tensor]) -> Callable[..., Loss]:
    """fast_loss through another form of the logits, logits(model, tokens, last): the dense one or gathers."""

    def loss(model: Factored, tokens: Tensor, targets: Tensor, predict: bool = False) -> Loss:
        return _cross_entropy(logits(model, tokens, last=targets.ndim == 1), targets, predict)

    return loss


gathers_loss = loss_through(lambda model, tokens, last: model(tokens, last))
