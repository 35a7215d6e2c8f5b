"""Limits of the three steps: both sides of each, by brute force."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from numerics.conclusion.conditions import conditions
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from verify.region.boundary import Sizes
from verify.region.limits import FACTOR, Limits, hat_value_step, relation_step, subject_step, value_step
from verify.region.point import OBJECTIVES, Steps, gradients, point, pools

# Unequal frequencies among the finetuning subjects: a frequent value wins where eta_OV is large.
SIZES = Sizes(8, 2, 2, 1, 1, 0)
UNEQUAL, EQUAL = SIZES.world(7), SIZES.world(6)


def test_the_hat_limit_of_eta_ov_is_sharp(holds):
    limit = hat_value_step(UNEQUAL, hat_gradients(UNEQUAL, 1, 1))
    assert limit is not None
    small = Fraction(1, 10**12)
    assert holds(UNEQUAL, 1, "hat", Steps(eta_ov=limit * (1 - small)))
    assert not holds(UNEQUAL, 1, "hat", Steps(eta_ov=limit))
    assert not holds(UNEQUAL, 1, "hat", Steps(eta_ov=limit * 1000))
    assert holds(UNEQUAL, 1, "hat", Steps(eta_ov=Fraction(1, 10**40)))
    # The gradients' own step does not matter.
    assert limit == hat_value_step(UNEQUAL, hat_gradients(UNEQUAL, 1, Fraction(1, 7)))


def test_without_rare_values_hat_has_no_limit(holds):
    assert hat_value_step(EQUAL, hat_gradients(EQUAL, 1, 1)) is None
    assert holds(EQUAL, 1, "hat", Steps(eta_ov=Fraction(10**40)))


def test_the_true_limit_of_eta_ov_by_brute_force(holds):
    answer = point(EQUAL, 1, "true", Steps())
    found = value_step(EQUAL, 1, "true", Steps(), answer)
    assert not found.proven and found.failing and found.high is not None and found.high_at_least is not None
    assert 1 < found.high / found.high_at_least <= FACTOR * (1 + 1e-9)
    assert holds(EQUAL, 1, "true", Steps(eta_ov=Fraction(found.high_at_least)))
    assert not holds(EQUAL, 1, "true", Steps(eta_ov=Fraction(found.high)))
    assert holds(EQUAL, 1, "true", Steps(eta_ov=Fraction(1, 1000))) and found.low <= 1e-3
    assert "fails at" in found.words() and "every step > 0" not in found.words()


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(("M_ft", "expected"), [(6, True), (5, False)])
def test_eta_kq_rel_has_no_limit(objective, M_ft, expected, holds):
    world = SIZES.world(M_ft)
    answer = point(world, 1, objective, Steps())
    limit = relation_step(objective, answer)
    assert answer.holds is expected is limit.holds and limit.high is None and limit.low == 0
    sizes = (Fraction(1, 10**6), Fraction(10**6)) if objective == "hat" else (Fraction(1, 64), Fraction(4096))
    for eta in sizes:
        assert holds(world, 1, objective, Steps(eta_kq_rel=eta)) is expected
        assert point(world, 1, objective, Steps(eta_kq_rel=eta / 10**20)).holds is expected


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_eta_kq_subj_has_no_limit_here(objective, holds):
    found = subject_step(EQUAL, 1, gradients(EQUAL, 1, objective, Steps()))
    assert found.holds and found.proven and found.high_at_least is None and found.words() == "every step > 0"
    for eta in (Fraction(1, 1000), Fraction(10**6)):
        assert holds(EQUAL, 1, objective, Steps(eta_kq_subj=eta))


def _moved(token: int, by: float):
    """True gradients with one entry of kq_subj changed: nothing that a population gives, but what limits are made of."""
    g = gradients(EQUAL, 1, "true", Steps())
    changed = g.kq_subj.copy()
    changed[token] += by
    return replace(g, kq_subj=changed)


def _leads(g, eta: float) -> bool:
    """Does the query lead in the subject head on every sequence, by the sharp conditions at that step?"""
    weights = updated_weights(EQUAL, g, eta, 1.0)
    found = [c for pool in pools(EQUAL) for c in conditions(EQUAL, 1, weights, weights, pool) if c.head == "subj"]
    return all(c.holds for c in found)


@pytest.mark.parametrize("token", ["sep", "attribute"])
def test_an_upper_limit_of_eta_kq_subj_is_sharp(token):
    where = EQUAL.sep_token if token == "sep" else int(EQUAL.attribute_token[EQUAL.finetune_array[0], 0])
    g = _moved(where, -1.0)
    found = subject_step(EQUAL, 1, g)
    assert found.holds and found.high is not None and found.high_at_least is not None
    assert found.high_at_least <= found.high <= found.high_at_least * (1 + 1e-9)
    assert _leads(g, found.high_at_least * (1 - 1e-9)) and not _leads(g, found.high * (1 + 1e-9))
    assert ("[sep]" if token == "sep" else "attributes") in found.why


def test_any_subject_may_be_the_query():
    """A held-out subject that scores low is a query too; as a context it never occurs."""
    heldout = int(EQUAL.heldout[0])
    g = _moved(heldout, 2.0)
    assert subject_step(EQUAL, 1, g).holds is False and not _leads(g, 1.0)
    g = _moved(heldout, -2.0)
    assert subject_step(EQUAL, 1, g).holds is True and _leads(g, 1.0)


def test_within_the_radius_it_is_open():
    g = gradients(EQUAL, 1, "true", Steps())
    assert subject_step(EQUAL, 1, replace(g, kq_subj_radius=np.full_like(g.kq_subj, 1.0))).holds is None


def test_words():
    proven = Limits("eta_ov", "hat", True, True, 0.0, 1876.59, 1876.59)
    assert proven.words() == "every step > 0 and < 1876"
    assert replace(proven, high=None).words() == "every step > 0 and < 1876, beyond that open"
    tried = Limits("eta_ov", "true", True, False, 1e-6, 100.0, 110.0, False)
    assert tried.words() == "at every step tried from 1e-06 to 100; could not be decided at 110"
    assert Limits("eta_ov", "true", False, why="this").words() == "no step size: this"
    assert Limits("eta_ov", "true", None, why="this").words() == "open: this"
