"""The command line of both figures: they are judged on the same networks.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input (one line says why, nothing is written), 130 interrupted (finished
networks are kept and the next call goes on).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from verify.arguments import OneLineParser, distinct, one_line, writable
from verify.diversity.measured import seed_json
from verify.diversity.runs import ROOT, RUNS, trained
from verify.diversity.settings import PAPERS_LARGE, sizes
from verify.output import revision, versions, write_json
from verify.progress import bars, paged
from verify.setting import SettingError

Judge = Callable[[list[dict[str, Any]]], dict[str, Any]]


@dataclass(frozen=True)
class Figure:
    """A figure: its name, the rule, the sentences, the picture."""

    name: str
    title: str
    judged: Judge
    findings: Callable[[dict[str, Any]], list[str]]
    draw: Callable[[dict[str, Any], str], None]

    @property
    def schema(self) -> str:
        return f"contextual-recall-referee/{self.name}/1"


def check(
    figure: Figure,
    preset: str = "quick",
    device: str = "cpu",
    seeds: int | None = None,
    runs: Path = RUNS,
    progress: Callable[[int, int], None] | None = None,
    large: int | None = None,
) -> dict[str, Any]:
    """Trains (or reads) what the figure needs and judges it: the record.  Raises ValueError for unknown arguments."""
    begun, threads = time.perf_counter(), torch.get_num_threads()
    wanted = sizes(preset, device, seeds, large)
    torch.set_num_threads(1)
    try:
        found = [seed_json(one, device) for one in trained(wanted, runs, device, progress)]
    finally:
        torch.set_num_threads(threads)
    summary = figure.judged(found)
    return {
        "schema": figure.schema,
        "figure": figure.name,
        "preset": preset,
        "sizes": [asdict(one) for one in wanted],
        "papers_sizes": [one.M for one in wanted] == [256, PAPERS_LARGE],
        "device": device,
        "processor": torch.cuda.get_device_name() if device == "cuda" else platform.machine(),
        "cores": os.cpu_count(),
        "seeds": found,
        "summary": summary,
        "findings": figure.findings(summary),
        "versions": versions(),
        "revision": revision(),
        "seconds": round(time.perf_counter() - begun, 3),
    }


def committed(name: str) -> dict[str, Any]:
    """The committed record of a figure.  Raises FileNotFoundError where there is none."""
    return json.loads((ROOT / "results" / name / f"{name}.json").read_text())


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _options(figure: Figure, arguments: Sequence[str] | None) -> argparse.Namespace:
    made = OneLineParser(f"python -m verify.{figure.name}", description=figure.title, allow_abbrev=False)
    made.add_argument(
        "--preset", choices=("quick", "paper"), default="quick", help="small worlds, or the paper's sizes"
    )
    made.add_argument("--seeds", type=_positive, metavar="N", help="seeds of every size (default the preset's)")
    made.add_argument(
        "--large",
        type=_positive,
        metavar="M",
        help="PT subjects, and d_h, of the larger size (default the preset's: the paper's 2048 on cuda, fewer elsewhere)",
    )
    made.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    made.add_argument("--plot", metavar="FILE.png", help="also draw the figure")
    made.add_argument("--runs", metavar="FOLDER", help="where networks are kept (default .verify-run/diversity)")
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks are trained")
    return made.parse_args(arguments)


def usable_device(wanted: str) -> str:
    """'cpu' or 'cuda'.  Raises SettingError where cuda was asked for and is not there."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SettingError("--device cuda: no CUDA device is available here; use cpu or auto")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def checked_outputs(json_name: str | None, plot_name: str | None) -> None:
    """Raises SettingError for files that cannot be written."""
    distinct({"--json": json_name, "--plot": plot_name})
    for option, name in (("--json", json_name), ("--plot", plot_name)):
        if name is not None:
            writable(option, name)
    if plot_name is not None and not plot_name.lower().endswith(".png"):
        raise SettingError(f"--plot {plot_name}: is drawn as PNG; give a name that ends in .png")


def main(figure: Figure, arguments: Sequence[str] | None = None) -> int:
    """The command line of one figure."""
    options, name = _options(figure, arguments), f"python -m verify.{figure.name}"
    try:
        checked_outputs(options.json, options.plot)
        device = usable_device(options.device)
        runs = RUNS if options.runs is None else Path(options.runs)
    except SettingError as error:
        print(f"{name}: {one_line(error)}", file=sys.stderr)
        return 2
    try:
        with bars() as bar:
            record = check(figure, options.preset, device, options.seeds, runs, bar("training"), options.large)
        if options.json is not None:
            write_json(options.json, record)
        if options.plot is not None:
            figure.draw(record, options.plot)
    except (OSError, ValueError) as error:
        print(f"{name}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted; finished networks are kept, nothing else was written", file=sys.stderr)
        return 130
    with paged() as console:
        console.print(f"[bold]{figure.title}[/bold]", highlight=False)
        console.print(f"rule: {record['summary']['rule']}", highlight=False, markup=False)
        for sentence in record["findings"]:
            console.print(sentence, highlight=False, markup=False)
        console.print(f"{figure.name}: {record['summary']['verdict']}; {record['seconds']:.1f} s", highlight=False)
    return 0 if record["summary"]["verdict"] == "reproduced" else 1
