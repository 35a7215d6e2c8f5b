"""Gradients in balls: against the plain enumeration in float64, and what they are for: exact zeros, and steps of any size."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from numerics.conclusion import balls
from numerics.conclusion.balls import BITS, GRID, _at_precision, _ends, ball_gradients, enclosed_weights, work
from numerics.conclusion.symmetry import equal_entries
from numerics.population import finetuning_gradients
from numerics.world import World

CASES = [(n, window, reading) for n in (1, 2) for window in range(1, 3 * n + 3) for reading in ("set", "literal")]


@pytest.mark.parametrize(("n", "window", "reading"), CASES)
def test_the_plain_enumeration_lies_within(n, window, reading):
    """Every window, whole slots, half ones, and the query outside: to the 1e-13 that float64 has."""
    world = World.random(6, 2, 3, 4, seed=n + window)
    g = ball_gradients(world, n, Fraction(5, 2), window, reading)
    plain = finetuning_gradients(world, n, "true", 2.5, window, reading)
    matrix = np.array([[float(x.mid()) for x in row] for row in g.ov_rel])
    wanted = plain.ov_rel.copy()
    wanted[:, world.sep_token] = 0.0
    for found, true in ((g.kq_subj, plain.kq_subj), (g.kq_rel, plain.kq_rel)):
        assert np.abs(np.array([float(x.mid()) for x in found]) - true).max() < 1e-15
        assert all(float(x.rad()) < 1e-70 for x in found)
    assert np.abs(matrix - wanted).max() < 1e-15


def test_what_is_zero_is_exactly_zero():
    """Finetuning subjects that are all alike: the first step of the subject head is 0, and not within a radius of it."""
    g = ball_gradients(World(np.array([[0, 0], [0, 0], [0, 0], [0, 1]]), [0, 1, 2]), 2, Fraction(1))
    assert all(x.is_zero() for x in g.kq_subj) and not all(x.is_zero() for x in g.kq_rel)


def test_the_precision_of_the_process_is_put_back():
    before = ctx.prec
    ball_gradients(World(np.array([[0], [1]]), [0, 1]), 1, Fraction(1), bits=BITS + 7)
    assert ctx.prec == before


def test_too_large_a_population_is_refused(monkeypatch):
    world = World.random(6, 2, 3, 4, seed=0)
    monkeypatch.setattr(balls, "WORK", work(world, 2, None) - 1)
    with pytest.raises(ValueError, match="exponentials, valid: at most"):
        ball_gradients(world, 2, Fraction(1))


def test_entries_beyond_all_digits_are_rounded_outwards():
    """e^-1e60 has no digits worth keeping: it lies between 0 and the last bit of the grid."""
    last = Fraction(1, 2**GRID)
    tiny = _at_precision(300, lambda: (-(arb(10) ** 60)).exp())
    assert _ends(tiny) == (0, last) and _ends(-tiny) == (-last, 0) and _ends(arb(0)) == (0, 0)
    low, high = _ends(arb(1) / 3)
    assert low < Fraction(1, 3) < high and high - low < Fraction(1, 2**40)


def tables(seed: int):
    rng = np.random.default_rng(seed)
    M, L = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    table = rng.integers(0, int(rng.integers(1, 4)), size=(M, L))
    n = int(rng.integers(1, 3))
    window = None if rng.random() < 0.5 else int(rng.integers(1, 3 * n + 3))
    reading = ("set", "literal")[int(rng.integers(2))]
    return World(table, list(range(int(rng.integers(1, M + 1)))), n_grammar=1), n, window, reading


@pytest.mark.parametrize("seed", range(30))
def test_entries_of_one_class_are_equal(seed):
    """Balls of about 1e-77: two that stand for different numbers would not overlap by accident."""
    world, n, window, reading = tables(seed)
    g, equal = ball_gradients(world, n, Fraction(3), window, reading), equal_entries(world, n, window, reading)
    flat = [x for row in g.ov_rel for x in row]
    for numbers, values in ((equal.kq_subj, g.kq_subj), (equal.kq_rel, g.kq_rel), (equal.ov_rel.ravel(), flat)):
        for k, value in zip(numbers.tolist(), values, strict=True):
            assert value.overlaps(values[k])
    lower, upper, _, _ = enclosed_weights(world, n, (Fraction(2), Fraction(3), Fraction(5)), window, reading)
    for name in ("kq_subj", "kq_rel", "ov_rel"):
        numbers = getattr(equal, name).ravel()
        for side in (lower, upper):
            entries = getattr(side, name).ravel()
            assert (entries == entries[numbers]).all()


def test_symmetries_that_are_there_are_found():
    """Two values exchanged with their holders, two types exchanged, and values that no finetuning subject has."""
    swap = World(np.array([[0], [0], [1], [1], [2], [3]]), [0, 1, 2, 3], n_grammar=1)
    equal = equal_entries(swap, 1)
    assert len(set(equal.kq_rel[:4].tolist())) == 1
    a, b, c, d = swap.attribute_range(0)
    assert equal.kq_rel[a] == equal.kq_rel[b] and equal.ov_rel[a, a] == equal.ov_rel[b, b] != equal.ov_rel[a, b]
    assert equal.ov_rel[c, a] == equal.ov_rel[d, a] == equal.ov_rel[c, b]
    types = equal_entries(World(np.array([[0, 0], [0, 1], [1, 0]]), [0, 1, 2], n_grammar=1), 1)
    assert types.kq_rel[1] == types.kq_rel[2] != types.kq_rel[0] and types.kq_rel[3] == types.kq_rel[5]
    # Counted with multiplicity, values with other numbers of holders outside are told apart.
    lopsided = World(np.array([[0], [1], [1]]), [0, 1], n_grammar=1)
    assert equal_entries(lopsided, 1).kq_rel[0] == equal_entries(lopsided, 1).kq_rel[1]
    literal = equal_entries(lopsided, 1, reading="literal")
    assert literal.kq_rel[0] != literal.kq_rel[1]
