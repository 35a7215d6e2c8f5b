"""Fig. 18: ranks of the source's and the target's attribute against beta, for every target type, seen and held-out queries."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.representations.pictures.style import SOURCE, TARGET, curves, div_title, keyed, of, plain, ranked, title
from verify.representations.rules import DIVS, POOLS
from verify.trained.pictures.style import captioned


def fig18(record: dict[str, Any]) -> Any:
    """The figure: a column for every target type, a row for every Div and pool."""
    L = len(of(record, "low")[0]["steering"]["seen"]["by_target"])
    targets = [t for n in record["networks"] for pool in POOLS for t in n["steering"][pool]["by_target"]]
    every = [t[which] for t in targets for which in ("source", "target")]
    figure, axes = plt.subplots(4, L, figsize=(max(1.7 * L, 6) + 1.2, 8.6), sharex=True, sharey=True, squeeze=False)
    for row, (div, pool) in zip(axes, [(div, pool) for div in DIVS for pool in POOLS], strict=True):
        for l, axis in enumerate(row):
            found = [n["steering"][pool]["by_target"][l] for n in of(record, div)]
            betas = of(record, div)[0]["steering"][pool]["betas"]
            curves(axis, betas, [f["source"] for f in found], SOURCE, "source's attribute")
            curves(axis, betas, [f["target"] for f in found], TARGET, "target's attribute")
            for f in found:
                if f["crossing"] is not None:
                    axis.axvline(f["crossing"], color="0.5", lw=0.7)
            ranked(axis, *every)
            plain(axis)
            if div == "low" and pool == "seen":
                axis.set_title(f"target type {l + 1}", fontsize=9)
        words = "held-out" if pool == "heldout" else "seen"
        row[0].set_ylabel(f"{div_title(record, div).split(' (')[0]}, {words}\nmean rank", fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("β")
    keyed(axes[0, 0], 2, 1.16)
    caption = "Mean over source types and sequences; thin: every seed; verticals: where the target's mean rank passes the source's, for good."
    captioned(figure, title(record, "Fig. 18: steering to every type"), caption, {"below": 0.5, "above": 0.55})
    figure.subplots_adjust(left=0.9 / figure.get_figwidth(), right=0.985, wspace=0.12, hspace=0.13)
    return figure
