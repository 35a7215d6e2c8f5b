"""Fig. 14 drawn: a row for each number of PT subjects; cosines of every head left, four metrics after finetuning right."""

from pathlib import Path
from typing import Any

from verify.diversity.figure import COLOURS, blank, save
from verify.diversity.rules14 import METRICS

SCORES = ("all", "attributes", "centred")
#: What knows nothing of the facts beside the cosines, and what the accuracies are held against: name -> colour and line. All five
#: stand in one legend.
BASES = {"constant": (COLOURS[1], "-"), "shuffled": (COLOURS[2], "--"), "initial": (COLOURS[6], ":")}
LEVELS = {
    "Prop. 2: value seen (limits exact)": (COLOURS[3], "-"),
    "copy a context attribute (exact)": ("#7f7f7f", "-."),
}


def _cosines(axis: Any, mine: list[dict[str, Any]], name: str) -> None:
    """Bars of the mean over seeds for the head with the role, a dot per seed, ticks for what knows nothing."""
    for k, score in enumerate(SCORES):
        values = [o["pretrained"]["cosines"][name][score][o["pretrained"][f"{name}_head"]] for o in mine]
        axis.bar(k, sum(values) / len(values), 0.6, color=COLOURS[5], zorder=1)
        axis.plot([k] * len(values), values, "o", color=COLOURS[0], ms=4, zorder=3, label="seeds" if k == 0 else None)
        for base, (colour, line) in BASES.items():
            level = sum(o["pretrained"]["baselines"][name][base][score] for o in mine) / len(mine)
            shown = max(level, -0.25)
            axis.plot([k - 0.38, k + 0.38], [shown] * 2, color=colour, lw=1.6, ls=line, zorder=2)
            if k == 0:
                axis.plot([], [], color=colour, lw=1.6, ls=line, label=base)
    axis.set_xticks(range(len(SCORES)), ["all\ncoordinates", "attributes", "attributes,\nmean removed"], fontsize=8)
    axis.set_ylim(-0.28, 1.05)


def draw(record: dict[str, Any], path: str | Path) -> None:
    """record: the JSON of the run."""
    numbers = record["summary"]["sizes"]
    figure = blank(11, 7.4)
    axes = figure.subplots(len(numbers), 3, squeeze=False)
    for i, M in enumerate(numbers):
        mine = [one for one in record["seeds"] if one["M"] == M]
        rows = [r for r in record["summary"]["rows"] if r["M"] == M]
        for j, (name, target) in enumerate((("subject", "f_subj"), ("relation", "f_rel"))):
            _cosines(axes[i][j], mine, name)
            axes[i][j].set_title(f"{M} PT subjects: {name} head with {target}", fontsize=10)
            axes[i][j].set_ylabel("cosine, after pretraining")
        axis = axes[i][2]
        for k, metric in enumerate(METRICS):
            values = [r["accuracy"][metric] for r in rows]
            axis.bar(k, sum(values) / len(values), 0.6, color=COLOURS[5])
            axis.plot([k] * len(values), values, "o", color=COLOURS[0], ms=4)
        covered = sum(r["covered"] for r in rows) / len(rows)
        copied = sum(r["trivial"]["copy"] for r in rows) / len(rows)
        for level, (words, (colour, line)) in zip((covered, copied), LEVELS.items(), strict=True):
            axis.axhline(level, color=colour, lw=1.6, ls=line, label=words)
        axis.set_xticks(range(len(METRICS)), ["exact", "type", "subject", "attribute"], fontsize=9)
        axis.set_ylim(0, 1.05)
        axis.set_ylabel("held-out queries, after finetuning")
        axis.set_title(f"{M} PT, {rows[0]['M_ft']} FT subjects, ~{rows[0]['unique']} values", fontsize=10)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", lw=0.3)
    figure.suptitle(
        f"Fig. 14, preset {record['preset']}: {record['summary']['verdict']}"
        + ("" if record["summary"]["papers_size"] else f" at {numbers[1]} PT subjects (the paper has 2048)"),
        fontsize=11,
    )
    both = [axes[0][0].get_legend_handles_labels(), axes[0][2].get_legend_handles_labels()]
    handles, labels = ([x for pair in both for x in pair[k]] for k in (0, 1))
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8, frameon=False)
    save(figure, path)
