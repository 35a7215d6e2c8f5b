"""The objective: which positions count, and that lengths, autocast off and targets make no difference."""

import pytest
import torch
from torch.nn import functional as F

from numerics.corpus import IGNORED, ICLSampler, PTSampler
from numerics.gpt import GPT
from numerics.gpt.loss import OBJECTIVES, counted, ends, loss_for, mean_loss, sequences
from numerics.gpt.run import SequenceSource

torch.set_num_threads(1)


@pytest.fixture(params=["pt", "icl", "icl+grm"])
def drawn(request, tiny):
    corpus = tiny.corpus.build()
    sampler = (
        PTSampler(corpus, tiny.S, tiny.n_tr, 0.5)
        if request.param == "pt"
        else ICLSampler(corpus, tiny.n_demos, 0 if request.param == "icl" else (0, 1, 3))
    )
    return corpus, sampler


def by_hand(model, batch, objective, corpus):
    """The mean over single positions, one forward pass each."""
    subjects, values = set(range(corpus.M)), set(corpus.attribute_token.flatten().tolist())
    terms = []
    for row in range(len(batch.tokens)):
        for t in range(int(batch.last[row]) + 1):
            following = int(batch.following[row, t])
            if not {
                "all": True,
                "last": t == int(batch.last[row]),
                "no_subjects": following not in subjects,
                "attributes": following in values,
            }[objective]:
                continue
            logits = model(batch.tokens[row : row + 1, : t + 1])[0, -1]
            terms.append(-F.log_softmax(logits, -1)[batch.following[row, t]])
    return torch.stack(terms).mean()


def loss_of(model, batch, objective, corpus):
    return loss_for(objective, corpus=corpus)(
        model, sequences(batch.tokens, batch.following), batch.targets, False
    ).loss


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_mean_over_the_positions_that_count(drawn, objective):
    corpus, sampler = drawn
    batch = sampler.draw(6)
    model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64)
    expected = by_hand(model, batch, objective, corpus)
    gradients = torch.autograd.grad(expected, list(model.parameters()))
    found = loss_of(model, batch, objective, corpus)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    for one, two in zip(torch.autograd.grad(found, list(model.parameters())), gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-11)


def test_whole_sequences(drawn):
    _, sampler = drawn
    batch = sampler.draw(32)
    sequence = sequences(batch.tokens, batch.following)
    assert sequence.shape == (32, sampler.T + 1)
    assert torch.equal(ends(sequence), batch.last)
    assert torch.equal(sequence[:, 1:] == IGNORED, batch.following == IGNORED)
    inputs = torch.arange(sampler.T) <= batch.last[:, None]
    assert torch.equal(sequence[:, :-1][inputs], batch.tokens[inputs])
    source = SequenceSource(sampler)
    state = source.generator.get_state()
    whole, final = source.batch(32)
    source.generator.set_state(state)
    again = sampler.draw(32)
    assert torch.equal(whole, sequences(again.tokens, again.following))
    assert torch.equal(final, again.targets)


def test_predictions_are_of_the_final_token(drawn):
    corpus, sampler = drawn
    batch = sampler.draw(16)
    model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64)
    sequence = sequences(batch.tokens, batch.following)
    found = loss_for()(model, sequence, batch.targets, True)
    assert torch.equal(found.predictions, model(batch.tokens)[torch.arange(16), batch.last].argmax(-1))
    assert not found.predictions.requires_grad
    quiet = loss_for()(model, sequence, batch.targets, False)
    assert quiet.predictions is None
    assert torch.equal(quiet.loss, found.loss)


def test_objectives_count_what_they_say_and_differ(drawn):
    corpus, sampler = drawn
    batch = sampler.draw(6)
    model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64)
    losses = [loss_of(model, batch, objective, corpus).item() for objective in OBJECTIVES]
    assert len({round(loss, 9) for loss in losses}) == len(OBJECTIVES)


@pytest.mark.parametrize("objective", [one for one in OBJECTIVES if one != "last"])
def test_masked_positions_are_those_left_out(drawn, objective):
    """The form of an accelerator, which masks, on the CPU: the same mean."""
    corpus, sampler = drawn
    batch = sampler.draw(6)
    model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64)
    sequence, kinds = sequences(batch.tokens, batch.following), counted(objective, corpus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: True)
        masked = mean_loss(model, sequence, objective, kinds)
    torch.testing.assert_close(masked, mean_loss(model, sequence, objective, kinds), rtol=0, atol=1e-12)
    torch.testing.assert_close(masked, loss_of(model, batch, objective, corpus), rtol=0, atol=1e-12)


def test_the_tokens_that_count(tiny):
    """Every token of the vocabulary: a batch need not hold the first or the last of its kind."""
    corpus = tiny.corpus.build()
    values = {int(v) for ell in range(corpus.L) for v in corpus.world.attribute_range(ell)}
    tokens = set(range(corpus.V))
    expected = {"all": tokens, "last": tokens, "no_subjects": tokens - set(range(corpus.M)), "attributes": values}
    assert set(expected) == set(OBJECTIVES)
    for objective, those in expected.items():
        assert set(counted(objective, corpus).nonzero()[:, 0].tolist()) == those


def test_an_unusable_objective():
    with pytest.raises(ValueError, match="loss must be one of 'all', 'last', 'no_subjects', 'attributes', got 'some'"):
        loss_for("some")
    with pytest.raises(ValueError, match="corpus must be given for the loss 'attributes', got None"):
        loss_for("attributes")


@pytest.mark.long
def test_the_compiled_loss_is_the_same(tiny):
    corpus = tiny.corpus.build()
    sampler = ICLSampler(corpus, tiny.n_demos, (0, 1, 3))
    model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64)
    sequence, targets = SequenceSource(sampler).batch(6)
    found = []
    for compiled in (False, True):
        loss = loss_for(compiled=compiled)(model, sequence, targets, False).loss
        found.append([loss, *torch.autograd.grad(loss, list(model.parameters()))])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("compiled", [False, True])
def test_the_same_loss_on_cuda(drawn, compiled):
    corpus, sampler = drawn
    batch = sampler.draw(6)
    sequence = sequences(batch.tokens, batch.following)
    losses = []
    for where in ("cpu", "cuda"):
        model = GPT(corpus.V, sampler.T, d=8, std=0.5, dtype=torch.float64, device=where)
        loss = loss_for(compiled=compiled and where == "cuda")
        losses.append(loss(model, sequence.to(where), batch.targets.to(where), False).loss.cpu())
    torch.testing.assert_close(losses[1], losses[0], rtol=0, atol=1e-10)
