"""Runs of the 2-layer network on the training loop of numerics.training.loop: pretraining, finetuning, and networks read back.

folder/  checkpoint.safetensors (+ .json), metrics.jsonl, weights_<step>.safetensors (numerics.training.loop).  A run that was
stopped goes on from its checkpoint, on the CPU bit for bit; a finished one is read.  metrics.jsonl has "loss" (mean over the
positions that count), "batch_accuracy" (of the final token of each sequence) and under "evaluation" what
numerics.gpt.evaluate.accuracies finds.

Identity: what decides the weights; another number of demonstrations or size of the evaluations is no other pretraining.
A checkpoint tells the network it belongs to: `load` needs nothing else.

CUDA (autocast, tf32, compile; untested where no such device was at hand): batches of one kind have one shape, so that a compiled loss
is compiled once.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.arguments import checked_choice
from numerics.corpus import Corpus, ICLSampler, PTSampler
from numerics.gpt.config import ModelConfig, RunConfig
from numerics.gpt.evaluate import accuracies, flat
from numerics.gpt.loss import ends, loss_for, sequences
from numerics.gpt.model import GPT
from numerics.training.checkpoint import Checkpoint, read_checkpoint, restore_model
from numerics.training.config import PhaseConfig, from_json, to_json
from numerics.training.loop import Progress, Step, train

KINDS = ("icl", "icl+grm")
#: Of a phase, what only watches.
WATCHING = ("log_every", "evaluate_every", "evaluate_size", "checkpoint_every", "snapshots")


class SequenceSource:
    """Batches for the loop: whole sequences (B, T + 1) with IGNORED after the end, and their final tokens (B,)."""

    def __init__(self, sampler: PTSampler | ICLSampler):
        self.sampler, self.generator = sampler, sampler.generator

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """sequence (B, T + 1) and final tokens (B,)."""
        drawn = self.sampler.draw(size)
        sequence = sequences(drawn.tokens, drawn.following)
        return sequence, sequence.gather(1, ends(sequence)[:, None] + 1)[:, 0]


def fingerprint(corpus: Corpus) -> str:
    """SHA-256 of facts and chains; the finetuning subjects are not in it."""
    digest = hashlib.sha256()
    for array in (corpus.world.table, corpus.transitions, corpus.grammar_only):
        digest.update(repr((array.shape, str(array.dtype))).encode() + array.tobytes())
    return digest.hexdigest()


def _weights_digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith("model."):
            digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()


def _deciding(phase: PhaseConfig) -> dict[str, Any]:
    return {key: value for key, value in to_json(phase).items() if key not in WATCHING}


def _common(config: RunConfig, corpus: Corpus) -> dict[str, Any]:
    chosen = ("loss", "dtype", "autocast", "tf32", "compile")
    own = {"model": to_json(config.model), "V": corpus.V, "T": config.T, "corpus": fingerprint(corpus)}
    return own | {name: getattr(config, name) for name in chosen}


def pretraining_identity(config: RunConfig, corpus: Corpus) -> dict[str, Any]:
    """What decides the pretrained weights."""
    data = {"S": config.S, "n_tr": config.n_tr, "p_G": config.p_G}
    return _common(config, corpus) | data | {"kind": "pt", "phase": _deciding(config.pretraining)}


def finetuning_identity(config: RunConfig, corpus: Corpus, kind: str, start: str) -> dict[str, Any]:
    """What decides the finetuned weights; start: digest of the weights begun with, or "fresh"."""
    data: dict[str, Any] = {"n_demos": config.n_demos, "subjects": [int(j) for j in corpus.world.finetune]}
    if kind == "icl+grm":
        data["S_ft"] = list(config.S_ft)
    return _common(config, corpus) | data | {"kind": kind, "start": start, "phase": _deciding(config.finetuning)}


def build(config: RunConfig, device: str | torch.device = "cpu", corpus: Corpus | None = None) -> GPT:
    """The network of a run at its initial weights; corpus: in place of config.corpus.build()."""
    corpus = config.corpus.build() if corpus is None else corpus
    return config.model.build(corpus.V, config.T, config.dtype, device)


@contextmanager
def _precision(config: RunConfig) -> Iterator[None]:
    """TensorFloat-32 products on CUDA if asked for; what was set before is put back."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if config.tf32 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _trained(
    name: str,
    model: GPT,
    source: SequenceSource,
    phase: PhaseConfig,
    folder: str | Path,
    identity: dict[str, Any],
    config: RunConfig,
    corpus: Corpus,
    device: str | torch.device,
    progress: Callable[[Progress], None] | None,
    callbacks: Sequence[Callable[[Step[GPT]], None]],
) -> GPT:
    def evaluate(found: GPT) -> dict[str, Any]:
        return accuracies(found, corpus, config, phase.evaluate_size, phase.seed, device)

    def shown(report: Progress) -> None:
        if progress is not None:
            progress(replace(report, accuracies=flat(report.accuracies)))

    loss = loss_for(config.loss, config.autocast, config.compile, corpus)
    with _precision(config):
        train(name, model, source, loss, phase, Path(folder), identity, evaluate, shown, callbacks)
    return model


def pretrain(
    config: RunConfig,
    folder: str | Path,
    device: str | torch.device = "cpu",
    progress: Callable[[Progress], None] | None = None,
    corpus: Corpus | None = None,
    callbacks: Sequence[Callable[[Step[GPT]], None]] = (),
) -> GPT:
    """Trains on PT sequences in `folder`, or goes on with what is there.  corpus: in place of config.corpus.build().

    Raises ValueError for a folder with another run.
    """
    corpus = config.corpus.build() if corpus is None else corpus
    model = build(config, device, corpus)
    drawn = PTSampler(corpus, config.S, config.n_tr, config.p_G, seed=config.pretraining.seed, device=device)
    identity = pretraining_identity(config, corpus)
    phase, source = config.pretraining, SequenceSource(drawn)
    return _trained("pretraining", model, source, phase, folder, identity, config, corpus, device, progress, callbacks)


def finetune(
    config: RunConfig,
    folder: str | Path,
    pretrained: str | Path | None,
    kind: str = "icl",
    device: str | torch.device = "cpu",
    progress: Callable[[Progress], None] | None = None,
    corpus: Corpus | None = None,
    subjects: Sequence[int] | None = None,
    callbacks: Sequence[Callable[[Step[GPT]], None]] = (),
) -> GPT:
    """Trains on ICL or ICL+Grm sequences of the finetuning subjects, from a pretrained network or, with None, a fresh one.

    pretrained: a checkpoint or snapshot, or the folder of a pretraining.  subjects: in place of the corpus's finetuning subjects.
    Raises ValueError for a folder with another run, an unknown kind, a checkpoint of another network or other facts, or the
    folder of a pretraining that is not finished.  With model.tied False a tied network is begun with, and untied: its embedding is
    also what the unembedding begins with.
    """
    checked_choice("kind", kind, KINDS)
    corpus = config.corpus.build() if corpus is None else corpus
    corpus = corpus if subjects is None else corpus.finetuned_on(subjects)
    model, start = build(config, device, corpus), "fresh"
    if pretrained is not None:
        path = Path(pretrained)
        checkpoint = read_checkpoint(path / "checkpoint.safetensors" if path.is_dir() else path)
        if checkpoint.metadata["identity"].get("corpus") != fingerprint(corpus):
            raise ValueError(f"pretrained must be of the same facts and chains, got {pretrained} of another corpus")
        _same_network(config, checkpoint, pretrained)
        wanted = int(checkpoint.metadata["identity"]["phase"]["iterations"])
        if path.is_dir() and checkpoint.step < wanted:
            raise ValueError(f"pretrained must be finished, got {path} after {checkpoint.step} of {wanted} iterations")
        restore_model(model, _untied(checkpoint) if model.unembedding is not None else checkpoint)
        start = _weights_digest(checkpoint.tensors)
    S_ft: int | tuple[int, ...] = 0 if kind == "icl" else config.S_ft
    drawn = ICLSampler(corpus, config.n_demos, S_ft, seed=config.finetuning.seed, device=device)
    identity = finetuning_identity(config, corpus, kind, start)
    phase, source = config.finetuning, SequenceSource(drawn)
    return _trained("finetuning", model, source, phase, folder, identity, config, corpus, device, progress, callbacks)


def _untied(checkpoint: Checkpoint) -> Checkpoint:
    """The same weights with an unembedding of their own: a copy of the embedding, where they had none."""
    own = {"model.unembedding": checkpoint.tensors["model.token"].clone()}
    return Checkpoint(own | checkpoint.tensors, checkpoint.metadata)


def _same_network(config: RunConfig, checkpoint: Checkpoint, where: str | Path) -> None:
    """Shapes do not tell everything: heads and the nonlinearity have none.  The seed may be another, and what was tied untied."""
    wanted, given = to_json(config.model), dict(checkpoint.metadata["identity"]["model"])
    free = {"seed"} if wanted["tied"] else {"seed", "tied"}
    other = sorted(name for name in wanted if name not in free and given.get(name) != wanted[name])
    if other:
        told = ", ".join(f"{name} = {given.get(name)!r}" for name in other)
        asked = ", ".join(f"{name} = {wanted[name]!r}" for name in other)
        raise ValueError(f"pretrained must be a network with {asked}, got {where} with {told}")


def load(path: str | Path, device: str | torch.device = "cpu") -> GPT:
    """The network of a checkpoint or snapshot, or of a run's folder.  Raises ValueError for a file that is none."""
    path = Path(path)
    path = path / "checkpoint.safetensors" if path.is_dir() else path
    checkpoint = read_checkpoint(path)
    identity = checkpoint.metadata["identity"]
    if not {"model", "V", "T", "dtype"} <= set(identity):
        raise ValueError(f"checkpoint must be one of the 2-layer network, got {path}")
    config = from_json(ModelConfig, identity["model"], "model")
    model = config.build(identity["V"], identity["T"], identity["dtype"], device)
    restore_model(model, checkpoint)
    return model
