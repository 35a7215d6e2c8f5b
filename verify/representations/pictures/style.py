"""What these pictures share: the networks of a Div, means over seeds with every seed beside, colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

SOURCE, TARGET, ACCURACY, CLUSTERS, DISJOINT, TRIVIAL = "#4c72b0", "#c44e52", "#55a868", "#8172b3", "#dd8452", "0.55"
LAYERS = {
    "layer1.attention": ("#9ecae1", "-"),
    "layer1.mlp": ("#6baed6", "--"),
    "layer1.residual": ("#2171b5", ":"),
    "layer2.attention": ("#cb181d", "-"),
    "layer2.mlp": ("#fb6a4a", "--"),
    "layer2.residual": ("#fcae91", ":"),
}


def of(record: dict[str, Any], div: str) -> list[dict[str, Any]]:
    """The networks of 'low' or 'high'."""
    return [network for network in record["networks"] if network["div_name"] == div]


def div_title(record: dict[str, Any], div: str) -> str:
    """Its Div in words."""
    asked = record["setting"]["divs"][("low", "high").index(div)]
    reached = [network["div"] for network in of(record, div)]
    return f"Div ≈ {asked:g} ({min(reached):.2f} to {max(reached):.2f})"


def title(record: dict[str, Any], words: str) -> str:
    """Of a picture."""
    kind = {"icl": "ICL", "icl+grm": "ICL+Grm"}[record["setting"]["kind"]]
    seeds = len(record["seeds"])
    return f"{words} ({record['preset']} preset, finetuned on {kind}, {seeds} seed{'s' if seeds > 1 else ''})"


def curves(
    axis: Any, x: Sequence[float], lines: Sequence[Sequence[float]], colour: str, label: str, ls: str = "-"
) -> None:
    """The mean over seeds, each seed thin."""
    mean = [sum(column) / len(column) for column in zip(*lines, strict=True)]
    if len(lines) > 1:
        for line in lines:
            axis.plot(x, line, color=colour, lw=0.6, alpha=0.5, ls=ls)
    axis.plot(x, mean, color=colour, lw=1.8, ls=ls, label=label)


def plain(axis: Any) -> None:
    """Without the frame's upper and right sides."""
    axis.spines[["top", "right"]].set_visible(False)


def counted(axis: Any) -> None:
    """Whole numbers below."""
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def ranked(axis: Any, *lines: Sequence[float]) -> None:
    """A logarithmic axis of ranks, 1 at the bottom, room for the lines."""
    axis.set_yscale("log")
    axis.set_ylim(0.9, 1.25 * max([2.0, *(max(line) for line in lines)]))
    axis.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def keyed(axis: Any, columns: int = 1, above: float = 1.08) -> None:
    """The legend, above the panel and its title."""
    axis.legend(
        fontsize=7,
        frameon=False,
        loc="lower left",
        bbox_to_anchor=(0, above),
        ncol=columns,
        borderaxespad=0,
        columnspacing=1,
    )
