"""Attention mass per distinct token at every position, and its derivative, written out.

With slots e of the distinct tokens of a sequence (numerics.models.fast_tokens) and E (B, T, D) their indicator,

    score_{t,i} = S[x_t, x_i] + R[x_t, t - i]        S = scale Q K^T over tokens of the batch, R = scale Q P^T
    alpha_t     = softmax over i <= t,               mass_{t,e} = sum_i alpha_{t,i} E_{i,e}

S costs N^2 d_h for N tokens in the batch instead of (B T)^2 or B T^2 d_h, R costs N T d_h; both are spread over the
positions by E.  Backwards, with w = d loss / d mass and v_{t,i} = w_{t, slot of x_i}:

    d score_{t,i} = alpha_{t,i} (v_{t,i} - sum_e mass_{t,e} w_{t,e}).

The shift t - i is a strided view and never a copy.  A row of R is stored by decreasing distance, A[t, j] = R[x_t, T-1-j],
so that R[x_t, t-i] = A[t, T-1-t+i] lies at a constant stride; entries with i > t read the next row and are masked.
Backwards the same view of d score, with T - 1 zeros before it, gives d A[t, j] = d score[t, j-(T-1)+t]; the entries
j < T-1-t, where no key is, read masked entries of the row before, which are 0 except at t = 0 of the first head.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.models.fast_tokens import Distinct


@dataclass(frozen=True, eq=False)
class Mass:
    """mass (B, T, H D), alpha (B, T, H, T), indicator E (B, T, D), index of S (B D H D,), and what the products need:
    q, k (H, N, d_h) of the tokens in the batch, p (H, T, d_h) of the positions in the order of A."""

    mass: Tensor
    alpha: Tensor
    indicator: Tensor
    pair: Tensor
    q: Tensor
    k: Tensor
    p: Tensor


def summed_rows(rows: Tensor, index: Tensor, size: int) -> Tensor:
    """(size, C): the rows (n, C) added up by index (n,)."""
    return torch.zeros((size, rows.shape[1]), dtype=rows.dtype, device=rows.device).index_add_(0, index, rows)


def attention_mass(key: Tensor, query: Tensor, found: Distinct, relative: bool, scale: float) -> Mass:
    """The mass of every distinct token at every position; key (H, V + T', d_h), query (H, V, d_h), T <= T'.

    Cost O(H (N^2 d_h + N T d_h + B T^2 D)).
    """
    (B, T), D, N, H, V = found.local.shape, found.D, found.N, len(key), query.shape[1]
    E = found.one_hot(key.dtype)
    q = query.index_select(1, found.tokens)
    k = key.index_select(1, found.tokens)
    p = key[:, V : V + T]
    if relative:
        p = p.flip(1)
    S = torch.bmm(q, k.transpose(1, 2)).mul_(scale)
    # [b, d, h, e] -> S[h, slot d, slot e]
    heads = torch.arange(H, device=key.device) * (N * N)
    pair = (found.slots[:, :, None, None] * N + heads[:, None] + found.slots[:, None, None, :]).flatten()
    of_slots = S.flatten().index_select(0, pair).view(B, D, H * D)
    scores = torch.bmm(torch.bmm(E, of_slots).view(B, T * H, D), E.transpose(1, 2)).view(B, T, H, T)
    R = torch.bmm(q, p.transpose(1, 2)).mul_(scale).transpose(0, 1).reshape(N, H * T)
    A = R.index_select(0, found.place.flatten()).view(B, T, H, T)
    if relative:
        A = A.as_strided((B, T, H, T), (T * H * T, H * T - 1, T, 1), T - 1)
    scores.add_(A)
    # Adding a row of -inf is five times as fast as masked_fill_.
    step = torch.arange(T, device=key.device)
    ahead = torch.zeros((T, 1, T), dtype=key.dtype, device=key.device)
    ahead.masked_fill_(step > step[:, None, None], -torch.inf)
    alpha = torch.softmax(scores.add_(ahead), dim=-1)
    mass = torch.bmm(alpha.view(B, T * H, T), E).view(B, T, H * D)
    return Mass(mass, alpha, E, pair, q, k, p)


def attention_gradient(
    state: Mass, found: Distinct, d_mass: Tensor, relative: bool, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients (q, k, p), (H, N, d_h) twice and (H, T, d_h) in the order of rows of key, from d_mass (B, T, H D).

    Cost as attention_mass.
    """
    (B, T), D, N, H = found.local.shape, found.D, found.N, len(state.q)
    E, alpha = state.indicator, state.alpha
    centre = (state.mass * d_mass).view(B, T, H, D).sum(3, keepdim=True)
    # Centred per slot instead of per position: D columns instead of T.
    centred = d_mass.view(B, T, H, D) - centre
    # T - 1 zeros before the array, for the view below.
    room = torch.empty(T - 1 + alpha.numel(), dtype=alpha.dtype, device=alpha.device)
    room[: T - 1] = 0
    d_scores = room[T - 1 :].view(B, T * H, T)
    torch.bmm(centred.view(B, T * H, D), E.transpose(1, 2), out=d_scores)
    d_scores.mul_(alpha.view(B, T * H, T))
    by_slot = torch.bmm(E.transpose(1, 2), torch.bmm(d_scores, E).view(B, T, H * D))
    d_S = torch.zeros(H * N * N, dtype=alpha.dtype, device=alpha.device).index_add_(0, state.pair, by_slot.flatten())
    d_S = d_S.view(H, N, N).mul_(scale)
    d_A = d_scores.view(B, T, H * T)
    if relative:
        # A copy, since rows of the view overlap.
        d_A = room.as_strided((B, T, H * T), (T * H * T, H * T + 1, 1), 0).contiguous()
        d_A[:, 0, : T - 1] = 0
    d_R = torch.bmm(E.transpose(1, 2), d_A).view(B * D, H * T)
    d_R = summed_rows(d_R, found.slots.flatten(), N).view(N, H, T).transpose(0, 1).mul(scale)
    d_q = torch.bmm(d_S, state.k) + torch.bmm(d_R, state.p)
    d_p = torch.bmm(d_R.transpose(1, 2), state.q)
    return d_q, torch.bmm(d_S.transpose(1, 2), state.q), d_p.flip(1) if relative else d_p
