"""The training loop: draw a batch, one AdamW step, and what a run leaves behind.

A folder holds  checkpoint.safetensors (+ .json)  the latest state,  metrics.jsonl  one line per logged or evaluated step,
weights_<step>.safetensors (+ .json)  snapshots.  A run that was killed at any moment goes on from its checkpoint: metrics
are cut back to it, and the data generator continues where it stood.  On the CPU, with the same number of threads, the
result is the same bits as without the kill; nothing in metrics.jsonl depends on time.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from numerics.models.fast_loss import Loss
from numerics.training.checkpoint import (
    model_tensors,
    read_checkpoint,
    restore_training,
    training_tensors,
    write_checkpoint,
)
from numerics.training.config import PhaseConfig
from numerics.training.files import MetricsLog, revision, versions

#: Any network: the loop asks for parameters, and for a loss of it.
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Progress:
    """What a progress callback is told at every logged step: accuracies are those of the latest evaluation and of the batch."""

    phase: str
    step: int
    iterations: int
    loss: float
    accuracies: dict[str, Any]
    tokens_per_second: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Step(Generic[Network]):
    """What a callback is told after every iteration: step counts the iterations done; loss is a tensor on the device."""

    phase: str
    step: int
    model: Network
    tokens: Tensor
    targets: Tensor
    loss: Tensor


class Source(Protocol):
    """Where batches come from.  `generator` is all of its state."""

    generator: torch.Generator

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Tokens (B, t) and targets (B, t) or (B,)."""
        ...


def learning_rate(phase: PhaseConfig, step: int) -> float:
    """The rate of iteration step = 0, 1, ..: lr, or with the cosine schedule lr (1 + cos(pi step / iterations)) / 2."""
    if phase.schedule == "constant":
        return phase.lr
    return phase.lr * (1 + math.cos(math.pi * step / phase.iterations)) / 2


def adamw(model: nn.Module, phase: PhaseConfig) -> torch.optim.AdamW:
    """AdamW with the settings of the phase, fused."""
    betas = (phase.betas[0], phase.betas[1])
    return torch.optim.AdamW(model.parameters(), phase.lr, betas, weight_decay=phase.weight_decay, fused=True)


def train(
    name: str,
    model: Network,
    source: Source,
    loss: Callable[..., Loss],
    phase: PhaseConfig,
    folder: Path,
    identity: dict[str, Any],
    evaluate: Callable[[Network], dict[str, Any]] | None = None,
    progress: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Callable[[Step[Network]], None]] = (),
) -> dict[str, float]:
    """Trains `model` in place for what is left of phase.iterations; returns the seconds, steps and tokens of this call.

    identity: what the run is (JSON values); a checkpoint in the folder must have the same.  loss(model, tokens, targets,
    predict) as numerics.models.fast_loss.fast_loss.  Raises ValueError for a folder with another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.safetensors"
    optimizer = adamw(model, phase)
    done, size, latest = 0, 0, {}
    if path.exists():
        checkpoint = read_checkpoint(path)
        if checkpoint.metadata["identity"] != identity:
            raise ValueError(f"folder must be new or hold the same run, got {folder} with another configuration")
        restore_training(model, optimizer, source.generator, checkpoint)
        done, size, latest = checkpoint.step, checkpoint.metadata["metrics_bytes"], checkpoint.metadata["latest"]
    log = MetricsLog(folder / "metrics.jsonl", size)
    provenance = {"phase": name, "identity": identity, "versions": versions(), "revision": revision()}
    began, first, tokens_seen = time.perf_counter(), done, 0
    try:
        for step in range(done, phase.iterations):
            tokens, targets = source.batch(phase.batch)
            after = step + 1
            final = after == phase.iterations
            logged = final or after % phase.log_every == 0 or step == 0
            optimizer.param_groups[0]["lr"] = learning_rate(phase, step)
            optimizer.zero_grad(set_to_none=True)
            found = loss(model, tokens, targets, logged)
            found.loss.backward()
            optimizer.step()
            tokens_seen += tokens.numel()
            for callback in callbacks:
                callback(Step(name, after, model, tokens, targets, found.loss.detach()))
            evaluated = evaluate is not None and (final or after % phase.evaluate_every == 0)
            if logged or evaluated:
                record: dict[str, Any] = {"phase": name, "step": after, "lr": learning_rate(phase, step)}
                if found.predictions is not None:
                    # The loss and the accuracy of the batch are those before its step.
                    record["loss"] = found.loss.item()
                    right = found.predictions == targets
                    record["batch_accuracy"] = right.double().mean().item()
                    record["batch_last_accuracy"] = (right[:, -1] if right.ndim == 2 else right).double().mean().item()
                if evaluated and evaluate is not None:
                    latest = evaluate(model)
                    record["evaluation"] = latest
                log.write(record)
                if progress is not None and "loss" in record:
                    seconds = time.perf_counter() - began
                    shown = {"batch": record["batch_accuracy"], "batch last": record["batch_last_accuracy"]} | latest
                    rate = tokens_seen / max(seconds, 1e-9)
                    progress(Progress(name, after, phase.iterations, record["loss"], shown, rate, seconds))
            if after in phase.snapshots:
                kept = {"step": after} | provenance
                write_checkpoint(folder / f"weights_{after:06d}.safetensors", model_tensors(model), kept)
            if final or after % phase.checkpoint_every == 0:
                log.settle()
                state = {"step": after, "metrics_bytes": log.size, "latest": latest} | provenance
                write_checkpoint(path, training_tensors(model, optimizer, source.generator), state)
    finally:
        log.close()
    return {"seconds": time.perf_counter() - began, "steps": max(phase.iterations - first, 0), "tokens": tokens_seen}
