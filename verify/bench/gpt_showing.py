"""The 2-layer network's benchmark for people: a table, and bars beside their floors."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from verify.bench.gpt import Form, Result
from verify.diversity.figure import COLOURS, blank, save

ROUNDED = (
    "bfloat16 and tf32 round products and are not shown to leave the metrics alone at every size; the plain loop rounds its logits too,"
    " ours computes them in float32, which its floor leaves out"
)
UNTIMED = "; on CUDA this trainer has not been timed before"


def _times(result: Result, form: Form, ready: bool) -> str:
    faster = result.speedup(form, ready)
    if faster is None:
        return "–"
    return f"{faster.median:.2f} ({faster.least:.2f}–{faster.largest:.2f})"


def table(result: Result) -> Table:
    """Every form."""
    made = Table(title=f"pretraining at the {result.preset} size, ms per iteration", title_justify="left")
    made.add_column("form")
    iterations = result.config.pretraining.iterations
    for name in (
        "median",
        "spread",
        "processor",
        "first, s",
        "floor",
        "times the floor",
        "times faster than plain",
        "than ready",
        f"{iterations} iterations",
    ):
        made.add_column(name, justify="right")
    for form, timed in result.ms.items():
        floor = result.floor(form.precision).ms
        made.add_row(
            form.name,
            f"{timed.seconds:.4g}",
            f"{min(timed.rounds):.4g}–{max(timed.rounds):.4g}",
            f"{result.processor_ms[form]:.4g}" if form in result.processor_ms else "–",
            f"{result.first_s[form]:.1f}",
            f"{floor:.3g}",
            f"{timed.seconds / floor:.2f}",
            *(_times(result, form, ready) for ready in (False, True)),
            f"{timed.seconds * iterations / 6e4:.3g} min",
        )
    return made


def show(console: Console, result: Result) -> None:
    """The table, and the conditions under which it was measured."""
    console.print(table(result))
    speeds = ", ".join(f"{name} {rate / 1e9:.4g}" for name, rate in result.rates.items())
    drawn = ", ".join(f"{side} {timed.seconds:.3g}" for side, timed in result.sampling_ms.items())
    moved = "/".join(f"{number / 1e9:.3g}" for number in sorted(set(result.bytes_moved.values())))
    rounds = len(next(iter(result.ms.values())).rounds)
    console.print(
        f"floor: {result.multiply_adds / 1e9:.4g} G multiply-adds or {moved} GB (in bfloat16 the less) at the rates of this run"
        f" (G multiply-adds/s: {speeds}; {result.bytes_per_second / 1e9:.3g} GB/s), the larger;"
        f" processor: what other work on the machine does not lengthen; sequences alone, ms: {drawn};"
        f" {rounds} interleaved rounds, device {result.device}, threads {result.threads},"
        f" load {', '.join(f'{x:.1f}' for x in result.load)}; {result.seconds:.1f} s. {ROUNDED}{UNTIMED if result.device == 'cuda' else ''}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for problem in result.problems:
        console.print(problem, style="bold red", markup=False, highlight=False)


def write_plot(path: str | Path, result: Result) -> None:
    """Bars of the medians with every round as a dot and the floor as a line."""
    figure = blank(1.6 + 1.3 * len(result.ms), 4)
    axis = figure.subplots()
    for k, (form, timed) in enumerate(result.ms.items()):
        axis.bar(k, timed.seconds, 0.6, color=COLOURS[5] if form.ours else COLOURS[4])
        axis.plot([k] * len(timed.rounds), timed.rounds, ".", color=COLOURS[0], ms=4)
        floor = result.floor(form.precision).ms
        axis.plot([k - 0.35, k + 0.35], [floor] * 2, color=COLOURS[1], lw=2, label="floor" if k == 0 else None)
        faster = result.speedup(form)
        text = f"{timed.seconds:.3g} ms" + (f"\n{faster.median:.2g}×" if form.ours and faster is not None else "")
        axis.annotate(text, (k, max(timed.rounds)), (0, 4), textcoords="offset points", ha="center", fontsize=8)
    axis.set_xticks(range(len(result.ms)), [form.name.replace(", ", "\n") for form in result.ms], fontsize=8)
    axis.set_ylim(top=1.25 * max(max(timed.rounds) for timed in result.ms.values()))
    axis.set_ylabel("ms per iteration")
    axis.set_title(f"{result.preset} size, {result.device}, {result.threads} thread(s)", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)
    save(figure, path)
