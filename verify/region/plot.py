"""The boundary drawn: M_ft against U for several N_ft, the paper's own setting marked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import ScalarFormatter

from theory.finetuning.conclusion import sharp_M_ft
from verify.region.sweep import Cell

PAPER = {"U": 32, "M_ft": 128, "N_ft": 5, "M": 256, "L": 8}


def _curve(cell: Cell, U: Sequence[int]) -> list[tuple[int, int]]:
    """The hat closed form in worlds large enough to reach it: M only bounds it from above."""
    points = []
    for u in U:
        found = sharp_M_ft(u * 10**4, cell.sizes.L, (u,) * cell.sizes.L, cell.sizes.N_ft + 1)
        if found is not None:
            points.append((u, found))
    return points


def draw(cells: list[Cell], path: str | Path) -> None:
    """Writes the picture, whole or not at all (PNG, SVG or PDF by its suffix)."""
    sizes = cells[0].sizes
    demos = sorted({c.sizes.N_ft for c in cells})
    largest = max(c.sizes.U for c in cells)
    grid = sorted({round(2 ** (k / 8)) for k in range(8, 8 * largest.bit_length())} | {c.sizes.U for c in cells})
    grid = [u for u in grid if 2 <= u <= largest]
    colours = plt.get_cmap("viridis")
    figure, axis = plt.subplots(figsize=(8, 5.5), layout="constrained")
    for i, n in enumerate(demos):
        colour = colours(i / max(1, len(demos) - 1) * 0.78)
        mine = sorted((c for c in cells if c.sizes.N_ft == n), key=lambda c: c.sizes.U)
        curve = _curve(mine[0], grid)
        axis.plot(*zip(*curve, strict=True), color=colour, lw=1)
        axis.annotate(f"N_ft = {n}", curve[-1], xytext=(6, 0), textcoords="offset points", color=colour, va="center")
        for name, marker in (("hat", "o"), ("true", "x")):
            known = [(c.sizes.U, c.boundaries[name].first) for c in mine if c.boundaries[name].first is not None]
            if known:
                x, y = zip(*known, strict=True)
                face = "none" if marker == "o" else colour
                axis.scatter(
                    x,
                    y,
                    marker=marker,
                    s=60 if marker == "o" else 30,
                    facecolors=face,
                    edgecolors=None if marker == "x" else colour,
                    color=None if marker == "o" else colour,
                    zorder=3,
                )
    axis.axhline(sizes.M, color="0.7", lw=0.8, ls=":")
    axis.annotate(
        f"M = {sizes.M}: no more subjects",
        (2, sizes.M),
        xytext=(0, 3),
        textcoords="offset points",
        color="0.45",
        fontsize=9,
    )
    if PAPER["M"] == sizes.M and PAPER["L"] == sizes.L:
        # Larger than the marks of the boundaries and below them: one of these may lie there.
        axis.scatter([PAPER["U"]], [PAPER["M_ft"]], marker="*", s=260, color="crimson", linewidths=0, zorder=2)
        axis.annotate(
            "the paper's own setting:\nU = 32, M_ft = 128, N_ft = 5",
            (PAPER["U"], PAPER["M_ft"]),
            xytext=(0.97, 0.17),
            textcoords="axes fraction",
            ha="right",
            va="center",
            color="crimson",
            fontsize=10,
            arrowprops={"arrowstyle": "-", "color": "crimson", "linewidth": 0.6, "shrinkB": 8},
        )
    axis.plot(grid, grid, color="0.8", lw=0.8)
    axis.annotate(
        "M_ft = U",
        (grid[-1], grid[-1]),
        xytext=(6, 0),
        textcoords="offset points",
        color="0.6",
        va="center",
        fontsize=9,
    )
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    for part in (axis.xaxis, axis.yaxis):
        part.set_major_formatter(ScalarFormatter())
    axis.set_xlabel("U, values per type")
    axis.set_ylabel("smallest M_ft at which the conclusion holds")
    axis.set_title(
        f"How many finetuning subjects are enough (M = {sizes.M}, L = {sizes.L}, balanced tables)", loc="left"
    )
    handles = [
        Line2D([], [], color="0.3", lw=1, label="hat steps, closed form"),
        Line2D([], [], color="0.3", marker="o", mfc="none", ls="", label="hat steps, decided on tables"),
        Line2D([], [], color="0.3", marker="x", ls="", label="true steps, certified"),
    ]
    axis.legend(handles=handles, frameon=False, loc="upper left", bbox_to_anchor=(0.0, 0.93))
    axis.spines[["top", "right"]].set_visible(False)
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=target.suffix)
    os.close(handle)
    try:
        figure.savefig(name, dpi=150)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        plt.close(figure)
