"""The entry point `python -m verify.finding5`.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input or a network that cannot be trained (one line says why), 130
interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from numerics.gpt import load
from verify.arguments import OneLineParser, one_line
from verify.diversity.command import usable_device
from verify.findings import networks as trained
from verify.findings.networks import RUNS
from verify.findings.runs import RunError, train_all, with_starts
from verify.output import write_json
from verify.progress import Count, bars, paged
from verify.representations.measured import Network, measured
from verify.representations.pictures import draw
from verify.representations.record import PRINTED, REPRODUCED, record
from verify.representations.settings import PRESETS, Setting, setting
from verify.setting import SettingError
from verify.trained.command import _count, _folder
from verify.trained.runs import usable_processes

NAME = "python -m verify.finding5"


@dataclass(frozen=True)
class Options:
    """Where and how networks are trained and measured."""

    runs: Path = RUNS
    processes: int = 2
    device: str = "cpu"


def loaded(network: trained.Network, start: Path, own: Path, device: str) -> Network:
    """A finetuned network with the one before it (start, own: their folders) and its initial weights."""
    config = network.config
    corpus = config.corpus.build()
    initial = config.model.build(corpus.V, config.T, config.dtype, device)
    models = (load(own, device), load(start, device), initial)
    return Network(config, corpus, *(model.eval() for model in models))


def run(
    preset: str,
    seeds: int | None = None,
    options: Options | None = None,
    progress: Count | None = None,
    chosen: Setting | None = None,
) -> dict[str, Any]:
    """The record: trains (or reads) the networks, measures and judges them.

    seeds: their number, in place of the preset's; chosen: in place of the preset's setting.  Raises RunError, ValueError for an
    unknown preset or seeds < 1.
    """
    begun = time.perf_counter()
    options = Options(processes=usable_processes()) if options is None else options
    used = setting(preset) if chosen is None else chosen
    count = used.seeds if seeds is None else seeds
    if count < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds!r}")
    wanted = {seed: used.networks(seed) for seed in range(count)}
    flat = with_starts([network for pair in wanted.values() for network in pair.values()])
    paths = train_all(flat, options.runs, options.processes, options.device, progress)
    folders = dict(zip(flat, paths, strict=True))
    found: dict[str, dict[str, Any]] = {}
    for seed, pair in wanted.items():
        found[str(seed)] = {}
        for div, network in pair.items():
            start = network.before
            if start is None:
                raise ValueError(f"kind must be of a finetuned network, got {network.kind!r}")
            with torch.no_grad():
                measures = measured(loaded(network, folders[start], folders[network], options.device), used.sizes, seed)
            found[str(seed)][div] = {"run": folders[network].name} | measures
    return record(used, preset, found, options.device, time.perf_counter() - begun)


def check(preset: str = "quick", runs: Path = RUNS) -> dict[str, Any]:
    """The record, computed now (see verify/schema/finding5.schema.json)."""
    return run(preset, options=Options(runs, usable_processes()))


def _parser() -> OneLineParser:
    made = OneLineParser(prog=NAME, description=f"Finding 5, Fig. 8, 16-18. {PRINTED}", allow_abbrev=False)
    made.add_argument(
        "--preset",
        choices=PRESETS[:3],
        default="quick",
        help="quick: scaled down (default); quick-long: with more demonstrations; paper: its own sizes",
    )
    made.add_argument("--seeds", type=_count, metavar="N", help="number of seeds, in place of the preset's")
    made.add_argument("--out", metavar="FOLDER", help="write finding.json and the pictures there (made if not there)")
    made.add_argument("--runs", metavar="FOLDER", default=str(RUNS), help="where trained networks are kept")
    made.add_argument(
        "--processes", type=_count, default=usable_processes(), metavar="N", help="networks trained at a time"
    )
    made.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks are trained (cuda: untested)"
    )
    return made


def show(console: Console, made: dict[str, Any]) -> None:
    """The record, for people."""
    title = f"{made['title']} ({made['preset']} preset, {len(made['seeds'])} seeds): {made['setting']['says']}"
    table = Table(title=escape(title), title_justify="left")
    for column in ("statement", "what", "seeds [95 %]", "difference [95 %]", "verdict"):
        table.add_column(column, overflow="fold")
    for one in made["statements"]:
        low, high = one["count"]["interval"]
        held = f"{one['count']['count']}/{one['count']['of']} [{low:.2f}, {high:.2f}]"
        mean = ""
        if one["difference"] is not None:
            interval = one["difference"]["interval"]
            mean = f"{one['difference']['mean']:.3f}"
            mean += "" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]"
        name = one["name"] if one["main"] else f"  {one['name']}"
        row = (name, one["says"], held, mean, one["verdict"])
        table.add_row(*(escape(cell) for cell in row), style="bold" if one["main"] else "dim")
    console.print(table)
    for words in made["findings"]:
        console.print(words, highlight=False, markup=False)
    console.print(f"{made['verdict']}   {made['seconds']:.0f} s", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    try:
        device = usable_device(options.device)
        where = Options(_folder("--runs", options.runs), 1 if device == "cuda" else options.processes, device)
        out = None if options.out is None else _folder("--out", options.out)
        with bars() as bar:
            made = run(options.preset, options.seeds, where, bar("networks"))
        if out is not None:
            draw(made, out)
            write_json(out / "finding.json", made)
    except (SettingError, RunError, ValueError, OSError) as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted, nothing written; trained networks are kept", file=sys.stderr)
        return 130
    with paged(180) as console:
        show(console, made)
    return 0 if made["verdict"] == REPRODUCED else 1
