"""Sizes of the runs: the paper's, as far as the device allows, and a quick stand-in.

Paper (App. B.1): M = 256 and M = 2048 subjects, d_h = 256 and 2048, L = 8, 32 values per type, S = 10, N_tr = N_ft = 5, AdamW 1e-3
(cosine in pretraining), weight decay 1e-3, batch 64, 5k + 2k iterations, 32 and 64 finetuning subjects.  M = 2048 needs an
accelerator; on a CPU the second size is M = 512 with d_h = 512 unless another is asked for, which is said wherever the result
is shown.  Open in the paper and chosen as for its other figures: p_G = 0, G = 4, N(0, 0.02), a balanced table.  A seed draws
everything anew.
"""

from dataclasses import dataclass, replace

from numerics.training import ModelConfig, PhaseConfig, RunConfig, WorldConfig

PRESETS = ("quick", "paper", "tiny")
PAPERS_LARGE = 2048
#: 3 heads of 4 matrices d_h x V, with d_h = M and V near M: weight, gradient and two moments of 4 bytes each.
LARGEST = 8192


@dataclass(frozen=True)
class Size:
    """One number of PT subjects: levels of unique values for each number of FT subjects, and how many seeds."""

    M: int
    L: int
    U: int
    d_h: int
    lr: float
    iterations: tuple[int, int]
    finetune: tuple[int, ...]
    levels: int
    seeds: int
    S: int = 10
    n_tr: int = 5
    n_demos: int = 5
    sequences: int = 4096

    def config(self, seed: int) -> RunConfig:
        """The configuration of a seed; streams of random numbers do not meet: weights from seed, batches from the hundreds."""
        before, after = self.iterations
        common = PhaseConfig(lr=self.lr, evaluate_size=64, checkpoint_every=1000)
        return RunConfig(
            world=WorldConfig(self.M, self.L, self.U, seed=seed),
            model=ModelConfig(d_h=self.d_h, seed=seed),
            S=self.S,
            n_tr=self.n_tr,
            n_demos=self.n_demos,
            pretraining=replace(common, iterations=before, seed=300 + seed, evaluate_every=before),
            finetuning=replace(common, iterations=after, schedule="constant", seed=400 + seed, evaluate_every=after),
        )


def sizes(preset: str, device: str = "cpu", seeds: int | None = None, large: int | None = None) -> tuple[Size, Size]:
    """The smaller and the larger size of a preset.  large: PT subjects (and d_h) of the larger size, in place of the preset's.

    Raises ValueError for an unknown preset, seeds < 1, large not above the smaller size.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    if seeds is not None and seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds!r}")
    small, usual = _sizes(preset, device, seeds)
    if large is None:
        return small, usual
    if large <= small.M:
        raise ValueError(f"large must be more than the {small.M} PT subjects of the smaller size, got {large!r}")
    if large % usual.U:
        raise ValueError(f"large must be a multiple of the {usual.U} values per type, got {large!r}")
    if large > LARGEST:
        raise ValueError(f"large must be at most {LARGEST}, whose weights and moments take 13 GB, got {large!r}")
    return small, replace(usual, M=large, d_h=large)


def _sizes(preset: str, device: str, n: int | None) -> tuple[Size, Size]:
    if preset == "paper":
        small = Size(256, 8, 32, 256, 1e-3, (5000, 2000), (32, 64), 4, n or 3)
        M = PAPERS_LARGE if device == "cuda" else 512
        return small, Size(M, 8, 32, M, 1e-3, (5000, 2000), (32, 64), 4 if device == "cuda" else 2, n or 3)
    if preset == "quick":
        # A larger rate stands in for fewer iterations.
        small = Size(64, 4, 16, 64, 3e-3, (1500, 600), (8, 16), 3, n or 3, sequences=2048)
        return small, Size(128, 4, 16, 128, 3e-3, (1500, 600), (8, 16), 3, n or 3, sequences=2048)
    # For the tests of this code; shows nothing.
    small = Size(8, 2, 4, 8, 1e-2, (20, 10), (2, 4), 2, n or 2, S=3, n_tr=2, n_demos=2, sequences=64)
    return small, Size(16, 2, 4, 8, 1e-2, (20, 10), (2, 4), 2, n or 2, S=3, n_tr=2, n_demos=2, sequences=64)
