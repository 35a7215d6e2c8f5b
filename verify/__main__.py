"""`python -m verify`: recompute every verdict and compare it with the committed ledger.

python -m verify [check]               recompute and compare; exit 1 on any change (--only, --jobs, --json, --junit)
python -m verify show ID               one claim, recomputed: the printed statement, the witnesses' numbers, the counterexample
python -m verify derive [WHAT]         a derivation as a chain of steps (kq_subj, ov_rel, kq_rel, conclusion, beta.prop1, …; --latex)
python -m verify mutants               every mutant and whether its claim's check rejects it
python -m verify ledger [--json FILE]  print or write the committed ledger, without recomputing it
python -m verify record                recompute and write verify/ledger.json: a deliberate act, reviewed as a diff
python -m verify report -o DIR         write the committed ledger as a static site, without recomputing it
"""

from __future__ import annotations

import argparse
import difflib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from verify import ledger
from verify.arguments import OneLineParser, distinct, one_line, writable
from verify.derive import chains, show_chain
from verify.docket import entries
from verify.junit import write_junit
from verify.output import revision, versions, write_json
from verify.process import INTERRUPTED, as_command, said
from verify.progress import paged
from verify.recompute import READINGS, RecomputeError, recompute
from verify.records import Record
from verify.setting import SettingError
from verify.show import show_claim, show_mutants
from verify.state import State, Trial
from verify.tables import claims_table

SCHEMA = "contextual-recall-referee/check/1"
#: Where an interrupted run leaves what it has finished.
STATE = ".verify-run/ledger"
#: More processes than cores only wait for each other, and each holds worlds of its own. Two do no harm on one core.
MOST_JOBS = max(2, os.cpu_count() or 1)
#: The options of single commands, by what they are when they are not given.
DEFAULTS = {"jobs": str(min(2, os.cpu_count() or 1)), "state": STATE}


def as_ledger(records: dict[Trial, Record]) -> dict[str, Any]:
    """The ledger that these records amount to."""
    names = list(dict.fromkeys(name for name, _ in records))
    claims = []
    for name in names:
        claims.append(ledger.entry_json(records[name, "set"], records[name, "literal"]))
    return {"schema": ledger.SCHEMA, "paper": "arXiv:2603.20969v1", "claims": claims}


def compared(records: dict[Trial, Record], whole: bool) -> dict[Trial, list[str]]:
    """Every difference from the committed ledger and every surviving mutant, by trial; `whole`: all claims were tried."""
    committed = {entry["id"]: entry for entry in ledger.load()["claims"]}
    problems: dict[Trial, list[str]] = {}
    for (name, reading), one in records.items():
        found = problems.setdefault((name, reading), [])
        known = committed.get(name)
        if known is None:
            found.append(f"{name}: not in the ledger")
            continue
        if known["readings"][reading] != one["verdict"]:
            found.append(f"{name} ({reading}): verdict {one['verdict']}, recorded {known['readings'][reading]}")
        if known["fingerprint"] != one["fingerprint"]:
            found.append(f"{name}: the transcribed wording changed since its verdict was recorded")
        found += [f"{name} ({reading}): mutant survives: {mutant}" for mutant in one["survivors"]]
    for name, known in committed.items():
        # Where both readings are as recorded, so must be the verdict over both.
        if all((name, reading) in records and not problems[name, reading] for reading in READINGS):
            readings = {reading: records[name, reading]["verdict"] for reading in READINGS}
            verdict = ledger.overall(readings, records[name, "set"]["construction"])
            if known["verdict"] != verdict:
                problems[name, "set"].append(
                    f"{name}: verdict over both readings {verdict}, recorded {known['verdict']}"
                )
    if whole:
        tried = {name for name, _ in records}
        for name in committed:
            if name not in tried:
                problems[name, "set"] = [f"{name}: in the ledger, but no longer tried"]
    return problems


def _parser() -> OneLineParser:
    made = OneLineParser(
        prog="python -m verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = ("check", "show", "derive", "mutants", "ledger", "record", "report")
    made.add_argument("command", nargs="?", choices=commands, default="check")
    made.add_argument("id", nargs="?", metavar="ID", help="with show: the claim; with derive: the derivation")
    made.add_argument("--latex", action="store_true", help="with derive: LaTeX")
    made.add_argument("--only", metavar="ID[,ID…]", help="with check, mutants: only these claims")
    made.add_argument("--jobs", metavar="N", help=f"processes (default {DEFAULTS['jobs']}, at most {MOST_JOBS})")
    made.add_argument("--json", metavar="FILE", help="with check, ledger: write it there")
    made.add_argument("--junit", metavar="FILE", help="with check: JUnit XML")
    made.add_argument("--state", metavar="DIR", help=f"where an interrupted run is resumed from (default {STATE})")
    made.add_argument("--fresh", action="store_true", help="do not resume an interrupted run")
    made.add_argument("-o", "--output", metavar="DIR", help="with report: the folder to write")
    return made


ALLOWED = {
    "check": {"only", "jobs", "json", "junit", "state", "fresh"},
    "show": {"id"},
    "derive": {"id", "latex"},
    "mutants": {"only", "jobs", "state", "fresh"},
    "ledger": {"json"},
    "record": {"jobs", "state", "fresh"},
    "report": {"output"},
}


def _checked(options: argparse.Namespace, made: OneLineParser) -> tuple[list[Trial], int]:
    """The trials asked for and the number of processes; bad input is one line and exit 2."""
    for name in ("id", "latex", "only", "jobs", "json", "junit", "state", "fresh", "output"):
        value = getattr(options, name)
        if value not in (None, False) and name not in ALLOWED[options.command]:
            flag = name.upper() if name == "id" else "-o" if name == "output" else f"--{name}"
            made.error(f"{flag}{'' if value is True else f' {value}'}: not with {options.command}")
    for name, usual in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, usual)
    known = list(entries())
    wanted = known
    if options.command == "show":
        if options.id is None:
            made.error("show needs the id of a claim, for example thm2.accuracy")
        wanted = [options.id]
    elif options.command == "derive":
        if options.id is not None and options.id not in chains():
            made.error(f"{options.id!r}: no such derivation; one of {', '.join(chains())}")
        return [], 1
    elif options.only is not None:
        wanted = options.only.split(",")
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"perhaps {' or '.join(near)}; " if near else ""
            made.error(f"{name!r}: no such claim; {hint}valid: one of {', '.join(known)}")
    if options.command == "report" and options.output is None:
        made.error("report needs -o DIR")
    try:
        jobs = int(options.jobs)
    except ValueError:
        jobs = 0
    if not 1 <= jobs <= MOST_JOBS:
        made.error(
            f"--jobs {options.jobs}: must be a whole number from 1 to {MOST_JOBS}, or processes wait for each other"
        )
    try:
        distinct({"--json": options.json, "--junit": options.junit})
        for name in ("json", "junit"):
            if getattr(options, name) is not None:
                writable(f"--{name}", getattr(options, name))
    except SettingError as error:
        made.error(str(error))
    # Neighbours share worlds: all claims of one reading, then of the other.
    return [(name, reading) for reading in READINGS for name in known if name in wanted], jobs


def _recomputed(trials: list[Trial], jobs: int, state: State | None, label: str) -> dict[Trial, Record]:
    """With a progress bar on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:  # a disabled Progress of rich before 14.3 ends in an empty line all the same
        return recompute(trials, jobs, state, lambda which, resumed: None)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(label, total=len(trials))

        def advance(which: Trial, resumed: bool) -> None:
            progress.update(task, advance=1, description=f"{label}: {which[0]}{' (resumed)' if resumed else ''}")

        return recompute(trials, jobs, state, advance)


def _check(records: dict[Trial, Record], options: argparse.Namespace, seconds: float) -> int:
    problems = compared(records, whole=options.only is None)
    lines = [line for found in problems.values() for line in found]
    if options.json is not None:
        write_json(
            options.json,
            {
                "schema": SCHEMA,
                "claims": list(records.values()),
                "problems": lines,
                "versions": versions(),
                "revision": revision(),
                "seconds": round(seconds, 3),
            },
        )
    if options.junit is not None:
        write_junit(options.junit, list(records.values()), problems)
    undecided = sum(one["verdict"] == "undecided" for one in records.values())
    with paged() as console:
        _show_check(console, records, lines, undecided, seconds)
    return 1 if lines or undecided else 0


def _show_check(
    console: Console, records: dict[Trial, Record], lines: list[str], undecided: int, seconds: float
) -> None:
    for reading in READINGS:
        console.print(f"reading: {reading}")
        console.print(claims_table([one for (_, r), one in records.items() if r == reading], ledger.recorded(reading)))
    for line in lines:
        console.print(line, style="bold red", markup=False, highlight=False)
    slowest = sorted(records.values(), key=lambda one: -one["seconds"])[:3]
    profile = ", ".join(f"{one['id']} ({one['reading']}) {one['seconds']:.1f} s" for one in slowest)
    console.print(
        f"{len({name for name, _ in records})} claims in {len(READINGS)} readings, {undecided} undecided, {len(lines)} differences "
        f"from the ledger; {seconds:.0f} s; slowest: {profile}",
        highlight=False,
    )


def _report(target: str, made: OneLineParser) -> int:
    from verify.report import ReportError, write

    try:
        path = write(target)
    except (ReportError, OSError) as error:
        made.error(str(error))
    with paged() as console:
        console.print(f"written: {path / 'index.html'}", markup=False, soft_wrap=True)
    return 0


def _ledger(target: str | None, made: OneLineParser) -> int:
    committed = ledger.load()
    if target is not None:
        try:
            write_json(target, committed)
        except OSError as error:
            made.error(f"--json {target}: {error}")
        with paged() as console:
            console.print(f"written: {target}", markup=False, highlight=False, soft_wrap=True)
        return 0
    with paged() as console:
        # Titles that are too long go on below themselves.
        lines = Table.grid(Column(no_wrap=True), Column(no_wrap=True), Column(), padding=(0, 1))
        for entry in committed["claims"]:
            lines.add_row(*(Text(entry[key]) for key in ("id", "verdict", "title")))
        console.print(lines, highlight=False)
    return 0


def _derive(name: str | None, latex: bool) -> int:
    with paged() as console:
        for one in chains() if name is None else [name]:
            show_chain(console, chains()[one](), latex)
    return 0


def _show(name: str, trials: list[Trial], made: OneLineParser) -> int:
    # One claim takes seconds: nothing of it is kept, so there is nothing to resume.
    try:
        records = _recomputed(trials, 1, None, "claims")
    except SettingError as error:
        made.error(str(error))
    recorded = {reading: ledger.recorded(reading).get(name, "nothing") for reading in READINGS}
    with paged() as console:
        show_claim(console, entries()[name].claim, list(records.values()), recorded)
    return 0


def _told(records: dict[Trial, Record], options: argparse.Namespace, seconds: float) -> int:
    """Writes and prints what was recomputed; the exit status."""
    if options.command == "mutants":
        survivors = sum(len(one["survivors"]) for one in records.values())
        with paged() as console:
            show_mutants(console, list(records.values()))
        return 1 if survivors else 0
    if options.command == "record":
        write_json(Path(__file__).with_name(ledger.NAME), as_ledger(records))
        with paged() as console:
            console.print(f"recorded {len(records) // len(READINGS)} claims; review the diff before committing it")
        return 0
    return _check(records, options, seconds)


def _kept(trials: list[Trial], jobs: int, options: argparse.Namespace, made: OneLineParser) -> int:
    """The commands that recompute all claims: what is finished is kept until all of it was written and shown."""
    begun = time.perf_counter()
    try:
        state = State(Path(options.state), options.fresh)
    except SettingError as error:
        made.error(str(error))
    onwards = f"the same command{', without --fresh,' if options.fresh else ''} goes on from {options.state}"
    try:
        records = _recomputed(trials, jobs, state, "claims")
        status = _told(records, options, time.perf_counter() - begun)
    except KeyboardInterrupt:
        state.release()
        said(f"{made.prog}: interrupted; {onwards}")
        return INTERRUPTED
    except (OSError, RecomputeError, SettingError) as error:
        state.release()
        said(f"{made.prog}: {one_line(error)}; {onwards}")
        return 2
    state.clear()
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    made = _parser()
    options = made.parse_args(arguments)
    trials, jobs = _checked(options, made)
    if options.command == "show":
        return _show(options.id, trials, made)
    if options.command == "derive":
        return _derive(options.id, options.latex)
    if options.command == "report":
        return _report(options.output, made)
    if options.command == "ledger":
        return _ledger(options.json, made)
    return _kept(trials, jobs, options, made)


if __name__ == "__main__":
    as_command(main)
