"""What a run of the 2-layer network is: frozen dataclasses, to JSON and back (to_json, from_json).

Defaults are the paper's (App. B.1, Sections 3.1 and 3.2): AdamW lr 1e-4, weight decay 1e-3, batch 64, 20k + 2k iterations.  Open, and
taken so: a constant rate (the cosine schedule is mentioned for Section 4), betas (0.9, 0.999), weight decay on every parameter,
no warm-up, no clipping of gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.corpus import CorpusConfig
from numerics.gpt.loss import OBJECTIVES
from numerics.gpt.model import GPT
from numerics.training.config import DTYPES, PhaseConfig, from_json, to_json

CASTS = ("none", "bfloat16")
CONTEXTS = ("query", "finetune", "heldout", "all")


@dataclass(frozen=True)
class ModelConfig:
    """The network, numerics.gpt.model.GPT; `seed` draws its weights."""

    n_layers: int = 2
    n_heads: int = 1
    d: int = 256
    seed: int = 0
    std: float = 0.02
    gelu: str = "erf"
    tied: bool = True

    def build(self, V: int, T: int, dtype: str = "float32", device: str | torch.device = "cpu") -> GPT:
        """The network at its initial weights.  Raises ValueError as GPT."""
        checked_choice("dtype", dtype, tuple(DTYPES))
        sizes = (V, T, self.n_layers, self.n_heads, self.d, self.std, self.seed, self.gelu, self.tied)
        return GPT(*sizes, dtype=DTYPES[dtype], device=device)


@dataclass(frozen=True)
class RunConfig:
    """A whole run.

    S_ft: grammar lengths of the ICL+Grm finetuning sequences, uniform; n_demos: of finetuning and evaluation.
    context: where the demonstrations of an evaluation come from: "query", the pool of the query (seen or held-out), or one pool.
    loss: which positions count (numerics.gpt.loss).
    autocast "bfloat16": the products of the blocks are rounded in training; logits and evaluation are not.  It is
    not shown to leave the metrics alone: in trials at small sizes facts were learnt later.  tf32: products on CUDA.
    compile: torch.compile of the loss.  Off, all is float32's.
    """

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    S: int = 80
    n_tr: int = 5
    p_G: float = 0.2
    n_demos: int = 16
    S_ft: tuple[int, ...] = (1, 2, 3, 4, 5)
    pretraining: PhaseConfig = field(
        default_factory=lambda: PhaseConfig(20000, lr=1e-4, schedule="constant", evaluate_every=500)
    )
    finetuning: PhaseConfig = field(
        default_factory=lambda: PhaseConfig(2000, lr=1e-4, schedule="constant", seed=1, evaluate_every=100)
    )
    loss: str = "all"
    context: str = "query"
    dtype: str = "float32"
    autocast: str = "none"
    tf32: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        checked_integer("S", self.S, 1)
        checked_integer("n_tr", self.n_tr, 1)
        checked_integer("n_demos", self.n_demos, 0)
        if not 0 <= checked_real("p_G", self.p_G) < 1:
            raise ValueError(f"p_G must be in [0, 1) for an attribute to predict, got {self.p_G!r}")
        if not isinstance(self.S_ft, tuple):
            raise ValueError(f"S_ft must be a tuple of lengths, got {self.S_ft!r}")
        if not self.S_ft:
            raise ValueError("S_ft must hold at least one length, got ()")
        for length in self.S_ft:
            checked_integer("S_ft", length, 1)
        checked_choice("loss", self.loss, OBJECTIVES)
        checked_choice("context", self.context, CONTEXTS)
        checked_choice("dtype", self.dtype, tuple(DTYPES))
        checked_choice("autocast", self.autocast, CASTS)

    @property
    def pretraining_T(self) -> int:
        """Inputs of a PT sequence: its length without the final token."""
        return (self.S + 3) * self.n_tr - 2

    @property
    def T(self) -> int:
        """Positions the network has: inputs of the longest sequence it ever sees.

        Positions beyond pretraining_T meet finetuning at their initial values.  `untrained` counts them: at the paper's sizes
        there are none (134 of 413), with S = 20, S_ft <= 4 and 16 demonstrations 4 (117 of 113).
        """
        return max(self.pretraining_T, (max(self.S_ft) + 3) * (self.n_demos + 1) - 2)

    @property
    def untrained(self) -> int:
        """How many positions pretraining never visits."""
        return self.T - self.pretraining_T

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; back with from_json."""
        return to_json(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "RunConfig":
        """The config of JSON values; keys that are missing take their default.  Raises ValueError for unusable ones."""
        config = from_json(cls, {key: value for key, value in given.items() if key != "corpus"})
        if "corpus" not in given:
            return config
        corpus, known = given["corpus"], tuple(one.name for one in fields(CorpusConfig))
        if not isinstance(corpus, Mapping) or not set(corpus) <= set(known):
            raise ValueError(f"config.corpus must be an object with keys among {', '.join(known)}, got {corpus!r}")
        return replace(config, corpus=CorpusConfig(**corpus))
