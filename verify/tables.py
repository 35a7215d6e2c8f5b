"""Tables for people, with rich: they shrink to the terminal and lose their colours in a pipe."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from numerics.conclusion import Decision
from verify.coefficients import Row
from verify.conclude import Conclusion
from verify.failures import certain, mark, unproven
from verify.records import Record
from verify.setting import Setting
from verify.verdict import Verdict

STYLES = {
    Verdict.EXACT: "green",
    Verdict.APPROXIMATE: "cyan",
    Verdict.CORRECTED: "yellow",
    Verdict.FALSE: "red",
    Verdict.READING: "magenta",
    Verdict.REPRODUCED: "green",
    Verdict.NOT_REPRODUCED: "red",
    Verdict.UNDECIDED: "bold red",
}


def short(value: Any) -> str:
    """A number in a cell: 0, a short fraction, or six digits."""
    if value is None:
        return "–"
    if isinstance(value, Fraction):
        if value == 0:
            return "0"
        text = str(value)
        return text if len(text) <= 9 else f"{float(value):.6g}"
    if isinstance(value, float):
        # Below this a float64 sum of entries of order 1 is a rounding residue.
        return "0" if abs(value) < 1e-16 else f"{value:.6g}"
    return str(value)


def spread(values: tuple[Any, Any] | None, near: float = 0.0) -> str:
    """One number if all coordinates share it (within `near`), else its range."""
    if values is None:
        return "–"
    low, high = values
    if float(high) - float(low) <= near:
        return short(low if low == high else float(low + (high - low) / 2))
    return f"{short(low)} … {short(high)}"


def header(console: Console, setting: Setting, assumptions: list[tuple[str, bool | None]], names: str) -> None:
    """The setting, the conventions, and which hypotheses hold here."""
    U = setting.U[0] if len(set(setting.U)) == 1 else list(setting.U)
    console.print(f'[bold]Theorem 1/2[/bold] of "Understanding Contextual Recall in Transformers" at {names}')
    console.print(
        f"M={setting.M} L={setting.L} U={U} M_ft={setting.M_ft} N_ft={setting.N_ft} (m={setting.m}, T={setting.T}) "
        f"S={setting.grammar_length} G={setting.G}; population {setting.population:.6g} sequences",
        highlight=False,
    )
    console.print(
        f"reading of W_OV^subj: {setting.reading}; beta = {setting.beta:g}; steps eta_KQ^subj={setting.eta_kq_subj}, "
        f"eta_OV^rel={setting.eta_ov}, eta_KQ^rel={setting.eta_kq_rel} (times beta on W_KQ); relation head uniform over "
        + ("all T positions" if setting.window is None else f"the last {setting.window} positions (S+2 < T)"),
        highlight=False,
    )
    if setting.window is not None:
        console.print(
            f"[yellow]T = {setting.T} > S + 2 = {setting.window}: Theorem 2's hypothesis fails at this S; the smallest S it allows is "
            f"{setting.T - 2}.[/yellow]",
            highlight=False,
        )
    marks = {True: "[green]holds[/green]", False: "[red]fails[/red]", None: "not decided by the setting"}
    console.print("hypotheses: " + "; ".join(f"{name}: {marks[holds]}" for name, holds in assumptions), highlight=False)


def coefficient_table(rows: list[Row], exact_route: str, autograd: str, true_route: str) -> Table:
    """Every direction of every updated weight."""
    table = Table(
        title="Updates per unit of their step size (minus the gradients; W_OV^rel after the projection)",
        caption=f"exact: {exact_route}. autograd: {autograd}. true: {true_route}. A range: the coordinates of a class differ.",
        title_justify="left",
        caption_justify="left",
    )
    for name in ("weight", "direction", "how many"):
        table.add_column(name, justify="right" if name == "how many" else "left", overflow="fold")
    for name in ("printed", "derived", "exact", "autograd", "true"):
        table.add_column(name, justify="right", overflow="fold")
    last = None
    for row in rows:
        if last is not None and row.weight != last:
            table.add_section()
        style = {True: "green", False: "red", None: ""}[row.agrees]
        near = 0.0 if row.true is None else 1e-13 * max(abs(row.true[0]), abs(row.true[1]), 1e-3)
        true = spread(row.true, near) + (f" ± {row.true_error:.1g}" if row.true_error else "")
        autograd = spread(row.autograd, 1e-15) + (f" ± {row.autograd_error:.1g}" if row.autograd_error else "")
        table.add_row(
            row.weight if row.weight != last else "",
            escape(row.words),
            str(row.count),
            f"[{style}]{short(row.printed)}[/]" if style else short(row.printed),
            spread(row.derived),
            spread(row.exact),
            autograd,
            true,
        )
        last = row.weight
    return table


def claims_table(records: list[Record], recorded: dict[str, str]) -> Table:
    """A line a claim: verdict, what is true instead, mutants killed."""
    table = Table(title="Claims", title_justify="left")
    table.add_column("claim", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("mutants", justify="right", no_wrap=True)
    table.add_column("what is printed / what is true", overflow="fold")
    for one in records:
        killed, verdict = len(one["mutants"]) - len(one["survivors"]), Verdict(one["verdict"])
        known = recorded.get(one["id"], "nothing")
        mark = "" if known == verdict else f" [bold red](recorded: {known})[/bold red]"
        said = (
            escape(one["title"])
            if verdict is Verdict.EXACT
            else f"{escape(one['title'])}\n[dim]-> {escape(_true(one))}[/dim]"
        )
        table.add_row(one["id"], f"[{STYLES[verdict]}]{verdict}[/]{mark}", f"{killed}/{len(one['mutants'])}", said)
    return table


def _true(one: Record) -> str:
    if one["verdict"] == Verdict.APPROXIMATE and one["remainder"]:
        return one["remainder"]
    return one["derived"]


def conclusion_lines(console: Console, c: Conclusion) -> None:
    """What happens on all sequences after the steps of one objective."""
    answer = {
        True: "[green]right on every sequence[/green]",
        False: "[red]not right on every sequence[/red]",
        None: "[yellow]open[/yellow]",
    }
    console.print(
        f"[bold]{c.objective} steps[/bold], beta = inf (hard attention): {answer[c.holds]} ({c.method})",
        highlight=False,
    )
    for pool, d in c.decisions.items():
        name = {"seen": "seen queries", "heldout": "held-out queries"}[pool]
        if d.vacuous:
            console.print(f"  {name}: no such sequence (M_ft = M)", highlight=False)
            continue
        if d.accuracy is not None:
            right, ties = (
                f"{words}: " if words else "" for words in (unproven(d, d.right_bounds), unproven(d, d.ties_bounds))
            )
            text = f"accuracy {float(d.accuracy):.6g} ({right}{d.right} of {d.total} right, {ties}{d.ties} ties)"
        else:
            low, high = d.accuracy_bounds or (0, 1)
            text = f"accuracy between {float(low):.6g} and {float(high):.6g} of {d.total} sequences"
        # Of a decision that is not exact, nothing but its bounds is proven.
        whose = "" if d.accuracy is None or d.exact else f", {mark(d)}"
        console.print(f"  {name}: {text}; smallest margin{whose and whose + ':'} {_margin(d)}", highlight=False)
        if d.attention is not None:
            for head in ("subj", "rel"):
                shares = ", ".join(
                    f"{kind} {count / d.total:.4g}" for kind, count in d.attention[head].items() if count
                )
                console.print(f"    {head} head attends (share of sequences{whose}): {shares}", highlight=False)
        if d.counterexample is not None and d.holds is False:
            # It fails for all weights, but attention that is not known for all of them is shown for those at the centre.
            of = whose if not d.exact or certain(d) else ", heads and logits at the centre"
            console.print(f"    fails{of}: {d.counterexample.sentence}", highlight=False, markup=False)
    if c.reason:
        console.print(f"  {c.reason}", highlight=False, markup=False)


def _margin(d: Decision) -> str:
    if d.min_margin is not None or d.min_margin_bounds is None:
        return short(None if d.min_margin is None else float(d.min_margin))
    low, high = (float(x) for x in d.min_margin_bounds)
    return short(low) if high - low <= 1e-9 * abs(high) else f"between {low:.6g} and {high:.6g}"


def other_window(console: Console, setting: Setting, S: int, c: Conclusion) -> None:
    """One line on the hat conclusion at the other side of T <= S + 2."""
    which = "the paper's own" if setting.window is None else "the smallest S that Theorem 2 allows,"
    relation = ">" if setting.window is None else "<="
    accuracy = ", ".join(
        f"{pool} {'none' if d.vacuous else 'open' if d.accuracy is None else f'{float(d.accuracy):.6g}'}"
        for pool, d in c.decisions.items()
    )
    answer = {True: "right on every sequence", False: "not right on every sequence", None: "open"}[c.holds]
    console.print(
        f"[bold]hat steps at {which} S = {S}[/bold] (T = {setting.T} {relation} S + 2 = {S + 2}): {answer}; accuracy {accuracy}",
        highlight=False,
    )
