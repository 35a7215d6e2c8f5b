"""What a run is: frozen dataclasses, to JSON and back.  Defaults are the paper's (App. B.1, Section 4); what it leaves open is said.

PT  AdamW lr 1e-3, weight decay 1e-3, batch 64, cosine schedule, 2k iterations (5k in Figs. 13, 14)
FT  the same optimizer, constant rate (the schedule is "for pretraining"), 1k iterations (2k in Figs. 13, 14)
open: n_grammar, p_G of Section 4, the initialisation, the attribute assignment, warm-up (none), what the rate decays to (0)
"""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.models.factored import Factored
from numerics.world import World

DTYPES = {"float32": torch.float32, "float64": torch.float64}
ENGINES = ("distinct", "gathers", "dense")
ASSIGNMENTS = ("balanced", "random")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class WorldConfig:
    """The facts: World.balanced or World.random with these arguments; U one number or one per type."""

    M: int = 256
    L: int = 8
    U: int | tuple[int, ...] = 32
    M_ft: int | None = None
    n_grammar: int = 4
    seed: int = 0
    assignment: str = "balanced"

    def build(self) -> World:
        """The world.  Raises ValueError as the builders of World, and for an unknown assignment."""
        checked_choice("assignment", self.assignment, ASSIGNMENTS)
        build = World.balanced if self.assignment == "balanced" else World.random
        return build(self.M, self.L, self.U, self.M_ft, self.n_grammar, self.seed)


@dataclass(frozen=True)
class ModelConfig:
    """The network, numerics.models.factored.Factored; `seed` draws its N(0, std) weights."""

    n_heads: int = 3
    d_h: int = 256
    positions: str = "relative"
    scale: float = 1.0
    std: float = 0.02
    seed: int = 0

    def build(self, V: int, T: int, dtype: str, device: str | torch.device) -> Factored:
        """The network at its initial weights.  Raises ValueError as Factored."""
        sizes = (V, T, self.n_heads, self.d_h, self.positions, self.scale, self.std, self.seed)
        return Factored(*sizes, dtype=DTYPES[dtype], device=device)


@dataclass(frozen=True)
class PhaseConfig:
    """One phase of training.  `seed` draws the data; snapshots: steps after which the weights are kept in a file of their own."""

    iterations: int = 2000
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 1e-3
    betas: tuple[float, ...] = (0.9, 0.999)
    schedule: str = "cosine"
    seed: int = 0
    log_every: int = 50
    evaluate_every: int = 250
    evaluate_size: int = 1024
    checkpoint_every: int = 250
    snapshots: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("iterations", "seed"):
            checked_integer(name, getattr(self, name), 0)
        for name in ("batch", "log_every", "evaluate_every", "evaluate_size", "checkpoint_every"):
            checked_integer(name, getattr(self, name), 1)
        checked_choice("schedule", self.schedule, SCHEDULES)
        checked_real("lr", self.lr, positive=True)
        if checked_real("weight_decay", self.weight_decay) < 0:
            raise ValueError(f"weight_decay must be >= 0, got {self.weight_decay!r}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be two numbers in [0, 1), got {self.betas!r}")


@dataclass(frozen=True)
class RunConfig:
    """A whole run.  engine: which form of the same network computes (see ENGINES); compile: torch.compile of gathers or dense."""

    world: WorldConfig = field(default_factory=WorldConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    S: int = 10
    n_tr: int = 5
    p_G: float = 0.0
    grammar_only: str = "kept"
    n_demos: int = 5
    pretraining: PhaseConfig = field(default_factory=PhaseConfig)
    finetuning: PhaseConfig = field(default_factory=lambda: PhaseConfig(iterations=1000, schedule="constant", seed=1))
    engine: str = "distinct"
    compile: bool = False
    dtype: str = "float32"

    def __post_init__(self) -> None:
        checked_integer("S", self.S, 1)
        checked_integer("n_tr", self.n_tr, 1)
        checked_integer("n_demos", self.n_demos, 0)
        checked_choice("engine", self.engine, ENGINES)
        checked_choice("dtype", self.dtype, tuple(DTYPES))
        if self.compile and self.engine == "distinct":
            raise ValueError("compile must be False with engine 'distinct' (its sizes change with the batch), got True")

    @property
    def T(self) -> int:
        """Positions the network has: the longer of the two kinds of sequences."""
        return max((self.S + 3) * self.n_tr - 1, 3 * self.n_demos + 2)


def to_json(config: Any) -> dict[str, Any]:
    """A config as plain JSON values; tuples are lists."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def from_json(kind: type, given: Mapping[str, Any], name: str = "config") -> Any:
    """The config dataclass `kind` from JSON values; keys that are missing take their default.

    Raises ValueError for a key that does not exist or a value of the wrong type, naming it.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be an object, got {given!r}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(given) - set(hints))
    if unknown:
        raise ValueError(f"{name} must have keys among {', '.join(hints)}, got {', '.join(unknown)}")
    return kind(**{key: _converted(hints[key], value, f"{name}.{key}") for key, value in given.items()})


def _converted(hint: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_json(typing.cast(type, hint), value, name)
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if typing.get_origin(option) is tuple and isinstance(value, list | tuple):
            inner = typing.get_args(option)[0]
            return tuple(_converted(inner, entry, name) for entry in value)
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(option, type) and type(value) is option:
            return value
    wanted = " or ".join(getattr(option, "__name__", str(option)) for option in options)
    raise ValueError(f"{name} must be {wanted}, got {value!r}")
