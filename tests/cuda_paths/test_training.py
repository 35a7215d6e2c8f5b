"""Training on the device: the numbers of the CPU, no mixed devices, and no wait within an iteration."""

from dataclasses import replace

import pytest
import torch

from numerics.corpus import CorpusConfig, ICLSampler, PTSampler
from numerics.gpt import ModelConfig, RunConfig, build
from numerics.gpt.loss import loss_for
from numerics.gpt.run import SequenceSource, finetune, load, pretrain
from numerics.training import ModelConfig as AttentionConfig
from numerics.training import PhaseConfig, WorldConfig
from numerics.training import RunConfig as AttentionRunConfig
from numerics.training.loop import adamw
from numerics.training.run import pretrain_and_finetune

PHASE = PhaseConfig(6, 8, 1e-3, log_every=2, evaluate_every=3, evaluate_size=16, checkpoint_every=3, snapshots=(2,))
GPT = RunConfig(
    CorpusConfig(M=8, L=2, U=4, G=3, pool=20),
    ModelConfig(d=8),
    S=4,
    n_tr=2,
    n_demos=2,
    S_ft=(1, 2),
    pretraining=PHASE,
    finetuning=replace(PHASE, seed=1),
    dtype="float64",
)
# On the CPU sequences of different lengths are computed length by length, here all at once: the same sums in another order.
SUMS = 1e-9


def weights(model):
    return {name: weight.detach().cpu() for name, weight in model.named_parameters()}


def assert_same(one, two, tolerance):
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", ["icl", "icl+grm"])
def test_the_two_layer_network(tmp_path, cuda, kind):
    found = {}
    for device in ("cpu", "cuda"):
        pretrain(GPT, tmp_path / device / "pt", device)
        finetune(GPT, tmp_path / device / kind, tmp_path / device / "pt", kind, device)
        finetune(GPT, tmp_path / device / kind, tmp_path / device / "pt", kind, device)  # reads what is there
        found[device] = weights(load(tmp_path / device / kind, device))
    assert_same(found["cpu"], found["cuda"], SUMS)


def test_a_stopped_run_goes_on(tmp_path, cuda):
    class Stopped(Exception):
        pass

    def stop(step):
        if step.step == 5:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(GPT, tmp_path / "one", "cuda", callbacks=[stop])
    one, two = (pretrain(GPT, tmp_path / name, "cuda") for name in ("one", "two"))
    # Generators of a real device have a state of their own; here as there it is part of the checkpoint.
    assert_same(weights(one), weights(two), 0)


@pytest.mark.parametrize("objective", ["all", "last"])
@pytest.mark.parametrize("kind", ["pt", "icl", "icl+grm"])
def test_an_iteration_of_the_two_layer_network_waits_for_nothing(cuda, kind, objective):
    corpus = GPT.corpus.build()
    sampler = (
        PTSampler(corpus, GPT.S, GPT.n_tr, GPT.p_G, device="cuda")
        if kind == "pt"
        else ICLSampler(corpus, GPT.n_demos, 0 if kind == "icl" else GPT.S_ft, device="cuda")
    )
    model, source, loss = build(GPT, "cuda", corpus), SequenceSource(sampler), loss_for(objective)
    optimizer = adamw(model, PHASE)
    cuda.clear()
    for _ in range(2):
        optimizer.zero_grad(set_to_none=True)
        loss(model, *source.batch(8), False).loss.backward()
        optimizer.step()
    assert cuda == []


@pytest.mark.parametrize("positions", ["relative", "absolute"])
@pytest.mark.parametrize("engine", ["distinct", "gathers", "dense"])
def test_the_attention_only_network(tmp_path, cuda, engine, positions):
    config = AttentionRunConfig(
        world=WorldConfig(M=8, L=2, U=4, M_ft=4),
        model=AttentionConfig(d_h=8, positions=positions),
        S=4,
        n_tr=2,
        n_demos=2,
        engine=engine,
        pretraining=PHASE,
        finetuning=replace(PHASE, seed=1, schedule="constant"),
    )
    found = {
        device: weights(pretrain_and_finetune(config, tmp_path / device, device=device, final_size=32).model)
        for device in ("cpu", "cuda")
    }
    assert_same(found["cpu"], found["cuda"], 0)
