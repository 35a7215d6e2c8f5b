"""Which networks a figure is judged on: the paper's settings, a quick stand-in, and variants of what the paper leaves open.

Paper (App. B.1, Section 4): M = 256, L = 8, 32 values per type (256 for type 1 in App. C), S = 10, N_tr = N_ft = 5, d_h = 256,
AdamW lr 1e-3 (cosine in pretraining), weight decay 1e-3, batch 64; 2k + 1k iterations for Figs. 9-12 and 19-21, 5k + 2k for
the absolute variant.  Open there, and chosen here ("base"):

    p_G = 0            Section 4 names no grammar-only subsequences; variant "p_G=0.2", the value of Section 3
    G = 4              one caption counts 5 grammar and separator tokens
    N(0, 0.02)         the initialisation of all four matrices; variant "linear", nn.Linear's default
    balanced table     every value on equally many subjects; variant "random": i.i.d. uniform values
    M_ft = M / 2       "using 50% of the total subjects"

A seed draws everything anew: the facts, the initial weights, the batches of both phases.
"""

from dataclasses import dataclass, replace

from numerics.training import ModelConfig, PhaseConfig, RunConfig, WorldConfig
from verify.trained.choices import LinearDefault, UniqueFirst

PRESETS = ("quick", "paper", "tiny")
POSITIONS = ("relative", "absolute")
# Steps of finetuning after which weights are kept, as shares of its length: what the curves of Figs. 19 and 24 pass through.
CURVE = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75)


@dataclass(frozen=True)
class Job:
    """One network to train: variant and seed name it in its family (positions, preset)."""

    variant: str
    seed: int
    config: RunConfig


@dataclass(frozen=True)
class Size:
    """What a preset fixes; seeds and the seeds of each variant are numbers of runs."""

    M: int
    L: int
    U: int
    d_h: int
    lr: float
    iterations: dict[str, tuple[int, int]]
    seeds: dict[str, int]
    variants: dict[str, dict[str, int]]
    S: int = 10
    n_tr: int = 5
    n_demos: int = 5
    sequences: int = 4096


SIZES = {
    "paper": Size(
        256,
        8,
        32,
        256,
        1e-3,
        {"relative": (2000, 1000), "absolute": (5000, 2000)},
        {"relative": 10, "absolute": 5},
        {"relative": {"p_G=0.2": 4, "linear": 6, "random": 2}, "absolute": {"linear": 2}},
    ),
    # Small enough for minutes; a larger rate stands in for fewer iterations.
    "quick": Size(
        64,
        4,
        16,
        64,
        3e-3,
        {"relative": (1500, 1000), "absolute": (2500, 1000)},
        {"relative": 3, "absolute": 3},
        {"relative": {"p_G=0.2": 1}, "absolute": {}},
        sequences=2048,
    ),
    # For the tests of this code; shows nothing.
    "tiny": Size(
        8,
        2,
        4,
        8,
        1e-2,
        {"relative": (30, 20), "absolute": (30, 20)},
        {"relative": 2, "absolute": 2},
        {"relative": {"p_G=0.2": 1}, "absolute": {}},
        S=3,
        n_tr=2,
        n_demos=2,
        sequences=64,
    ),
}


def _base(size: Size, positions: str, seed: int) -> RunConfig:
    before, after = size.iterations[positions]
    world = WorldConfig(size.M, size.L, size.U, seed=seed)
    if positions == "absolute":
        world = UniqueFirst(size.M, size.L, (size.M, *(size.U,) * (size.L - 1)), seed=seed)
    kept = tuple(sorted({max(1, round(after * share)) for share in CURVE}))
    # Streams of random numbers that do not meet: weights from seed, batches from seeds in the hundreds.
    pretraining = PhaseConfig(before, lr=size.lr, seed=100 + seed, evaluate_every=before, checkpoint_every=1000)
    finetuning = PhaseConfig(
        after,
        lr=size.lr,
        schedule="constant",
        seed=200 + seed,
        evaluate_every=after,
        checkpoint_every=1000,
        snapshots=kept,
    )
    return RunConfig(
        world=world,
        model=ModelConfig(d_h=size.d_h, positions=positions, seed=seed),
        S=size.S,
        n_tr=size.n_tr,
        n_demos=size.n_demos,
        pretraining=pretraining,
        finetuning=finetuning,
    )


def varied(config: RunConfig, variant: str) -> RunConfig:
    """The configuration with one open choice made differently.  Raises ValueError for an unknown variant."""
    if variant == "base":
        return config
    if variant == "p_G=0.2":
        return replace(config, p_G=0.2)
    if variant == "random":
        return replace(config, world=replace(config.world, assignment="random"))
    if variant == "linear":
        plain = config.model
        return replace(config, model=LinearDefault(plain.n_heads, plain.d_h, plain.positions, seed=plain.seed))
    raise ValueError(f"variant must be one of base, p_G=0.2, random, linear, got {variant!r}")


def jobs(preset: str, positions: str, seeds: int | None = None) -> list[Job]:
    """The networks of a family, base first.  seeds: of base, in place of the preset's (its variants then have at most as many).

    Absolute positions have fewer variants (one network takes five times as long) and no random table (their first type is a
    list of all subjects).  Raises ValueError for unknown names and seeds < 1.
    """
    if preset not in PRESETS or positions not in POSITIONS:
        raise ValueError(f"preset, positions must be of {PRESETS}, {POSITIONS}, got {preset!r}, {positions!r}")
    size = SIZES[preset]
    count = size.seeds[positions] if seeds is None else seeds
    if count < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds!r}")
    wanted = {"base": count} | {name: min(n, count) for name, n in size.variants[positions].items()}
    return [
        Job(name, seed, varied(_base(size, positions, seed), name)) for name, n in wanted.items() for seed in range(n)
    ]
