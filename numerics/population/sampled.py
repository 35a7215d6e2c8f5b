"""True gradients of a population too large to enumerate, SAMPLED, with standard errors.

true = hat + softmax part.  The hat part is exact and serves as control variate: only the softmax part, which is small
when the vocabulary is large, is sampled.  Contexts are drawn; all M_ft queries (and, in step 1, all types) are summed
for each. In a batch every slot's subjects are successive random permutations of the finetuning subjects, drawn
independently for each slot: every single context is uniform on F^(m-1), so sums are unbiased, and every subject fills
every slot equally often, so most of the variance of a token entry is gone.

The whole two-step pipeline is repeated in R independent replicates; mean and standard error are over replicates.
Step 2 is not linear in the sampled ov_rel, so kq_rel has a bias of the order of the variance of ov_rel, far below its
error.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.arguments import checked_integer
from numerics.population.exact import projected
from numerics.population.gradients import checked_setting
from numerics.population.kernel import Kernel
from numerics.population.true import (
    BLOCK,
    Compensated,
    Progress,
    Setting,
    hat_first_step,
    hat_second_step,
    updated_attention,
)
from numerics.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SampledGradients:
    """Means over replicates of kq_subj (V+T,), ov_rel (V, V), kq_rel (V+T,), and the standard error of every entry.

    replicates_* hold every replicate ((R, V+T); ov_rel is not kept).  sequences: number of sequences evaluated per
    replicate and step.  sampled is always True: no entry is exact unless its standard error is 0.
    """

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_rel: FloatArray
    kq_subj_error: FloatArray
    ov_rel_error: FloatArray
    kq_rel_error: FloatArray
    replicates_kq_subj: FloatArray
    replicates_kq_rel: FloatArray
    n_demos: int
    eta_ov: float
    window: int | None
    reading: str
    beta: float
    eta_kq_subj: float | None
    n: int
    replicates: int
    sequences: int
    seed: int
    objective: str = "true"
    sampled: bool = True


class Moments:
    """Running mean and sum of squared deviations of arrays (Welford)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: FloatArray = np.zeros(())
        self.squares: FloatArray = np.zeros(())

    def add(self, value: FloatArray) -> None:
        """Adds one replicate."""
        self.count += 1
        deviation = value - self.mean
        self.mean = self.mean + deviation / self.count
        self.squares = self.squares + deviation * (value - self.mean)

    @property
    def error(self) -> FloatArray:
        """Standard error of the mean."""
        return np.sqrt(self.squares / (self.count * (self.count - 1)))


def draw_contexts(generator: np.random.Generator, count: int, slots: int, size: int) -> NDArray[np.int64]:
    """(count, slots) indices below size; each column successive random permutations, columns independent."""
    rounds = -(-count // size)
    columns = [np.concatenate([generator.permutation(size) for _ in range(rounds)])[:count] for _ in range(slots)]
    return np.stack(columns, axis=1)


def _blocks(kernel: Kernel, generator: np.random.Generator, count: int) -> list[torch.Tensor]:
    drawn = draw_contexts(generator, count, kernel.layout.n_demos, len(kernel.F))
    block = max(1, BLOCK // (len(kernel.F) * kernel.subject_columns.shape[1]))
    return [torch.as_tensor(drawn[i : i + block], device=kernel.F.device) for i in range(0, count, block)]


def _replicate(
    setting: Setting, kernel: Kernel, hat: tuple[FloatArray, FloatArray], n: int, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    world, Q = setting.world, setting.world.M_ft
    subject, relation = setting.attentions()
    first, matrix, second = Compensated(), Compensated(), Compensated()
    for contexts in _blocks(kernel, generator, n):
        kq, ov = kernel.first(contexts, subject, relation)
        first.add(kq)
        matrix.add(ov)
    kq_subj = hat[0] + first.value() / (n * Q)
    ov_rel = hat[1] + kernel.full(matrix.value() / (n * Q))
    step = -setting.eta_ov * projected(ov_rel, world)
    rows, attended = kernel.rows(step), updated_attention(setting, kernel, kq_subj)
    for ell in range(world.L):
        for contexts in _blocks(kernel, generator, n):
            second.add(kernel.second(contexts, ell, rows, relation, attended))
    return kq_subj, ov_rel, hat_second_step(setting, step) + second.value() / (n * Q * world.L)


def sampled_gradients(
    world: World,
    n_demos: int,
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    beta: float = math.inf,
    eta_kq_subj: float | None = None,
    n: int = 512,
    replicates: int = 8,
    seed: int = 0,
    progress: Progress | None = None,
    device: str = "cpu",
) -> SampledGradients:
    """Estimates of the true gradients with standard errors.

    n: contexts per replicate in step 1, and per replicate and type in step 2; a multiple of M_ft balances best.  The
    default takes about 10 s at M = 256, L = 8, U = 32, M_ft = 128, m = 6.
    eta_kq_subj None: the subject head of step 2 attends the query (the contract of finetuning_gradients); a number: as
    gradients_at.  Raises ValueError for n < 1, replicates < 8, and bad arguments as finetuning_gradients.
    Cost O(replicates n L M_ft m A) with A = sum U_l.
    """
    setting = checked_setting(world, n_demos, beta, "true", eta_ov, eta_kq_subj, window, reading)
    n, replicates = checked_integer("n", n, 1), checked_integer("replicates", replicates, 8)
    if math.isfinite(setting.beta) and eta_kq_subj is None:
        raise ValueError(f"eta_kq_subj must be a number at finite beta = {beta}, got None")
    kernel, hat = Kernel.of(world, n_demos, reading, device), hat_first_step(setting)
    moments = [Moments(), Moments(), Moments()]
    kept: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    # Independent streams, one per replicate, from one seed.
    for done, stream in enumerate(np.random.SeedSequence(checked_integer("seed", seed, 0)).spawn(replicates), start=1):
        results = _replicate(setting, kernel, hat, n, np.random.default_rng(stream))
        for moment, result in zip(moments, results, strict=True):
            moment.add(result)
        kept[0].append(results[0])
        kept[1].append(results[2])
        if progress is not None:
            progress(done, replicates)
    kq_subj, ov_rel, kq_rel = moments
    return SampledGradients(
        kq_subj=kq_subj.mean,
        ov_rel=ov_rel.mean,
        kq_rel=kq_rel.mean,
        kq_subj_error=kq_subj.error,
        ov_rel_error=ov_rel.error,
        kq_rel_error=kq_rel.error,
        replicates_kq_subj=np.stack(kept[0]),
        replicates_kq_rel=np.stack(kept[1]),
        n_demos=setting.n_demos,
        eta_ov=setting.eta_ov,
        window=setting.window,
        reading=setting.reading,
        beta=setting.beta,
        eta_kq_subj=setting.eta_kq_subj,
        n=n,
        replicates=replicates,
        sequences=n * world.M_ft * world.L,
        seed=seed,
    )
