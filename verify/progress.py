"""Progress bars on standard error, only on a terminal."""

from __future__ import annotations

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
