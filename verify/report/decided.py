"""The boundary in M_ft decided on tables, after hat and after true steps: the committed run of verify.region as a plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from verify.court import PAPER
from verify.report.figure import CURVES, FAINT, Figure, number, plotted

#: Written by `python -m verify.region --sweep-U … --sweep-N-ft … --json`.
RECORD = Path(__file__).resolve().parents[2] / "results/region/region.json"


def decided(record: Path = RECORD) -> Figure | None:
    """The plot and its numbers; None where no run is at hand."""
    if not record.is_file():
        return None
    found = json.loads(record.read_text(encoding="utf-8"))
    cells, sizes = found["sweep"], found["sizes"]
    demos = sorted({c["N_ft"] for c in cells})
    rows = tuple(
        tuple(number(v) for v in (c["U"], c["N_ft"], c["hat_closed_form"], c["hat"]["first"], c["true"]["first"]))
        for c in sorted(cells, key=lambda c: (c["N_ft"], c["U"]))
    )

    def draw(axes: Any) -> None:
        for k, n in enumerate(demos):
            mine = sorted((c for c in cells if c["N_ft"] == n), key=lambda c: c["U"])
            for name, mark, size in (("hat", "o", 9), ("true", "x", 5.5)):
                known = [(c["U"], c[name]["first"]) for c in mine if c[name]["first"] is not None]
                x, y = zip(*known, strict=True) if known else ((), ())
                line = {"linestyle": "-", "linewidth": 0.8} if name == "hat" else {"linestyle": "none"}
                label = f"N_ft = {n}" if name == "hat" else None
                axes.plot(x, y, marker=mark, markersize=size, fillstyle="none", color=CURVES[k], label=label, **line)
        axes.plot([PAPER["U"]], [PAPER["M_ft"]], "*", color="#000000", markersize=13, linestyle="none")
        axes.axhline(sizes["M"], color=FAINT, linewidth=1.2)
        axes.set(xscale="log", yscale="log", xlabel="U, values per type", ylabel="first M_ft at which it holds")
        for axis, values in ((axes.xaxis, sorted({c["U"] for c in cells})), (axes.yaxis, (4, 16, 64, 256))):
            axis.set_ticks(values, [str(v) for v in values], minor=False)
            axis.set_ticks([], minor=True)
        axes.legend(frameon=False, loc="upper left", fontsize=10)

    title = "First M_ft at which the conclusion holds, decided on tables"
    words = (
        f"Log-log plot of the first M_ft against U, circles after hat steps and crosses after true steps, a line for each of N_ft = "
        f"{', '.join(map(str, demos))}. Crosses lie in or just below their circles. A grey line at M = {sizes['M']} bounds what a table "
        "can offer; a star marks the paper's own U and M_ft, below the line of its N_ft = 5."
    )
    moved = max(
        (abs(c["hat"]["first"] - c["true"]["first"]) for c in cells if c["hat"]["first"] and c["true"]["first"]),
        default=0,
    )
    caption = (
        f"Balanced tables, M = {sizes['M']}, L = {sizes['L']}, beta = inf, all step sizes 1, seen and held-out queries: the first M_ft"
        " at which every sequence is right while one subject fewer is not enough. Hat steps in exact rationals (circles), true steps"
        f" from certified gradients (crosses): the softmax term moves the boundary by at most {moved} here. Where U does not divide"
        " M_ft, values are not equally frequent, and the boundary on tables is not exactly that of the closed form. A dash: at no"
        " M_ft up to M."
    )
    columns = ("U", "N_ft", "hat, closed form", "hat, on tables", "true, on tables")
    claims = ("thm2.accuracy", "thm2.hypotheses")
    svg = plotted("region-decided", title, words, draw)
    return Figure("region-decided", title, claims, caption, words, columns, rows, svg)
