"""What the conclusion after the true steps claims is what holds for all weights within the radii, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.population import finetuning_gradients
from numerics.population.certified import certified_gradients
from numerics.updates import initial_weights, updated_weights
from numerics.world import World
from verify.conclude import hat, true
from verify.enclosure import enclosed
from verify.judges.printed_update import network
from verify.setting import Setting
from verify.theorem1 import _true_route
from verify.witnesses import Witnesses

SETTING = Setting(M=12, L=2, U=(2, 2), M_ft=6, N_ft=1, G=1)


@pytest.fixture
def without_balls(monkeypatch):
    """As for a population that is too large to be summed in ball arithmetic."""
    monkeypatch.setattr("verify.conclude.after_true.WORK", 0)
    monkeypatch.setattr("verify.conclude.after_true.FEW", 0)


def witnesses(setting=SETTING, full=False):
    world = World.balanced(setting.M, setting.L, setting.U, setting.M_ft, n_grammar=setting.G, seed=0)
    return Witnesses(setting, world, full=full)


@pytest.mark.parametrize("name", ["kq_subj", "ov_rel", "kq_rel"])
def test_wide_enclosures_leave_the_answer_open_though_their_centre_has_one(name, without_balls):
    """The same gradients, known to one unit only: whatever the counts at the centre are, nothing is proven any more."""
    w = witnesses()
    narrow = true(w)
    assert narrow.holds is True and all(d.right == d.total for d in narrow.decisions.values())
    g = w.certified
    vars(w)["certified"] = replace(g, **{f"{name}_radius": np.ones_like(getattr(g, name))})
    wide = true(w)
    assert wide.holds is None
    for pool, d in wide.decisions.items():
        shown = wide.as_json()[pool]
        low, high = shown["accuracy_bounds"]
        assert not d.exact and "centre" in shown["method"] and "not proven" in wide.reason
        # The bounds contain the answer of the narrow enclosure, and that of the centre.
        assert low < 1 == high and low <= shown["accuracy"] <= high
    anywhere = wide.as_json()["heldout_any_context"]
    assert anywhere["accuracy_bounds"][0] < anywhere["accuracy_bounds"][1]


def test_a_tie_that_only_symmetry_proves(monkeypatch):
    """One value per type: both types' values tie on every sequence, which enclosures cannot tell from a win of one of them.

    But the output is the same for both types, so it is not right for both: the count stays open, the answer does not. Where
    the symmetry that exchanges the types is known, the tie is exact.
    """
    setting = Setting(M=1, L=2, U=(1, 1), M_ft=1, N_ft=1, G=1)
    exact = true(witnesses(setting)).decisions["seen"]
    assert exact.exact and (exact.right, exact.ties, exact.holds) == (0, 2, False) and exact.counterexample.smallest
    monkeypatch.setattr("verify.conclude.after_true.WORK", 0)
    found = true(witnesses(setting))
    assert found.decisions["seen"].ties == found.decisions["seen"].total
    assert found.holds is False and found.as_json()["seen"]["accuracy_bounds"] == [0.0, 0.5]
    assert "not proven" in found.reason


@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("N_ft", [1, 2, 5])
def test_exact_ties_with_one_finetuning_subject(N_ft, reading):
    """The first step of the subject head is exactly 0 at M_ft = 1: query and contexts tie, and the held-out query fails."""
    world = World(np.array([[0], [1]]), [0])
    w = Witnesses(Setting(M=2, L=1, U=(2,), M_ft=1, N_ft=N_ft, reading=reading), world)
    assert not w.certified.kq_subj.any() and not w.certified.kq_subj_radius.any()
    found = true(w)
    heldout = found.decisions["heldout"]
    assert found.holds is False and heldout.exact and (heldout.right, heldout.ties, heldout.wrong) == (0, 0, 1)
    assert found.reason == "" and found.as_json()["heldout"]["accuracy_bounds"] == [0.0, 0.0]
    plain = w.plain
    assert np.abs(plain.kq_rel - w.certified.kq_rel).max() < 1e-12


def test_margins_of_sampled_steps_are_in_logits(without_balls):
    """eta_ov = 50: decided in units of 64, shown as the proven margin is, which the bounds of the sample contain."""
    setting = replace(SETTING, eta_ov=Fraction(50))
    proven = true(witnesses(setting)).decisions
    w = witnesses(setting, full=True)
    assert w.sampled is not None
    vars(w)["certified"] = vars(w)["plain"] = None
    found = true(w)
    assert found.method.startswith("sampled gradients")
    seen = 0
    for pool, d in found.decisions.items():
        if d.min_margin_bounds is not None:
            low, high = d.min_margin_bounds
            assert low <= proven[pool].min_margin <= high and high < 2 * proven[pool].min_margin
            seen += 1
    assert seen


@pytest.mark.parametrize("eta_ov", ["0.1", "1/3", "2.7", "1e-9", "1e23"])
def test_the_enclosure_contains_the_step_that_was_asked_for(eta_ov):
    """A step size that float64 rounds, and gradients of no radius at all: the exact step still lies between the bounds."""
    asked = Fraction(eta_ov)
    world = World.random(9, 2, 3, 5, seed=1)
    g = certified_gradients(world, 2)
    none = {f"{name}_radius": np.zeros_like(getattr(g, name)) for name in ("kq_subj", "ov_rel", "kq_rel")}
    lower, upper, unit = enclosed(world, replace(g, eta_ov=float(asked), **none), Fraction(1), Fraction(1))
    start = initial_weights(world, 2, None, "set")
    entries = 0
    for i, j in np.argwhere(g.ov_rel != 0):
        if j != world.sep_token:
            exact = (Fraction(int(start.ov_rel[i, j])) - asked * Fraction(g.ov_rel[i, j])) / Fraction(unit)
            assert Fraction(lower.ov_rel[i, j]) <= exact <= Fraction(upper.ov_rel[i, j])
            entries += 1
    assert entries > world.V


def test_full_hears_a_second_method_a_sample_and_says_where_it_could_not():
    w = witnesses(full=True)
    assert w.halves is not None and w.plain is not None and w.sampled is not None
    assert "no second exact method" not in _true_route(w)
    assert witnesses().sampled is None and witnesses().halves is None
    # As at a size where halves are refused.
    w.reasons.insert(0, "too many halves")
    vars(w)["halves"] = None
    assert "no second exact method: too many halves" in _true_route(w)


def test_the_smallest_failing_sequence_is_one_and_the_same():
    """All fail after either kind of steps: both name the sequence of one subject, the first in token order of these."""
    table = np.array([[0, 0], [0, 1], [1, 0], [1, 2], [2, 1]])
    setting = Setting(M=5, L=2, U=(3, 3), M_ft=3, N_ft=1)
    w = Witnesses(setting, World(table, [0, 1, 2]))
    both = [hat(w).anywhere, true(w).anywhere]
    assert all(d.right == 0 and d.ties == d.total == 20 and d.counterexample.smallest for d in both)
    assert both[0].counterexample.tokens == both[1].counterexample.tokens == ("s3", "[sep]", "a^0=1", "s3", "[sep]")


def test_float64_alone_proves_nothing(without_balls):
    """Where neither radii nor balls can be had, the counts are shown and said not to be proven."""
    w = witnesses()
    proven = true(w)
    vars(w)["certified"] = None
    found = true(w)
    assert proven.holds is True and found.holds is None and "not proven" in found.method
    for pool, d in found.decisions.items():
        assert not d.exact and d.right == proven.decisions[pool].right and d.accuracy_bounds == (0, 1)
        assert d.counterexample is None


@pytest.mark.parametrize("eta_ov", ["1/7", "1000"])
@pytest.mark.parametrize("balls", [True, False])
def test_logits_of_an_example_are_in_logits_whatever_the_step(eta_ov, balls, monkeypatch):
    """Against the literal network with weights after plain steps; the table answers some held-out queries wrongly."""
    if not balls:
        monkeypatch.setattr("verify.conclude.after_true.WORK", 0)
        monkeypatch.setattr("verify.conclude.after_true.FEW", 0)
    world = World([[0, 0], [2, 1], [0, 0], [2, 1], [1, 0], [2, 1], [2, 0], [2, 1]], range(4), 4)
    step = Fraction(eta_ov)
    setting = Setting(M=8, L=2, U=(3, 2), M_ft=4, N_ft=1, G=4, eta_ov=step, eta_kq_rel=Fraction(1000))
    gradients = finetuning_gradients(world, 1, "true", float(step), None, "set")
    model = network(world, 1, updated_weights(world, gradients, 1.0, 1000.0), math.inf)
    seen = 0
    for decision in true(Witnesses(setting, world)).decisions.values():
        example = decision.counterexample
        if example is None:
            continue
        seen += 1
        logits = model(torch.as_tensor([example.token_ids]))[0]
        best = logits.max().item()
        target = logits[world.attribute_token[example.subjects[-1], example.relation_type]].item()
        assert float(max(example.logits.values()) - example.logits[example.target]) == pytest.approx(
            best - target, rel=1e-6
        )
    assert seen
