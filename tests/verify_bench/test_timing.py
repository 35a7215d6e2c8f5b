"""Interleaved repeats, with a clock that the jobs turn."""

import time

import pytest

from verify.bench.plan import Plan
from verify.bench.timing import Ratio, Refused, Timed, interleaved, ratio


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def job(self, seconds, log, name):
        def run():
            self.now += seconds
            log.append(name)
            return name

        return run


def test_rounds_are_interleaved_and_rotate():
    clock, log, ticks = Clock(), [], []
    jobs = {name: clock.job(1.0, log, name) for name in "abc"}
    found = interleaved(jobs, 3, 10.0, lambda: ticks.append(1), clock)
    assert "".join(log) == "abc" + "abc" + "bca" + "cab"
    assert {name: timed.rounds for name, timed in found.items()} == {name: (1.0,) * 3 for name in "abc"}
    assert [found[name].result for name in "abc"] == list("abc")
    assert len(ticks) == 4 * 3


def test_short_jobs_are_repeated_within_a_round_and_counted_once():
    clock, log = Clock(), []
    found = interleaved({"short": clock.job(0.005, log, "s")}, 2, 1.0, clock=clock)
    assert found["short"].seconds == pytest.approx(0.005)
    assert len(log) == 1 + 2 * 4


def test_long_jobs_run_once_and_failing_ones_not_at_all():
    clock, log, ticks = Clock(), [], []

    def large():
        raise ValueError("the population has 10 sequences")

    jobs = {"long": clock.job(7.0, log, "l"), "large": large, "quick": clock.job(1.0, log, "q")}
    found = interleaved(jobs, 2, 5.0, lambda: ticks.append(1), clock)
    assert found["long"].rounds == (7.0,)
    assert found["large"] == Refused("the population has 10 sequences")
    assert found["quick"].rounds == (1.0, 1.0)
    assert len(ticks) == 3 * 3
    assert list(found) == list(jobs)


def test_other_errors_pass():
    def broken():
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        interleaved({"a": broken}, 1, 1.0)


def test_the_ratio_is_taken_round_by_round():
    """A machine that slows both jobs down in one round changes no ratio."""
    assert ratio(Timed((2.0, 20.0, 4.0), None), Timed((1.0, 10.0, 1.0), None)) == Ratio(2.0, 2.0, 4.0, 3)
    assert ratio(Timed((9.0,), None), Timed((1.0, 3.0, 2.0), None)) == Ratio(4.5, 4.5, 4.5, 1)


def test_nothing_to_time():
    assert interleaved({}, 3, 1.0) == {}


def test_the_processor_is_the_clock_only_where_one_thread_does_everything():
    assert Plan.of(True, "cpu", 1).clock == "processor"
    assert Plan.of(True, "cpu", 1).now is time.process_time
    for plan in (Plan.of(True, "cpu", 2), Plan.of(True, "cuda", 1)):
        assert plan.clock == "wall" and plan.now is time.perf_counter
