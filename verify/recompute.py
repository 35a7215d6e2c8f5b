"""Recomputing verdicts: in parallel, with a bar, and resumable after a kill at any moment (`verify.state`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context

from numerics.world import World
from verify.court import Court
from verify.docket import entries, tried
from verify.records import Record, record
from verify.setting import Setting
from verify.state import State, Trial

READINGS = ("set", "literal")


@cache
def court(reading: str) -> Court:
    """The bench in one reading, at the paper's setting."""
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128, reading=reading)
    return Court(setting, World.balanced(256, 8, 32, 128))


def trial(which: Trial) -> Record:
    """One claim in one reading, mutants included."""
    name, reading = which
    return record(tried(entries()[name], court(reading)), reading)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def recompute(
    trials: Sequence[Trial], jobs: int, state: State | None, advance: Callable[[Trial, bool], None]
) -> dict[Trial, Record]:
    """Every trial's record; advance(trial, resumed) is called as each becomes known. Cost: about 0.5 s a trial.

    state: where finished trials are kept and those of killed runs looked for; None: nowhere.
    """
    known: dict[Trial, Record] = {}
    for which in trials:
        earlier = None if state is None else state.found(which)
        if earlier is not None:
            known[which] = earlier
            advance(which, True)
    missing = [which for which in trials if which not in known]
    for which, one in _computed(missing, jobs):
        if state is not None:
            state.keep(which, one)
        known[which] = one
        advance(which, False)
    return {which: known[which] for which in trials}


def _computed(missing: Sequence[Trial], jobs: int) -> Iterable[tuple[Trial, Record]]:
    if jobs <= 1 or len(missing) <= 1:
        for which in missing:
            yield which, trial(which)
        return
    # Claims of one reading share worlds, so a worker gets neighbours: contiguous chunks, a few per worker.
    size = max(1, len(missing) // (4 * jobs))
    chunks = [list(missing[i : i + size]) for i in range(0, len(missing), size)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        futures = {pool.submit(_chunk, chunk): chunk for chunk in chunks}
        try:
            for future in as_completed(futures):
                yield from zip(futures[future], future.result(), strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chunk(chunk: list[Trial]) -> list[Record]:
    return [trial(which) for which in chunk]
