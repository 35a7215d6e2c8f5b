"""`python -m verify`: recompute every verdict and compare it with the committed ledger.

python -m verify                       recompute and compare; exit 1 on any change
python -m verify ledger [--json FILE]  print or write the committed ledger, without recomputing it
python -m verify record                recompute and write verify/ledger.json: a deliberate act, reviewed as a diff
python -m verify report -o DIR         write the committed ledger as a static site, without recomputing it
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from numerics.world import World
from verify import ledger
from verify.arguments import OneLineParser, writable
from verify.court import Court
from verify.docket import Outcome, entries, tried
from verify.output import write_json
from verify.setting import Setting, SettingError
from verify.tables import claims_table

READINGS = ("set", "literal")


def recomputed(console: Console) -> dict[str, list[Outcome]]:
    """Every claim tried in both readings, in the order of the argument."""
    found: dict[str, list[Outcome]] = {}
    for reading in READINGS:
        setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128, reading=reading)
        court = Court(setting, World.balanced(256, 8, 32, 128))
        items = list(entries().values())
        steps = track(
            items,
            description=f"claims, reading {reading}",
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        found[reading] = [tried(entry, court) for entry in steps]
    return found


def as_ledger(found: dict[str, list[Outcome]]) -> dict[str, Any]:
    """The ledger that these outcomes amount to."""
    claims = []
    for i, outcome in enumerate(found["set"]):
        readings = {reading: str(found[reading][i].verdict) for reading in READINGS}
        claims.append(ledger.entry_json(outcome, readings))
    return {"schema": ledger.SCHEMA, "paper": "arXiv:2603.20969v1", "claims": claims}


def compared(found: dict[str, list[Outcome]]) -> list[str]:
    """Every difference from the committed ledger, and every surviving mutant."""
    committed = {entry["id"]: entry for entry in ledger.load()["claims"]}
    problems = []
    for reading in READINGS:
        for o in found[reading]:
            name, known = o.entry.claim.id, committed.get(o.entry.claim.id)
            if known is None:
                problems.append(f"{name}: not in the ledger")
                continue
            if known["readings"][reading] != o.verdict:
                problems.append(f"{name} ({reading}): verdict {o.verdict}, recorded {known['readings'][reading]}")
            if known["fingerprint"] != o.entry.claim.fingerprint:
                problems.append(f"{name}: the transcribed wording changed since its verdict was recorded")
            problems += [f"{name} ({reading}): mutant survives: {mutant}" for mutant in o.survivors]
    known_ids = {o.entry.claim.id for o in found["set"]}
    return problems + [f"{name}: in the ledger, but no longer tried" for name in committed if name not in known_ids]


def main(arguments: Sequence[str] | None = None) -> int:
    made = OneLineParser(prog="python -m verify", description=__doc__.splitlines()[0] if __doc__ else "")
    made.add_argument("command", nargs="?", choices=("check", "ledger", "record", "report"), default="check")
    made.add_argument("--json", metavar="FILE", help="with ledger: write it there")
    made.add_argument("-o", "--output", metavar="DIR", help="with report: the folder to write")
    options = made.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    if options.json is not None and options.command != "ledger":
        made.error(f"--json {options.json}: only with the command ledger")
    if (options.output is not None) != (options.command == "report"):
        made.error("report needs -o DIR" if options.output is None else f"-o {options.output}: only with report")
    if options.command == "report":
        from verify.report import ReportError, write

        try:
            console.print(f"written: {write(options.output) / 'index.html'}", markup=False, soft_wrap=True)
        except ReportError as error:
            made.error(str(error))
        return 0
    if options.command == "ledger":
        committed = ledger.load()
        if options.json is not None:
            try:
                writable("--json", options.json)
            except SettingError as error:
                made.error(str(error))
            write_json(options.json, committed)
        else:
            for entry in committed["claims"]:
                console.print(f"{entry['id']:18} {entry['verdict']:12} {entry['title']}", markup=False, highlight=False)
        return 0
    try:
        found = recomputed(Console(stderr=True))
    except KeyboardInterrupt:
        print("python -m verify: interrupted, nothing written", file=sys.stderr)
        return 130
    if options.command == "record":
        write_json(Path(__file__).with_name(ledger.NAME), as_ledger(found))
        console.print(f"recorded {len(found['set'])} claims; review the diff before committing it")
        return 0
    problems = compared(found)
    for reading in READINGS:
        console.print(f"reading: {reading}")
        console.print(claims_table(found[reading], ledger.recorded(reading)))
    for problem in problems:
        console.print(problem, style="bold red", markup=False, highlight=False)
    console.print(
        f"{len(found['set'])} claims in {len(READINGS)} readings, {len(problems)} differences from the ledger"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
