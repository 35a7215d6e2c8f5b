"""What the entry points of the 2-layer network have in common: where and how they are trained, and what becomes of a record.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input or a network that cannot be trained (one line says why), 130
interrupted (what was trained is kept and the next call goes on).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from verify.arguments import OneLineParser, at_least_one, writable_folder
from verify.diversity.command import usable_device
from verify.findings.networks import PRECISIONS, RUNS, UNEMBEDDINGS
from verify.findings.products import slower
from verify.findings.runs import RunError
from verify.output import write_json
from verify.progress import Count, bars
from verify.setting import SettingError
from verify.trained.ending import judged
from verify.trained.runs import usable_processes


@dataclass(frozen=True)
class Options:
    """Where and how networks are trained.  processes: networks at a time; precision, unembedding: see PRECISIONS, UNEMBEDDINGS."""

    runs: Path = RUNS
    processes: int = 2
    device: str = "cpu"
    precision: str = "float32"
    unembedding: str = "tied"


def add_options(made: OneLineParser, file: str = "finding.json") -> None:
    """--seeds, --out, --runs, --processes, --device, --precision."""
    made.add_argument("--seeds", type=at_least_one, metavar="N", help="number of seeds, in place of the preset's")
    made.add_argument("--out", metavar="FOLDER", help=f"write {file} and the pictures there (made if not there)")
    made.add_argument("--runs", metavar="FOLDER", default=str(RUNS), help="where trained networks are kept")
    made.add_argument(
        "--processes",
        type=at_least_one,
        metavar="N",
        help="networks trained at a time (default: two, on CUDA one; there more share the device)",
    )
    made.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks are trained (default auto)"
    )
    made.add_argument(
        "--precision",
        choices=tuple(PRECISIONS),
        default="float32",
        help="of the products in training (default float32); bfloat16: two to three times as fast where the processor has such products;"
        " tf32: CUDA alone",
    )


def add_unembedding(made: OneLineParser) -> None:
    """--unembedding, of the entry points whose networks may have either."""
    made.add_argument(
        "--unembedding",
        choices=tuple(UNEMBEDDINGS),
        default="tied",
        help="tied to the embedding, as in GPT-2 (default), or with weights of its own, as in minGPT, which the paper cites",
    )


def ending(console: Console, made: dict[str, Any]) -> None:
    """What a record says in sentences, its verdict, and how long it took."""
    for words in made["findings"]:
        console.print(words, highlight=False, markup=False)
    console.print(f"{made['verdict']}   {made['seconds']:.0f} s", highlight=False)


def carried_out(
    prog: str,
    options: argparse.Namespace,
    make: Callable[[Options, Count | None], dict[str, Any]],
    draw: Callable[[dict[str, Any], Path], object],
    show: Callable[[Console, dict[str, Any]], None],
    reproduced: str,
    file: str = "finding.json",
) -> int:
    """Makes the record, writes it (`file`) and its pictures to --out, shows it; the exit status of the module text.

    What is wrong with the input is one line on stderr, and nothing is written then; a precision that makes training slower on this
    processor is one line too, and the run goes on: its networks may be trained already.
    """

    def made() -> dict[str, Any]:
        device = usable_device(options.device)
        if options.precision == "tf32" and device != "cuda":
            raise SettingError(f"--precision tf32: is of CUDA devices; valid on {device}: float32, bfloat16")
        at_a_time = options.processes or (1 if device == "cuda" else usable_processes())
        runs, unembedding = writable_folder("--runs", options.runs), getattr(options, "unembedding", "tied")
        where = Options(runs, at_a_time, device, options.precision, unembedding)
        out = None if options.out is None else writable_folder("--out", options.out)
        if (words := slower(options.precision, device)) is not None:
            print(f"{prog}: {words}", file=sys.stderr)
        with bars() as bar:
            record = make(where, bar("networks"))
        if out is not None:
            # First what hours of training went into.
            write_json(out / file, record)
            draw(record, out)
        return record

    return judged(prog, made, RunError, show, reproduced)
