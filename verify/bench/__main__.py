"""`python -m verify.bench population`: the ways to the population gradients, timed on the same worlds in one run.
`python -m verify.bench training`: an iteration of the trainer in its three forms, timed on the same batches in one run.
`python -m verify.bench gpt`: pretraining iterations of the 2-layer network, the trainer's beside a plain loop's, in one run.

Exit status: 0 all methods agree, 1 they do not, 2 unusable input (one line says why, nothing is written), 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from verify.arguments import OneLineParser, one_line, writable
from verify.bench import gpt, gpt_showing, training, training_showing
from verify.bench.plan import Plan
from verify.bench.plot import write_plot
from verify.bench.population import Stages, run
from verify.bench.record import as_json
from verify.bench.showing import show
from verify.output import write_json
from verify.process import as_command
from verify.progress import paged
from verify.setting import SettingError

NAME = "python -m verify.bench"


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    made = OneLineParser(
        NAME,
        description="Benchmarks. population: the ways to the gradients of the finetuning population. training: the forms of the"
        " trainer's iteration. gpt: an iteration of the 2-layer network, beside a plain loop's.",
    )
    made.add_argument("what", choices=("population", "training", "gpt"), help="what is timed")
    made.add_argument("--json", metavar="FILE", help="also write every time, law and difference as JSON")
    made.add_argument("--plot", metavar="FILE.png", help="also draw the times")
    made.add_argument("--quick", action="store_true", help="small worlds and two rounds: seconds instead of minutes")
    made.add_argument(
        "--preset", choices=gpt.PRESETS, help="gpt: the size, quick or the paper's (default paper; quick with --quick)"
    )
    made.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where tensors live (default auto)"
    )
    made.add_argument("--threads", type=_positive, default=1, metavar="N", help="threads of torch (default 1)")
    return made


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SettingError("--device cuda: no CUDA device is available here; use cpu or auto")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


@contextmanager
def _stages() -> Iterator[Stages]:
    """A bar on standard error, only on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:

        @contextmanager
        def silent(label: str, total: int) -> Iterator[Callable[[], None]]:
            yield lambda: None

        yield silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:

        @contextmanager
        def shown(label: str, total: int) -> Iterator[Callable[[], None]]:
            task = progress.add_task(label, total=total)
            yield lambda: progress.advance(task)
            progress.update(task, visible=False)

        yield shown


@dataclass(frozen=True)
class _Outcome:
    """What is done with a result: its record, picture and tables, and what keeps the run from exit status 0."""

    record: Callable[[], dict[str, Any]]
    plot: Callable[[str], None]
    show: Callable[[Console], None]
    problems: list[str]


def _timed(what: str, quick: bool, preset: str, device: str, threads: int, stages: Stages) -> _Outcome:
    if what == "gpt":
        seen = gpt.run(preset, device, threads, stages)
        return _Outcome(
            lambda: gpt.as_json(seen),
            lambda path: gpt_showing.write_plot(path, seen),
            lambda console: gpt_showing.show(console, seen),
            seen.problems,
        )
    if what == "training":
        found = training.run(quick, device, threads, stages)
        return _Outcome(
            lambda: training.as_json(found),
            lambda path: training_showing.write_plot(path, found),
            lambda console: training_showing.show(console, found),
            found.problems,
        )
    result = run(Plan.of(quick, device, threads), stages)
    return _Outcome(
        lambda: as_json(result),
        lambda path: write_plot(path, result),
        lambda console: show(console, result),
        result.problems,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    try:
        for option, name in (("--json", options.json), ("--plot", options.plot)):
            if name is not None:
                writable(option, name)
        named = [Path(name).resolve() for name in (options.json, options.plot) if name is not None]
        if len(set(named)) < len(named):
            raise SettingError(f"--plot {options.plot}: is also the file of --json; give another name")
        if options.threads > (os.cpu_count() or 1):
            # The thread pool takes any number, and dies of some.
            raise SettingError(
                f"--threads {options.threads}: there are {os.cpu_count()} cores; valid: 1 to {os.cpu_count()}"
            )
        if options.plot is not None and not options.plot.lower().endswith(".png"):
            raise SettingError(f"--plot {options.plot}: is drawn as PNG; give a name that ends in .png")
        if options.preset is not None and options.what != "gpt":
            raise SettingError(f"--preset {options.preset}: is for gpt; {options.what} has --quick")
        if options.preset == "paper" and options.quick:
            raise SettingError("--preset paper: contradicts --quick; give one of them")
        preset = options.preset or ("quick" if options.quick else "paper")
        device = _device(options.device)
    except SettingError as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    try:
        with _stages() as stages:
            outcome = _timed(options.what, options.quick, preset, device, options.threads, stages)
        try:
            if options.json is not None:
                write_json(options.json, outcome.record())
            if options.plot is not None:
                outcome.plot(options.plot)
        except OSError as error:
            print(f"{NAME}: {one_line(error)}", file=sys.stderr)
            return 2
        with paged() as console:
            outcome.show(console)
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted, nothing written", file=sys.stderr)
        return 130
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    as_command(main)
