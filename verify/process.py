"""How a command begins and ends as a process: Ctrl-C, and a standard output that nobody reads or that is full.

    if __name__ == "__main__":
        as_command(main)

Exit status: that of main; 2 where standard output cannot be written; 130 for Ctrl-C at any moment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

INTERRUPTED = 130


def name() -> str:
    """The command as it was called, for example `python -m verify.theorem1`."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = "verify" if spec is None else spec.name
    return f"python -m {module.removesuffix('.__main__')}"


def said(line: str) -> None:
    """A line on standard error, as far as there is one that takes it: print(file=None) would write to standard output."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)


@contextmanager
def standard_output() -> Iterator[None]:
    """Printing and nothing else: a reader that has gone (| head) ends it quietly, a full disk is one line and exit 2."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would raise again when Python ends.
        _silenced()
    except OSError as error:
        _silenced()
        said(f"{name()}: standard output: {error.strerror}")
        raise SystemExit(2) from None


def _silenced() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def as_command(main: Callable[[], int]) -> NoReturn:
    """Runs main as the whole of this process. Ctrl-C where main is not prepared for it is one line too."""
    # Until now it was that of the start (verify/__init__.py); in the background of a script it is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            status: int | str | None = main()
        except SystemExit as ended:
            # --help prints as well.
            status = ended.code
        with standard_output():
            pass
    except KeyboardInterrupt:
        # Whatever else is pressed now: there is nothing left to save.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        said(f"{name()}: interrupted")
        status = INTERRUPTED
    sys.exit(status)
