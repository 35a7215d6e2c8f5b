"""Sweeps: which sizes a method is timed at, and the laws of its times."""

from dataclasses import replace

import pytest

from verify.bench import growth
from verify.bench.growth import Curve, Point, Shape, Sweep, grown, predicted, steps, sweeps
from verify.bench.methods import Method
from verify.bench.plan import Plan
from verify.bench.timing import Refused, Timed


def _method(name="way", sequencewise=False):
    return Method(name, name, lambda world, n_demos, device: None, sequencewise)


def _curve(parameter, times, sequencewise=False, sequences=lambda value: value):
    points = [Point(value, sequences(value), seconds, 1) for value, seconds in times]
    return Curve(_method(sequencewise=sequencewise), parameter, points)


def test_exponents_of_synthetic_times():
    curve = _curve("M_ft", [(n, 2e-5 * n**2) for n in (4, 8, 16, 32, 64)])
    assert curve.power().value == pytest.approx(2)
    assert curve.power(curve.tail).points == 3
    bent = _curve("M_ft", [(n, 1.0 + 1e-2 * n**2) for n in (4, 8, 256, 512, 1024)])
    assert bent.power().value < 1.9 < bent.power(bent.tail).value
    assert _curve("m", [(m, 1e-4 * 8**m) for m in (2, 3, 4, 5)]).exponential().value == pytest.approx(8)
    assert _curve("L", [(2, 1.0), (4, 2.0), (8, 4.0)]).tail is None


def test_predictions():
    shape = Shape(16, 2, 4, 8, 4)
    assert shape.sequences == 2 * 8**4
    # One that looks at every sequence: in proportion to their number, from one point on.
    assert predicted(_curve("m", [(3, 0.5)], True, lambda m: 2 * 8**m), shape) == pytest.approx(4.0)
    # Others: along the line through the last two points, in m exponentially, else as a power; never downwards.
    assert predicted(_curve("m", [(2, 1.0), (3, 3.0)]), shape) == pytest.approx(9.0)
    assert predicted(_curve("M_ft", [(2, 1.0), (4, 4.0)]), shape) == pytest.approx(16.0)
    assert predicted(_curve("M_ft", [(2, 4.0), (4, 1.0)]), shape) == pytest.approx(1.0)
    assert predicted(_curve("M_ft", [(2, 4.0)]), shape) is None
    assert predicted(_curve("M_ft", [], True), shape) is None


def test_a_method_leaves_where_it_gets_too_long(monkeypatch):
    """Times are made up: sequences / 1000 for one method, refused from m = 4 on for the other."""
    seen = []

    def times(jobs, rounds, once, done, clock):
        seen.append(sorted(jobs))
        m = sweep.shapes[len(seen) - 1].m
        for _ in range((rounds + 1) * len(jobs)):
            done()
        made = {"slow": Timed((2 * 4**m / 1000,), None), "picky": Timed((0.1,), None) if m < 4 else Refused("no")}
        return {name: made[name] for name in jobs}

    monkeypatch.setattr(growth, "interleaved", times)
    ticks = []
    sweep = Sweep("m", tuple(Shape(8, 2, 2, 4, m) for m in (2, 3, 4, 5)))
    ways = (_method("slow", True), _method("picky"))
    plan = replace(Plan.of(True, "cpu", 1), rounds=2, budget=0.3)
    slow, picky = grown(sweep, ways, plan, lambda: ticks.append(1))
    assert [point.value for point in slow.points] == [2, 3]
    assert slow.left == (4, "a call would take about 0.51 s, more than 0.3 s")
    assert [point.sequences for point in picky.points] == [32, 128]
    assert picky.left == (4, "no")
    assert seen == [["picky", "slow"], ["picky", "slow"], ["picky"], []]
    assert len(ticks) == steps(sweep, 2, 2)


@pytest.mark.parametrize("quick", [True, False])
def test_each_size_is_varied_alone(quick):
    found = sweeps(quick)
    assert [sweep.parameter for sweep in found] == ["M_ft", "m", "L", "U"]
    for sweep in found:
        values = sweep.values()
        assert values == sorted(set(values)) and len(values) >= 3
        assert len({replace(shape, **{sweep.parameter: 1}) for shape in sweep.shapes}) == 1
        for shape in sweep.shapes:
            assert shape.M % shape.U == 0 and shape.U <= shape.M_ft <= shape.M
