"""The entry points `python -m verify.prop1 … prop4`, `lemma_c1`, `lemma_c2`: a setting, what holds there, and the claims tried.

Exit status as for theorem1: 0 the witnesses agree and every verdict is the recorded one, 1 they do not, 2 unusable input.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from numerics.world import World
from verify import ledger
from verify.arguments import one_line, parser, read, unlisted, whole, without_effect
from verify.court import Court
from verify.docket import entries, tried
from verify.evidence import Evidence
from verify.output import revision, versions, write_json
from verify.progress import paged
from verify.records import Record, record
from verify.setting import POPULATION, Setting, SettingError
from verify.tables import claims_table
from verify.witnesses import DENSE_V

SCHEMA = "contextual-recall-referee/entry/1"
#: Positions of a PT sequence are gone through one by one: a second here.
MOST_SLOTS = 1_000_000
#: Options of the steps, which are not taken here.
STEPS = ("--eta-kq-subj", "--eta-ov", "--eta-kq-rel")
#: Options on which nothing depends that is said of PT sequences, and of ICL sequences.
OF_FINETUNING, OF_PRETRAINING = ("--M-ft", "--N-ft"), ("--N-tr",)


@dataclass(frozen=True)
class Row:
    """One fact at the user's setting: what, what each witness says (None: not asked), how, and whether they agree."""

    quantity: str
    printed: str | None
    derived: str | None
    measured: str | None
    how: str
    agrees: bool = True


@dataclass(frozen=True)
class Point:
    """An entry point: its name, the claims it tries, and what it works out at a setting."""

    name: str
    title: str
    claims: tuple[str, ...]
    here: Callable[[Setting, World, int], list[Row]]
    pretraining: bool = False
    dense: bool = False


def _feasible(point: Point, setting: Setting, world: World, N_tr: int) -> None:
    """Raises SettingError for what this entry point, beyond `read`, has no end with."""
    if point.dense and world.V > DENSE_V:
        raise SettingError(
            f"the vocabulary has {world.V} tokens (M = {world.M}, L = {world.L}, G = {world.G}); valid: up to {DENSE_V}, whose"
            " (V, V) matrices are affordable"
        )
    if not point.pretraining:
        return
    S, count = setting.grammar_length, N_tr
    if S * count > MOST_SLOTS:
        raise SettingError(
            f"--S {S}, --N-tr {count}: a PT sequence has S N_tr = {S * count} slots; valid: up to {MOST_SLOTS}"
        )
    # In logarithms: the population itself may be too long to be formed.
    each = math.log10(setting.L * S) + (S - 1) * math.log10(setting.G)
    if math.log10(setting.M) + count * each >= POPULATION:
        most = int((POPULATION - math.log10(setting.M)) / each)
        valid = f"at most {most} with this S" if most >= 1 else "a smaller --S"
        raise SettingError(
            f"--N-tr {N_tr}: M (L S G^(S-1))^N_tr, with S = {S}, is 1e{POPULATION} PT sequences or more,"
            f" beyond what float64 can hold; valid: {valid}"
        )


def trials(point: Point, setting: Setting, world: World) -> list[Record]:
    """The point's claims in the setting's reading, mutants included."""
    # The bench's networks are tiny: threads only contend for them.
    torch.set_num_threads(1)
    court = Court(setting, world)
    docket = entries()
    return [record(tried(docket[name], court), setting.reading) for name in point.claims]


def check(point: Point, setting: Setting) -> list[Evidence]:
    """All evidence on the printed statements of the point's claims."""
    world = World.balanced(setting.M, setting.L, setting.U, setting.M_ft, n_grammar=setting.G, seed=setting.seed)
    court, docket = Court(setting, world), entries()
    return [e for name in point.claims for e in tried(docket[name], court, mutants=False).printed.evidence]


def _problems(rows: list[Row], records: list[Record], reading: str) -> list[str]:
    recorded = ledger.recorded(reading)
    found = [
        f"witnesses disagree: {row.quantity}: {row.derived} against {row.measured}" for row in rows if not row.agrees
    ]
    for one in records:
        if recorded.get(one["id"]) != one["verdict"]:
            found.append(f"{one['id']}: verdict {one['verdict']}, recorded {recorded.get(one['id'], 'nothing')}")
        found += [f"{one['id']}: mutant survives: {name}" for name in one["survivors"]]
    return found


def _table(rows: list[Row]) -> Table:
    table = Table(title="At this setting", title_justify="left")
    for name in ("quantity", "printed", "derived", "measured", "how"):
        table.add_column(name, overflow="fold")
    for row in rows:
        style = "" if row.agrees else "bold red"
        cells = (row.quantity, *("–" if x is None else x for x in (row.printed, row.derived, row.measured)), row.how)
        table.add_row(*(escape(cell) for cell in cells), style=style)
    return table


def _options(point: Point, arguments: Sequence[str] | None) -> argparse.Namespace:
    made = parser(f"python -m verify.{point.name}", point.title)
    made.add_argument("--N-tr", type=whole, default=5, metavar="N", help="subsequences of a PT sequence (default 5)")
    unlisted(made, "--device", "--full", "--beta", *STEPS)
    without_effect(made, *OF_FINETUNING if point.pretraining else OF_PRETRAINING)
    options = made.parse_args(arguments)
    if options.N_tr < 1:
        made.error(f"--N-tr {options.N_tr}: must be at least 1")
    if options.device == "cuda":
        made.error("--device cuda: this command computes on the CPU; leave it out")
    if options.full:
        made.error("--full: asks for gradients, which this command has none of; leave it out")
    if not math.isinf(options.beta):
        made.error(
            f"--beta {options.beta:g}: this command takes beta to infinity and says from which on, if any; leave it out"
        )
    for name in STEPS:
        value = getattr(options, name[2:].replace("-", "_"))
        if value != 1:
            made.error(f"{name} {value}: this command takes no steps; leave it out")
    if point.pretraining and options.S is None:
        options.S = 10  # the paper's Section 4
    return options


def main(point: Point, arguments: Sequence[str] | None = None) -> int:
    """The command line of an entry point."""
    options = _options(point, arguments)
    try:
        setting, world = read(options)
        _feasible(point, setting, world, options.N_tr)
    except (SettingError, ValueError) as error:
        print(f"python -m verify.{point.name}: {one_line(error)}", file=sys.stderr)
        return 2
    begun = time.perf_counter()
    try:
        rows = point.here(setting, world, options.N_tr)
        records = trials(point, setting, world)
        problems = _problems(rows, records, setting.reading)
        seconds = time.perf_counter() - begun
        if options.json is not None:
            made: dict[str, Any] = {
                "schema": SCHEMA,
                "entry": point.name,
                "setting": {**setting.as_json(), "N_tr": options.N_tr},
                "here": [asdict(row) for row in rows],
                "claims": records,
                "problems": problems,
                "versions": versions(),
                "revision": revision(),
                "seconds": round(seconds, 3),
            }
            write_json(options.json, made)
    except OSError as error:
        print(f"python -m verify.{point.name}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"python -m verify.{point.name}: interrupted, nothing written", file=sys.stderr)
        return 130
    with paged() as console:
        show(console, point, setting, options, rows, records, problems, seconds)
    return 1 if problems else 0


def show(
    console: Console,
    point: Point,
    setting: Setting,
    options: argparse.Namespace,
    rows: list[Row],
    records: list[Record],
    problems: list[str],
    seconds: float,
) -> None:
    """What was found, for people; with --quiet the last line."""
    if not options.quiet:
        U = setting.U[0] if len(set(setting.U)) == 1 else list(setting.U)
        shape = (
            f"S={setting.grammar_length} N_tr={options.N_tr}"
            if point.pretraining
            else f"N_ft={setting.N_ft} (m={setting.m}, T={setting.T})"
        )
        console.print(f"[bold]{point.title}[/bold]", highlight=False)
        console.print(
            f"M={setting.M} L={setting.L} U={U} M_ft={setting.M_ft} G={setting.G} {shape}; reading {setting.reading}",
            highlight=False,
        )
        console.print(_table(rows))
        console.print(claims_table(records, ledger.recorded(setting.reading)))
    for problem in problems:
        console.print(problem, style="bold red", markup=False, highlight=False)
    verdicts = ", ".join(f"{one['id']} {one['verdict']}" for one in records)
    console.print(
        f"{verdicts}; {'all as recorded' if not problems else f'{len(problems)} PROBLEMS'}; {seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
