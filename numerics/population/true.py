"""True gradients in float64 by plain enumeration: every sequence of the population contributes its own softmax.

First step: true = hat + softmax part.  The hat part is a rational (numerics.population.marginal); the softmax part is
summed over every sequence by numerics.population.kernel, in blocks, with compensated summation across the blocks.  Second
step: the two parts would cancel where a large eta_ov saturates the softmax, so the whole residual is summed.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.population.construction import initial_kq_subj, initial_ov_subj
from numerics.population.enumerate import digits, population_size
from numerics.population.exact import projected
from numerics.population.kernel import Kernel, SubjectAttention, subject_attention
from numerics.population.layout import Layout, attention
from numerics.population.marginal import expected_kq, expected_ov, hat_gradients
from numerics.world import World

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

# Scores of the updated subject head closer than this (relative to the largest) are one level at beta = inf.
TIE = 1e-12
# Entries of a block's (C, Q, A + 1) array of probabilities: small enough to stay near the processor.
BLOCK = 1 << 20


class PopulationTooLarge(ValueError):
    """The population has more sequences than the limit of the plain enumeration."""


class Compensated:
    """A float64 sum of tensors that carries its rounding error along (Neumaier), so blocks add without loss."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.lost: Tensor | None = None

    def add(self, term: Tensor) -> None:
        """Adds a tensor of the same shape as the others."""
        if self.total is None or self.lost is None:
            self.total, self.lost = term.clone(), torch.zeros_like(term)
            return
        new = self.total + term
        larger = self.total.abs() >= term.abs()
        self.lost += torch.where(larger, (self.total - new) + term, (term - new) + self.total)
        self.total = new

    def value(self) -> FloatArray:
        """The sum."""
        if self.total is None or self.lost is None:
            raise ValueError("nothing was added to the sum")
        return (self.total + self.lost).cpu().numpy()


@dataclass(frozen=True, eq=False)
class Setting:
    """What the gradients are taken at; every field as in gradients_at."""

    world: World
    n_demos: int
    beta: float
    objective: str
    eta_ov: float
    eta_kq_subj: float | None  # None: the subject head of the second step attends the query alone
    window: int | None
    reading: str

    def attentions(self) -> tuple[FloatArray, FloatArray]:
        """(T,) attention by index of the subject and of the relation head at the initial weights."""
        layout = Layout(self.n_demos)
        relation = attention(layout.relation_scores(self.window), self.beta)
        return attention(layout.subject_scores(), self.beta), relation


def hat_first_step(setting: Setting) -> tuple[FloatArray, FloatArray]:
    """kq_subj (V+T,) and ov_rel (V, V) of the hat objective: exact, then rounded, at beta = inf; else float64."""
    world, n_demos = setting.world, setting.n_demos
    if math.isinf(setting.beta):
        exact = hat_gradients(world, n_demos, 0, setting.window, setting.reading)
        return exact.kq_subj.floats, exact.ov_rel.floats
    subject, relation = setting.attentions()
    ov = initial_ov_subj(world, setting.reading).astype(np.float64)
    scale = world.L * world.M_ft**2
    kq_subj = expected_kq(world, n_demos, ov, subject) / (scale * world.M_ft)
    return kq_subj, expected_ov(world, n_demos, relation) / scale


def hat_second_step(setting: Setting, step: FloatArray) -> FloatArray:
    """(V+T,) the part of kq_rel from -h(y), for W_OV^rel = `step` (V, V) on the tokens of a sequence."""
    world = setting.world
    _, relation = setting.attentions()
    return expected_kq(world, setting.n_demos, step, relation) / (world.L * world.M_ft**3)


def updated_attention(setting: Setting, kernel: Kernel, kq_subj: FloatArray) -> SubjectAttention | None:
    """The subject head of the second step: the query alone, or attention with the actually updated column."""
    if setting.eta_kq_subj is None:
        return None
    column = initial_kq_subj(setting.world, kernel.layout.T) - setting.eta_kq_subj * kq_subj
    return subject_attention(kernel, column, setting.beta, TIE * max(1.0, float(np.abs(column).max())))


def _contexts(kernel: Kernel) -> Iterator[Tensor]:
    """All M_ft^(m-1) contexts, lexicographic, in blocks of about BLOCK probabilities."""
    Q, K = len(kernel.F), kernel.layout.n_demos
    block = max(1, BLOCK // (Q * kernel.subject_columns.shape[1]))
    for start in range(0, Q**K, block):
        numbers = np.arange(start, min(start + block, Q**K), dtype=np.int64)
        yield torch.as_tensor(digits(numbers, [Q] * K), device=kernel.F.device)


def true_gradients(
    setting: Setting, limit: int = 20_000_000, progress: Progress | None = None, device: str = "cpu"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(kq_subj (V+T,), ov_rel (V, V), kq_rel (V+T,)) of the true objective, to about 1e-14 of the largest entry.

    Raises PopulationTooLarge above `limit` sequences.  progress(done, total) counts the sequences of both steps.
    Cost O(L M_ft^m m A) with A = sum U_l, and as many exponentials as L M_ft^m A.
    """
    world, size = setting.world, population_size(setting.world, setting.n_demos)
    if size > limit:
        raise PopulationTooLarge(
            f"the population has {size} sequences (L M_ft^m = {world.L} * {world.M_ft}^{setting.n_demos + 1}), valid"
            f" for plain enumeration: at most limit = {limit}"
        )
    kernel = Kernel.of(world, setting.n_demos, setting.reading, device)
    subject, relation = setting.attentions()
    Q, L, done = world.M_ft, world.L, 0

    first, matrix = Compensated(), Compensated()
    for contexts in _contexts(kernel):
        kq, ov = kernel.first(contexts, subject, relation)
        first.add(kq)
        matrix.add(ov)
        done += len(contexts) * Q * L
        if progress is not None:
            progress(done, 2 * size)
    hat_kq, hat_ov = hat_first_step(setting)
    kq_subj = hat_kq + first.value() / Q ** (setting.n_demos + 1)
    ov_rel = hat_ov + kernel.full(matrix.value() / Q ** (setting.n_demos + 1))

    step = -setting.eta_ov * projected(ov_rel, world)
    rows, attended, second = kernel.rows(step), updated_attention(setting, kernel, kq_subj), Compensated()
    for ell in range(L):
        for contexts in _contexts(kernel):
            second.add(kernel.second(contexts, ell, rows, relation, attended, residual=True))
            done += len(contexts) * Q
            if progress is not None:
                progress(done, 2 * size)
    return kq_subj, ov_rel, second.value() / size
