"""The 2-layer network of Section 3: model, objective, runs, evaluation."""

from numerics.gpt.config import ModelConfig, RunConfig
from numerics.gpt.evaluate import METRICS, POPULATIONS, accuracies
from numerics.gpt.model import GPT
from numerics.gpt.run import build, finetune, load, pretrain
from numerics.gpt.trivial import PREDICTORS, trivial

__all__ = [
    "GPT",
    "METRICS",
    "POPULATIONS",
    "PREDICTORS",
    "ModelConfig",
    "RunConfig",
    "accuracies",
    "build",
    "finetune",
    "load",
    "pretrain",
    "trivial",
]
