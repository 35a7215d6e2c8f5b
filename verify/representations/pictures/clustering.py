"""Fig. 16 (silhouettes of all layers), Fig. 17 (mean cosines at every number of demonstrations), and of what has no task."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.representations.pictures.style import LAYERS, counted, curves, div_title, keyed, of, plain, title
from verify.representations.rules import DIVS, FLAT, NAMED, first_layer
from verify.trained.pictures.style import captioned

KINDS = {"silhouettes": "all pairs of sequences, as printed", "disjoint": "sequences that share no value"}
OTHERS = {
    "bag": ("#4d4d4d", "count of the context's values"),
    "embeddings": ("#1b9e77", "sum of the network's embeddings of them"),
    "last": ("#7570b3", "last value"),
    "initial": ("#e6ab02", "layer-2 attention, initial network"),
    "before": ("#d95f02", "layer-2 attention before finetuning"),
    "shuffled": ("#e7298a", "layer-2 attention, shuffled types"),
    "query": ("#66a61e", "query subject"),
    "random": ("#a6761d", "random vectors"),
}
# Margins in inches: axis labels below; legend and title of the panels above.
SPACE = {"below": 0.5, "above": 0.85}


def _grid(record: dict[str, Any]) -> tuple[Any, Any]:
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.6), sharex=True, sharey=True)
    for row, kind in zip(axes, KINDS, strict=True):
        for axis, div in zip(row, DIVS, strict=True):
            axis.axhline(0, color="0.6", lw=0.6)
            axis.set_title(f"{div_title(record, div)}; {KINDS[kind]}", fontsize=9, loc="left")
            plain(axis)
        row[0].set_ylabel("silhouette")
    for axis in axes[1]:
        axis.set_xlabel("demonstrations")
        counted(axis)
    figure.subplots_adjust(left=0.07, right=0.985, wspace=0.06, hspace=0.17)
    return figure, axes


def fig16(record: dict[str, Any]) -> Any:
    """The figure: above as printed, below between sequences without a shared value."""
    figure, axes = _grid(record)
    for row, kind in zip(axes, KINDS, strict=True):
        for axis, div in zip(row, DIVS, strict=True):
            networks = of(record, div)
            for name in networks[0][kind]:
                colour, ls = LAYERS.get(name, ("0.5", "-"))
                lines = [n[kind][name] for n in networks]
                curves(axis, networks[0]["demonstrations"], lines, colour, name.replace(".", ", "), ls)
            bags = [n["trivial"]["bag"][kind] for n in networks]
            curves(axis, networks[0]["demonstrations"], bags, "0.5", "count of the context's values", "-.")
    keyed(axes[0, 0], 4)
    every = [network for div in DIVS for network in of(record, div)]
    flat = [network for network in every if first_layer(network) < FLAT]
    caption = (
        "Means over seeds, every seed thin.  Above: silhouettes with the cosine distance, labels the types.  Below: distances between"
        " sequences whose contexts come from different halves of each type's values."
        f"  All of layer 1 is within {FLAT:g} of 0 at the end in {len(flat)} of {len(every)} networks; where it is not, the type"
        " reaches the query already there."
    )
    captioned(figure, title(record, "Fig. 16: clustering of every layer"), caption, SPACE)
    return figure


def trivial(record: dict[str, Any]) -> Any:
    """The named representation beside those in which no task was learnt."""
    figure, axes = _grid(record)
    for row, kind in zip(axes, KINDS, strict=True):
        for axis, div in zip(row, DIVS, strict=True):
            networks = of(record, div)
            t = networks[0]["demonstrations"]
            curves(axis, t, [n[kind][NAMED] for n in networks], LAYERS[NAMED][0], "layer-2 attention, finetuned")
            for name, (colour, words) in OTHERS.items():
                curves(axis, t, [n["trivial"][name][kind] for n in networks], colour, words, "--")
    keyed(axes[0, 0], 4)
    caption = (
        "Whatever sums the values of the context clusters by type, since a value belongs to one type and contexts of a type share values"
        " (above); without shared values a sum of one-hots has exactly 0 (below)."
    )
    captioned(figure, title(record, "Silhouettes beside representations without a task"), caption, SPACE)
    return figure


def fig17(record: dict[str, Any]) -> Any:
    """The figure: mean cosines of layer-2 attention, first seed."""
    count = len(of(record, "low")[0]["demonstrations"])
    columns = min(8, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        2 * rows, columns, figsize=(max(1.35 * columns, 6) + 1.2, 1.5 * 2 * rows + 1.3), squeeze=False
    )
    image: Any = None
    for block, div in enumerate(DIVS):
        network = of(record, div)[0]
        for t, axis in enumerate(axes[block * rows : (block + 1) * rows].flat):
            axis.set_xticks([])
            axis.set_yticks([])
            if t >= count:
                axis.set_visible(False)
                continue
            image = axis.imshow(network["cosines"][t], vmin=-1, vmax=1, cmap="RdBu_r")
            axis.set_title(f"t = {t}", fontsize=8)
            if t == 0:
                axis.set_ylabel(div_title(record, div).split(" (")[0], fontsize=9)
    caption = (
        "Mean cosines of layer-2 attention within and between types, after t demonstrations, first seed; the K terms of a sequence with itself"
        f" are in the sum, as printed: at K = {of(record, 'low')[0]['sizes']['clustered']} they add"
        f" {1 / of(record, 'low')[0]['sizes']['clustered']:.2f} of what is missing to 1."
    )
    captioned(figure, title(record, "Fig. 17: mean cosines"), caption, {"below": 0.1, "above": 0.3})
    figure.subplots_adjust(left=0.05, right=0.88, wspace=0.12, hspace=0.25)
    bar = figure.add_axes((0.905, 0.3, 0.015, 0.45))
    figure.colorbar(image, cax=bar)
    return figure
