"""Recomputing verdicts: in parallel, with a bar, and resumable after a kill at any moment (`verify.state`)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from numerics.world import World
from verify.court import Court
from verify.docket import entries, tried
from verify.records import Record, record
from verify.setting import Setting, SettingError
from verify.state import State, Trial
from verify.workers import attended, leave_with_parent, started

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


class RecomputeError(RuntimeError):
    """A worker process has ended before it was done; the message is one line."""


def recompute(
    trials: Sequence[Trial], jobs: int, state: State | None, advance: Callable[[Trial, bool], None]
) -> dict[Trial, Record]:
    """Every trial's record; advance(trial, resumed) is called as each becomes known. Cost: about 0.5 s a trial.

    state: where finished trials are kept, each as it is finished, and those of killed runs looked for; None: nowhere. On
    Ctrl-C the workers are ended at once. Raises RecomputeError where one of them is killed, SettingError for a
    committed record that cannot be judged.
    """
    known: dict[Trial, Record] = {}
    for which in trials:
        earlier = None if state is None else state.found(which)
        if earlier is not None:
            known[which] = earlier
            advance(which, True)
    missing = [which for which in trials if which not in known]
    with closing(_computed(missing, jobs)) as computed:
        for which, one in computed:
            if state is not None:
                state.keep(which, one)
            known[which] = one
            advance(which, False)
    return {which: known[which] for which in trials}


def _computed(missing: Sequence[Trial], jobs: int) -> Generator[tuple[Trial, Record], None, None]:
    """Every trial and its record as soon as it is there. Closed, or interrupted, it ends its workers."""
    if jobs <= 1 or len(missing) <= 1:
        for which in missing:
            yield which, trial(which)
        return
    # Claims of one reading share worlds, so a worker gets neighbours: contiguous chunks, a few per worker.
    size = max(1, len(missing) // (4 * jobs))
    chunks = [list(missing[i : i + size]) for i in range(0, len(missing), size)]
    workers: dict[Connection, Any] = {}
    with attended():
        try:
            yield from _shared_out(chunks, jobs, workers)
        finally:
            for process in workers.values():
                process.terminate()
            for process in workers.values():
                process.join()


def _shared_out(
    chunks: list[list[Trial]], jobs: int, workers: dict[Connection, Any]
) -> Generator[tuple[Trial, Record], None, None]:
    """The records as they come; `workers` is filled for the caller, who ends them."""
    left: dict[Connection, list[Trial]] = {}
    for _ in range(min(jobs, len(chunks))):
        connection, process = _worker()
        workers[connection] = process
        left[connection] = _sent(connection, chunks)
    while left:
        for ready in wait(list(left)):
            assert isinstance(ready, Connection)
            which = left[ready].pop(0)
            yield which, _received(ready, which)
            if not left[ready] and not chunks:
                del left[ready]
            elif not left[ready]:
                left[ready] = _sent(ready, chunks)


def _worker() -> tuple[Connection, Any]:
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = started(context.Process(target=_work, args=(theirs,), daemon=True))
    # Held here as well, it would not be closed where the worker ends.
    theirs.close()
    return mine, process


def _work(connection: Connection) -> None:
    """Sends the record of every trial of the chunks that come, until it is ended; an error as its traceback, unusable input as such."""
    import torch

    leave_with_parent()
    torch.set_num_threads(1)
    # Either ends with the parent, which is then gone.
    with suppress(EOFError, OSError):
        while True:
            for which in connection.recv():
                connection.send(_tried(which))


def _tried(which: Trial) -> Record | SettingError | str:
    try:
        return trial(which)
    except SettingError as error:
        # A committed record that cannot be judged: one line, wherever it is met.
        return error
    except Exception:
        return traceback.format_exc()


def _sent(connection: Connection, chunks: list[list[Trial]]) -> list[Trial]:
    """The next chunk, which the worker has then."""
    chunk = chunks.pop(0)
    try:
        connection.send(chunk)
    except BrokenPipeError:
        raise _ended(chunk[0]) from None
    return chunk


def _received(connection: Connection, which: Trial) -> Record:
    try:
        found: Record | SettingError | str = connection.recv()
    except (EOFError, ConnectionResetError):
        raise _ended(which) from None
    if isinstance(found, SettingError):
        raise found
    if isinstance(found, str):
        raise RuntimeError(f"{which[0]} ({which[1]}), in a worker process:\n{found}")
    return found


def _ended(which: Trial) -> RecomputeError:
    return RecomputeError(
        f"{which[0]} ({which[1]}): its process was ended, perhaps for want of memory; fewer --jobs need less"
    )
