"""The rules on measures made for them: what is lost, what supports the guess, and what each statement rejects."""

import pytest

from verify.findings.rules import TRANSFER, WITHOUT_FACTS
from verify.unlearning.record import sentences
from verify.unlearning.rules import (
    NOT_SUPPORTED,
    NOTHING_LOST,
    STATEMENTS,
    SUPPORTED,
    guessed,
    judged,
    loses,
    loss,
    reachable,
    recovered,
)


def curve(*heldout):
    return [
        {"step": 10 * i, "icl_seen": {"exact": 1.0}, "icl_heldout": {"exact": value}} for i, value in enumerate(heldout)
    ]


ENDS = {"all": 0.1, "no_subjects": 0.92, "attributes": 0.93, "last": 0.95, "untied": 0.8}


def seed(number=0, peak=0.7, back=0.9, **ends):
    """A seed as the guess has it: .95 with the final token, .1 with all."""
    wanted = ENDS | ends
    return {
        "seed": number,
        "curves": {name: curve(0.0, peak if name == "all" else end, end) for name, end in wanted.items()},
        "put_back": {"all": {"icl_heldout": {"exact": back}}},
        "trivial": {"icl_heldout": dict.fromkeys(WITHOUT_FACTS, 0.05) | {"lookup": 0.1, "type_guessed": 0.25}},
        "moved": {"all": {"heldout": {"length": 1.0, "common": 0.9}}},
    }


def held(found):
    return {one["name"]: one["holds"] for one in found["statements"]}


def test_what_is_lost():
    assert reachable(seed()) == 0.95
    assert loss(seed()) == pytest.approx(0.85)
    # The peak of all tokens counts too, where the final token alone never gets there.
    assert reachable(seed(last=0.2)) == 0.7
    assert loses(seed(last=0.2)) and not loses(seed(last=0.2, peak=0.25))
    assert loses(seed(peak=0.1, last=0.1 + TRANSFER + 1e-9)) and not loses(seed(peak=0.1, last=0.1 + TRANSFER - 1e-9))
    assert recovered(seed(), 0.1) == 0 and recovered(seed(), 0.95) == pytest.approx(1)


def test_the_best_trivial_predictor():
    one = seed()
    assert guessed(one) == 0.25
    one["trivial"]["icl_heldout"]["type_guessed"] = 0.02
    assert guessed(one) == 0.1


def test_the_guess_as_it_is_made_is_supported():
    found = judged([seed(0), seed(1)])
    assert found["verdict"] == SUPPORTED and all(held(found).values())
    assert found["losing"] == 2 and found["lost"] == {"0": pytest.approx(0.85), "1": pytest.approx(0.85)}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("subjects", {"no_subjects": 0.5}),
        ("others", {"no_subjects": 0.84}),
        ("tied", {"untied": 0.5}),
        ("rows", {"back": 0.5}),
    ],
)
def test_every_statement_can_fail_and_takes_the_verdict_with_it(name, changes):
    found = judged([seed(**changes)])
    assert not held(found)[name] and found["verdict"] == NOT_SUPPORTED
    assert f"{name}: does not hold" in " ".join(sentences(found))


def test_half_of_the_way_is_the_limit():
    middle = 0.1 + 0.85 / 2
    for name, key in (("subjects", "no_subjects"), ("tied", "untied"), ("rows", "back")):
        assert held(judged([seed(**{key: middle + 1e-6})]))[name]
        assert not held(judged([seed(**{key: middle - 1e-6})]))[name]


def test_only_seeds_that_lose_are_judged():
    still = {name: 0.9 for name in ENDS}
    found = judged([seed(0), seed(1, peak=0.9, **still)])
    assert found["losing"] == 1 and found["all"]["of"] == 1 and found["lost"]["1"] == 0
    assert found["verdict"] == SUPPORTED
    assert all(one["by_seed"].keys() == {"0"} for one in found["statements"])
    nothing = judged([seed(1, peak=0.9, **still)])
    assert nothing["verdict"] == NOTHING_LOST and nothing["statements"] == [] and nothing["all"] is None
    assert sentences(nothing) == [
        "held-out exact match lost by the loss of all tokens, by seed: 0.00 (enough to explain: 0.2)"
    ]


def test_half_of_the_seeds_that_lose_decide_each_showing_all():
    bad = {"no_subjects": 0.5}
    assert judged([seed(0), seed(1, **bad)])["verdict"] == SUPPORTED
    assert judged([seed(0), seed(1, **bad), seed(2, **bad)])["verdict"] == NOT_SUPPORTED
    # Every statement in two seeds of three, but not the same two.
    mixed = judged([seed(0), seed(1, no_subjects=0.5), seed(2, untied=0.5)])
    assert all(held(mixed).values()) and mixed["all"]["count"] == 1 and mixed["verdict"] == NOT_SUPPORTED


def test_names_are_unique_and_numbers_have_reasons():
    assert len({one.name for one in STATEMENTS}) == len(STATEMENTS) == 4
    assert all(one.why and one.main for one in STATEMENTS)
