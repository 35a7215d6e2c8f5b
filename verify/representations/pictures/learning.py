"""What pretraining learns and when, for the two values of Div: the paper shows it for one of them (Fig. 2)."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.representations.pictures.style import ACCURACY, SOURCE, TARGET, curves, div_title, keyed, of, plain, title
from verify.representations.rules import DIVS
from verify.trained.pictures.style import captioned

SHOWN = {
    "exact": (ACCURACY, "exact match"),
    "type": (TARGET, "type match: some value of the right type"),
    "subject": (SOURCE, "subject match: some value of the right subject"),
}


def learning(record: dict[str, Any]) -> Any:
    """The figure."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    for axis, div in zip(axes, DIVS, strict=True):
        found = [network["pretraining"] for network in of(record, div)]
        for name, (colour, words) in SHOWN.items():
            curves(axis, found[0]["step"], [one[name] for one in found], colour, words)
        axis.set_ylim(-0.02, 1.05)
        axis.set_xlabel("iterations of pretraining")
        axis.set_title(div_title(record, div), fontsize=10, loc="left")
        plain(axis)
    axes[0].set_ylabel("share of PT sequences")
    keyed(axes[0], 3)
    figure.subplots_adjust(left=0.06, right=0.985, wspace=0.06)
    caption = (
        "Means over seeds (thin: every seed), of sequences drawn at every evaluation.  Where the grammar tells the type at once, type match"
        " comes first, as in Fig. 2; where it is hard to read, what the subject tells may come first.  No verdict rests on the order."
    )
    captioned(figure, title(record, "Pretraining"), caption, {"below": 0.5, "above": 0.6})
    return figure
