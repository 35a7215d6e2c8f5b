"""How thorough a benchmark is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How thorough a run is. budget: seconds that one call may take; once: a call longer than this is timed once, in no
    rounds; table: largest M of the exact sums over a table.

    threads: of torch. With one of them a ratio compares what methods do, not how well each is spread over the cores, and
    nothing waits for a core that another process holds. Then seconds are the processor's own, which others on the machine do
    not stretch; with more threads or an accelerator they are those of the clock on the wall.
    """

    quick: bool
    device: str
    threads: int
    rounds: int
    budget: float
    once: float
    table: int

    @staticmethod
    def of(quick: bool, device: str, threads: int) -> Plan:
        if quick:
            return Plan(True, device, threads, rounds=2, budget=0.3, once=0.3, table=100)
        return Plan(False, device, threads, rounds=5, budget=10.0, once=2.0, table=1_000)

    @property
    def clock(self) -> str:
        """Whose seconds: "processor" or "wall"."""
        return "processor" if self.device == "cpu" and self.threads == 1 else "wall"

    @property
    def now(self) -> Callable[[], float]:
        """Seconds so far by that clock."""
        return time.process_time if self.clock == "processor" else time.perf_counter
