"""`python -m verify.against`: the theorem's gradients and conclusion against networks that are run and trained.

Exit status: 0 convergence and enumeration agree (what the project computes is what networks do; relation and recovery are findings
either way), 1 they do not, 2 unusable input (one line says why, nothing is written), 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from verify.against.convergence import convergence
from verify.against.enumeration import enumeration
from verify.against.plot import draw
from verify.against.recovery import recovery
from verify.against.relation import relation
from verify.against.settings import Plan, plan
from verify.arguments import OneLineParser, distinct, one_line, writable
from verify.output import revision, versions, write_json
from verify.process import as_command
from verify.progress import Count, bars, paged
from verify.setting import SettingError
from verify.trained.runs import RunError

NAME = "python -m verify.against"
SCHEMA = "contextual-recall-referee/against/1"
Bar = Callable[[str], Count | None]
PARTS: dict[str, Callable[[Plan, Count | None], dict[str, Any]]] = {
    "convergence": lambda p, count: convergence(p.convergence, count),
    "relation": lambda p, count: relation(p.trained, p.variants, count),
    "recovery": lambda p, count: recovery(p.recovery, count),
    "enumeration": lambda p, count: enumeration(p.enumeration, count),
}
#: What must come out so that the run is no failure.
EXPECTED = {"convergence": "agrees", "enumeration": "agrees"}


def check(preset: str = "quick", parts: Sequence[str] = tuple(PARTS), bar: Bar = lambda label: None) -> dict[str, Any]:
    """The record of a run.  Raises ValueError for an unknown preset or part."""
    unknown = sorted(set(parts) - set(PARTS))
    if unknown or not parts:
        raise ValueError(f"parts must be among {', '.join(PARTS)}, got {', '.join(unknown) or 'none'}")
    begun, threads, wanted = time.perf_counter(), torch.get_num_threads(), plan(preset)
    # The networks are small: threads only contend for them.
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    try:
        for name in PARTS:
            if name in parts:
                start = time.perf_counter()
                found[name] = PARTS[name](wanted, bar(name))
                found[name]["seconds"] = round(time.perf_counter() - start, 3)
    finally:
        torch.set_num_threads(threads)
    return {
        "schema": SCHEMA,
        "preset": preset,
        "parts": found,
        "findings": [f"{name}: {part['finding']}" for name, part in found.items()],
        "problems": [name for name, verdict in EXPECTED.items() if name in found and found[name]["verdict"] != verdict],
        "versions": versions(),
        "revision": revision(),
        "seconds": round(time.perf_counter() - begun, 3),
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    made = OneLineParser(NAME, description="Theory against networks that are run and trained.", allow_abbrev=False)
    made.add_argument("--preset", choices=("quick", "paper"), default="quick", help="minutes, or the paper's sizes")
    made.add_argument(
        "--only", choices=tuple(PARTS), action="append", metavar="PART", help=f"of {', '.join(PARTS)}; repeatable"
    )
    made.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    made.add_argument("--plot", metavar="FOLDER", help="also draw every part as FOLDER/<part>.png")
    return made.parse_args(arguments)


def _checked(options: argparse.Namespace) -> None:
    if options.json is not None:
        writable("--json", options.json)
    if options.plot is not None:
        if not Path(options.plot).is_dir():
            raise SettingError(f"--plot {options.plot}: is not a folder; give one that exists")
        for part in options.only or PARTS:
            picture = str(Path(options.plot) / f"{part}.png")
            writable("--plot", picture)
            distinct({"--json": options.json, "--plot": picture})


def show(console: Console, record: dict[str, Any]) -> None:
    """The record, for people."""
    for name, part in record["parts"].items():
        console.print(f"[bold]{name}[/bold]: {part['verdict']} ({part['seconds']:.1f} s)", highlight=False)
        console.print(f"  rule: {part['rule']}", highlight=False, markup=False)
        console.print(f"  {part['finding']}", highlight=False, markup=False)
    for problem in record["problems"]:
        words = f"{problem}: {record['parts'][problem]['verdict']}"
        console.print(words, style="bold red", highlight=False, markup=False)
    console.print(f"{record['seconds']:.1f} s", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    try:
        _checked(options)
    except SettingError as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    try:
        with bars() as bar:
            record = check(options.preset, tuple(options.only or PARTS), bar)
        if options.json is not None:
            write_json(options.json, record)
        if options.plot is not None:
            draw(record, options.plot)
    except (OSError, RunError, ValueError) as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted, nothing written", file=sys.stderr)
        return 130
    with paged() as console:
        show(console, record)
    return 1 if record["problems"] else 0


if __name__ == "__main__":
    as_command(main)
