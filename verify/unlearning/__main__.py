"""`python -m verify.unlearning`: which part of the next-token objective takes the held-out answers away again.

Exit status: 0 the guess of rules.py is supported, 1 it is not, or nothing is lost, 2 unusable input or a network that cannot be
trained, 130 interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verify.arguments import OneLineParser
from verify.findings.entry import Options, add_options, carried_out, ending
from verify.findings.measured import Trained
from verify.findings.record import seeds_in_words
from verify.findings.runs import train_all
from verify.findings.settings import PRESETS, size_of
from verify.process import as_command
from verify.progress import Count
from verify.unlearning.picture import draw
from verify.unlearning.record import TITLE, record
from verify.unlearning.rules import SUPPORTED, end, guessed
from verify.unlearning.variants import VARIANTS, measured, networks

NAME = "unlearning"
PROG = f"python -m verify.{NAME}"


def run(
    preset: str, seeds: int | None = None, options: Options | None = None, progress: Count | None = None
) -> dict[str, Any]:
    """The record: trains (or reads) the networks, measures and judges them.

    seeds: their number, in place of the preset's.  Raises RunError, ValueError for an unknown preset or seeds < 1.
    """
    begun = time.perf_counter()
    options = Options() if options is None else options
    size = size_of(preset, NAME)
    count = size.seeds[0] if seeds is None else seeds
    if count < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds!r}")
    needed = [[network.at(options.precision) for network in networks(size, seed)] for seed in range(count)]
    flat = [network for one in needed for network in one]
    folders = iter(train_all(flat, options.runs, options.processes, options.device, progress))
    found = [measured([Trained(network, next(folders)) for network in one], size, options.device) for one in needed]
    return record(preset, size, found, options.device, time.perf_counter() - begun, options.precision)


def _parser() -> OneLineParser:
    made = OneLineParser(
        prog=PROG,
        description=f"{TITLE}: the same finetuning on ICL sequences with losses of fewer and fewer tokens, and untied.",
        allow_abbrev=False,
    )
    made.add_argument(
        "--preset", choices=PRESETS[:-1], default="quick", help="as of verify.finding2, with longer quick finetuning"
    )
    add_options(made, f"{NAME}.json")
    return made


def show(console: Console, made: dict[str, Any]) -> None:
    """The record, for people."""
    title = (
        f"{made['title']} ({made['preset']} preset, {seeds_in_words(len(made['seeds']))}): {made['setting']['says']}"
    )
    table = Table(title=escape(title), title_justify="left")
    for column in ("seed", *VARIANTS, "all, put back", "lost", "best trivial"):
        table.add_column(column, justify="right")
    for one in made["networks"]:
        numbers = [*(end(one, name) for name in VARIANTS), one["put_back"]["all"]["icl_heldout"]["exact"]]
        lost = made["lost"][str(one["seed"])]
        table.add_row(str(one["seed"]), *(f"{number:.2f}" for number in (*numbers, lost, guessed(one))))
    console.print(table)
    console.print("held-out exact match at the end", highlight=False)
    ending(console, made)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    return carried_out(
        PROG,
        options,
        lambda where, progress: run(options.preset, options.seeds, where, progress),
        draw,
        show,
        SUPPORTED,
        f"{NAME}.json",
    )


if __name__ == "__main__":
    as_command(main)
