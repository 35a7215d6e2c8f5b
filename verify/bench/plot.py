"""Seconds against the number of sequences, a colour and a mark for each method, labelled where its points end."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from verify.bench.population import Result

#: Colours that stay apart for colour-blind readers (Okabe and Ito), and marks that need none.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00")
MARKS = ("o", "s", "^", "D", "v", "P")
#: Labels closer than this, as a part of the height of the plot, are moved apart.
APART = 0.05


def spread(wanted: list[float], apart: float) -> list[float]:
    """Heights as near to the wanted ones as order allows, at least `apart` from each other: from the lowest one up."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    placed = list(wanted)
    for below, k in pairwise(order):
        placed[k] = max(placed[k], placed[below] + apart)
    return placed


def drawn(result: Result) -> Figure:
    """The plot: a line for each size varied (its letter at the end), those of a method in one colour, its name beside them."""
    figure = Figure(figsize=(9, 6), dpi=150)
    FigureCanvasAgg(figure)
    # Room on the right for the names.
    axes = figure.add_axes((0.09, 0.1, 0.68, 0.87))
    axes.set_xscale("log")
    axes.set_yscale("log")
    names = list(dict.fromkeys(curve.method.name for curve in result.curves))
    ends: list[tuple[float, float, str, str]] = []
    for k, name in enumerate(names):
        curves = [curve for curve in result.curves if curve.method.name == name and curve.points]
        colour, mark = COLOURS[k % len(COLOURS)], MARKS[k % len(MARKS)]
        for curve in curves:
            # Where U is varied the number of sequences stays: the line is upright.
            x, t = [p.sequences for p in curve.points], [p.seconds for p in curve.points]
            axes.plot(x, t, color=colour, marker=mark, markersize=4, linewidth=1, alpha=0.8)
            axes.annotate(
                curve.parameter, (x[-1], t[-1]), xytext=(3, 3), textcoords="offset points", fontsize=7, color=colour
            )
        if curves:
            last = max((p for curve in curves for p in curve.points), key=lambda p: (p.sequences, p.seconds))
            ends.append((last.sequences, last.seconds, curves[0].method.title, colour))
    axes.set_xlabel("sequences of the population")
    axes.set_ylabel(f"seconds for both steps, {result.plan.clock} (median)")
    axes.grid(which="major", linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    _label(axes, ends)
    return figure


def _label(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Names to the right of each method's end, at its height as far as they do not meet."""
    # Limits are worked out when they are asked for; transData before that is another scale's.
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    to_axes = axes.transData + axes.transAxes.inverted()
    places = [to_axes.transform((x, t)) for x, t, _, _ in ends]
    heights = spread([float(y) for _, y in places], APART)
    for (_, _, title, colour), (x, y), height in zip(ends, places, heights, strict=True):
        axes.annotate(
            title,
            (x, y),
            xycoords="axes fraction",
            xytext=(x + 0.03, height),
            textcoords="axes fraction",
            color=colour,
            fontsize=10,
            va="center",
            annotation_clip=False,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7},
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "linestyle": ":"},
        )


def write_plot(path: str | Path, result: Result) -> None:
    """A PNG, whole or not at all.  Raises OSError where nothing can be written."""
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".png")
    try:
        with os.fdopen(handle, "wb") as file:
            drawn(result).savefig(file, format="png")
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
