"""Sums by halves against the plain enumeration, and their bookkeeping."""

import itertools
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population import PopulationTooLarge, finetuning_gradients, halves_first_step, halves_gradients
from numerics.population.certified.result import NotCertified
from numerics.population.halves import first, half
from numerics.population.halves.columns import Slots
from numerics.population.halves.multisets import Multisets, multiset_count
from numerics.world import World

torch.set_num_threads(1)
NAMES = ("kq_subj", "ov_rel", "kq_rel")


def _excess(found, plain):
    """The largest of (|difference| - radius) over what the plain sum itself may be off by, by matrix.

    The plain enumeration is good to 1e-13 of its largest entry, or of 1e-2 where its terms (of order 0.1) cancel.
    """
    excess = {}
    for name in NAMES:
        truth, radius = getattr(plain, name), getattr(found, f"{name}_radius")
        assert radius.shape == truth.shape and (radius >= 0).all()
        assert np.isfinite(getattr(found, name)).all() and np.isfinite(radius).all()
        allowed = 1e-13 * max(np.abs(truth).max(), 1e-2)
        excess[name] = float((np.abs(getattr(found, name) - truth) - radius).max() / allowed)
    return excess


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_equal_to_the_plain_enumeration(small_worlds, data):
    world = data.draw(small_worlds)
    most = next(m for m in (5, 4, 3, 2, 1) if world.L * world.M_ft ** (m + 1) <= 4000 or m == 1)
    n_demos = data.draw(st.integers(1, most))
    window = data.draw(st.one_of(st.none(), st.integers(1, 3 * n_demos + 4)))
    eta = data.draw(st.sampled_from([0.0, 1e-3, 1.0, -2.5, 40.0, 1e3]))
    reading = data.draw(st.sampled_from(["set", "literal"]))
    try:
        found = halves_gradients(world, n_demos, eta, window, reading)
    except NotCertified:
        assert eta == 1e3
        return
    assert max(_excess(found, finetuning_gradients(world, n_demos, "true", eta, window, reading)).values()) <= 1
    assert (found.n_demos, found.eta_ov, found.window, found.reading) == (n_demos, eta, window, reading)


@pytest.mark.parametrize("m", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("window", [None, "cut"])
def test_every_number_of_draws(m, window):
    # U = 4 values over 4 subjects, some unseen in F; "cut" leaves half a slot.
    world, n_demos = World.random(9, 2, 4, 4, seed=m), m - 1
    width = None if window is None else 3 * m - 3
    found = halves_gradients(world, n_demos, 1.5, width)
    assert max(_excess(found, finetuning_gradients(world, n_demos, "true", 1.5, width)).values()) <= 1
    assert found.relative["kq_subj"] < 1e-12 and found.relative["ov_rel"] < 1e-13 and found.relative["kq_rel"] < 1e-10


def test_many_blocks_tiles_and_no_tables(monkeypatch):
    world = World.random(7, 2, 3, 5, seed=2)
    for n_demos, window in ((3, None), (4, 9), (3, 6), (5, 14)):
        whole = halves_gradients(world, n_demos, window=window)
        with monkeypatch.context() as patch:
            patch.setattr(half, "BLOCK", 3)
            patch.setattr(half, "HELD", 1)
            patch.setattr(first, "TILE", 2)
            blocks = halves_gradients(world, n_demos, window=window)
        for name in NAMES:
            bound = getattr(whole, f"{name}_radius") + getattr(blocks, f"{name}_radius")
            assert (np.abs(getattr(whole, name) - getattr(blocks, name)) <= bound).all()


def test_wrong_multiplicities_and_wrong_powers_are_caught(monkeypatch):
    world, n_demos = World.random(7, 2, 3, 4, seed=4), 3
    plain = finetuning_gradients(world, n_demos)
    right = Multisets.of

    def flat(Q, h, device="cpu"):
        made = right(Q, h, device)
        return Multisets(Q, made.draws, torch.full_like(made.weights, 1 / len(made)))

    with monkeypatch.context() as patch:
        patch.setattr(Multisets, "of", staticmethod(flat))
        assert min(_excess(halves_gradients(world, n_demos), plain).values()) > 1e6
    for wrong in (lambda m: (2, m - 3), lambda m: (2, m - 1)):
        with monkeypatch.context() as patch:
            patch.setattr(first, "split", wrong)
            excess = _excess(halves_gradients(world, n_demos), plain)
            assert min(excess["kq_subj"], excess["ov_rel"]) > 1e6
    slots = Slots.of
    for change in ({"K": 2}, {"h": 1}, {"query": False}):
        with monkeypatch.context() as patch:
            patch.setattr(Slots, "of", staticmethod(lambda *given, change=change: replace(slots(*given), **change)))
            excess = _excess(halves_gradients(world, n_demos), plain)
            assert max(excess["kq_subj"], excess["ov_rel"]) <= 1 < 1e6 < excess["kq_rel"]


def test_multisets():
    for Q, h in ((1, 0), (4, 0), (1, 3), (3, 1), (3, 4), (5, 2)):
        made = Multisets.of(Q, h)
        assert len(made) == multiset_count(Q, h) and made.h == h
        expected: dict[tuple[int, ...], float] = {}
        for drawn in itertools.product(range(Q), repeat=h):
            key = tuple(sorted(drawn))
            expected[key] = expected.get(key, 0) + Q**-h
        found = {tuple(d): w for d, w in zip(made.draws.tolist(), made.weights.tolist(), strict=True)}
        assert found.keys() == expected.keys()
        assert all(math.isclose(found[key], expected[key], rel_tol=1e-14) for key in expected)
        assert (made.counts(0, len(made)).sum(1) == h).all()
    # Beyond 64 bits: one subject drawn 80 times, two drawn 70 times.
    assert Multisets.of(1, 80).weights.tolist() == [1.0]
    assert math.isclose(float(Multisets.of(2, 70).weights[35]), math.comb(70, 35) / 2**70, rel_tol=1e-15)


def test_too_much_work_names_work_and_limit():
    world = World.balanced(8, 2, 2, 4)
    # Step 1: C(5, 2) * 4 pairs, 4 values and the other tokens; step 2: L M_ft * C(5, 2) * 1 pairs.
    work = 10 * 4 * 5 + 8 * 10 * 1 * 5
    halves_gradients(world, 2, limit=work)
    with pytest.raises(PopulationTooLarge, match=r"takes 600 multiply-adds .*40 pairs .*at most limit = 599; fewer"):
        halves_gradients(world, 2, limit=work - 1)
    halves_first_step(world, 2, limit=200)
    with pytest.raises(PopulationTooLarge, match="limit = 199"):
        halves_first_step(world, 2, limit=199)
    with pytest.raises(PopulationTooLarge, match="accelerator"):
        halves_gradients(World.balanced(256, 8, 32), 5)


def test_progress_counts_all_pairs(monkeypatch):
    monkeypatch.setattr(half, "BLOCK", 4)
    monkeypatch.setattr(first, "TILE", 2)
    for n_demos, window in ((2, None), (3, None), (3, 8), (1, 1)):
        seen: list[tuple[int, int]] = []

        def note(done, total, seen=seen):
            seen.append((done, total))

        halves_gradients(World.random(8, 2, 3, 6), n_demos, window=window, progress=note)
        done = [now for now, _ in seen]
        assert done == sorted(done) and seen[-1][0] == seen[-1][1]
        assert len(done) < 2 or done[-2] < done[-1]


def test_first_step_alone_is_the_first_step():
    world = World.random(6, 2, 3, 4, seed=1)
    alone, both = halves_first_step(world, 3, 7, "literal"), halves_gradients(world, 3, 1.0, 7, "literal")
    for name in ("kq_subj", "kq_subj_radius", "ov_rel", "ov_rel_radius"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(both, name))
    assert alone.sequences == 2 * 4**4
    assert both.method == "halves (512 sequences)"


def test_without_flint_the_radii_are_larger_and_still_hold(monkeypatch):
    world = World.random(6, 2, 3, 4, seed=1)
    with_flint = halves_gradients(world, 2)
    monkeypatch.setitem(sys.modules, "flint", None)
    without = halves_gradients(world, 2)
    for name in NAMES:
        radius, other = getattr(with_flint, f"{name}_radius"), getattr(without, f"{name}_radius")
        assert (np.abs(getattr(with_flint, name) - getattr(without, name)) <= radius + other).all()
        assert (other >= radius).all() and other.max() > radius.max()


def test_values_too_rare_for_float64_are_no_obstacle():
    # In the literal reading the logit of a value of 2000 subjects is -2000 and its exponential 0.
    table = np.zeros((2003, 1), dtype=np.int64)
    table[2000:, 0] = [1, 1, 2]
    world = World(table, [2000, 2002, 2001], 1)
    found = halves_gradients(world, 2, reading="literal")
    assert max(_excess(found, finetuning_gradients(world, 2, reading="literal")).values()) <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_demos": 0}, "n_demos must be an integer >= 1, got 0"),
        ({"eta_ov": math.inf}, "eta_ov must be a finite number, got inf"),
        ({"window": 0}, "window must be an integer >= 1"),
        ({"reading": "both"}, "reading must be one of 'set', 'literal', got 'both'"),
        ({"limit": 0}, "limit must be an integer >= 1, got 0"),
        ({"device": "abacus"}, "device must be usable in float64, for instance 'cpu', got 'abacus'"),
        ({"eta_ov": 1e5}, "eta_ov: the step moves logits up to .* valid: an eta_ov for which they stay below 300"),
        ({"eta_ov": -1e18}, "eta_ov: with -1e.18 the logits after the step are known to .* only"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        halves_gradients(**{"world": World.random(6, 2, 3, 4), "n_demos": 2, **arguments})
