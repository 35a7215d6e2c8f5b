"""Training: one pretraining per size and seed, and one finetuning of its network per set of subjects.

A phase lives in <folder>/<hash of everything that decides its weights>; a finished one is read, a stopped one goes on where
it was (numerics.training).  Everything runs in this process, one network after the other.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from numerics.models.factored import Factored
from numerics.training import Progress, RunConfig, pretrain_and_finetune, to_json
from numerics.training.checkpoint import read_checkpoint, restore_model
from numerics.world import World
from verify.diversity.settings import Size
from verify.diversity.subjects import levels
from verify.output import write_json

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / ".verify-run" / "diversity"
SOURCES = (
    "numerics/world.py",
    "numerics/models/factored.py",
    "numerics/models/fast_*.py",
    "numerics/sampling/*.py",
    "numerics/training/config.py",
    "numerics/training/loop.py",
    "numerics/training/run.py",
)
Count = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Finetuned:
    """A network after finetuning on the subjects of world.finetune; level counts from the fewest values."""

    level: int
    world: World
    model: Factored
    run: str


@dataclass(frozen=True, eq=False)
class Seed:
    """Everything of one size and seed: the networks before training and after pretraining, and the finetuned ones."""

    size: Size
    seed: int
    config: RunConfig
    initial: Factored
    pretrained: Factored
    finetuned: tuple[Finetuned, ...]
    run: str
    revision: str
    seconds: float


def sources() -> str:
    """A hash of the files that decide a network's weights."""
    found = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _folder(runs: Path, device: str, **what: Any) -> Path:
    decided = what | {"sources": sources(), "torch": torch.__version__, "device": device}
    return runs / hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def _network(config: RunConfig, world: World, checkpoint: Path | None, device: str) -> Factored:
    model = config.model.build(world.V, config.T, config.dtype, device)
    if checkpoint is not None:
        restore_model(model, read_checkpoint(checkpoint))
    return model


def _phase(
    config: RunConfig, folder: Path, name: str, world: World, pretrained: Path | None, device: str, progress: Any
) -> Path:
    """The checkpoint of a finished phase; trains what is left of it."""
    finished = folder / "finished.json"
    checkpoint = folder / name / "checkpoint.safetensors"
    if not finished.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run = pretrain_and_finetune(
            config, folder, world=world, device=device, progress=progress, pretrained=pretrained, final_size=64
        )
        write_json(
            finished,
            {
                "seconds": run.summary[name]["seconds"],
                "revision": read_checkpoint(checkpoint).metadata["revision"],
            },
        )
    return checkpoint


def iterations(sizes: tuple[Size, ...]) -> int:
    """Of all phases of these sizes."""
    return sum(one.seeds * (one.iterations[0] + one.iterations[1] * len(one.finetune) * one.levels) for one in sizes)


def trained(
    sizes: tuple[Size, ...], runs: Path = RUNS, device: str = "cpu", progress: Count | None = None
) -> Iterator[Seed]:
    """Every size and seed in turn.  progress(done, total) counts iterations.  Cost per iteration: numerics.training."""
    done, total = 0, iterations(sizes)

    def shown(at: int) -> None:
        if progress is not None:
            progress(at, total)

    for size in sizes:
        for seed in range(size.seeds):
            config = size.config(seed)
            before, after = size.iterations
            world = config.world.build()
            alone = replace(config, finetuning=replace(config.finetuning, iterations=0))
            folder = _folder(runs, device, config=to_json(alone))
            start = done

            def on(state: Progress, start: int = start) -> None:
                shown(start + state.step)

            pretrained = _phase(alone, folder, "pretraining", world, None, device, on)
            done += before
            shown(done)
            found: list[Finetuned] = []
            said = [json.loads((folder / "finished.json").read_text())]
            for count in size.finetune:
                for level, subjects in enumerate(levels(world, count, size.levels, seed)):
                    here = World(world.table, subjects, world.n_grammar)
                    start = done

                    def on_finetuning(state: Progress, start: int = start) -> None:
                        shown(start + state.step)

                    own = _folder(runs, device, config=to_json(config), finetune=subjects)
                    checkpoint = _phase(config, own, "finetuning", here, pretrained, device, on_finetuning)
                    done += after
                    shown(done)
                    said.append(json.loads((own / "finished.json").read_text()))
                    found.append(Finetuned(level, here, _network(config, here, checkpoint, device), own.name))
            yield Seed(
                size,
                seed,
                config,
                _network(config, world, None, device),
                _network(config, world, pretrained, device),
                tuple(found),
                folder.name,
                said[0]["revision"],
                sum(one["seconds"] for one in said),
            )
