"""Drawn: the Div that each reading of the norm reaches beside the requested values, and the Bayes accuracy against S."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from verify.framework.reach import Reading, Sizes

WORDS = {
    "entries": "sum of all entries",
    "rows": "mean over rows of l1",
    "variation": "mean over rows of TV",
    "operator": "operator 1-norm\n(largest column sum)",
    "max_row": "largest row l1",
}


def _ranges(axis: Axes, sizes: Sizes, found: Sequence[Reading]) -> None:
    colours = plt.get_cmap("viridis")
    norms = list(dict.fromkeys(one.norm for one in found))
    for one in found:
        k = sizes.alpha.index(one.alpha)
        place = norms.index(one.norm) + (k - (len(sizes.alpha) - 1) / 2) * 0.7 / len(sizes.alpha)
        colour = colours(0.15 + 0.6 * k / max(1, len(sizes.alpha) - 1))
        low, high = min(one.least), max(one.largest)
        axis.plot([low, high], [place, place], color=colour, lw=6, solid_capstyle="butt", alpha=0.55)
        label = f"α = {one.alpha:g}" if one.norm == norms[0] else None
        for request in one.requests:
            x = [chosen.reached for chosen in request.by_seed]
            face = colour if request.reached else "white"
            axis.scatter(x, [place] * len(x), s=26, facecolors=face, edgecolors=colour, linewidths=1, zorder=3)
        axis.plot([], [], color=colour, lw=6, label=label)
    for div in sizes.div:
        axis.axvline(div, color="crimson", lw=0.9, ls=":", zorder=0)
    axis.plot([], [], color="crimson", lw=0.9, ls=":", label="requested Div")
    axis.scatter([], [], s=26, facecolors="0.3", edgecolors="0.3", label="selected for a request (each seed)")
    axis.scatter([], [], s=26, facecolors="white", edgecolors="0.3", label="… request not reached")
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator([0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.set_yticks(range(len(norms)), [WORDS.get(norm, norm) for norm in norms])
    axis.set_ylim(len(norms) - 0.4, -0.6)
    axis.set_xlabel("Div: bar from the least to the largest that greedy selection finds")
    axis.set_title(
        f"Reachable Div by reading of the norm (G = {sizes.G}, L = {sizes.L}, pool {sizes.pool})", loc="left"
    )
    axis.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=2)


def _bayes(axis: Axes, sizes: Sizes, one: Reading) -> None:
    colours = plt.get_cmap("plasma")
    for k, request in enumerate(one.requests):
        colour = colours(0.75 * k / max(1, len(one.requests) - 1))
        for chosen in request.by_seed:
            y = [accuracy.value for accuracy in chosen.accuracies]
            margins = [[a.value - a.low for a in chosen.accuracies], [a.high - a.value for a in chosen.accuracies]]
            axis.errorbar(sizes.S, y, margins, color=colour, lw=0.6, alpha=0.6, marker=".", ms=4, capsize=2)
        missed = "" if request.reached else " (not reached)"
        mean = [request.mean(place) for place in range(len(sizes.S))]
        axis.plot(sizes.S, mean, color=colour, lw=2, label=f"Div ≈ {request.div:g}{missed}")
    axis.axhline(1 / sizes.L, color="0.5", lw=0.9, ls=":", label=f"chance, 1 / L = {1 / sizes.L:g}")
    axis.set_xticks(sizes.S)
    axis.set_ylim(0, 1.03)
    axis.set_xlabel("S, grammar tokens seen")
    axis.set_ylabel("Bayes accuracy of the attribute type")
    axis.set_title(f"Best possible reader: {WORDS.get(one.norm, one.norm)}, α = {one.alpha:g}", loc="left")
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.14))


def draw(sizes: Sizes, found: Sequence[Reading], path: str | Path) -> None:
    """Writes the picture, whole or not at all (PNG, SVG or PDF by its suffix).

    The accuracies are those of the first reading that reaches every request, or of the first one where none does.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 5.6), width_ratios=(1.25, 1), layout="constrained")
    _ranges(left, sizes, found)
    _bayes(right, sizes, next((one for one in found if one.reaches_all), found[0]))
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=target.suffix)
    os.close(handle)
    try:
        figure.savefig(name, dpi=130)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        plt.close(figure)
