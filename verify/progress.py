"""Progress bars on standard error, only on a terminal; results on standard output, as far as anybody reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from verify.narrow import fitted
from verify.process import standard_output

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
    """A console that leaves a closed pipe to its caller (rich would end the process with status 1), and breaks no word of a table."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's, tables as the width allows."""
        super().print(*(fitted(self, one) if isinstance(one, Table) else one for one in objects), **options)


@contextmanager
def paged(width: int = 150) -> Iterator[Console]:
    """A console on standard output, `width` columns wide where that is no terminal.

    COLUMNS in the environment decides the width in either case. A reader that has gone (| head), or no standard output at
    all, ends the showing and nothing else: files are written before, and the exit status is that of the result. Where
    nothing can be written, a full disk, it is 2, after one line.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    with standard_output():
        yield _Pipe(width=None if terminal or _columns() else width)


def _columns() -> bool:
    """Whether the environment says how wide the output is to be, which rich reads where it is told no width."""
    columns = os.environ.get("COLUMNS", "")
    return columns.isascii() and columns.isdecimal() and int(columns) > 0
