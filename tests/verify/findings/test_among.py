"""What a network would answer among attributes alone: against a plain reading of its logits, and what the statement asks."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from numerics.gpt import accuracies, build
from numerics.gpt.evaluate import sampler
from verify.findings import rules
from verify.findings.among import among_attributes
from verify.findings.findings import by_seed
from verify.findings.settings import SIZES, config

CONFIG = replace(config(SIZES["tiny"], 0), n_demos=3, S_ft=(1, 2))


def habit(corpus, model, token):
    """The same network, but that its every answer is one token's: its bias is larger than any logit."""
    changed = copy.deepcopy(model)
    whole = changed.logits_at

    def logits_at(tokens, last):
        logits = whole(tokens, last).clone()
        logits[:, token] += 1e6
        return logits

    changed.logits_at = logits_at
    return changed


def test_it_is_a_plain_reading_of_the_logits_and_no_habit_moves_it():
    corpus = CONFIG.corpus.build()
    model = build(CONFIG, corpus=corpus)
    grammar = next(v for v in range(corpus.V) if corpus.type_of_token[v] < 0)
    always = habit(corpus, model, grammar)
    found = among_attributes({"as it is": model, "habit": always}, corpus, CONFIG, 64, 5, "cpu")
    assert found["as it is"] == found["habit"]
    assert accuracies(always, corpus, CONFIG, 64, 5)["icl_heldout"]["attribute"] == 0
    drawn = sampler("icl_heldout", corpus, CONFIG, 5, "cpu").draw(64)
    with torch.no_grad():
        logits = model.logits_at(drawn.tokens, drawn.last).numpy()
    attributes = np.flatnonzero(np.asarray(corpus.type_of_token) >= 0)
    answers = attributes[logits[:, attributes].argmax(1)]
    right = {
        "exact": answers == drawn.targets.numpy(),
        "type": np.asarray(corpus.type_of_token)[answers] == drawn.types.numpy(),
        "subject": [a in corpus.attribute_token[s] for a, s in zip(answers, drawn.subjects.tolist(), strict=True)],
    }
    assert found["as it is"] == {metric: np.mean(held) for metric, held in right.items()}
    assert 0 < found["as it is"]["type"] < 1


def measured(**exact):
    """A seed whose trivial predictors reach .25."""
    trivial = dict.fromkeys((*rules.WITHOUT_FACTS, rules.GUESSED_TYPE), 0.25)
    none = {"icl_heldout": {"exact": 0.0}, "icl_seen": {"exact": 0.0}}
    curves = {part: [{"step": 0} | none, {"step": 1} | none] for part in ("finetuned", "scratch", "last")}
    found = {part: {"exact": exact.get(part, 0.0), "type": 0.5, "subject": 0.5} for part in ("before", *curves)}
    return {"seed": 0, "trivial": {"icl_heldout": trivial}, "among_attributes": found} | curves


@pytest.mark.parametrize(
    ("exact", "holds"),
    [
        ({"finetuned": 0.46}, True),
        ({"finetuned": 0.44}, False),
        ({"finetuned": 0.9, "before": 0.75}, False),
        ({"finetuned": 0.9, "scratch": 0.75}, False),
        ({"last": 0.9}, False),
    ],
)
def test_every_control_counts_and_those_of_networks_answer_attributes_alone_too(exact, holds):
    assert rules.answer_known(measured(**exact)) == holds


def test_attribute_targets_are_judged_by_their_own_curve_against_every_control():
    made = measured()
    group = {"exact": 0.46, "type": 0.9}
    made["attributes"] = [made["last"][0], {"step": 1, "icl_heldout": group, "icl_seen": group, "grm_heldout": group}]
    assert rules.ATTRIBUTE_TARGETS.holds(made) and not rules.LAST_TOKEN.holds(made)
    assert rules.ATTRIBUTE_TARGETS.values(made) == {
        "heldout": 0.46,
        "heldout_type": 0.9,
        "seen": 0.46,
        "grm_heldout": 0.46,
    }
    group["exact"] = 0.44
    assert not rules.ATTRIBUTE_TARGETS.holds(made)


def test_older_records_are_not_judged_by_it():
    judged = by_seed((rules.AMONG_ATTRIBUTES, rules.ATTRIBUTE_TARGETS))
    new = measured(finetuned=0.9)
    old = {name: value for name, value in measured().items() if name != "among_attributes"}
    assert [(one["name"], one["verdict"]) for one in judged([new])[0]] == [("among_attributes", "reproduced")]
    assert judged([old])[0] == judged([new, old])[0] == []
    assert all(one.measured is None for one in (*rules.FINDING1, *rules.FINDING2, *rules.FINDING3) if one.main)
