"""The trainer's benchmark for people: a table for each phase, and bars beside their floors."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from verify.bench.training import TITLES, Result
from verify.diversity.figure import COLOURS, blank, save


def table(result: Result, phase: str) -> Table:
    """One phase."""
    found = result.phases[phase]
    made = Table(title=f"{phase}, ms per iteration", title_justify="left")
    made.add_column("form")
    for name in ("median", "least", "tokens/s", "peak MiB", "operations", "bytes", "times the floor", "times slower"):
        made.add_column(name, justify="right")
    for form, timing in found.timings.items():
        peak = "–" if timing.peak_mib is None else f"{timing.peak_mib:.0f}"
        made.add_row(
            TITLES[form],
            f"{timing.median_ms:.1f}",
            f"{timing.least_ms:.1f}",
            f"{timing.tokens_per_second:.3g}",
            peak,
            f"{timing.operations_ms:.2g}",
            f"{timing.bytes_ms:.2g}",
            f"{timing.median_ms / timing.floor_ms:.1f}",
            f"{found.speedup(form):.2f}",
        )
    return made


def show(console: Console, result: Result) -> None:
    """The tables, and the conditions under which they were measured."""
    for phase in result.phases:
        console.print(table(result, phase))
    rates = "; ".join(
        f"{phase}: {found.multiply_adds_per_second / 1e9:.3g} G multiply-adds/s, {found.bytes_per_second / 1e9:.3g} GB/s"
        for phase, found in result.phases.items()
    )
    console.print(
        f"operations, bytes: what they take at least at the measured rates ({rates}); the floor is the larger; {result.rounds} interleaved"
        f" rounds, device {result.device}, threads {result.threads}, load {', '.join(f'{x:.1f}' for x in result.load)};"
        f" {result.seconds:.1f} s",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for problem in result.problems:
        console.print(problem, style="bold red", markup=False, highlight=False)


def write_plot(path: str | Path, result: Result) -> None:
    """Bars of the medians with every round as a dot and the floor as a line, a panel for each phase."""
    figure = blank(9, 4)
    axes = figure.subplots(1, len(result.phases), squeeze=False)[0]
    for axis, (phase, found) in zip(axes, result.phases.items(), strict=True):
        for k, (form, timing) in enumerate(found.timings.items()):
            axis.bar(k, timing.median_ms, 0.6, color=COLOURS[5])
            axis.plot([k] * len(timing.all_ms), timing.all_ms, ".", color=COLOURS[0], ms=4)
            axis.plot(
                [k - 0.35, k + 0.35], [timing.floor_ms] * 2, color=COLOURS[1], lw=2, label="floor" if k == 0 else None
            )
            axis.annotate(
                f"{timing.median_ms:.3g} ms\n{found.speedup(form):.2g}×",
                (k, timing.median_ms),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
            del form
        axis.set_xticks(
            range(len(found.timings)), [TITLES[form].replace(" (", "\n(") for form in found.timings], fontsize=8
        )
        axis.set_yscale("log")
        top = max(max(t.all_ms) for t in found.timings.values())
        axis.set_ylim(top=3 * top)
        axis.set_ylabel("ms per iteration")
        axis.set_title(f"{phase}, {result.device}, {result.threads} thread(s)", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=8, frameon=False)
    save(figure, path)
