"""The state of a phase of training in one safetensors file, with a JSON sidecar that repeats its metadata.

Everything a resumed run needs is in the one file: weights, moments of AdamW, state of the data generator, step, and the
length of the metrics.  The sidecar is for reading; it is written second and can be behind by one checkpoint after a kill.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from numerics.training.files import write_atomically, write_json

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """tensors by name ('model.key', 'optimizer.key.exp_avg', 'generator', ..) and metadata (JSON values)."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]

    @property
    def step(self) -> int:
        """Iterations done."""
        return int(self.metadata["step"])


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The weights, on the CPU."""
    return {f"model.{name}": weight.detach().cpu().contiguous() for name, weight in model.named_parameters()}


def training_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator
) -> dict[str, Tensor]:
    """Weights, moments and generator state."""
    tensors = model_tensors(model) | {"generator": generator.get_state()}
    for name, weight in model.named_parameters():
        for moment in MOMENTS:
            if moment in optimizer.state[weight]:
                tensors[f"optimizer.{name}.{moment}"] = optimizer.state[weight][moment].detach().cpu().contiguous()
    return tensors


def write_checkpoint(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """path (.safetensors) and its sidecar (.json), each atomically."""
    write_atomically(path, save(tensors, {"checkpoint": json.dumps(metadata)}))
    write_json(path.with_suffix(".json"), metadata)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """A checkpoint.  Raises ValueError for a file that is none."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})["checkpoint"])
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, metadata)  # noqa: SIM118
    except FileNotFoundError:
        raise ValueError(f"checkpoint must be a file, got {path}, which does not exist") from None
    except Exception as error:  # safetensors raises its own type, json and the key another
        raise ValueError(f"checkpoint must be a safetensors file of this program, got {path}: {error}") from None


def restore_model(model: nn.Module, checkpoint: Checkpoint) -> None:
    """The weights of the checkpoint into the model.  Raises ValueError if shapes or names differ."""
    own = {f"model.{name}": weight for name, weight in model.named_parameters()}
    given = {name: tensor for name, tensor in checkpoint.tensors.items() if name.startswith("model.")}
    shapes = [{name: tuple(t.shape) for name, t in group.items()} for group in (own, given)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"checkpoint must hold weights of shapes {shapes[0]}, got {shapes[1]}")
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(given[name])


def restore_training(
    model: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator, checkpoint: Checkpoint
) -> None:
    """Weights, moments and generator state of the checkpoint.  Raises ValueError as restore_model."""
    restore_model(model, checkpoint)
    for name, weight in model.named_parameters():
        for moment in MOMENTS:
            saved = checkpoint.tensors.get(f"optimizer.{name}.{moment}")
            if saved is not None:
                # Fused AdamW keeps its step counter beside the weight.
                optimizer.state[weight][moment] = saved.to(weight.device).clone()
    generator.set_state(checkpoint.tensors["generator"])
