"""A whole run: pretraining, then finetuning from its weights.

out_dir/  config.json, world.json (the table), pretraining/ and finetuning/ (numerics.training.loop), summary.json (the final
accuracies with intervals beside trivial predictors, and the seconds of the calls that computed).  Calling again goes on
where the run was stopped; a finished run is read, not repeated.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.arguments import checked_integer
from numerics.models.factored import Factored
from numerics.models.factored_dense import dense_logits
from numerics.models.fast_loss import Loss, fast_loss, gathers_loss, loss_through
from numerics.sampling.icl import IclSampler
from numerics.sampling.pretraining import PretrainingSampler
from numerics.training.checkpoint import read_checkpoint, restore_model
from numerics.training.config import RunConfig, to_json
from numerics.training.evaluate import baselines, icl_counts, pretraining_counts, with_attribute
from numerics.training.files import write_json
from numerics.training.loop import Progress, Step, train
from numerics.world import World

# Streams of random numbers that must not meet: the seed of a phase draws its data, seed + this its evaluations.
# Generators of the CPU keep the low 32 bits of a seed.
EVALUATION = 1 << 31


class PretrainingSource:
    """Next-token prediction at every position t = 1..T: the mean of the loss over all of them.

    "The next-token prediction objective" is read as the usual one; the target after the last token is the last attribute.
    """

    def __init__(self, sampler: PretrainingSampler):
        self.sampler, self.generator = sampler, sampler.generator

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """tokens and following, (B, T)."""
        drawn = self.sampler.draw(size)
        return drawn.tokens, drawn.following


class FinetuningSource:
    """The last token alone: "last-token prediction on ICL sequences"."""

    def __init__(self, sampler: IclSampler):
        self.sampler, self.generator = sampler, sampler.generator

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """tokens (B, T) and targets (B,)."""
        drawn = self.sampler.draw(size)
        return drawn.tokens, drawn.targets


@dataclass(frozen=True, eq=False)
class Run:
    """The trained network, the world, and summary.json."""

    model: Factored
    world: World
    summary: dict[str, Any]


def engine_loss(config: RunConfig) -> Callable[..., Loss]:
    """The loss of the configured engine."""
    if config.engine == "distinct":
        return fast_loss
    loss = gathers_loss if config.engine == "gathers" else loss_through(dense_logits)
    return torch.compile(loss) if config.compile else loss


def evaluator(
    world: World, config: RunConfig, size: int, seed: int, device: str
) -> Callable[[Factored], dict[str, Any]]:
    """Accuracies on fresh samples of the same seed every time: PT, ICL with seen and with held-out queries.

    PT sequences have no grammar-only subsequences here.  Contexts are drawn from the pool of the query.
    Every entry is a sampled accuracy; n is their number.
    """

    def evaluate(model: Factored) -> dict[str, Any]:
        out: dict[str, Any] = {"n": size}
        pt = PretrainingSampler(world, config.S, config.n_tr, seed=EVALUATION + seed, device=device)
        counts = {"pt": pretraining_counts(model, pt, size)}
        for pool in ("finetune", "heldout") if len(world.heldout) else ("finetune",):
            sampler = IclSampler(world, config.n_demos, pool, pool, EVALUATION + seed, device)
            counts["icl_seen" if pool == "finetune" else "icl_heldout"] = icl_counts(model, sampler, size)
        for name, found in counts.items():
            out |= {f"{name}_{metric}": found.accuracy(metric) for metric in found.right}
        return out

    return evaluate


def final_accuracies(
    model: Factored, world: World, config: RunConfig, size: int, seed: int, device: str
) -> dict[str, Any]:
    """As `evaluator`, with counts, Clopper-Pearson intervals (95 %) and the trivial predictors."""
    pt = PretrainingSampler(world, config.S, config.n_tr, seed=EVALUATION + seed, device=device)
    trivial: dict[str, Any] = {"pt": baselines(pt.tables, with_attribute(pt.draw(size)))}
    counts = {"pt": pretraining_counts(model, pt, size)}
    for pool in ("finetune", "heldout") if len(world.heldout) else ("finetune",):
        sampler = IclSampler(world, config.n_demos, pool, pool, EVALUATION + seed, device)
        name = "icl_seen" if pool == "finetune" else "icl_heldout"
        trivial[name] = baselines(sampler.tables, sampler.draw(size))
        counts[name] = icl_counts(model, sampler, size)
    return {
        name: {
            "total": found.total,
            "sampled": found.sampled,
            "ties": found.ties,
            "accuracy": {metric: found.accuracy(metric) for metric in found.right},
            "interval": {metric: list(found.interval(metric)) for metric in found.right},
            "trivial": vars(trivial[name]),
        }
        for name, found in counts.items()
    }


def world_json(world: World) -> dict[str, Any]:
    """The facts that decide a run."""
    return {"table": world.table.tolist(), "finetune": list(world.finetune), "n_grammar": world.n_grammar}


def _claim(path: Path, value: Any, what: str) -> None:
    """Writes the file, or checks that it already says the same."""
    if not path.exists():
        write_json(path, value)
    elif json.loads(path.read_text()) != value:
        raise ValueError(
            f"out_dir must be new or hold the same run, got {path.parent} with another {what} ({path.name})"
        )


def pretrain_and_finetune(
    config: RunConfig,
    out_dir: str | Path,
    world: World | None = None,
    device: str = "cpu",
    progress: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Callable[[Step[Factored]], None]] = (),
    pretrained: str | Path | None = None,
    final_size: int = 4096,
) -> Run:
    """Runs, or goes on with, the run in out_dir.  Returns the finetuned network (pretrained if it has no iterations).

    world: in place of config.world.build().  pretrained: a checkpoint to finetune from in place of pretraining; the run has
    no pretraining phase then.  Raises ValueError for an out_dir with another run, or a checkpoint of another shape.
    Cost per PT iteration: numerics.models.fast_loss.
    """
    checked_integer("final_size", final_size, 1)
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    world = config.world.build() if world is None else world
    _claim(out_dir / "world.json", world_json(world), "world")
    given = to_json(config) | ({} if pretrained is None else {"pretrained": str(Path(pretrained).resolve())})
    _claim(out_dir / "config.json", given, "configuration")
    model = config.model.build(world.V, config.T, config.dtype, device)
    loss, summary = engine_loss(config), {}
    if (out_dir / "summary.json").exists():
        summary = json.loads((out_dir / "summary.json").read_text())
    phases: list[tuple[str, Any, Any]] = []
    if pretrained is not None:
        restore_model(model, read_checkpoint(pretrained))
    else:
        pt = PretrainingSampler(
            world, config.S, config.n_tr, config.p_G, config.grammar_only, config.pretraining.seed, device
        )
        phases.append(("pretraining", PretrainingSource(pt), config.pretraining))
    if config.finetuning.iterations:
        icl = IclSampler(world, config.n_demos, seed=config.finetuning.seed, device=device)
        phases.append(("finetuning", FinetuningSource(icl), config.finetuning))
    for name, source, phase in phases:
        # Every phase has an optimizer of its own, and starts from the weights that the one before left in `model`.
        evaluate = evaluator(world, config, phase.evaluate_size, phase.seed, device)
        took = train(name, model, source, loss, phase, out_dir / name, given, evaluate, progress, callbacks)
        if took["steps"] or name not in summary:
            accuracies = final_accuracies(model, world, config, final_size, phase.seed, device)
            summary[name] = took | {"threads": torch.get_num_threads(), "device": device, "accuracies": accuracies}
            write_json(out_dir / "summary.json", summary)
    return Run(model, world, summary)
