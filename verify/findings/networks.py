"""A network to be trained: what decides its weights, and the folder that this names."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from numerics.arguments import checked_choice
from numerics.gpt import RunConfig
from numerics.gpt.loss import OBJECTIVES
from numerics.training import PhaseConfig

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / ".verify-run" / "findings"
KINDS = ("pretraining", "icl", "icl+grm")
FINISHED = "finished.json"
# What products are in, in training -> of numerics.gpt.RunConfig; evaluation is always in float32.
PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": {"autocast": "none", "tf32": False},
    "tf32": {"autocast": "none", "tf32": True},
    "bfloat16": {"autocast": "bfloat16", "tf32": False},
}
# Whether the unembedding is the embedding, as in GPT-2 (and nanoGPT), or has weights of its own, as in minGPT.  The paper says "a GPT-2 type
# decoder-only transformer model" and cites minGPT.
UNEMBEDDINGS = {"tied": True, "own": False}
# The files that decide the weights and the curves, and those of the accuracies at the end.
SOURCES = (
    "numerics/world.py",
    "numerics/pretraining/chains.py",
    "numerics/corpus/*.py",
    "numerics/gpt/*.py",
    "numerics/training/config.py",
    "numerics/training/loop.py",
)


@dataclass(frozen=True)
class Network:
    """A network at the end of a phase.  kind: pretraining, or finetuning on 'icl' or 'icl+grm' sequences.

    subjects: of finetuning, in place of the corpus's own; scratch: finetuned without pretraining; objective: the tokens that the
    loss of finetuning counts (numerics.gpt.loss), in place of the config's; untied: finetuned with an unembedding of its own, which
    begins as a copy of the embedding.  Raises ValueError for an unknown kind or objective, for a pretrained network with any of
    these, which it does not depend on, and for scratch with untied: there is nothing to copy.
    """

    config: RunConfig
    kind: str = "pretraining"
    subjects: tuple[int, ...] | None = None
    scratch: bool = False
    objective: str | None = None
    untied: bool = False

    def __post_init__(self) -> None:
        checked_choice("kind", self.kind, KINDS)
        if self.objective is not None:
            checked_choice("objective", self.objective, OBJECTIVES)
        own = self.subjects is not None or self.scratch or self.objective is not None or self.untied
        if self.kind == "pretraining" and own:
            raise ValueError(
                "kind must be icl or icl+grm for subjects, scratch, objective or untied, got 'pretraining'"
            )
        if self.scratch and self.untied:
            raise ValueError("untied must be False for a network that is not pretrained, got True")

    @property
    def before(self) -> "Network | None":
        """The network whose finetuning this is."""
        return None if self.kind == "pretraining" or self.scratch else Network(self.config)

    @property
    def phase(self) -> PhaseConfig:
        """The phase that ends in it."""
        return self.config.pretraining if self.kind == "pretraining" else self.config.finetuning

    def at(self, precision: str, unembedding: str = "tied") -> "Network":
        """The same network trained in a precision, with an unembedding of UNEMBEDDINGS.  Raises ValueError for unknown ones."""
        return replace(self, config=with_unembedding(in_precision(self.config, precision), unembedding))

    def identity(self) -> dict[str, Any]:
        """What decides the weights and the curves, as JSON values."""
        config = self.config.to_json()
        if self.kind == "pretraining":
            config.pop("finetuning")
        subjects = list(range(self.config.corpus.M_ft or 1)) if self.subjects is None else list(self.subjects)
        own = {"kind": self.kind, "subjects": subjects, "scratch": self.scratch, "objective": self.objective}
        return {"config": config} | own | {"untied": self.untied}


def in_precision(config: RunConfig, precision: str) -> RunConfig:
    """The configuration in a precision.  Raises ValueError for an unknown one."""
    return replace(config, **PRECISIONS[checked_choice("precision", precision, tuple(PRECISIONS))])


def with_unembedding(config: RunConfig, unembedding: str) -> RunConfig:
    """The configuration with an unembedding of UNEMBEDDINGS.  Raises ValueError for an unknown one."""
    tied = UNEMBEDDINGS[checked_choice("unembedding", unembedding, tuple(UNEMBEDDINGS))]
    return replace(config, model=replace(config.model, tied=tied))


def sources(patterns: Iterable[str] = SOURCES) -> str:
    """A hash of the files."""
    found = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def folder_of(network: Network, runs: Path, made_by: str, device: str = "cpu") -> Path:
    """Where a network lives; made_by: sources()."""
    decided = network.identity() | {"sources": made_by, "torch": torch.__version__, "device": torch.device(device).type}
    return runs / hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]
