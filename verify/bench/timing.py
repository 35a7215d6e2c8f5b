"""Times of several jobs in interleaved repeats, so that what else the machine does meets all of them alike.

One round times every job once, each round starting with another one; a ratio of two jobs is taken within every round and
its median is reported.  Short jobs are repeated within a round until they fill SHORTEST seconds.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Seconds that a timed block lasts at least: far above the clock's resolution and a task switch.
SHORTEST = 0.02


@dataclass(frozen=True)
class Timed:
    """seconds of one call in every round (one only of a long call), and what the job returned."""

    rounds: tuple[float, ...]
    result: Any

    @property
    def seconds(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.rounds)


@dataclass(frozen=True)
class Refused:
    """A job that was not timed, and why."""

    reason: str


@dataclass(frozen=True)
class Ratio:
    """How many times faster one job is than another: median, least and largest over the rounds."""

    median: float
    least: float
    largest: float
    rounds: int


def ratio(slow: Timed, fast: Timed) -> Ratio:
    """slow over fast, round by round; of the medians where one of them has a single round."""
    if len(slow.rounds) != len(fast.rounds):
        value = slow.seconds / fast.seconds
        return Ratio(value, value, value, 1)
    found = [a / b for a, b in zip(slow.rounds, fast.rounds, strict=True)]
    return Ratio(statistics.median(found), min(found), max(found), len(found))


def interleaved(
    jobs: Mapping[str, Callable[[], Any]],
    rounds: int,
    once: float,
    done: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timed | Refused]:
    """Times of all jobs.  A first call warms up and gives the result; a job that takes longer than `once` seconds in it
    is not repeated.  A ValueError (too large a population, a tolerance not reached) refuses a job.  done() after every job
    of every round, rounds + 1 times len(jobs) in all.  Cost: the calls.
    """
    results: dict[str, Any] = {}
    found: dict[str, Timed | Refused] = {}
    repeats: dict[str, int] = {}
    for name, job in jobs.items():
        start = clock()
        try:
            results[name] = job()
        except ValueError as error:
            found[name] = Refused(str(error))
        else:
            first = clock() - start
            if first > once:
                found[name] = Timed((first,), results[name])
            else:
                repeats[name] = max(1, math.ceil(SHORTEST / max(first, SHORTEST / 1000)))
        done()
    seconds: dict[str, list[float]] = {name: [] for name in repeats}
    names = list(repeats)
    for turn in range(rounds):
        at = turn % len(names) if names else 0
        for name in names[at:] + names[:at]:
            job, many = jobs[name], repeats[name]
            start = clock()
            for _ in range(many):
                job()
            seconds[name].append((clock() - start) / many)
            done()
    for _ in range(rounds * (len(jobs) - len(names))):
        done()
    found.update({name: Timed(tuple(values), results[name]) for name, values in seconds.items()})
    return {name: found[name] for name in jobs}
