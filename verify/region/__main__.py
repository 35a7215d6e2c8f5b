"""`python -m verify.region`: where the conclusion holds after true steps, against the hat condition.

Exit status: 0 everything was decided; 1 something stayed open; 2 unusable input; 130 interrupted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from verify.arguments import OneLineParser, distinct, number_step, numbers, one_line, whole, writable
from verify.output import revision, versions, write_json
from verify.process import as_command
from verify.progress import bars, paged
from verify.region.boundary import Sizes
from verify.region.found import Region, region, show
from verify.region.plot import draw
from verify.region.point import Steps
from verify.region.sweep import Cell, sweep
from verify.setting import Setting, SettingError, checked
from verify.witnesses import DENSE_V

SCHEMA = "contextual-recall-referee/region/1"
PICTURES = (".png", ".svg", ".pdf")


def parser() -> OneLineParser:
    """The arguments."""
    made = OneLineParser(
        prog="python -m verify.region",
        description="Where the conclusion of Theorem 1/2 holds after hat and after true steps (full window, reading set, beta = inf).",
        allow_abbrev=False,
    )
    for name, default, words in (
        ("M", 256, "subjects"),
        ("L", 8, "attribute types"),
        ("U", 32, "values per type; must divide M"),
        ("N-ft", 5, "demonstrations"),
        ("G", 4, "grammar tokens"),
        ("seed", 0, "seed of the balanced tables"),
    ):
        made.add_argument(f"--{name}", type=whole, default=default, metavar="N", help=f"{words} (default {default})")
    made.add_argument(
        "--M-ft", type=whole, metavar="N", help="where limits of the steps and of beta are sought (default M // 2)"
    )
    for name in ("eta-kq-subj", "eta-ov", "eta-kq-rel"):
        made.add_argument(f"--{name}", type=number_step, default=Fraction(1), metavar="X", help="step size (default 1)")
    made.add_argument("--boundary-only", action="store_true", help="no limits of steps and beta")
    made.add_argument("--sweep-U", type=numbers, metavar="N,N…", help="also the boundary at these U, for the plot")
    made.add_argument("--sweep-N-ft", type=numbers, metavar="N,N…", help="… and these N_ft (default --N-ft)")
    made.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    made.add_argument(
        "--plot", metavar="FILE", help="draw M_ft against U (.png, .svg or .pdf); with --sweep-U more than one U"
    )
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where gradients are computed")
    return made


def read(options: Any) -> tuple[Sizes, list[int], list[int]]:
    """Sizes and the grid of the sweep. Raises SettingError with one line."""
    for name in ("json", "plot"):
        if getattr(options, name) is not None:
            writable(f"--{name}", getattr(options, name))
    if options.plot is not None and Path(options.plot).suffix.lower() not in PICTURES:
        raise SettingError(f"--plot {options.plot}: must end in one of {', '.join(PICTURES)}")
    distinct({"--json": options.json, "--plot": options.plot})
    if options.seed < 0:
        raise SettingError(f"--seed {options.seed}: must be at least 0")
    if options.sweep_N_ft is not None and options.sweep_U is None:
        raise SettingError("--sweep-N-ft: only with --sweep-U")
    if options.L < 2:
        raise SettingError(f"--L {options.L}: must be at least 2 (with one type there is none to infer)")
    grid_U = sorted(set(options.sweep_U or (options.U,)))
    grid_N = sorted(set(options.sweep_N_ft or (options.N_ft,)))
    if options.plot is not None and grid_U[-1] == 1:
        raise SettingError("--plot: with U = 1 alone there is nothing to draw; give a larger --U or --sweep-U")
    for U in {options.U, *grid_U}:
        for N in {options.N_ft, *grid_N}:
            # --M-ft is for --U alone: the sweep looks for its own.
            M_ft = max(U, options.M // 2) if options.M_ft is None or U != options.U else options.M_ft
            made = Setting(
                M=options.M,
                L=options.L,
                U=(U,) * options.L,
                M_ft=M_ft,
                N_ft=N,
                G=options.G,
                eta_ov=options.eta_ov,
                eta_kq_subj=options.eta_kq_subj,
                eta_kq_rel=options.eta_kq_rel,
            )
            try:
                checked(made)
            except SettingError as error:
                # A cell of the grid has sizes of its own.
                asked = str(error) if U == options.U else str(error).replace(f"--U {U}", f"--sweep-U {U}", 1)
                asked = asked if options.N_ft == N else asked.replace(f"--N-ft {N}", f"--sweep-N-ft {N}", 1)
                raise SettingError(asked) from None
        V = options.M + U * options.L + options.L + options.G + 1
        if V > DENSE_V:
            raise SettingError(
                f"--M {options.M}: with L = {options.L}, U = {U}, G = {options.G} the vocabulary has {V} tokens; valid: up to"
                f" {DENSE_V}, whose (V, V) matrices are affordable"
            )
    return Sizes(options.M, options.L, options.U, options.N_ft, options.G, options.seed), grid_U, grid_N


def open_questions(found: Region, cells: list[Cell]) -> list[str]:
    """What could not be decided."""
    boundaries = [(found.sizes, b) for b in found.boundaries.values()]
    boundaries += [(c.sizes, b) for c in cells for b in c.boundaries.values()]
    asked = [(s, M_ft, b.objective) for s, b in boundaries for M_ft, holds in b.decided.items() if holds is None]
    asked += [(found.sizes, p.M_ft, name) for p in found.points for name, a in p.answers.items() if a.holds is None]
    return list(
        dict.fromkeys(f"U = {s.U}, N_ft = {s.N_ft}, M_ft = {M_ft}, after {name} steps" for s, M_ft, name in asked)
    )


def as_json(found: Region, cells: list[Cell], unknown: list[str], seconds: float) -> dict[str, Any]:
    """What --json writes (verify/schema/region.schema.json)."""
    return {
        "schema": SCHEMA,
        **found.as_json(),
        "sweep": [c.as_json() for c in cells],
        "open": unknown,
        "versions": versions(),
        "revision": revision(),
        "seconds": seconds,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = parser().parse_args(arguments)
    try:
        sizes, grid_U, grid_N = read(options)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise SettingError("--device cuda: no CUDA device is available here; use cpu or auto")
    except (SettingError, ValueError) as error:
        print(f"python -m verify.region: {one_line(error)}", file=sys.stderr)
        return 2
    device = "cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu"
    steps = Steps(options.eta_ov, options.eta_kq_subj, options.eta_kq_rel)
    M_ft = max(sizes.U, sizes.M // 2) if options.M_ft is None else options.M_ft
    begun = time.perf_counter()
    try:
        with bars() as bar:
            found = region(sizes, steps, M_ft, device, bar, details=not options.boundary_only)
            cells = sweep(sizes, grid_U, grid_N, steps, device, bar("sweep")) if options.sweep_U or options.plot else []
        unknown = open_questions(found, cells)
        seconds = round(time.perf_counter() - begun, 3)
        written = as_json(found, cells, unknown, seconds)
        if options.plot is not None:
            draw(cells, options.plot)
        if options.json is not None:
            write_json(options.json, written)
    except OSError as error:
        print(f"python -m verify.region: {one_line(error)}", file=sys.stderr)
        return 2
    except MemoryError:
        print(
            f"python -m verify.region: --M {sizes.M}: does not fit into memory; valid: a smaller world", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("python -m verify.region: interrupted, nothing written", file=sys.stderr)
        return 130
    with paged() as console:
        show(console, found)
        for question in unknown:
            console.print(f"open: {question}", highlight=False)
        console.print(f"{seconds:.1f} s", highlight=False)
    return 1 if unknown else 0


if __name__ == "__main__":
    as_command(main)
