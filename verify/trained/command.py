"""The entry points `python -m verify.fig9_10`, `fig11_12`, `fig19_21`, `fig22_26`.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input or a network that cannot be trained (one line says why), 130
interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verify.arguments import OneLineParser, at_least_one, writable_folder
from verify.output import write_json
from verify.progress import Count, bars
from verify.trained.controls import controls
from verify.trained.ending import judged
from verify.trained.figures import Figure, figure
from verify.trained.measured import Network
from verify.trained.pictures import draw
from verify.trained.record import REPRODUCED, record
from verify.trained.runs import RunError, train_all, usable_processes
from verify.trained.settings import PRESETS, SIZES, jobs
from verify.trained.trained import RUNS, Trained

# Sequences on which the controls are measured.
CONTROL_SIZE = 512


def representative(made: dict[str, Any]) -> int:
    """Index of the network that single maps are drawn of: the base seed that shows most main statements, then most of all."""
    base = [i for i, network in enumerate(made["networks"]) if network["variant"] == "base"]

    def shown(i: int) -> tuple[int, int, int]:
        seed = str(made["networks"][i]["seed"])
        held = [(entry["main"], entry["by_seed"]["base"][seed]) for entry in made["statements"]]
        return sum(main and holds for main, holds in held), sum(holds for _, holds in held), -i

    return max(base, key=shown)


def run(
    shown: Figure,
    preset: str,
    seeds: int | None = None,
    runs: Path = RUNS,
    processes: int | None = None,
    progress: Count | None = None,
) -> tuple[dict[str, Any], list[tuple[Trained, dict[str, Any]]]]:
    """The record of a figure, and the networks with their measures.  Raises RunError, ValueError as train_all and jobs."""
    begun = time.perf_counter()
    wanted = jobs(preset, shown.positions, seeds)
    size = SIZES[preset].sequences
    networks = train_all(wanted, size, runs, usable_processes() if processes is None else processes, progress)
    config = wanted[0].config
    known = controls(config, config.world.build(), min(CONTROL_SIZE, size))
    measures = [measured for _, measured in networks]
    return record(shown, preset, wanted, measures, known, time.perf_counter() - begun), networks


def check(name: str, preset: str = "quick", runs: Path = RUNS) -> dict[str, Any]:
    """The record of a figure, computed now: its verdict, statements and evidence (see verify/schema/figure.schema.json)."""
    return run(figure(name), preset, runs=runs)[0]


def _parser(shown: Figure) -> OneLineParser:
    made = OneLineParser(
        prog=f"python -m verify.{shown.name}", description=f"{shown.title}. {shown.printed}", allow_abbrev=False
    )
    made.add_argument(
        "--preset", choices=PRESETS[:2], default="quick", help="quick: a smaller world (default); paper: its own"
    )
    made.add_argument(
        "--seeds", type=at_least_one, metavar="N", help="seeds of the base setting, in place of the preset's"
    )
    made.add_argument(
        "--out", metavar="FOLDER", help="write figure.json and the pictures there (made if it is not there)"
    )
    made.add_argument("--runs", metavar="FOLDER", default=str(RUNS), help="where trained networks are kept")
    made.add_argument(
        "--processes", type=at_least_one, default=usable_processes(), metavar="N", help="networks trained at a time"
    )
    return made


def _interval(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['count']}/{found['of']} [{low:.2f}, {high:.2f}]"


def show(console: Console, made: dict[str, Any]) -> None:
    """The record, for people."""
    table = Table(title=escape(f"{made['title']} ({made['preset']} preset)"), title_justify="left")
    for column in ("statement", "what", "seeds [95 %]", "verdict"):
        table.add_column(column, overflow="fold")
    for name in made["statements"][0]["variants"]:
        table.add_column(escape(name))
    for entry in made["statements"]:
        others = [_interval(found) for found in entry["variants"].values()]
        name = entry["name"] if entry["main"] else f"  {entry['name']}"
        row = (name, entry["says"], _interval(entry["base"]), entry["verdict"], *others)
        table.add_row(*(escape(cell) for cell in row), style="bold" if entry["main"] else "dim")
    console.print(table)
    for words in made["findings"]:
        console.print(f"finding: {escape(words)}", highlight=False)
    console.print(f"{made['verdict']}   {made['seconds']:.0f} s", highlight=False)


def main(name: str, arguments: Sequence[str] | None = None) -> int:
    """The command line of one figure."""
    shown = figure(name)
    options = _parser(shown).parse_args(arguments)
    prog = f"python -m verify.{name}"

    def made() -> dict[str, Any]:
        runs = writable_folder("--runs", options.runs)
        out = None if options.out is None else writable_folder("--out", options.out)
        with bars() as bar:
            record, networks = run(shown, options.preset, options.seeds, runs, options.processes, bar("networks"))
        if out is not None:
            trained, measured = networks[representative(record)]
            draw(record, Network.of(trained), measured, out)
            write_json(out / "figure.json", record)
        return record

    return judged(prog, made, RunError, show, REPRODUCED)
