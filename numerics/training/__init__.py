"""Training of the attention-only network: config -> checkpoints and metrics; evaluation; timings."""

from numerics.training.config import ModelConfig, PhaseConfig, RunConfig, WorldConfig, from_json, to_json
from numerics.training.loop import Progress, Step, train
from numerics.training.run import Run, pretrain_and_finetune

__all__ = [
    "ModelConfig",
    "PhaseConfig",
    "Progress",
    "Run",
    "RunConfig",
    "Step",
    "WorldConfig",
    "from_json",
    "pretrain_and_finetune",
    "to_json",
    "train",
]
