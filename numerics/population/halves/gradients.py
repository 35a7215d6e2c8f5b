"""The entry points: all three true gradients with radii, or the first step alone."""

from dataclasses import dataclass

import torch

from numerics.arguments import checked_integer
from numerics.population.certified.result import CertifiedGradients
from numerics.population.gradients import checked_setting
from numerics.population.halves.columns import second_work
from numerics.population.halves.first import FirstStep, first_step, first_work
from numerics.population.halves.second import second_step
from numerics.population.true import PopulationTooLarge, Progress
from numerics.world import World

# Multiply-adds per GEMM: some minutes on two cores.
LIMIT = 1_000_000_000_000


@dataclass
class _Tally:
    """Counts pairs of halves towards progress(done, total)."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, work: int) -> None:
        """Adds work and reports it."""
        self.done = min(self.total, self.done + work)
        if self.progress is not None:
            self.progress(self.done, self.total)


def _checked_device(device: str) -> str:
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device must be usable in float64, for instance 'cpu', got {device!r} ({reason})") from None
    return device


def _checked_work(steps: list[tuple[int, int]], limit: int) -> int:
    """The pairs of all steps.  Raises PopulationTooLarge above limit multiply-adds."""
    work = sum(pairs * columns for pairs, columns in steps)
    if work > checked_integer("limit", limit, 1):
        parts = " + ".join(f"{pairs} pairs of halves * {columns} columns" for pairs, columns in steps)
        raise PopulationTooLarge(
            f"the sum by halves takes {work:.3g} multiply-adds per matrix product ({parts}), valid: at most limit = {limit:.3g};"
            " fewer demonstrations or finetuning subjects, a larger limit (about 1e10 a second on two processor cores) or an"
            " accelerator as device would help"
        )
    return sum(pairs for pairs, _ in steps)


def halves_gradients(
    world: World,
    n_demos: int,
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    limit: int = LIMIT,
    device: str = "cpu",
    progress: Progress | None = None,
) -> CertifiedGradients:
    """The true gradients of the two-step procedure over EVERY sequence, with entrywise radii, at beta = inf.

    Arguments as finetuning_gradients(..., "true").  The radii bound all rounding (numerics.population.halves.rounding); they
    are proven where python-flint is installed, otherwise numpy's exp is assumed good to 4 ulp.  kq_rel is taken at the
    weights after the exact first step, its radius includes the radius of ov_rel.  progress(done, total) counts pairs of
    halves.  Raises ValueError for bad arguments; PopulationTooLarge (a ValueError) above `limit` multiply-adds;
    NotCertified (a ValueError) where a huge eta_ov moves logits beyond what float64 sums of exponentials bear.
    Cost, with Q = M_ft, C <= A + 1 columns and h = ceil(n / 2): step 1 O(C(Q+h-1, h) C(Q+n-h-1, n-h) C) for n = m draws;
    step 2 L Q times that for n = m - 1 (with a window that cuts: the slots in it, and U_l times if it cuts a slot).
    Memory O(b (C + b) + C(Q+h-1, h) h) with b = 1024 rows a block, and up to 256 MiB of tables.
    """
    setting = checked_setting(world, n_demos, float("inf"), "true", eta_ov, None, window, reading)
    _checked_device(device)
    steps = [first_work(world, n_demos, reading), second_work(world, n_demos, window, reading)]
    tally = _Tally(progress, _checked_work(steps, limit))
    first = first_step(world, setting.n_demos, window, reading, device, tally.add)
    kq_rel, radius = second_step(world, setting.n_demos, setting.eta_ov, window, reading, first, device, tally.add)
    return CertifiedGradients(
        kq_subj=first.kq_subj,
        ov_rel=first.ov_rel,
        kq_rel=kq_rel,
        kq_subj_radius=first.kq_subj_radius,
        ov_rel_radius=first.ov_rel_radius,
        kq_rel_radius=radius,
        n_demos=setting.n_demos,
        eta_ov=setting.eta_ov,
        window=window,
        reading=reading,
        method=f"halves ({first.sequences} sequences)",
    )


def halves_first_step(
    world: World,
    n_demos: int,
    window: int | None = None,
    reading: str = "set",
    limit: int = LIMIT,
    device: str = "cpu",
    progress: Progress | None = None,
) -> FirstStep:
    """kq_subj and ov_rel of halves_gradients alone: at M = 256, L = 8, U = 32, M_ft = 128, m = 6 (3.5e13 sequences) this is
    3.3e13 multiply-adds, an hour or so on two cores with limit = 10**14.  Raises and costs as there."""
    checked_setting(world, n_demos, float("inf"), "true", 0.0, None, window, reading)
    _checked_device(device)
    tally = _Tally(progress, _checked_work([first_work(world, n_demos, reading)], limit))
    return first_step(world, n_demos, window, reading, device, tally.add)
