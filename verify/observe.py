"""One sequence through the literal network, with everything that autograd can say about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.models.attention_only import AttentionOnly
from numerics.population.enumerate import sequences
from numerics.world import World

Array = NDArray[np.float64]
HEADS = ("subj", "rel")


@dataclass(frozen=True, eq=False)
class Observation:
    """tokens (T,); logits, pi, y (V,); keys (T, d) rows x_i + p_i; per head alpha, r (T,), g (V,) and autograd's gradients:
    grad_f (V,), grad_ov (V, V), grad_lambda (T,), grad_kq (d,) the [sep] column with respect to W_KQ itself, beta included
    (at beta = inf: its limit, which is the same expression with hard attention)."""

    kind: int
    subjects: tuple[int, ...]
    tokens: NDArray[np.int64]
    target: int
    logits: Array
    pi: Array
    y: Array
    keys: Array
    alpha: dict[str, Array]
    r: dict[str, Array]
    g: dict[str, Array]
    grad_f: Array
    grad_ov: dict[str, Array]
    grad_lambda: dict[str, Array]
    grad_kq: dict[str, Array]


def observe(model: AttentionOnly, world: World, n_demos: int, most: int | None = None) -> list[Observation]:
    """Every sequence of the finetuning population (or `most` of them, evenly spread), one backward pass each."""
    found: list[Observation] = []
    everything = [
        (int(block.types[i]), block.subjects[i], block.tokens[i], int(block.targets[i]))
        for block in sequences(world, n_demos)
        for i in range(len(block.types))
    ]
    step = 1 if most is None else max(1, len(everything) // most)
    unit = 1.0 if math.isinf(model.beta) else model.beta
    for kind, subjects, tokens, target in everything[::step]:
        model.zero_grad()
        batch = torch.as_tensor(tokens[None])
        logits = model(batch)
        logits.retain_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor([target])).backward()
        f = logits.detach().numpy()[0]
        y = np.zeros(world.V)
        y[target] = 1.0
        pi = torch.softmax(logits.detach(), -1).numpy()[0]
        T, d = model.T, model.d
        keys = np.zeros((T, d))
        keys[np.arange(T), tokens] = 1.0
        keys[np.arange(T), world.V + T - 1 - np.arange(T)] = 1.0
        alpha, r, g, grad_ov, grad_lambda, grad_kq = {}, {}, {}, {}, {}, {}
        for head in HEADS:
            alpha[head] = model.attention(head, batch).detach().numpy()[0]
            ov = model.ov[head].detach().numpy()
            r[head] = (pi - y) @ ov[:, tokens]
            g[head] = np.bincount(tokens, weights=alpha[head], minlength=world.V).astype(np.float64)
            grad_ov[head] = model.ov[head].grad.numpy().copy()
            column = model.kq[head].grad.numpy()[:, world.sep_token] / unit
            grad_kq[head] = column.copy()
            # Each position occurs once, so its row of the gradient is dL/dlambda of that position.
            grad_lambda[head] = column[world.V :][::-1].copy()
        found.append(
            Observation(
                kind,
                tuple(int(s) for s in subjects),
                tokens,
                target,
                f,
                pi,
                y,
                keys,
                alpha,
                r,
                g,
                logits.grad.numpy()[0].copy(),
                grad_ov,
                grad_lambda,
                grad_kq,
            )
        )
    return found
