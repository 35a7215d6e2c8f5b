"""Gradients of the two-step procedure by autograd of the mean loss of the literal network over a whole population.

Nothing is simplified: dense one-hot inputs, full matrices, backpropagation, every sequence.  Of the rest of the project
only the enumerator of sequences is used.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.arguments import checked_choice, checked_real
from numerics.models.attention_only import AttentionOnly, prop1
from numerics.population.enumerate import population_size, sequences
from numerics.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AutogradGradients:
    """kq_subj (V+T,), ov_rel (V, V), kq_rel (V+T,) as the gradient contract defines them; full_kq_* (d, d) the matrices
    whose [sep] column they are, per unit beta."""

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_rel: FloatArray
    full_kq_subj: FloatArray
    full_kq_rel_first: FloatArray
    full_kq_rel: FloatArray


def loss_sum(model: AttentionOnly, tokens: Tensor, targets: Tensor, objective: str) -> Tensor:
    """Sum over the batch of -log softmax(logits)[y] ("true") or of -logits[y] ("hat")."""
    logits = model(tokens)
    if objective == "true":
        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
    return -logits.gather(1, targets[:, None]).sum()


def backpropagate(model: AttentionOnly, world: World, n_demos: int, objective: str, chunk: int = 512) -> None:
    """Sets every .grad to the gradient of the mean loss over the finetuning population."""
    size, device = population_size(world, n_demos), next(model.parameters()).device
    model.zero_grad()
    for block in sequences(world, n_demos, chunk=chunk):
        tokens, targets = torch.as_tensor(block.tokens, device=device), torch.as_tensor(block.targets, device=device)
        (loss_sum(model, tokens, targets, objective) / size).backward()


def _gradient(parameter: Tensor) -> FloatArray:
    if parameter.grad is None:
        return np.zeros(tuple(parameter.shape))
    return parameter.grad.detach().cpu().numpy().copy()


def population_gradients(
    world: World,
    n_demos: int,
    objective: str = "true",
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    beta: float = math.inf,
    eta_kq_subj: float | None = None,
    device: str = "cpu",
) -> AutogradGradients:
    """Both steps by autograd.  eta_kq_subj None: in step 2 the subject head attends the query (W_KQ^subj = h(p_-1)
    h(sep)^T at beta = inf); otherwise W_KQ^subj takes a step of this size (per unit beta) in its [sep] column's
    gradient.

    Raises ValueError for bad arguments, also for a finite beta without eta_kq_subj.  Cost O(L M_ft^m (T d + d^2)).
    """
    checked_choice("objective", objective, ("true", "hat"))
    checked_real("eta_ov", eta_ov)
    if math.isfinite(beta) and eta_kq_subj is None:
        raise ValueError(f"eta_kq_subj must be a number at finite beta = {beta}, got None")
    # Scores are beta W: a derivative in W is beta times the one per unit beta; hard attention has it already.
    unit = 1.0 if math.isinf(beta) else beta
    model = prop1(world, n_demos, window, reading, beta, device=device)
    sep, V = world.sep_token, world.V
    h = torch.eye(model.d, dtype=torch.float64, device=device)

    backpropagate(model, world, n_demos, objective)
    full_kq_subj = _gradient(model.kq["subj"]) / unit
    full_kq_rel_first = _gradient(model.kq["rel"]) / unit
    ov_rel = _gradient(model.ov["rel"])

    with torch.no_grad():
        keep = torch.eye(V, dtype=torch.float64, device=device) - torch.outer(h[sep, :V], h[sep, :V])
        model.ov["rel"] -= eta_ov * torch.as_tensor(ov_rel, device=device) @ keep
        if eta_kq_subj is None:
            model.kq["subj"].copy_(torch.outer(h[V + 1], h[sep]))
        else:
            model.kq["subj"] -= eta_kq_subj * torch.as_tensor(full_kq_subj, device=device)
    backpropagate(model, world, n_demos, objective)
    full_kq_rel = _gradient(model.kq["rel"]) / unit
    return AutogradGradients(
        full_kq_subj[:, sep], ov_rel, full_kq_rel[:, sep], full_kq_subj, full_kq_rel_first, full_kq_rel
    )
