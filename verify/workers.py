"""What worker processes have in common: the Ctrl-C of a terminal is for the parent alone, and no worker outlives it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import Any


@contextmanager
def attended() -> Iterator[None]:
    """While workers are there: SIGTERM ends this process by way of every `finally`, and with it the workers at once.

    Nothing changes where it is handled already, or in another thread than the main one.
    """
    mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if mine:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def started(process: Any) -> Any:
    """Starts a spawned process in which SIGINT is blocked from its first moment on: imports would die with a traceback.

    The mask is inherited. A Ctrl-C that comes meanwhile waits, and is delivered to this process afterwards.
    """
    # Started by the first process, it would lift the mask.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def leave_with_parent() -> None:
    """In a worker: ends it when its parent is gone, also where that was killed and could end nothing itself."""
    parent = parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()
