"""Fig. 13 drawn: a panel for each group, accuracy of every seed against the number of values seen, beside Prop. 2's ceiling."""

from pathlib import Path
from typing import Any

from verify.diversity.figure import COLOURS, blank, save
from verify.diversity.rules13 import CONTEXT


def draw(record: dict[str, Any], path: str | Path) -> None:
    """record: the JSON of the run."""
    groups = list(record["summary"]["groups"].values())
    numbers, counts = sorted({g["M"] for g in groups}), sorted({g["M_ft"] for g in groups})
    figure = blank(4.6 * len(counts), 3.6 * len(numbers) + 0.7)
    axes = figure.subplots(len(numbers), len(counts), squeeze=False, sharey=True)
    for group in groups:
        axis = axes[numbers.index(group["M"])][counts.index(group["M_ft"])]
        mine = [one for one in record["seeds"] if one["M"] == group["M"]]
        for k, one in enumerate(mine):
            points = sorted((p for p in one["points"] if p["M_ft"] == group["M_ft"]), key=lambda p: p["unique"])
            x = [p["unique"] for p in points]
            found = [p["heldout"][CONTEXT] for p in points]
            y = [f["accuracy"]["exact"] for f in found]
            errors = [[a - f["interval"]["exact"][side] for a, f in zip(y, found, strict=True)] for side in (0, 1)]
            label = {"label": "measured, a line per seed (95 %)"} if k == 0 else {}
            axis.errorbar(
                x, y, [errors[0], [-e for e in errors[1]]], color=COLOURS[0], marker="o", ms=4, lw=1, capsize=2, **label
            )
            parts = (
                ("covered", "Prop. 2: queries whose value was seen", COLOURS[1], "-"),
                ("constructed", "Prop. 2: its own accuracy", COLOURS[1], ":"),
            )
            for key, words, colour, style in parts:
                label = {"label": words} if k == 0 else {}
                limits = [p["ceiling"][CONTEXT][key] for p in points]
                axis.plot(x, limits, color=colour, ls=style, lw=1.2, alpha=0.8, **label)
            for key, words, colour in (
                ("copy", "copy a context attribute", COLOURS[2]),
                ("majority", "majority", COLOURS[3]),
                ("chance", "chance", COLOURS[6]),
            ):
                label = {"label": words} if k == 0 else {}
                axis.plot(x, [f["trivial"][key] for f in found], color=colour, ls="--", lw=0.8, **label)
        axis.set_title(f"{group['M']} PT subjects, {group['M_ft']} FT subjects", fontsize=10)
        axis.set_ylim(-0.03, 1.03)
        axis.grid(lw=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlabel("unique attributes seen in finetuning")
        axis.set_ylabel("exact match, held-out queries")
    figure.suptitle(
        f"Fig. 13, preset {record['preset']}: {record['summary']['verdict']}"
        + ("" if record["papers_sizes"] else " (sizes are not the paper's)"),
        fontsize=11,
    )
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    save(figure, path)
