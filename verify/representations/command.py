"""The entry point `python -m verify.finding5`.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input or a network that cannot be trained (one line says why), 130
interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from numerics.gpt import load
from verify.arguments import OneLineParser
from verify.findings import networks as trained
from verify.findings.entry import Options, add_options, add_unembedding, carried_out, ending
from verify.findings.networks import RUNS
from verify.findings.runs import curve, train_all, with_starts
from verify.progress import Count
from verify.representations.measured import Network, measured
from verify.representations.pictures import draw
from verify.representations.record import PRINTED, REPRODUCED, record
from verify.representations.settings import PRESETS, Setting, setting
from verify.trained.runs import usable_processes

NAME = "python -m verify.finding5"
# Of the four metrics: the fact, what the grammar tells, what the subject tells.
LEARNT = ("exact", "type", "subject")


def loaded(network: trained.Network, start: Path, own: Path, device: str) -> Network:
    """A finetuned network with the one before it (start, own: their folders) and its initial weights."""
    config = network.config
    corpus = config.corpus.build()
    initial = config.model.build(corpus.V, config.T, config.dtype, device)
    models = (load(own, device), load(start, device), initial)
    return Network(config, corpus, *(model.eval() for model in models))


def learnt(start: Path) -> dict[str, Any]:
    """The order in which pretraining learns (start: its folder), of the sequences that the run itself evaluated on its way.

    {step: [iterations], exact, type, subject: [shares of PT sequences]}.
    """
    points = curve(start)
    return {"step": [p["step"] for p in points]} | {name: [p["pt"][name] for p in points] for name in LEARNT}


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
    wanted = {seed: used.networks(seed, options.precision, options.unembedding) for seed in range(count)}
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
            found[str(seed)][div] = {"run": folders[network].name} | measures | {"pretraining": learnt(folders[start])}
    seconds = time.perf_counter() - begun
    return record(used, preset, found, options.device, seconds, options.precision, options.unembedding)


def check(preset: str = "quick", runs: Path = RUNS) -> dict[str, Any]:
    """The record, computed now (see verify/schema/finding5.schema.json)."""
    return run(preset, options=Options(runs, usable_processes()))


def _parser() -> OneLineParser:
    made = OneLineParser(prog=NAME, description=f"Finding 5, Fig. 8, 16-18. {PRINTED}", allow_abbrev=False)
    made.add_argument(
        "--preset",
        choices=PRESETS[:-1],
        default="quick",
        help="quick: scaled down (default); quick-long: with more demonstrations; paper-short: the paper's sizes with 20 grammar tokens;"
        " paper: its own",
    )
    add_options(made)
    add_unembedding(made)
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
    ending(console, made)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    return carried_out(
        NAME,
        options,
        lambda where, progress: run(options.preset, options.seeds, where, progress),
        draw,
        show,
        REPRODUCED,
    )
