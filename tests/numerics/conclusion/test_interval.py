"""Bounds for weights between bounds."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.forward import forward
from numerics.world import World

NAMES = ("kq_subj", "kq_rel", "ov_subj", "ov_rel")


def around(weights, **width):
    """(lower, upper) = weights -+ width of each named array."""
    return [
        SimpleNamespace(**{name: getattr(weights, name) + sign * width.get(name, 0) for name in NAMES})
        for sign in (-1, 1)
    ]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_contains_every_weights_in_the_box(data, instances):
    case = data.draw(instances(most_demos=2))
    sizes = st.sampled_from([0, Fraction(1, 100), Fraction(1, 2), 1])
    lower, upper = around(case.weights, **{name: data.draw(sizes) for name in NAMES})
    out = decide_interval(case.world, case.n_demos, lower, upper, case.query, case.context)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    for _ in range(3):
        inside = SimpleNamespace()
        for name in NAMES:
            low, high = getattr(lower, name), getattr(upper, name)
            quarter = rng.integers(0, 5, low.shape).astype(object) * Fraction(1, 4)
            setattr(inside, name, low + (high - low) * quarter)
        truth = decide(case.world, case.n_demos, inside, case.query, case.context, "enumerate")
        assert truth.total == out.total and truth.vacuous == out.vacuous
        if truth.vacuous:
            return
        for name in ("right", "ties", "wrong"):
            low, high = getattr(out, f"{name}_bounds")
            assert low <= getattr(truth, name) <= high
            assert getattr(out, name) in (None, getattr(truth, name))
        assert out.min_margin_bounds[0] <= truth.min_margin <= out.min_margin_bounds[1]
        assert out.holds in (None, truth.holds)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_counterexample_fails_everywhere(data, instances):
    case = data.draw(instances(most_demos=2))
    lower, upper = around(case.weights, kq_rel=Fraction(1, 50), ov_rel=Fraction(1, 50))
    found = decide_interval(case.world, case.n_demos, lower, upper, case.query, case.context).counterexample
    if found is None:
        return
    target = int(case.world.attribute_token[found.subjects[-1], found.relation_type])
    for weights in (lower, case.weights, upper):
        logits = forward(case.setting, list(found.token_ids), weights).logits
        assert logits[target] <= max(x for v, x in enumerate(logits) if v != target)


def test_one_type_at_most_when_the_output_ignores_the_type(paper_world, structured):
    """Both heads certainly attend the query; the relation head's columns are known up to an error: at most 1/L is
    right."""
    weights = structured(paper_world, 5)
    weights.kq_rel[paper_world.V + 1] += 1
    error = Fraction(1, 10**6)
    lower, upper = around(weights, kq_subj=error, kq_rel=error, ov_rel=error)
    out = decide_interval(paper_world, 5, lower, upper)
    assert out.right_bounds == (0, out.total // 8) and out.holds is False and not out.exact
    assert "cannot be right" in out.why and out.method == "bounded" and out.right is None
    assert out.min_margin_bounds[0] <= 0 <= out.min_margin_bounds[1]


def test_one_highest_attribute_is_decided_through_errors(paper_world, structured):
    weights = structured(paper_world, 5)
    for ell in range(8):
        tokens = list(paper_world.attribute_range(ell))
        weights.kq_rel[tokens] += 3
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 32)
    bad = paper_world.attribute_range(0)[0]
    weights.kq_rel[bad] += Fraction(1, 1000)
    weights.ov_rel[:, bad] = 0
    weights.ov_rel[list(paper_world.attribute_range(1)), bad] = 1
    exact = decide(paper_world, 5, weights)
    error = Fraction(1, 10**5)
    lower, upper = around(weights, kq_subj=error, kq_rel=error, ov_rel=error)
    out = decide_interval(paper_world, 5, lower, upper)
    assert out.exact and (out.right, out.ties, out.wrong) == (exact.right, exact.ties, exact.wrong) and exact.wrong > 0
    assert out.holds is False and out.counterexample.verdict == "wrong"
    assert out.min_margin is None and out.min_margin_bounds[0] < exact.min_margin < out.min_margin_bounds[1]


def test_queries_do_not_link_levels(structured):
    """Query 0 overlaps the level of the attribute that would spoil the others, which overlap only query 0: all are
    right."""
    world = World(np.array([[0], [0], [1], [1]]), [0, 1, 2, 3])
    weights = structured(world, 1)
    V = world.V
    first, second = world.attribute_range(0)
    weights.kq_rel[:4] = [Fraction(13, 2), 8, Fraction(19, 2), 11]
    weights.kq_rel[[first, second]] = -20, 5
    weights.kq_rel[world.sep_token] = -20
    weights.kq_rel[V + 4] = -20
    weights.ov_rel[first, second] = 100
    weights.ov_subj[world.attribute_token[:, 0], range(4)] += 50
    lower, upper = around(weights, kq_rel=Fraction(45, 100), ov_rel=Fraction(1, 10))
    out = decide_interval(world, 1, lower, upper)
    assert out.holds is True and out.exact and out.right == 16
    weights.kq_rel[2] = Fraction(13, 2)  # now a query of the other value overlaps it too
    out = decide_interval(world, 1, *around(weights, kq_rel=Fraction(45, 100), ov_rel=Fraction(1, 10)))
    assert out.holds is None and out.right_bounds == (14, 16)


def test_crossed_bounds_are_refused(structured):
    world = World(np.array([[0], [1]]), [0])
    weights = structured(world, 1)
    lower, upper = around(weights, kq_rel=-1)
    with pytest.raises(ValueError, match=r"lower.kq_rel\[0\] = 1: must be at most upper.kq_rel\[0\] = -1"):
        decide_interval(world, 1, lower, upper)
    with pytest.raises(ValueError, match=r"upper.ov_rel has shape"):
        decide_interval(world, 1, weights, SimpleNamespace(**{**vars(weights), "ov_rel": weights.ov_rel[1:]}))


def test_vacuous_without_heldout(structured):
    world = World(np.array([[0], [1]]), [0, 1])
    weights = structured(world, 1)
    out = decide_interval(world, 1, weights, weights, "heldout")
    assert out.vacuous and out.holds is None and out.total == 0
