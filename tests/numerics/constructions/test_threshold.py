import math
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.constructions import (
    Construction,
    Head,
    accuracy,
    bisected_threshold,
    certified_threshold,
    evaluate,
    limit_margins,
    margin_ball,
    margins,
    prop1,
    prop2,
    prop3,
    prop4,
)
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining import sequences
from numerics.world import World

WORLD = World([[0, 0], [1, 0], [1, 1]], [0, 2], 2)


def drawn_problem(tables, data):
    """A construction and a function that yields its population at the last position."""
    world, kind = data.draw(tables), data.draw(st.sampled_from([1, 2, 3, 4]))
    S, n = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    reading = data.draw(st.sampled_from(["set", "literal"]))
    if kind in (1, 3):
        return {1: prop1, 3: prop3}[kind](world, S, n, reading), lambda: sequences(world, S, n)
    construction = prop2(world, n, reading) if kind == 2 else prop4(world, n, S, reading)
    return construction, lambda: icl_sequences(world, n, "all", "finetune")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_margin_functions_are_those_of_the_sequences(tables, data):
    construction, population = drawn_problem(tables, data)
    beta = Fraction(data.draw(st.integers(0, 24)), 8)
    found = margins(construction, population())
    seen, balls, hard, size = found.at(float(beta)).tolist(), [], [], 0
    for batch in population():
        size += len(batch.tokens)
        at_infinity = evaluate(construction, batch.tokens)
        numerator, denominator = at_infinity.margin_numerator(batch.targets), at_infinity.denominator
        hard += [Fraction(int(a), int(b)) for a, b in zip(numerator, denominator, strict=True)]
        for i in range(0, len(batch.tokens), 1 + len(batch.tokens) // 20):
            balls.append(margin_ball(construction, batch.tokens[i].tolist(), int(batch.targets[i]), beta))
    assert found.size == size
    assert min(limit_margins(found)) == min(hard)
    for ball in balls:
        assert float(ball.rad()) < 1e-20
        assert min(abs(float(ball.mid()) - one) for one in seen) < 1e-10
        assert float(ball.mid()) >= min(seen) - 1e-10
    for k in range(len(seen)):
        # The kept example has the kept function, and the polynomial has the sign of the margin.
        x = math.exp(beta)
        value = sum(float(c) * x**power for power, c in enumerate(found.polynomial(k).coeffs()))
        if abs(seen[k]) > 1e-6:
            assert (value > 0) == (seen[k] > 0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_threshold_separates(tables, data):
    construction, population = drawn_problem(tables, data)
    found = margins(construction, population())
    certified, bisected = certified_threshold(found), bisected_threshold(found)
    if min(limit_margins(found)) <= 0:
        assert certified is None and bisected is None
        (at_infinity,) = accuracy(construction, population(), [math.inf])
        assert at_infinity.right < at_infinity.total
        return
    assert certified.always == bisected.always and certified.lower <= certified.beta <= certified.upper
    assert bisected.lower - 1e-9 <= certified.beta <= bisected.upper + 1e-9
    beta = certified.beta
    above = accuracy(construction, population(), [beta + step for step in (1e-5, 0.1, 0.5, 2.0, 10.0, math.inf)])
    assert all(one.value == 1 for one in above)
    if not certified.always:
        assume(beta > 1e-5)
        (below,) = accuracy(construction, population(), [beta - 1e-5])
        assert below.right < below.total
        k = certified.worst
        tokens, target = found.example[k].tolist(), int(found.target[k])
        for step, sign in ((Fraction(-1, 10**8), -1), (Fraction(1, 10**8), 1)):
            ball = margin_ball(construction, tokens, target, Fraction(beta) + step)
            assert (ball < 0) if sign < 0 else (ball > 0)


def test_thresholds_in_closed_form():
    found = certified_threshold(margins(prop3(WORLD, 3, 2), sequences(WORLD, 3, 2)))
    assert found.lower <= math.log(5) <= found.upper and found.upper - found.lower < 1e-14 and found.certified
    found = certified_threshold(margins(prop2(WORLD, 2), icl_sequences(WORLD, 2)))
    assert found.lower <= math.log(2) <= found.upper
    # Prop. 1: a value of another type ties only at beta = 0.
    found = certified_threshold(margins(prop1(WORLD, 3, 2), sequences(WORLD, 3, 2)))
    assert (found.beta, found.lower, found.upper, found.always) == (0.0, 0.0, 0.0, False)
    assert accuracy(prop1(WORLD, 3, 2), sequences(WORLD, 3, 2), [0.0])[0].tie > 0


def test_no_threshold_without_a_limit():
    for construction, population in (
        (prop1(WORLD, 3, 2, "literal"), sequences(WORLD, 3, 2)),
        (prop4(World([[0], [1]], [0], 1), 1, 1), icl_sequences(World([[0], [1]], [0], 1), 1, "heldout")),
    ):
        found = margins(construction, population)
        assert certified_threshold(found) is None and bisected_threshold(found) is None


def one_margin(difference: list[int]):
    """Margins with the single function (c_0 + c_1 x + c_2 x^2)/(1 + x + x^2)."""
    found = margins(prop1(WORLD, 1, 1), sequences(WORLD, 1, 1))
    by_level, keys = np.zeros((1, 2, 3), dtype=np.int64), np.zeros((1, 2, 3), dtype=np.int64)
    by_level[0, 0] = difference
    keys[0] = [[1, 1, 1], [1, 0, 0]]
    return replace(found, difference=by_level, keys=keys)


def test_a_gap_above_is_found():
    # 10 (x - 2)(x - 3) is right, then wrong, then right; the larger root counts.
    found = one_margin([60, -50, 10])
    threshold = certified_threshold(found)
    assert threshold.lower <= math.log(3) <= threshold.upper and threshold.upper - threshold.lower < 1e-14
    assert abs(bisected_threshold(found).beta - math.log(3)) < 1e-6
    assert found.at(math.log(2.5))[0] < 0 < found.at(math.log(1.5))[0]


def test_a_gap_between_grid_points_is_seen_by_the_certified_route_only():
    # (x - 2)(1000 x - 2001) is negative on an interval of beta of length 0.0005, without a point of the grid.
    found = one_margin([4002, -4001, 1000])
    assert bisected_threshold(found).always
    threshold = certified_threshold(found)
    assert threshold.lower <= math.log(2.001) <= threshold.upper and not threshold.always
    assert threshold.lower <= threshold.beta <= threshold.upper
    assert found.at(math.log(2.0005))[0] < 0


def test_the_least_margin_at_many_beta(monkeypatch):
    found = margins(prop3(WORLD, 2, 2), sequences(WORLD, 2, 2))
    betas = np.linspace(0.0, 9.0, 37)
    one_by_one = [found.at(float(beta)).min() for beta in betas]
    assert len(found.keys) > 1 and min(one_by_one) < 0 < max(one_by_one)
    for block in (1, 5 * found.keys.size, 1 << 18):
        monkeypatch.setattr(sys.modules["numerics.constructions.margins"], "BLOCK", block)
        assert found.least(betas) == pytest.approx(one_by_one, rel=1e-14, abs=1e-15)
    assert found.least([]).shape == (0,)


def test_earlier_positions_are_judged_against_the_next_token():
    construction = prop3(WORLD, 2, 2)
    found = margins(construction, sequences(WORLD, 2, 2), t=4)
    assert min(limit_margins(found)) > 0
    beta = certified_threshold(found).beta
    below, above = accuracy(construction, sequences(WORLD, 2, 2), [beta - 1e-4, beta + 1e-4], t=4)
    assert below.value < 1 == above.value


def test_errors():
    good = prop1(WORLD, 1, 1)
    with pytest.raises(ValueError, match="batches must hold at least one sequence, got none"):
        margins(good, [])
    with pytest.raises(ValueError, match="batches must hold at least one sequence, got none"):
        accuracy(good, [], [1.0])
    head = good.heads["subj"]
    with pytest.raises(ValueError, match="kq of head 'subj' must be >= 0"):
        margins(Construction(WORLD, good.T, {"subj": Head(-head.kq, head.ov)}), sequences(WORLD, 1, 1))
    with pytest.raises(ValueError, match="tokens must be at least t = 3, got 2"):
        margin_ball(good, [0, 1], 0, 1)
    strict = margins(prop3(WORLD, 3, 2), sequences(WORLD, 3, 2))
    with pytest.raises(ValueError, match="highest must be a beta at which every sequence is right, got 1"):
        bisected_threshold(strict, highest=1.0)
