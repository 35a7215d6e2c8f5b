"""`python -m verify.divergence`: which reading of Div's norm reaches the paper's values, and what the grammar then tells.

Exit status: 0 the table was made; 2 unusable input; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from numerics.arguments import checked_integer, checked_real
from verify.arguments import OneLineParser, distinct, one_line, whole, writable
from verify.framework.picture import draw
from verify.framework.reach import PRINTED, Reading, Sizes, as_json, readings
from verify.output import revision, versions, write_json
from verify.process import as_command
from verify.progress import bars, paged
from verify.setting import SettingError

SCHEMA = "contextual-recall-referee/divergence/1"
NAME = "python -m verify.divergence"
PICTURES = (".png", ".svg", ".pdf")
MOST_SEEDS, MOST_PATHS, MOST_STEPS, MOST_ENTRIES = 20, 10**6, 10**8, 10**8


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def parser() -> OneLineParser:
    """The arguments."""
    default = Sizes()
    made = OneLineParser(
        prog=NAME,
        description="Which reading of Div's norm makes the requested values reachable by greedy selection from a pool of"
        " chains, and how well the best reader tells the attribute type from S grammar tokens then.",
        allow_abbrev=False,
    )
    made.add_argument("--G", type=whole, default=default.G, metavar="N", help="grammar tokens (default 4)")
    made.add_argument("--L", type=whole, default=default.L, metavar="N", help="attribute types (default 8)")
    made.add_argument(
        "--alpha", type=_real, nargs="+", default=default.alpha, metavar="X", help="Dirichlet parameters (default 1)"
    )
    made.add_argument("--pool", type=whole, default=default.pool, metavar="N", help="size of the pool (default 1000)")
    made.add_argument(
        "--S", type=whole, nargs="+", default=default.S, metavar="N", help="grammar lengths (default 20 40 80)"
    )
    made.add_argument(
        "--div", type=_real, nargs="+", default=default.div, metavar="X", help="requested Div (default 0.1 0.3 0.5)"
    )
    made.add_argument("--seed", type=whole, default=0, metavar="N", help="first seed of the pools (default 0)")
    made.add_argument("--seeds", type=whole, default=3, metavar="N", help="how many seeds (default 3)")
    made.add_argument(
        "--paths",
        type=whole,
        default=default.paths,
        metavar="N",
        help="paths drawn where there are too many to enumerate (default 40000)",
    )
    made.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    made.add_argument("--plot", metavar="FILE", help="also draw it (.png, .svg or .pdf)")
    return made


def read(options: Any) -> Sizes:
    """The sizes.  Raises SettingError or ValueError with one line."""
    for name in ("json", "plot"):
        if getattr(options, name) is not None:
            writable(f"--{name}", getattr(options, name))
    if options.plot is not None and Path(options.plot).suffix.lower() not in PICTURES:
        raise SettingError(f"--plot {options.plot}: must end in one of {', '.join(PICTURES)}")
    distinct({"--json": options.json, "--plot": options.plot})
    seeds = checked_integer("--seeds", options.seeds, 1, MOST_SEEDS)
    first = checked_integer("--seed", options.seed, 0)
    sizes = Sizes(
        G=checked_integer("--G", options.G, 2, why="one token tells no types apart"),
        L=checked_integer("--L", options.L, 2),
        alpha=tuple(checked_real("--alpha", a, positive=True) for a in dict.fromkeys(options.alpha)),
        pool=checked_integer("--pool", options.pool, options.L, why="--L"),
        S=tuple(sorted({checked_integer("--S", S, 1) for S in options.S})),
        div=tuple(sorted({checked_real("--div", d, positive=True) for d in options.div})),
        seeds=tuple(range(first, first + seeds)),
        paths=checked_integer("--paths", options.paths, 1, MOST_PATHS),
    )
    if sizes.pool * sizes.G**2 > MOST_ENTRIES:
        raise SettingError(f"--pool {sizes.pool}: with G = {sizes.G} the pool has more than {MOST_ENTRIES} entries")
    if sizes.paths * max(sizes.S) > MOST_STEPS:
        raise SettingError(
            f"--S {max(sizes.S)}: with {sizes.paths} paths more than {MOST_STEPS} tokens; give fewer --paths"
        )
    return sizes


def check(sizes: Sizes = Sizes()) -> dict[str, Any]:  # noqa: B008  a frozen value
    """What --json writes (verify/schema/divergence.schema.json)."""
    begun = time.perf_counter()
    return written(sizes, readings(sizes), time.perf_counter() - begun)


def written(sizes: Sizes, found: Sequence[Reading], seconds: float) -> dict[str, Any]:
    """The record."""
    return {
        "schema": SCHEMA,
        **as_json(sizes, found),
        "versions": versions(),
        "revision": revision(),
        "seconds": round(seconds, 3),
    }


def _ends(values: Sequence[float]) -> str:
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low}–{high}"


def show(console: Console, sizes: Sizes, found: Sequence[Reading]) -> None:
    """The table; ranges over seeds."""
    console.print(
        f"Div = min over pairs of chains of || TM_l − TM_l' ||_1, G = {sizes.G}, L = {sizes.L}, pool {sizes.pool}, seeds"
        f" {sizes.seeds[0]}..{sizes.seeds[-1]}. Largest: by greedy selection, {sizes.paths} paths where drawn.",
        highlight=False,
    )
    table = Table("norm", "alpha", "least", "largest", "asked", "selected", "reached", box=None, pad_edge=False)
    for S in sizes.S:
        table.add_column(f"Bayes S={S}", justify="right")
    for one in found:
        for k, request in enumerate(one.requests):
            head = (one.norm, f"{one.alpha:g}", _ends(one.least), _ends(one.largest)) if k == 0 else ("",) * 4
            chosen = _ends([s.reached for s in request.by_seed])
            means = [f"{request.mean(place):.3f}" for place in range(len(sizes.S))]
            table.add_row(*head, f"{request.div:g}", chosen, "yes" if request.reached else "no", *means)
    console.print(table, highlight=False)
    margin = max((a.high - a.low) / 2 for r in found for q in r.requests for one in q.by_seed for a in one.accuracies)
    console.print(
        f"Bayes: probability that the best reader names the type after S tokens, mean over seeds (chance {1 / sizes.L:.3f});"
        f" 95 % margin of one seed at most {margin:.4f}. Reached: within {PRINTED} of the request for every seed.",
        highlight=False,
    )
    asked = ", ".join(f"{div:g}" for div in sizes.div)
    all_of_them = [f"{one.norm} (alpha = {one.alpha:g})" for one in found if one.reaches_all]
    console.print(f"Div {asked} all reached: {', '.join(all_of_them) or 'in no reading'}.", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = parser().parse_args(arguments)
    try:
        sizes = read(options)
    except ValueError as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    begun = time.perf_counter()
    try:
        with bars() as bar:
            found = readings(sizes, bar("readings of the norm"))
        record = written(sizes, found, time.perf_counter() - begun)
        if options.plot is not None:
            draw(sizes, found, options.plot)
        if options.json is not None:
            write_json(options.json, record)
    except (OSError, ValueError) as error:
        print(f"{NAME}: {one_line(error)}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{NAME}: --pool {sizes.pool}: does not fit into memory; valid: a smaller one", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted, nothing written", file=sys.stderr)
        return 130
    with paged() as console:
        show(console, sizes, found)
        console.print(f"{record['seconds']:.1f} s", highlight=False)
    return 0


if __name__ == "__main__":
    as_command(main)
