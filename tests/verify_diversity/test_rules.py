"""Verdicts of Figs. 13 and 14 on made-up records: each condition alone decides."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.diversity import rules13, rules14
from verify.diversity.trends import above, difference, mean_interval, rank_correlation, slope


def accuracy(exact, subject=0.9, type_=0.6):
    both = {"exact": exact, "type": type_, "subject": subject, "attribute": 1.0}
    return {
        "accuracy": both,
        "interval": {name: [value - 0.01, value + 0.01] for name, value in both.items()},
        "covered": {"right": 80, "total": 100},
        "uncovered": {"right": 0, "total": 50},
        "trivial": {"chance": 0.01, "majority": 0.05, "copy": 0.1},
    }


def record(M, seed, accuracies, cosine=0.9, subject=0.9, type_=0.6):
    points = [
        {
            "M_ft": 32,
            "level": k,
            "unique": 100 + 50 * k,
            "attributes": 256,
            "ceiling": {"all": {"covered": 0.5, "constructed": 0.4}},
            "heldout": {"all": accuracy(value, subject, type_)},
            "seen": accuracy(1.0),
        }
        for k, value in enumerate(accuracies)
    ]
    scores = {name: [0.1, cosine + 0.001 * seed, 0.2] for name in ("all", "attributes", "centred")}
    heads = {
        "cosines": {"subject": scores, "relation": scores},
        "subject_head": 1,
        "relation_head": 1,
        "baselines": {name: {"constant": dict.fromkeys(scores, 0.98)} for name in ("subject", "relation")},
        "pt_accuracy": {"right": 9, "total": 10},
    }
    return {"M": M, "seed": seed, "pretrained": heads, "points": points}


def test_rising_accuracy_is_reproduced_and_each_condition_is_needed():
    rising = [record(256, k, (0.2 + 0.01 * k, 0.4, 0.6)) for k in range(3)]
    assert rules13.judged(rising)["verdict"] == "reproduced"
    too_little = [record(256, k, (0.2 + 0.001 * k, 0.22, 0.25)) for k in range(3)]
    assert rules13.judged(too_little)["verdict"] == "not reproduced"
    uneven = [record(256, k, (0.2, 0.3, 0.2 + 0.9 * (k == 0) - 0.15 * (k == 1))) for k in range(3)]
    assert rules13.judged(uneven)["verdict"] == "not reproduced", "a slope that its interval does not tell from 0"
    assert rules13.judged(rising[:1])["verdict"] == "not reproduced", "one seed has no interval"
    # One group that falls is enough.
    falling = [record(512, k, (0.6, 0.4, 0.2)) for k in range(3)]
    assert rules13.judged(rising + falling)["verdict"] == "not reproduced"


def test_points_beside_the_ceiling():
    points = record(256, 0, (0.2, 0.45, 0.6))["points"]
    found = rules13.beyond(points)
    assert (found["below"], found["within"], found["above"]) == (1, 1, 1)
    assert found["uncovered"] == {"right": 0, "total": 150}
    sentence = rules13.findings(rules13.judged([record(256, 0, (0.2, 0.6))]))[1]
    assert "no interval from one seed" in sentence and "0.0% of 100" in sentence


def test_fig14_needs_high_and_lower():
    small = [record(256, k, (0.3, 0.5)) for k in range(3)]
    large = [record(2048, k, (0.1, 0.2), cosine=0.3, subject=0.4 + 0.01 * k, type_=0.3 + 0.01 * k) for k in range(3)]
    assert rules14.judged(small + large)["verdict"] == "reproduced"
    assert rules14.judged(small + large)["papers_size"]
    for change in ({"cosine": 0.95}, {"subject": 0.9}, {"type_": 0.6}):
        other = {"cosine": 0.3, "subject": 0.4, "type_": 0.3} | change
        worse = [record(2048, k, (0.1, 0.2), **other) for k in range(3)]
        assert rules14.judged(small + worse)["verdict"] == "not reproduced", change
    low = [record(256, k, (0.3, 0.5), cosine=0.7) for k in range(3)]
    assert rules14.judged(low + large)["verdict"] == "not reproduced"
    below = [record(256, k, (0.3, 0.5), subject=0.5, type_=0.6) for k in range(3)]
    assert rules14.judged(below + large)["verdict"] == "not reproduced"
    other_size = copy.deepcopy(large)
    for one in other_size:
        one["M"] = 512
    judged = rules14.judged(small + other_size)
    assert not judged["papers_size"] and "not the paper's 2048" in rules14.findings(judged)[0]
    with pytest.raises(ValueError, match="two numbers of PT subjects"):
        rules14.judged(small)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6, unique=True), st.floats(-3, 3), st.floats(-3, 3))
def test_slope_of_a_line_is_its_slope(x, a, b):
    if max(x) - min(x) < 0.1:
        return
    assert slope(x, [a * v + b for v in x]) == pytest.approx(a, abs=1e-6)


def test_trends():
    assert rank_correlation([1, 2, 3], [2, 5, 9]) == pytest.approx(1) and rank_correlation([1, 2], [3, 3]) == 0
    assert mean_interval([1.0, 2.0, 3.0])["interval"] == pytest.approx([2 - 2.4841, 2 + 2.4841], abs=1e-3)
    assert not above(mean_interval([5.0])) and above(mean_interval([5.0, 5.1]))
    assert difference([1.0, 1.0], [0.5, 0.5])["interval"] == [0.5, 0.5]
    with pytest.raises(ValueError, match="two different values"):
        slope([1.0, 1.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])
