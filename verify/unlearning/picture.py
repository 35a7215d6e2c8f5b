"""Held-out and seen accuracy while finetuning, a line for every variant, and the end with the rows put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from verify.findings.pictures import baselines
from verify.findings.record import seeds_in_words
from verify.findings.rules import GROUPS
from verify.trained.pictures.style import captioned, save
from verify.unlearning.record import JUDGED

WORDS = {
    "all": ("#c44e52", "-", "every next token (Section 3.2)"),
    "no_subjects": ("#55a868", "-", "but subjects"),
    "attributes": ("#8172b3", "-", "attributes alone"),
    "last": ("#4c72b0", "-", "final token alone (Section 4)"),
    "untied": ("#dd8452", "--", "every next token, untied"),
}
TITLES = {"icl_seen": "ICL, seen queries", "icl_heldout": "ICL, held-out queries"}


def _means(columns: list[list[float]]) -> list[float]:
    return [sum(column) / len(column) for column in zip(*columns, strict=True)]


def _curves(axis: Any, record: dict[str, Any], group: str) -> None:
    for name, (colour, style, words) in WORDS.items():
        curves = [[point[group]["exact"] for point in one["curves"][name]] for one in record["networks"]]
        steps = [point["step"] for point in record["networks"][0]["curves"][name]]
        axis.plot(steps, _means(curves), color=colour, ls=style, lw=1.8, label=words)
        if len(curves) > 1:
            for curve in curves:
                axis.plot(steps, curve, color=colour, ls=style, lw=0.5, alpha=0.45)
    axis.set_title(TITLES[group], fontsize=9, loc="left")
    axis.set_xlabel("finetuning iteration", fontsize=9)


def _bars(axis: Any, record: dict[str, Any]) -> None:
    """Held-out exact match at the end, as it is and with the embeddings of held-out subjects put back; dots are seeds."""
    for i, (name, (colour, _, _)) in enumerate(WORDS.items()):
        ends = [one["curves"][name][-1]["icl_heldout"]["exact"] for one in record["networks"]]
        back = [one["put_back"][name]["icl_heldout"]["exact"] for one in record["networks"]]
        for values, at, face in ((ends, i - 0.2, colour), (back, i + 0.2, "white")):
            axis.bar(at, sum(values) / len(values), 0.36, color=face, edgecolor=colour, lw=1.5)
            axis.plot([at] * len(values), values, ".", color="0.25", ms=4)
    axis.set_xticks(range(len(WORDS)), [name.replace("_", "\n") for name in WORDS], fontsize=8)
    axis.set_title(
        "held-out, at the end (filled);\nembeddings of held-out subjects put back (empty)", fontsize=9, loc="left"
    )


def figure(record: dict[str, Any]) -> Any:
    """The three panels."""
    made, axes = plt.subplots(1, 3, figsize=(13.5, 5.2), sharey=True, width_ratios=(1, 1, 1.1))
    for axis, group in zip(axes, GROUPS, strict=False):
        _curves(axis, record, group)
        baselines(axis, record, group)
    _bars(axes[2], record)
    axes[0].legend(frameon=False, fontsize=8, loc="center right", title="the loss counts", title_fontsize=8)
    axes[0].set_ylabel("exact match at the final token")
    for axis in axes:
        axis.set_ylim(-0.03, 1.06)
        axis.grid(lw=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    count = len(record["seeds"])
    note = "One seed alone." if count == 1 else f"Means of {seeds_in_words(count)}; thin lines and dots: the seeds."
    told = ".  ".join(record["findings"])
    captioned(
        made,
        f"{record['title']} ({record['preset']} preset): the guess is {JUDGED[record['verdict']]}",
        f"{note}  {told}.",
    )
    return made


def draw(record: dict[str, Any], folder: Path) -> list[Path]:
    """Draws it into the folder."""
    path = folder / record["pictures"][0]
    save(figure(record), path)
    return [path]
