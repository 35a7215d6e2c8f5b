"""Enumeration against the plain forward pass on every sequence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import TooManySequences, decide
from numerics.world import World


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_equals_the_plain_forward_pass(data, instances, by_forward):
    case = data.draw(instances(most_demos=2))
    out = decide(case.world, case.n_demos, case.weights, case.query, case.context, "enumerate")
    plain = by_forward(case)
    if not plain["margins"]:
        assert out.vacuous and out.total == 0 and out.holds is None and out.accuracy is None
        return
    assert (out.right, out.ties, out.wrong) == (plain["right"], plain["ties"], plain["wrong"])
    assert out.total == len(plain["margins"]) and out.min_margin == min(plain["margins"])
    assert out.logit_gap == min((abs(m) for m in plain["margins"] if m), default=None)
    assert out.attention == plain["attention"]
    assert out.holds == (not plain["failing"])
    if plain["failing"]:
        key, ell, subjects = min(plain["failing"])
        found = out.counterexample
        assert (found.token_ids, found.relation_type, found.subjects) == (key[1], ell, subjects) and found.smallest
    else:
        assert out.counterexample is None


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_integers_beyond_64_bits_decide_the_same(data, instances, same):
    case = data.draw(instances(most_demos=2))
    plain = decide(case.world, case.n_demos, case.weights, case.query, case.context, "enumerate")
    for name in ("ov_subj", "ov_rel"):
        setattr(case.weights, name, getattr(case.weights, name) * 10**25)
    large = decide(case.world, case.n_demos, case.weights, case.query, case.context, "enumerate")
    assert (large.right, large.ties, large.wrong, large.attention) == (
        plain.right,
        plain.ties,
        plain.wrong,
        plain.attention,
    )
    assert large.vacuous or large.min_margin == plain.min_margin * 10**25
    same(large, decide(case.world, case.n_demos, case.weights, case.query, case.context, "patterns"))


def test_refuses_above_the_limit(paper_world, structured):
    weights = structured(paper_world, 5)
    with pytest.raises(TooManySequences, match="limit = 1000000: must be at least 35184372088832"):
        decide(paper_world, 5, weights, method="enumerate")


def test_float64_is_taken_exactly(structured, same):
    world = World(np.array([[0], [1], [0]]), [0, 1])
    weights = structured(world, 1)
    exact = decide(world, 1, weights, method="enumerate")
    for name in ("kq_subj", "kq_rel", "ov_subj", "ov_rel"):
        setattr(weights, name, getattr(weights, name).astype(np.float64))
    same(exact, decide(world, 1, weights, method="enumerate"))
