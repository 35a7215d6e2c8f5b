"""Decisions after the hat steps, and the sharp M_ft: against enumeration on both sides, and recomputed by a scan."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from numerics.conclusion import decide
from numerics.conclusion.decision import Decision, vacuous
from numerics.population.marginal import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from theory.finetuning.conclusion import balanced_conclusion, sharp_M_ft
from verify.conclude import hat, sharp, true
from verify.conclude.conclusion import decision_json
from verify.judges.decided import boundary
from verify.setting import Setting
from verify.witnesses import Witnesses

#: L, U, N_ft: two values of M_ft beside each boundary are decided, all by enumeration of every sequence.
SHAPES = [
    *itertools.product((1, 2, 3), (2, 3, 4), (1,)),
    (1, 2, 2),
    (2, 2, 2),
    (3, 2, 2),
    (2, 3, 2),
    (2, 2, 3),
    (2, 3, 3),
]


def decided(L: int, U: int, M_ft: int, n: int, M: int) -> tuple[bool, bool | None]:
    """(right on every seen query, on every held-out query or None), by enumeration of all sequences, exact rationals."""
    world = World.balanced(M, L, U, M_ft, n_grammar=1, seed=4)
    weights = updated_weights(world, hat_gradients(world, n), 1, 1)
    seen, heldout = (decide(world, n, weights, pool, method="enumerate") for pool in ("seen", "heldout"))
    assert seen.method == "enumerated" and seen.total == L * M_ft ** (n + 1)
    return seen.right == seen.total, None if heldout.total == 0 else heldout.right == heldout.total


@pytest.mark.parametrize(("L", "U", "n"), SHAPES)
def test_both_sides_of_the_sharp_condition(L, U, n):
    """At the last balanced world below the sharp value it fails, at the first one from it on it holds."""
    threshold = sharp_M_ft(10**6 * U, L, U, n + 1)
    assert threshold is not None
    above = -(-threshold // U) * U
    assert decided(L, U, above, n, 2 * above) == (True, True)
    if above - U >= U:
        below = decided(L, U, above - U, n, 2 * above)
        assert L == 1 or below != (True, True)
        conclusion = balanced_conclusion(2 * above, L, U, above - U, n + 1, eta_ov=Fraction(1))
        assert below == (conclusion.holds_seen, conclusion.holds_heldout)
        assert not balanced_conclusion(2 * above, L, U, above - U, n + 1).holds
    assert balanced_conclusion(10**6 * U, L, U, threshold, n + 1).holds
    assert threshold == U or not balanced_conclusion(10**6 * U, L, U, threshold - 1, n + 1).holds


def test_with_one_type_the_step_size_matters_below_the_sharp_value():
    """L = 1, U = 2, N_ft = 2: the sharp value 4 is for all eta_ov; at M_ft = 2 it holds exactly for eta_ov < 16."""
    world = World.balanced(8, 1, 2, 2, n_grammar=1, seed=4)
    assert sharp_M_ft(8, 1, 2, 3) == 4
    for eta_ov, holds in ((1, True), (15, True), (16, False), (17, False)):
        weights = updated_weights(world, hat_gradients(world, 2, Fraction(eta_ov)), 1, 1)
        found = [decide(world, 2, weights, pool, method="enumerate") for pool in ("seen", "heldout")]
        assert all(d.right == d.total for d in found) is holds, eta_ov
        assert balanced_conclusion(8, 1, 2, 2, 3, eta_ov=Fraction(eta_ov)).holds is holds


def test_there_are_sharp_values_that_are_decided_themselves():
    """In at least six of these worlds the sharp value is a multiple of U, so the decision is at it and not above it."""
    exact = [
        shape for shape in SHAPES if sharp_M_ft(10**6 * shape[1], shape[0], shape[1], shape[2] + 1) % shape[1] == 0
    ]
    assert len(SHAPES) >= 12 and len(exact) >= 6


@pytest.mark.parametrize(("L", "U", "n"), [(1, 2, 1), (2, 2, 1), (2, 2, 2), (2, 3, 1)])
def test_the_court_decides_like_the_definitions(plain_of, L, U, n):
    """verify.conclude on both sides of the boundary, all three pools, in loops over all sequences."""
    above = -(-sharp_M_ft(10**6 * U, L, U, n + 1) // U) * U
    for M_ft in {max(U, above - U), above}:
        M = -(-(M_ft + 2) // U) * U
        setting = Setting(M=M, L=L, U=(U,) * L, M_ft=M_ft, N_ft=n, G=1)
        world = World.balanced(M, L, U, M_ft, n_grammar=1, seed=0)
        found, made = hat(Witnesses(setting, world)), plain_of(world, n)
        weights = made.weights()
        counts = {
            "seen": made.decide("seen", "finetune", weights),
            "heldout": made.decide("heldout", "finetune", weights),
        }
        for pool, count in counts.items():
            d = found.decisions[pool]
            assert {"right": d.right, "ties": d.ties, "total": d.total} == count
        anywhere = made.decide("heldout", "all", weights)
        assert (found.anywhere.right, found.anywhere.ties, found.anywhere.total) == tuple(anywhere.values())
        assert found.holds is all(c["right"] == c["total"] for c in counts.values())
        assert found.holds is (M_ft >= above)


def test_the_boundary_of_the_bench():
    """What the claims are judged on: failing and holding worlds in both readings, decisions as the derivation says."""
    for reading in ("set", "literal"):
        found = boundary(reading)
        assert len(found) >= 12
        assert {b.decided.holds for b in found} == {True, False}
        for b in found:
            d = b.decided.seen
            assert d.total == b.p["L"] * b.p["M_ft"] ** b.p["m"] and d.right + d.ties + d.wrong == d.total


def test_smallest_counterexamples_fail_in_a_plain_forward_pass(plain_of):
    """Every failing world of the bench's boundary: the named sequence, its prediction and its attention by the definitions."""
    checked = 0
    for b in boundary("set"):
        if b.p["L"] * b.p["M_ft"] ** b.p["m"] > 1100:
            continue
        for d in (b.decided.seen, b.decided.heldout):
            c = d.counterexample
            assert (c is None) == (d.right == d.total)
            if c is None:
                continue
            made = plain_of(b.world, b.n_demos)
            tokens, y = made.sequence(c.relation_type, c.subjects)
            out = made.logits(tokens, made.weights())
            name = dict(zip(made.vocabulary, map(b.world.token_name, range(b.world.V)), strict=True))
            assert tuple(name[t] for t in tokens) == c.tokens and name[y] == c.target
            best = max(out.values())
            assert {name[v] for v, value in out.items() if value == best} == set(c.predicted)
            assert out[y] == c.logits[c.target] and (out[y] == best) == (c.verdict == "tie")
            assert best == max(value for v, value in out.items() if v != y)
            checked += 1
    assert checked >= 8


def test_the_sharp_value_of_the_default_setting():
    """By a scan of every M_ft, nothing assumed to be monotone."""
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128)
    holds = [balanced_conclusion(256, 8, 32, M_ft, setting.m).holds for M_ft in range(32, 257)]
    first = 32 + holds.index(True)
    assert sharp(setting) == first == sharp_M_ft(256, 8, 32, 6)
    assert all(holds[first - 32 :]) and not any(holds[: first - 32])
    assert not balanced_conclusion(256, 8, 32, setting.M_ft, setting.m).holds
    # About U + U^2 / N_ft, as the last lines of the main job say.
    assert abs(first - (32 + 32**2 / 5)) <= 0.1 * first


@pytest.mark.parametrize(
    ("M", "L", "U", "n", "S", "reading"),
    [
        (12, 2, (2, 2), 1, None, "set"),
        (24, 2, (2, 4), 1, None, "set"),
        (12, 1, (2,), 2, None, "set"),
        (4, 1, (2,), 1, None, "set"),
        (4, 2, (2, 2), 1, None, "set"),
        (12, 2, (2, 2), 1, 2, "set"),
        (12, 2, (2, 2), 1, 1, "set"),
        (12, 2, (2, 2), 1, None, "literal"),
        (24, 2, (2, 4), 1, None, "literal"),
    ],
)
def test_sharp_is_the_first_that_holds(M, L, U, n, S, reading):
    """In every reading, for several U, and at windows that cut; M_ft = M, where only seen queries count, included."""
    setting = Setting(M=M, L=L, U=U, M_ft=max(U), N_ft=n, S=S, reading=reading)
    one = Fraction(1)
    steps = {} if S is None and reading == "set" and L >= 2 else {"eta_ov": one, "eta_kq_rel": one, "eta_kq_subj": one}
    wanted = [
        M_ft
        for M_ft in range(max(U), M + 1)
        if balanced_conclusion(M, L, U, M_ft, n + 1, window=setting.window, reading=reading, **steps).holds
    ]
    assert sharp(setting) == (wanted[0] if wanted else None)


@pytest.mark.parametrize(("L", "U", "n"), [(1, 2, 1), (2, 2, 1), (2, 3, 1)])
def test_without_heldout_subjects(L, U, n):
    """M_ft = M: an empty pool asks for nothing and passes for nothing."""
    for M in (2 * U, 6 * U):
        setting = Setting(M=M, L=L, U=(U,) * L, M_ft=M, N_ft=n, G=1)
        world = World.balanced(M, L, U, M, n_grammar=1, seed=0)
        found = hat(Witnesses(setting, world))
        assert found.decisions["heldout"].vacuous and found.decisions["heldout"].holds is None
        assert found.anywhere.vacuous
        assert found.holds is found.decisions["seen"].holds is balanced_conclusion(M, L, U, M, n + 1).holds
        assert found.as_json()["heldout"]["accuracy"] is None


def test_true_steps_are_decided_within_a_named_tolerance(monkeypatch):
    setting = Setting(M=12, L=2, U=(2, 2), M_ft=6, N_ft=1, G=1)
    w = Witnesses(setting, World.balanced(12, 2, 2, 6, n_grammar=1, seed=0))
    certified = true(w)
    assert "for all weights within the proven radii" in certified.method and certified.holds is True
    assert all(d.exact for d in certified.decisions.values())
    # Where nothing can be certified, a small population is summed in balls.
    vars(w)["certified"] = None
    exact = true(w)
    assert "ball arithmetic" in exact.method and exact.holds is True and all(d.exact for d in exact.decisions.values())
    # A larger one is enumerated in float64, within a tolerance that it names; this proves nothing.
    monkeypatch.setattr("verify.conclude.after_true.WORK", 0)
    found = true(w)
    assert "ties within" in found.method and "not proven" in found.method and found.holds is None
    assert {pool: d.right for pool, d in found.decisions.items()} == {
        pool: d.right for pool, d in certified.decisions.items()
    }
    for d in found.decisions.values():
        assert d.right + d.ties + d.wrong == d.total and 0 < d.tie_tolerance < Fraction(1, 10**12)
        gaps = [gap for gap in d.score_gap.values() if gap is not None]
        assert all(gap > 1000 * d.tie_tolerance for gap in gaps), "a decision inside rounding"


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("eta_kq_subj", "1e-30"),
        ("eta_kq_subj", "1e30"),
        ("eta_kq_rel", "1e-30"),
        ("eta_kq_rel", "1e30"),
        ("eta_ov", "1e-12"),
    ],
)
@pytest.mark.parametrize("M_ft", [2, 4])
def test_true_steps_of_any_size(name, step, M_ft):
    """As beta -> inf the size of a W_KQ step does not matter with the full window, and a small eta_ov no more than a
    smaller one: no update is lost beside the 1 it is added to, and no logits tie because scores are large."""
    world = World.balanced(8, 2, 2, M_ft)
    like = {"eta_ov": Fraction("1e-3")} if name == "eta_ov" else {}
    setting = Setting(M=8, L=2, U=(2, 2), M_ft=M_ft, N_ft=2, **like)
    usual = true(Witnesses(setting, world))
    extreme = true(Witnesses(replace(setting, **{name: Fraction(step)}), world))
    assert usual.holds is (M_ft == 4) and extreme.holds is usual.holds
    for pool, d in usual.decisions.items():
        e = extreme.decisions[pool]
        assert (d.right, d.ties, d.total, d.attention) == (e.right, e.ties, e.total, e.attention)
    if name == "eta_ov":
        margins = (usual.decisions["seen"].min_margin, extreme.decisions["seen"].min_margin)
        ratio = float(margins[0] / margins[1]) if margins[1] else None
        assert ratio == (pytest.approx(1e9, rel=1e-2) if M_ft == 4 else None)


def test_true_steps_that_float64_cannot_follow_are_open(monkeypatch):
    """At eta_ov = 1e6 the softmax part cancels the rest of kq_rel (about 1e-91) to below the roundings of either.

    In balls of enough bits it is decided all the same.
    """
    world = World.balanced(8, 2, 2, 4, n_grammar=1)
    setting = Setting(M=8, L=2, U=(2, 2), M_ft=4, N_ft=1, G=1, eta_ov=Fraction(10**6))
    decided = true(Witnesses(setting, world))
    assert all(d.exact for d in decided.decisions.values())
    monkeypatch.setattr("verify.conclude.after_true.WORK", 0)
    found = true(Witnesses(setting, world))
    assert found.holds is None and not found.decisions and "saturates" in found.reason


@pytest.mark.parametrize(
    ("bounds", "right", "accuracy"), [((0, 0), 0, 0.0), ((18, 18), 18, 1.0), ((0, 18), None, None)]
)
def test_bounds_that_meet_are_a_count(bounds, right, accuracy):
    """Nothing was counted, and the bounds alone say how many are right."""
    low, high = bounds
    found = decision_json(
        Decision(18, None, None, None, bounds, (0, 18), (18 - high, 18 - low), False, "bounded", "too many")
    )
    assert (found["right"], found["accuracy"], found["ties"]) == (right, accuracy, None)
    assert found["accuracy_bounds"] == [low / 18, high / 18]


def test_an_empty_pool_has_no_accuracy():
    found = decision_json(vacuous("no held-out subject"))
    assert found["right"] == 0 and found["accuracy"] is None and found["vacuous"]
