"""`python -m verify show ID` and `python -m verify mutants`: one claim, or all mutants, recomputed and explained."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from paper_checks.claim import Claim
from verify.judges.by_setting import BySetting, by_setting
from verify.records import Record


def show_claim(console: Console, claim: Claim, records: list[Record], recorded: dict[str, str]) -> None:
    """The printed statement, its readings, the witnesses' numbers, the counterexample, how to rerun it."""
    console.print(f"[bold]{claim.id}[/bold]  {escape(claim.title)}", highlight=False)
    console.print(f"where: {escape(claim.where)}; kind: {claim.kind}; wording {claim.fingerprint}", highlight=False)
    console.print(f"printed: {claim.wording}", highlight=False, markup=False, soft_wrap=True)
    if claim.assumptions:
        console.print("under: " + "; ".join(a.name for a in claim.assumptions), highlight=False, markup=False)
    if claim.regime:
        console.print(f"printed as an approximation in the regime {claim.regime}", highlight=False, markup=False)
    for one in records:
        console.print()
        console.print(
            f"[bold]reading {one['reading']}: {one['verdict']}[/bold] (recorded: {recorded.get(one['reading'], 'nothing')})",
            highlight=False,
        )
        console.print(f"true: {one['derived']}", highlight=False, markup=False, soft_wrap=True)
        for name in ("remainder", "counterexample"):
            if one[name]:
                console.print(f"{name}: {one[name]}", highlight=False, markup=False, soft_wrap=True)
        console.print(_evidence(one))
        console.print(_mutants([one]))
    found = by_setting(claim.id)
    if found is not None:
        console.print()
        console.print(_by_setting(found))
    console.print(f"rerun: python -m verify show {claim.id}", highlight=False)


def _by_setting(found: BySetting) -> Table:
    shown = "whether the means over seeds show a statement" if found.means else "seeds that show a statement"
    table = Table(
        title=f"every setting that was run: {shown}; its numbers, mean (least to largest)",
        title_justify="left",
    )
    table.add_column("statement", overflow="fold")
    for one in found.settings:
        table.add_column(f"{one.words}{' (the verdict rests on it)' if one.rests else ''}", overflow="fold")
    for row in found.rows:
        name = row.name if not row.stated else f"{row.name}{'' if row.main else ' (beside)'}"
        table.add_row(name if row.stated else f"  {name}", *row.cells, style="bold" if row.stated and row.main else "")
    return table


def _evidence(one: Record) -> Table:
    table = Table(title="the printed statement against the witnesses", title_justify="left")
    for name in ("", "route", "setting", "quantity", "measured", "statement says"):
        table.add_column(name, overflow="fold")
    for e in one["evidence"]:
        mark = "[green]yes[/green]" if e["agrees"] else "[red]no[/red]"
        table.add_row(mark, *(escape(str(e[k])) for k in ("route", "setting", "quantity", "measured", "printed")))
    good = sum(e["agrees"] for e in one["derived_evidence"])
    table.caption = f"the derived statement under the same check: {good} of {len(one['derived_evidence'])} agree"
    return table


def _mutants(records: list[Record]) -> Table:
    table = Table(title="mutants", title_justify="left")
    for name in ("claim", "reading", "mutant", "the slip", "found", "rejected"):
        table.add_column(name, overflow="fold")
    for one in records:
        for mutant in one["mutants"]:
            survives = mutant["name"] in one["survivors"]
            table.add_row(
                one["id"],
                one["reading"],
                escape(mutant["name"]),
                escape(mutant["why"]),
                mutant["found"],
                "[bold red]SURVIVES[/bold red]" if survives else "[green]yes[/green]",
            )
    return table


def show_mutants(console: Console, records: list[Record]) -> int:
    """All mutants; the number that survive."""
    console.print(_mutants(records))
    total, survivors = sum(len(one["mutants"]) for one in records), sum(len(one["survivors"]) for one in records)
    console.print(f"{total - survivors} of {total} mutants rejected", highlight=False)
    return survivors
