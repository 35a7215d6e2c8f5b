"""How large each part is; every number was fixed before the first run of the part."""

from dataclasses import dataclass, replace

from numerics.training import ModelConfig, PhaseConfig, RunConfig, WorldConfig

PRESETS = ("quick", "paper", "tiny")


@dataclass(frozen=True)
class WorldSize:
    """A balanced world and its number of demonstrations."""

    M: int
    L: int
    U: int
    M_ft: int
    n_demos: int
    seed: int = 0

    def config(self) -> WorldConfig:
        """For numerics.training."""
        return WorldConfig(self.M, self.L, self.U, self.M_ft, seed=self.seed)


#: The paper's Section 4 with half of the subjects.
PAPER = WorldSize(256, 8, 32, 128, 5)
#: Every sequence of it can be visited, and after the theorem's two steps it answers few of them (checked by the run).
SMALL = WorldSize(24, 3, 6, 12, 2, seed=1)


@dataclass(frozen=True)
class Convergence:
    """Batches of these sizes, `streams` independent ones of each."""

    world: WorldSize
    sizes: tuple[int, ...]
    streams: int


@dataclass(frozen=True)
class Recovery:
    """Many plain steps: step sizes kq x ov at every beta; batch None: the whole population, exactly.  `at`: steps looked at."""

    world: WorldSize
    betas: tuple[float, ...]
    kq: tuple[float, ...]
    ov: tuple[float, ...]
    steps: int
    batch: int | None
    sequences: int
    at: tuple[int, ...]


@dataclass(frozen=True)
class Enumeration:
    """Small networks to train; `sequences` drawn beside all of them."""

    run: RunConfig
    seeds: int
    sequences: int


@dataclass(frozen=True)
class Plan:
    """All parts.  trained: the preset of the figures whose networks `relation` reads, and how many seeds of each variant."""

    convergence: tuple[Convergence, ...]
    trained: str
    variants: dict[str, int]
    recovery: tuple[Recovery, ...]
    enumeration: Enumeration


def _run(M: int, iterations: tuple[int, int], d_h: int) -> RunConfig:
    common = PhaseConfig(lr=3e-3, evaluate_size=64, checkpoint_every=10_000)
    before, after = iterations
    return RunConfig(
        world=WorldConfig(M, 3, 6, M // 2),
        model=ModelConfig(d_h=d_h),
        S=4,
        n_tr=3,
        n_demos=2,
        pretraining=replace(common, iterations=before, evaluate_every=before),
        finetuning=replace(common, iterations=after, schedule="constant", evaluate_every=after),
    )


def plan(preset: str) -> Plan:
    """The sizes of a preset.  Raises ValueError for an unknown one."""
    if preset == "paper":
        return Plan(
            (
                Convergence(SMALL, (256, 1024, 4096, 16384, 65536), 12),
                Convergence(PAPER, (1024, 2048, 4096, 8192, 16384), 12),
            ),
            "paper",
            {"base": 10, "p_G=0.2": 4, "linear": 2},
            (
                Recovery(SMALL, (10.0, 30.0), (1.0, 10.0, 100.0), (1.0, 10.0, 100.0), 400, None, 0, _AT),
                Recovery(PAPER, (10.0, 30.0), (1.0, 10.0, 100.0), (1.0, 10.0, 100.0), 150, 512, 1024, _AT),
            ),
            Enumeration(_run(24, (1000, 500), 32), 5, 512),
        )
    if preset == "quick":
        return Plan(
            (Convergence(SMALL, (256, 1024, 4096, 16384), 16), Convergence(PAPER, (512, 2048, 8192), 8)),
            "quick",
            {"base": 3, "p_G=0.2": 1},
            (Recovery(SMALL, (10.0,), (1.0, 10.0), (10.0, 100.0), 100, None, 0, _AT),),
            Enumeration(_run(24, (600, 300), 32), 2, 512),
        )
    if preset == "tiny":
        tiny = WorldSize(8, 2, 4, 4, 1)
        return Plan(
            (Convergence(tiny, (32, 128, 512), 4),),
            "tiny",
            {"base": 1, "p_G=0.2": 1},
            (
                Recovery(tiny, (10.0,), (10.0,), (10.0,), 4, None, 0, _AT),
                Recovery(tiny, (10.0,), (10.0,), (10.0,), 4, 8, 16, _AT),
            ),
            Enumeration(_run(12, (10, 5), 8), 2, 64),
        )
    raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")


_AT = (0, 1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400)
