"""A corpus and a run small enough for seconds."""

import pytest

from numerics.corpus import CorpusConfig
from numerics.gpt import ModelConfig, RunConfig
from numerics.training import PhaseConfig


@pytest.fixture(scope="session")
def tiny() -> RunConfig:
    return RunConfig(
        corpus=CorpusConfig(M=8, L=2, U=(8, 4), M_ft=4, G=3, pool=10, div=None),
        model=ModelConfig(d=8),
        S=4,
        n_tr=2,
        n_demos=2,
        S_ft=(1, 2),
        pretraining=PhaseConfig(
            17, batch=8, lr=1e-2, log_every=4, evaluate_every=6, evaluate_size=16, checkpoint_every=5, snapshots=(7,)
        ),
        finetuning=PhaseConfig(
            9, batch=8, lr=1e-2, seed=1, log_every=3, evaluate_every=4, evaluate_size=16, checkpoint_every=4
        ),
    )
