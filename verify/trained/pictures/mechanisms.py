"""Which mechanism the seeds find, for every variant."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.trained.pictures.style import MECHANISMS, captioned

WHEN = {"pt": "after pretraining (PT sequences)", "icl": "after finetuning (ICL sequences)"}


def mechanisms(record: dict[str, Any], title: str) -> Any:
    """The figure, of a record."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 1.9 + 0.55 * len(record["mechanisms"]["pt"])), sharey=True)
    for axis, (kind, words) in zip(axes, WHEN.items(), strict=True):
        table = record["mechanisms"][kind]
        for y, (_, found) in enumerate(table.items()):
            at = 0.0
            for name, colour in MECHANISMS.items():
                part = found[name]
                if not part["count"]:
                    continue
                axis.barh(y, part["share"], left=at, color=colour, height=0.62, edgecolor="white")
                low, high = part["interval"]
                text = f"{part['count']}/{part['of']}" + (f"\n[{low:.2f}, {high:.2f}]" if part["share"] > 0.15 else "")
                axis.annotate(
                    text,
                    (at + part["share"] / 2, y),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if name != "collapsed" else "0.2",
                )
                at += part["share"]
        axis.set_yticks(range(len(table)), list(table))
        axis.set_xlim(0, 1)
        axis.set_xlabel("share of the seeds")
        axis.set_title(words, fontsize=9.5, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in MECHANISMS.values()]
    axes[1].legend(handles, list(MECHANISMS), frameon=False, fontsize=8, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    caption = (
        "In brackets 95 % Clopper-Pearson intervals.  Suppressing: the subject head pushes down the values of others (Props. 1, 2);"
        " boosting: it pushes its own up; collapsed: no head has half of its attention on a subject (query), or none on the current"
        " relation token (attribute tokens)."
    )
    captioned(figure, title, caption)
    return figure
