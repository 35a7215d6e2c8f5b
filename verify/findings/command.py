"""The entry points `python -m verify.finding1` .. `finding4` and `verify.fig5`.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input or a network that cannot be trained (one line says why), 130
interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verify.arguments import OneLineParser
from verify.findings.entry import Options, add_options, add_unembedding, carried_out, ending
from verify.findings.findings import Finding, finding
from verify.findings.measured import Trained
from verify.findings.networks import RUNS
from verify.findings.pictures import draw
from verify.findings.record import REPRODUCED, record, seeds_in_words
from verify.findings.runs import train_all
from verify.findings.settings import PRESETS, size_of
from verify.progress import Count
from verify.trained.runs import usable_processes


def run(
    shown: Finding, preset: str, seeds: int | None = None, options: Options | None = None, progress: Count | None = None
) -> dict[str, Any]:
    """The record of a finding: trains (or reads) its networks, measures and judges them.

    seeds: their number, in place of the preset's.  Raises RunError, ValueError for an unknown preset or seeds < 1.
    """
    begun = time.perf_counter()
    options = Options(processes=usable_processes()) if options is None else options
    size = size_of(preset, shown.name)
    count = size.seeds[0 if shown.curves else 1] if seeds is None else seeds
    if count < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds!r}")
    needed = [
        [network.at(options.precision, options.unembedding) for network in shown.needed(size, seed)]
        for seed in range(count)
    ]
    flat = [network for one in needed for network in one]
    folders = iter(train_all(flat, options.runs, options.processes, options.device, progress))
    measured = []
    for one in needed:
        trained = [Trained(network, next(folders)) for network in one]
        measured.append(shown.measured(trained, size, options.device))
    seconds = time.perf_counter() - begun
    return record(shown, preset, size, measured, options.device, seconds, options.precision, options.unembedding)


def check(name: str, preset: str = "quick", runs: Path = RUNS) -> dict[str, Any]:
    """The record of a finding, computed now (see verify/schema/finding.schema.json)."""
    return run(finding(name), preset, options=Options(runs, usable_processes()))


def _parser(shown: Finding) -> OneLineParser:
    made = OneLineParser(
        prog=f"python -m verify.{shown.name}", description=f"{shown.title}. {shown.printed}", allow_abbrev=False
    )
    made.add_argument(
        "--preset",
        choices=PRESETS[:-1],
        default="quick",
        help="quick: scaled down (default); reduced: the paper's but for the length of the grammar and of the training, hours of a"
        " core; paper-short: the paper's but for the length of the grammar, a day of a core; paper: its own sizes",
    )
    add_options(made)
    add_unembedding(made)
    return made


def _held(one: dict[str, Any]) -> str:
    if one["count"] is None:
        return "means"
    low, high = one["count"]["interval"]
    return f"{one['count']['count']}/{one['count']['of']} [{low:.2f}, {high:.2f}]"


def show(console: Console, made: dict[str, Any]) -> None:
    """The record, for people."""
    title = (
        f"{made['title']} ({made['preset']} preset, {seeds_in_words(len(made['seeds']))}): {made['setting']['says']}"
    )
    table = Table(title=escape(title), title_justify="left")
    for column in ("statement", "what", "seeds [95 %]", "verdict"):
        table.add_column(column, overflow="fold")
    for one in made["statements"]:
        row = (one["name"] if one["main"] else f"  {one['name']}", one["says"], _held(one), one["verdict"])
        table.add_row(*(escape(cell) for cell in row), style="bold" if one["main"] else "dim")
    console.print(table)
    ending(console, made)


def main(name: str, arguments: Sequence[str] | None = None, making: Callable[..., dict[str, Any]] = run) -> int:
    """The command line of one finding."""
    shown = finding(name)
    options = _parser(shown).parse_args(arguments)
    return carried_out(
        f"python -m verify.{name}",
        options,
        lambda where, progress: making(shown, options.preset, options.seeds, where, progress),
        draw,
        show,
        REPRODUCED,
    )
