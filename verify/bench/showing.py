"""The run for people: the table of methods, the laws of growth, the closed forms."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table

from verify.bench.fit import Law
from verify.bench.growth import Curve
from verify.bench.population import Result, Row
from verify.bench.timing import Refused

NOTHING = "–"


def seconds(value: float) -> str:
    """A time with three digits, in a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def law(found: Law | None) -> str:
    """The exponent or base with its standard error."""
    if found is None:
        return NOTHING
    return f"{found.value:.2f}" if found.error is None else f"{found.value:.2f} ± {found.error:.2f}"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return NOTHING
    r = row.ratio
    return f"{r.median:.3g}" if r.rounds == 1 else f"{r.median:.3g} [{r.least:.3g}, {r.largest:.3g}]"


def _difference(row: Row) -> tuple[str, str]:
    if row.difference is None:
        return NOTHING, NOTHING
    d = row.difference
    largest = f"{d.largest:.1e}" if d.agrees else f"[bold red]{d.largest:.1e} DISAGREES[/bold red]"
    return largest, NOTHING if d.radius is None else f"{d.radius:.1e}"


def methods_table(result: Result) -> Table:
    """Every method on every world."""
    made = Table(title="Gradients of both steps over the whole population, the same worlds", title_justify="left")
    for name in ("world", "sequences", "method"):
        made.add_column(name, no_wrap=True)
    for name in ("seconds", "sequences/s", "times faster", "difference", "radius"):
        made.add_column(name, justify="right")
    for _, rows in groupby(result.rows, key=lambda row: row.case.name):
        for i, row in enumerate(rows):
            size = row.case.sequences
            start = (row.case.name, f"{size:,}".replace(",", " ")) if i == 0 else ("", "")
            if isinstance(row.timed, Refused):
                made.add_row(*start, row.method.title, "not run", "", "", "", "")
                continue
            apart, radius = _difference(row)
            time = row.timed.seconds
            made.add_row(*start, row.method.title, seconds(time), f"{size / time:.3g}", _ratio(row), apart, radius)
        made.add_section()
    return made


def _reach(curve: Curve) -> str:
    if not curve.points:
        return NOTHING
    first, last = curve.points[0], curve.points[-1]
    return (
        f"{first.value}–{last.value}" if curve.left is None else f"{first.value}–{last.value} (left at {curve.left[0]})"
    )


def growth_table(result: Result) -> Table:
    """Fitted laws, one line for each method and size."""
    made = Table(title="Growth with each size, the others fixed: t = c x^p; for m also t = c b^m", title_justify="left")
    for name in ("size", "method", "from–to"):
        made.add_column(name)
    for name in ("seconds", "p, all points", "p, last three", "b, all points", "b, last three"):
        made.add_column(name, justify="right")
    for parameter, curves in groupby(result.curves, key=lambda curve: curve.parameter):
        for i, curve in enumerate(curves):
            tail, base = curve.tail, curve.parameter == "m"
            ends = (
                "–".join(seconds(p.seconds) for p in (curve.points[0], curve.points[-1])) if curve.points else NOTHING
            )
            made.add_row(
                parameter if i == 0 else "",
                curve.method.title,
                _reach(curve),
                ends,
                law(curve.power()),
                law(None if tail is None else curve.power(tail)),
                law(curve.exponential()) if base else "",
                law(curve.exponential(tail)) if base and tail is not None else "",
            )
        made.add_section()
    return made


def closed_table(result: Result) -> Table:
    """The closed forms beside the exact sums over the table of facts."""
    found = result.closed
    made = Table(title="Balanced closed forms (hat), every coefficient exactly", title_justify="left")
    for name in ("M", "sequences", "closed forms", "sums over the table", "equal"):
        made.add_column(name, justify="right")
    for p in found.points:
        table = NOTHING if p.table_seconds is None else seconds(p.table_seconds)
        same = {True: "yes", False: "[bold red]NO[/bold red]", None: NOTHING}[p.equal]
        made.add_row(f"{p.M:,}".replace(",", " "), f"{p.sequences:.3g}", seconds(p.seconds), table, same)
    made.add_section()
    made.add_row("p", "", law(found.growth), law(found.table_growth), "")
    return made


def show(console: Console, result: Result) -> None:
    """The tables, and the conditions under which they were measured."""
    plan = result.plan
    console.print(methods_table(result))
    console.print(
        f"times faster than the plain enumerator: median of {plan.rounds} interleaved rounds [least, largest];"
        " difference and radius relative to the largest"
        f" entry; hat: from the enumeration in rationals; device {plan.device}, threads {plan.threads}, seconds of the {plan.clock}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    reasons = {(row.method.title, row.timed.reason) for row in result.rows if isinstance(row.timed, Refused)}
    for title, reason in sorted(reasons):
        console.print(f"not run: {title}: {reason}", highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print(growth_table(result))
    console.print(closed_table(result))
    console.print(
        f"the closed forms were derived once, in {seconds(result.closed.deriving)}; the run took {seconds(result.seconds)} on the wall",
        highlight=False,
    )
    for problem in result.problems:
        console.print(problem, style="bold red", markup=False, highlight=False)
