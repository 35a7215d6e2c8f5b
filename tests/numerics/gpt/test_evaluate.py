"""The four metrics and the trivial predictors, against counting by hand and exact probabilities."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.corpus import Batch, CorpusConfig, ICLSampler, PTSampler
from numerics.gpt import METRICS, PREDICTORS, accuracies, build, trivial
from numerics.gpt.evaluate import Tables, batches, chosen, counted, sampler
from numerics.gpt.trivial import scored

torch.set_num_threads(1)


def by_hand(corpus, batch, predictions):
    right = dict.fromkeys(METRICS, 0)
    for row, token in enumerate(predictions.tolist()):
        j, kind = int(batch.subjects[row]), int(batch.types[row])
        holders = [l for l in range(corpus.L) if token in corpus.attribute_token[:, l]]
        right["exact"] += token == int(corpus.attribute_token[j, kind])
        right["type"] += kind in holders
        right["subject"] += token in corpus.attribute_token[j]
        right["attribute"] += len(holders) > 0
    return right


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10000), kind=st.sampled_from(("pt", "icl", "grm")))
def test_metrics_by_hand(seed, kind):
    corpus = CorpusConfig(M=6, L=3, U=(6, 3, 2), G=3, pool=5, div=None, seed=seed % 7).build()
    drawn = (
        PTSampler(corpus, 3, 2, 0.4, seed=seed)
        if kind == "pt"
        else ICLSampler(corpus, 2, int(kind == "grm"), seed=seed)
    )
    batch = batches(drawn, 40, 16)[0]
    generator = torch.Generator().manual_seed(seed)
    guesses = torch.randint(corpus.V, batch.targets.shape, generator=generator)
    guesses = guesses.where(torch.rand(guesses.shape, generator=generator) < 0.6, batch.targets)
    found = Tables.of(corpus, "cpu").judged(batch, guesses)
    assert {name: int(found[name].sum()) for name in METRICS} == by_hand(corpus, batch, guesses)
    none = Tables.of(corpus, "cpu").judged(batch, torch.full_like(guesses, -1))
    assert not any(hit.any() for hit in none.values())


def test_pt_sequences_end_in_an_attribute_and_are_as_many_as_asked(tiny):
    corpus = tiny.corpus.build()
    found = batches(PTSampler(corpus, 3, 2, 0.9), 100, 32)
    assert sum(len(batch.tokens) for batch in found) == 100
    assert not any(batch.grammar_only.any() for batch in found)
    # Earlier subsequences may be grammar alone.
    assert any((batch.tokens[:, 0] >= corpus.first_grammar).any() for batch in found)


@pytest.mark.parametrize("context", ["query", "all", "finetune", "heldout"])
def test_pools(tiny, context):
    config = replace(tiny, context=context, n_demos=6)
    corpus = config.corpus.build().finetuned_on([1, 5])
    pools = {"finetune": {1, 5}, "heldout": {0, 2, 3, 4, 6, 7}, "all": set(range(8))}
    for name, pool in (("icl_seen", "finetune"), ("icl_heldout", "heldout"), ("grm_seen", "finetune")):
        batch = sampler(name, corpus, config, 0, "cpu").draw(400)
        assert set(batch.subjects.tolist()) == pools[pool]
        step = 4 if name.startswith("grm") else 3
        shown = set(batch.tokens[:, : 6 * step : step].flatten().tolist())
        assert shown == pools[pool if context == "query" else context]
        assert (batch.tokens[:, 1] >= corpus.first_grammar).all() == name.startswith("grm")


def test_without_heldout_subjects(tiny):
    corpus = tiny.corpus.build().finetuned_on(range(8))
    found = accuracies(build(tiny), corpus, tiny, 8, 0)
    assert set(found) == {"pt", "icl_seen", "grm_seen"} == set(trivial(corpus, tiny, 8, 0))
    with pytest.raises(ValueError, match="only must be among pt, icl_seen, grm_seen, got icl_heldout"):
        accuracies(build(tiny), corpus, tiny, 8, 0, only=("icl_heldout",))
    with pytest.raises(ValueError, match="size must be an integer >= 1, got 0"):
        accuracies(build(tiny), corpus, tiny, 0, 0)


def test_accuracies_are_those_of_forward(tiny):
    corpus, model = tiny.corpus.build(), build(tiny)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(20)
    found = accuracies(model, corpus, tiny, 300, 3)
    for name, metrics in found.items():
        right = dict.fromkeys(METRICS, 0)
        for batch in batches(sampler(name, corpus, tiny, 3, "cpu"), 300, 256):
            logits = model(batch.tokens)[torch.arange(len(batch.tokens)), batch.last]
            for metric, count in by_hand(corpus, batch, logits.argmax(1)).items():
                right[metric] += count
        assert metrics == {metric: right[metric] / 300 for metric in METRICS} | {"ties": 0, "total": 300}
    assert accuracies(model, corpus, tiny, 300, 3, only=("pt",)) == {"pt": found["pt"]}
    assert accuracies(model, corpus, tiny, 300, 4) != found


def test_ties_count_for_nothing(tiny):
    corpus, model = tiny.corpus.build(), build(tiny)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    found = accuracies(model, corpus, tiny, 20, 0)
    assert all(one == dict.fromkeys(METRICS, 0.0) | {"ties": 20, "total": 20} for one in found.values())


def test_a_perfect_predictor(tiny):
    corpus = tiny.corpus.build()

    def knows(batch: Batch):
        return batch.targets, torch.ones_like(batch.targets, dtype=torch.bool)

    for name in ("pt", "icl_seen", "grm_heldout"):
        found = counted(knows, sampler(name, corpus, tiny, 0, "cpu"), Tables.of(corpus, "cpu"), 50)
        assert found == dict.fromkeys(METRICS, 1.0) | {"ties": 0, "total": 50}


def test_a_right_token_that_ties_counts_for_nothing(tiny):
    corpus = tiny.corpus.build()

    def every_third_ties(batch: Batch):
        return batch.targets, torch.arange(len(batch.targets)) % 3 > 0

    found = counted(every_third_ties, sampler("pt", corpus, tiny, 0, "cpu"), Tables.of(corpus, "cpu"), 30, 30)
    assert found["total"] == 30
    assert 0 < found["ties"] < 30
    assert {found[metric] for metric in METRICS} == {(30 - found["ties"]) / 30}


# 8 subjects, 8 values of type 0 (one each), 4 of type 1 (two subjects each), 3 grammar tokens: V = 8 + 12 + 3 + 1 = 24.
EXPECTED = {
    "vocabulary": {"exact": 1 / 24, "type": (8 + 4) / 2 / 24, "subject": 2 / 24, "attribute": 12 / 24},
    "chance": {"exact": 1 / 12, "type": (8 + 4) / 2 / 12, "subject": 2 / 12, "attribute": 1},
    "type": {"exact": (1 / 8 + 1 / 4) / 2, "type": 1, "subject": (1 / 8 + 1 / 4) / 2, "attribute": 1},
}


def test_expected_accuracies(tiny):
    size = 20000
    found = trivial(tiny.corpus.build().finetuned_on(range(8)), tiny, size, 0)
    for name in found:
        assert tuple(found[name]) == PREDICTORS
        for predictor, metrics in EXPECTED.items():
            for metric, value in metrics.items():
                # The share of a type among the sequences is within 5 standard deviations of a half.
                assert abs(found[name][predictor][metric] - value) < 5 * 0.5 / size**0.5, (name, predictor, metric)
    # Contexts with the same type: the last attribute is of it; it is the query's own for one subject in 8, of type 1 two in 8.
    copied = found["icl_seen"]["copy"]
    assert copied["type"] == copied["attribute"] == 1
    assert abs(copied["exact"] - (1 / 8 + 2 / 8) / 2) < 5 * 0.5 / size**0.5
    assert found["icl_seen"]["copy_of_type"] == copied
    # One of two demonstrations is the query subject with probability 1 - (7/8)^2.
    stated = 1 - (7 / 8) ** 2
    guessed = found["icl_seen"]["type_majority"]["exact"]
    assert abs(found["icl_seen"]["lookup"]["exact"] - (stated + (1 - stated) * guessed)) < 0.02
    # PT: all of the context's attributes are the query subject's; one of the earlier n_tr - 1 = 1 is there with 1 - p_G.
    pt = found["pt"]["copy"]
    assert pt["subject"] == pt["attribute"]
    assert abs(pt["subject"] - (1 - tiny.p_G)) < 5 * 0.5 / size**0.5
    assert abs(found["pt"]["copy_of_type"]["exact"] - (1 - tiny.p_G) / 2) < 5 * 0.5 / size**0.5


def test_trivial_predictors_on_sequences_written_out():
    # M = 2, one value each of 2 types: tokens 2, 3 (type 0), 4, 5 (type 1), grammar 6, [sep] 7.
    corpus = CorpusConfig(M=2, L=2, U=2, G=1, pool=2, div=None).build()
    a = corpus.attribute_token
    rows = [[0, int(a[0, 0]), 7, 1, int(a[1, 0]), 7, 0], [1, int(a[1, 1]), 7, 1, int(a[1, 1]), 7, 0]]
    targets = torch.tensor([int(a[0, 0]), int(a[0, 1])])
    batch = Batch(
        torch.tensor(rows),
        torch.zeros(2, 7, dtype=torch.int64),
        torch.tensor([6, 6]),
        targets,
        torch.tensor([0, 1]),
        torch.tensor([0, 0]),
        torch.zeros(2, dtype=torch.bool),
    )
    found = scored(Tables.of(corpus, "cpu"), batch)
    assert found["copy"] == {"exact": 0, "type": 1, "subject": 0, "attribute": 1, "total": 2}
    # The first states the fact, the second guesses the only value that occurs as a target of its type.
    assert found["lookup"]["exact"] == found["type_majority"]["exact"] == 1
    assert found["majority"] == {"exact": 0.5, "type": 0.5, "subject": 1, "attribute": 1, "total": 2}


def test_the_sequences_are_those_of_the_network(tiny):
    corpus = tiny.corpus.build()
    one = torch.cat([batch.tokens for batch in batches(sampler("pt", corpus, tiny, 9, "cpu"), 300, 256)])
    two = torch.cat([batch.tokens for batch in batches(sampler("pt", corpus, tiny, 9, "cpu"), 300, 256)])
    assert torch.equal(one, two)


def test_sequences_are_chosen_in_their_order():
    corpus = CorpusConfig(M=8, L=2, U=(8, 4), G=3, pool=10, div=None).build()
    batch = PTSampler(corpus, 3, 2, 0.5, seed=0).draw(40)
    keep = ~batch.grammar_only
    assert 0 < keep.sum() < len(keep)
    found = chosen(batch, keep)
    for field in fields(batch):
        assert torch.equal(getattr(found, field.name), getattr(batch, field.name)[keep])
    assert chosen(found, ~found.grammar_only) is found
