"""Progress bars on standard error, only on a terminal; results on standard output, as far as anybody reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Count = Callable[[int, int], None]


@contextmanager
def bars(quiet: bool = False) -> Iterator[Callable[[str], Count | None]]:
    """bar(label) gives progress(done, total), or None where nothing is to be shown."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda label: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:

        def bar(label: str) -> Count:
            task = progress.add_task(label, total=1, visible=False)

            def count(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total, visible=done < total)

            return count

        yield bar


class _Pipe(Console):
    """A console that leaves a closed pipe to its caller (rich would end the process with status 1)."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def paged(width: int = 150) -> Iterator[Console]:
    """A console on standard output, `width` columns wide where that is no terminal.

    A reader that has gone (| head), or no standard output at all, ends the showing and nothing else: files are written
    before, and the exit status is that of the result.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    try:
        yield _Pipe(width=None if terminal else width)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would raise again when Python ends.
        _silenced()
    except OSError as error:
        _silenced()
        print(f"standard output: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None


def _silenced() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
