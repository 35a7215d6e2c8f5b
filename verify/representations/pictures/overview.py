"""Fig. 8: accuracy and clustering against demonstrations with mean cosines as insets; ranks of source and target against beta."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.representations.pictures.style import (
    ACCURACY,
    CLUSTERS,
    DISJOINT,
    SOURCE,
    TARGET,
    TRIVIAL,
    counted,
    curves,
    div_title,
    keyed,
    of,
    plain,
    ranked,
    title,
)
from verify.representations.rules import DIVS, NAMED, POOLS
from verify.trained.pictures.style import captioned


def shown_demonstrations(demonstrations: list[int]) -> list[int]:
    """0, 2, 10 as in the figure, as far as there are so many, else the last."""
    return sorted({min(t, demonstrations[-1]) for t in (0, 2, 10)})


def _left(axis: Any, record: dict[str, Any], div: str) -> None:
    networks = of(record, div)
    t = networks[0]["demonstrations"]
    curves(axis, t, [n["accuracy"]["heldout"] for n in networks], ACCURACY, "accuracy, held-out queries")
    curves(axis, t, [n["silhouettes"][NAMED] for n in networks], CLUSTERS, "silhouette, layer-2 attention")
    curves(
        axis, t, [n["disjoint"][NAMED] for n in networks], DISJOINT, ".. between sequences without a shared value", "--"
    )
    bags = [n["trivial"]["bag"]["silhouettes"] for n in networks]
    curves(axis, t, bags, TRIVIAL, "silhouette of a count of the values", ":")
    guesses = [[max(values) for values in zip(*n["guesses"]["heldout"].values(), strict=True)] for n in networks]
    curves(axis, t, guesses, "#a1d99b", "accuracy of the best trivial predictor", ":")
    axis.axhline(0, color="0.7", lw=0.6)
    axis.set_ylim(top=1.05)
    counted(axis)
    axis.set_xlabel("demonstrations")
    axis.set_title(div_title(record, div), fontsize=10, loc="left")
    plain(axis)


def _insets(figure: Any, spec: Any, network: dict[str, Any]) -> None:
    inner = spec.subgridspec(3, 1, hspace=0.35)
    for i, t in enumerate(shown_demonstrations(network["demonstrations"])):
        axis = figure.add_subplot(inner[i])
        axis.imshow(network["cosines"][t], vmin=-1, vmax=1, cmap="RdBu_r")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(f"t = {t}", fontsize=8)


def _right(axis: Any, record: dict[str, Any], div: str) -> None:
    for pool, ls in (("heldout", "-"), ("seen", "--")):
        found = [n["steering"][pool] for n in of(record, div)]
        words = "held-out" if pool == "heldout" else "seen"
        curves(axis, found[0]["betas"], [f["source"] for f in found], SOURCE, f"source's attribute, {words}", ls)
        curves(axis, found[0]["betas"], [f["target"] for f in found], TARGET, f"target's attribute, {words}", ls)
        for f in found:
            if f["crossing"] is not None:
                axis.axvline(f["crossing"], color="0.5", lw=0.7, ls=ls)
    mixed = [n["steering"]["heldout"]["untyped"]["target"] for n in of(record, div)]
    curves(
        axis,
        of(record, div)[0]["steering"]["heldout"]["betas"],
        mixed,
        TRIVIAL,
        "target's, vectors of mixed types",
        ":",
    )
    ranked(
        axis, *(n["steering"][pool][which] for n in of(record, div) for pool in POOLS for which in ("source", "target"))
    )
    axis.set_xlabel("β")
    axis.set_ylabel("mean rank (1 is best)")
    axis.set_title(div_title(record, div), fontsize=10, loc="left")
    plain(axis)


def fig8(record: dict[str, Any]) -> Any:
    """The figure."""
    figure = plt.figure(figsize=(12, 8.8))
    widths = figure.add_gridspec(2, 3, width_ratios=(5, 1.1, 4.4), wspace=0.3)
    for row, div in enumerate(DIVS):
        left, right = figure.add_subplot(widths[row, 0]), figure.add_subplot(widths[row, 2])
        _left(left, record, div)
        _right(right, record, div)
        _insets(figure, widths[row, 1], of(record, div)[0])
        if row == 0:
            keyed(left, 2)
            keyed(right, 2)
    caption = (
        "Left: means over seeds (thin: every seed).  A count of the context's values infers no task and clusters as the dotted line;"
        " between sequences that share no value it scores 0.  Middle: mean cosines within and between types, first seed, -1 blue to 1 red."
        "  Right: ranks among all tokens, mean over pairs of types and sequences; grey verticals: where the target's passes the source's"
        " (1/2 by symmetry if only the replaced vector carries the type)."
    )
    captioned(figure, title(record, "Fig. 8: clustering and steering"), caption, {"below": 0.5, "above": 0.75})
    figure.subplots_adjust(left=0.05, right=0.985, hspace=0.32)
    return figure
