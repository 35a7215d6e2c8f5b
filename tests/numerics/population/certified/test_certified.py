"""Certified gradients against the plain enumeration and against ball arithmetic; what must fail does fail."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population import NotCertified, certified_gradients, finetuning_gradients
from numerics.population.certified import first, second
from numerics.population.certified.patterns import patterns_of
from numerics.population.certified.result import NAMES
from numerics.population.certified.step_one import FirstStep
from numerics.world import World

_spec = importlib.util.spec_from_file_location("certified_arb", Path(__file__).parent / "arb.py")
assert _spec is not None and _spec.loader is not None
arb = importlib.util.module_from_spec(_spec)
sys.modules["certified_arb"] = arb
_spec.loader.exec_module(arb)

TINY = [
    # table, finetuning subjects, n_demos: unbalanced with an unseen value; unique and constant values; one type, m = 2.
    ([[0, 0], [0, 1], [1, 1], [2, 0]], [0, 1, 2], 2),
    ([[0, 5], [1, 5], [2, 5]], [0, 2], 3),
    ([[0], [0], [1], [2]], [1, 0, 2], 1),
]


@st.composite
def cases(draw):
    M, L = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    table = [[draw(st.integers(0, draw(st.sampled_from([0, 1, 6])))) for _ in range(L)] for _ in range(M)]
    finetune = draw(st.permutations(range(M)))[: draw(st.integers(1, min(M, 4)))]
    n_demos = draw(st.integers(1, 3))
    window = draw(st.one_of(st.none(), st.integers(1, 3 * n_demos + 4)))
    eta = draw(st.sampled_from([0.0, 1.0, -2.5, 30.0, 1e3, -1e3]))
    return (
        World(table, finetune, draw(st.integers(0, 3))),
        n_demos,
        eta,
        window,
        draw(st.sampled_from(["set", "literal"])),
    )


def _agree(certified, plain):
    for name in NAMES:
        value, radius, expected = getattr(certified, name), getattr(certified, f"{name}_radius"), getattr(plain, name)
        # The plain sums leave their own rounding where the truth is 0: differences of entries of the size of eta_ov.
        slack = 1e-13 * np.abs(expected).max() + 1e-16 * max(1.0, abs(certified.eta_ov))
        assert np.all(np.abs(value - expected) <= radius + slack), name


@settings(max_examples=50, deadline=None)
@given(cases())
def test_agrees_with_the_plain_enumeration_or_refuses(case):
    world, n_demos, eta, window, reading = case
    try:
        certified = certified_gradients(world, n_demos, eta, window, reading)
    except NotCertified:
        # Where the step saturates the softmax the gradient itself becomes as small as the rounding of the first step.
        assert abs(eta) >= 30.0
        return
    assert certified.relative["kq_subj"] <= 1e-12 and certified.relative["ov_rel"] <= 1e-12
    assert certified.relative["kq_rel"] <= 1e-9
    _agree(certified, finetuning_gradients(world, n_demos, "true", eta, window, reading))


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 3), st.integers(0, 3))
def test_radius_of_a_forced_order_bounds_its_error(case, one, two):
    world, n_demos, eta, window, reading = case
    try:
        certified = certified_gradients(world, n_demos, eta, window, reading, _orders=(one, two))
    except NotCertified as refusal:
        # Without a varying pattern of values there is nothing to expand beyond order 0.
        assert "no method within the work budget" in str(refusal) or "saturates" in str(refusal)
        return
    if all(np.isfinite(getattr(certified, f"{name}_radius")).all() for name in NAMES):
        _agree(certified, finetuning_gradients(world, n_demos, "true", eta, window, reading))


@pytest.mark.parametrize("case", range(len(TINY)))
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize(
    "eta, window, orders", [(1.0, None, (None, None)), (20.0, 4, (None, None)), (1.0, None, (3, 2)), (1.0, 6, (2, 1))]
)
def test_contains_the_exact_gradients(case, reading, eta, window, orders):
    table, finetune, n_demos = TINY[case]
    world = World(table, finetune, 1)
    exact = arb.gradients(world, n_demos, eta, window, reading)
    certified = certified_gradients(world, n_demos, eta, window, reading, _orders=orders)
    for name in NAMES:
        value, radius = getattr(certified, name), getattr(certified, f"{name}_radius")
        assert arb.included(value, radius, exact[name]), name
        assert radius.max() > 0


def _law_is_included(world, n_demos, law):
    """Whether the softmax part of ov_rel without the rounding of the hat part contains the truth, at width 1 per column."""
    exact = arb.gradients(world, n_demos, 0.0, None, "set")
    step = FirstStep(world, n_demos, None, "set")
    patterns = patterns_of(world, n_demos, "set")
    found = step.gradients(patterns, law)
    return arb.included(found.ov_rel, found.ov_rel_radius, exact["ov_rel"]) and arb.included(
        found.kq_subj, found.kq_subj_radius, exact["kq_subj"]
    )


def _law(world, n_demos, order):
    return next(law for law in first.by_moments(patterns_of(world, n_demos, "set"), "cpu", 1e9) if law.order == order)


WORLD = World(TINY[0][0], TINY[0][1], 1)


def test_mutant_without_remainder_is_caught(monkeypatch):
    assert _law_is_included(WORLD, 2, _law(WORLD, 2, 1))
    monkeypatch.setattr(first, "_most", lambda p, mass, *rest: np.zeros((len(p.weights) + 1, p.Q)))
    assert not _law_is_included(WORLD, 2, _law(WORLD, 2, 1))


def test_mutant_without_rounding_is_caught(monkeypatch):
    # The entry of a token that is no value in the column of s_j: attention on s_j times E[1/Z; x_1 = j], no h(y) in it.
    exact = arb.gradients(WORLD, 2, 0.0, None, "set")["ov_rel"][0, list(WORLD.finetune)]
    positions, width = 3, 8
    exact = np.array([entry * width / positions for entry in exact], dtype=object)
    patterns = patterns_of(WORLD, 2, "set")
    law = first.by_enumeration(patterns, "cpu")
    assert arb.included(law.P[-1], law.P_radius[-1], exact)
    monkeypatch.setattr(first, "gamma", lambda count: 0.0)
    law = first.by_enumeration(patterns, "cpu")
    assert not arb.included(law.P[-1], law.P_radius[-1], exact)


@pytest.mark.parametrize("n", [1, -1])
def test_mutant_with_a_wrong_power_is_caught(monkeypatch, n):
    true_power = first.power
    monkeypatch.setattr(first, "power", lambda base, exponent: true_power(base, max(0, exponent + n)))
    assert not _law_is_included(World(TINY[1][0], TINY[1][1], 1), 3, _law(World(TINY[1][0], TINY[1][1], 1), 3, 3))


def test_mutant_of_the_second_step_is_caught(monkeypatch):
    exact = arb.gradients(WORLD, 2, 5.0, None, "set")
    true_power = second.power
    monkeypatch.setattr(second, "power", lambda base, exponent: true_power(base, exponent + 1))
    certified = certified_gradients(WORLD, 2, 5.0, _orders=(6, 3))
    assert not arb.included(certified.kq_rel, certified.kq_rel_radius, exact["kq_rel"])


def test_uncertainty_of_the_first_step_reaches_kq_rel():
    world = World.random(9, 2, 3, 5, seed=3)
    sharp = certified_gradients(world, 2)
    coarse = certified_gradients(world, 2, tolerance=(1e-12, 1.0), _orders=(1, None))
    difference = np.abs(sharp.kq_rel - coarse.kq_rel)
    assert difference.max() > 100 * sharp.kq_rel_radius.max()
    assert np.all(difference <= sharp.kq_rel_radius + coarse.kq_rel_radius)


def test_middle_sized_world_meets_the_default_tolerance_by_moments():
    world = World.random(60, 4, [2, 5, 9, 60], 30, seed=5)
    certified = certified_gradients(world, 5)
    assert certified.orders[0] is not None and certified.orders[1] is not None
    assert all(value <= bound for value, bound in zip(certified.relative.values(), (1e-12, 1e-12, 1e-9), strict=True))
    # Another order, other terms, the same numbers.
    other = certified_gradients(world, 5, _orders=(certified.orders[0] - 1, certified.orders[1] + 1))
    for name in NAMES:
        gap = np.abs(getattr(certified, name) - getattr(other, name))
        assert np.all(gap <= getattr(certified, f"{name}_radius") + getattr(other, f"{name}_radius"))


def test_refuses_with_the_matrix_and_what_would_help():
    world = World.random(60, 2, 4, 30, seed=5)
    with pytest.raises(
        NotCertified, match=r"^ov_rel: relative error .* up to order \d+, tolerance asked for: 1e-18; valid:"
    ):
        certified_gradients(world, 9, tolerance=(1e-18, 1e-9))
    with pytest.raises(NotCertified, match=r"^kq_rel: relative error .* tolerance asked for: 1e-18; valid: a looser"):
        certified_gradients(WORLD, 2, tolerance=(1e-12, 1e-18))
    with pytest.raises(
        NotCertified, match=r"^kq_rel: the updated logits reach .* at eta_ov = 1e\+08, where the softmax"
    ):
        certified_gradients(WORLD, 2, 1e8)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_demos": 0}, "n_demos must be an integer >= 1"),
        ({"eta_ov": float("nan")}, "eta_ov must be a finite number"),
        ({"window": 0}, "window must be an integer >= 1"),
        ({"reading": "both"}, "reading must be one of"),
        ({"tolerance": (0.0, 1.0)}, "tolerance must be a positive number"),
        ({"tolerance": (1e-9,)}, "tolerance must be two positive numbers"),
        ({"device": "abacus"}, "device must be usable with float64"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        certified_gradients(**{"world": WORLD, "n_demos": 2, **arguments})


def test_progress_counts_types():
    seen = []
    certified_gradients(WORLD, 2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 4), (3, 4), (4, 4)]


@pytest.mark.long
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("build", [World.random, World.balanced])
def test_the_paper_s_size(build, reading):
    certified = certified_gradients(build(256, 8, 32, 128), 5, reading=reading)
    assert all(value <= bound for value, bound in zip(certified.relative.values(), (1e-12, 1e-12, 1e-9), strict=True))
