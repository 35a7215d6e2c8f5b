"""Figs. 19 and 24: exact accuracy on ICL sequences over finetuning, seen and held-out queries, every seed."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.trained import rules
from verify.trained.pictures.style import captioned

LINES = {"seen": ("#4c72b0", "seen queries"), "heldout": ("#c44e52", "held-out queries")}


def accuracy(record: dict[str, Any], title: str) -> Any:
    """The figure, of a record: curves left, accuracies at the end by reading of the context and by variant right."""
    networks = [n for n in record["networks"] if n["variant"] == "base"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.2), width_ratios=(1.35, 1))
    for name, (colour, words) in LINES.items():
        steps = [point["step"] for point in networks[0]["curve"]]
        curves = [[point[name] for point in n["curve"]] for n in networks]
        for curve in curves:
            left.plot(steps, curve, color=colour, lw=0.7, alpha=0.45)
        mean = [sum(column) / len(column) for column in zip(*curves, strict=True)]
        left.plot(steps, mean, color=colour, lw=2, marker="o", ms=3, label=f"{words}: mean of {len(curves)} seeds")
    U = record["config"]["world"]["U"]
    size = max(U) if isinstance(U, list) else U
    trivial = {"subject known, type guessed": 1 / record["config"]["world"]["L"], "type known, value guessed": 1 / size}
    for (words, at), style in zip(trivial.items(), ("--", ":"), strict=True):
        left.axhline(at, color="0.5", lw=0.9, ls=style, label=f"{words}: {at:.3f}")
    left.axhline(rules.ACCURATE, color="0.75", lw=0.8)
    left.annotate(
        f"{rules.ACCURATE:g}", (0, rules.ACCURATE), xytext=(2, 3), textcoords="offset points", fontsize=7, color="0.5"
    )
    left.set_xscale("symlog", linthresh=5)
    left.set_xlim(-0.3, record["config"]["finetuning"]["iterations"] * 1.1)
    shown = [0, 5, *(10**k for k in range(1, 5) if 10**k <= record["config"]["finetuning"]["iterations"])]
    left.set_xticks(shown, [str(step) for step in shown])
    left.minorticks_off()
    left.set_xlabel("finetuning iteration")
    left.set_ylabel("exact match on ICL sequences")
    left.set_ylim(-0.02, 1.03)
    left.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0.0, 0.86))
    rows: list[tuple[str, str, dict[str, Any]]] = []
    summary = record["summary"]
    names = {
        "seen": "seen queries and contexts",
        "heldout_all": "held out, contexts of all",
        "heldout_all_covered": "… answer seen in finetuning",
        "heldout_heldout": "held out, contexts held out",
        "heldout_finetune": "held out, contexts seen",
        "before_finetuning": "held out, before finetuning",
    }
    for key, words in names.items():
        rows.append((words, "0.15", summary["base"]["accuracy"][key]))
    for variant in summary:
        if variant != "base":
            rows.append((f"{variant}: held out, contexts of all", "0.5", summary[variant]["accuracy"]["heldout_all"]))
    for y, (_, colour, found) in enumerate(rows):
        right.plot([found["least"], found["largest"]], [y, y], color=colour, lw=3, alpha=0.3, solid_capstyle="butt")
        right.plot(found["mean"], y, "o", color=colour, ms=5)
        right.annotate(f"{found['mean']:.3f} (n={found['of']})", (1.04, y), va="center", fontsize=8, color=colour)
    right.set_yticks(range(len(rows)), [words for words, _, _ in rows], fontsize=8)
    right.invert_yaxis()
    right.set_xlim(-0.03, 1.34)
    right.set_xticks([0, 0.25, 0.5, 0.75, 1])
    right.set_title("at the end: mean, least to largest over seeds", fontsize=9, loc="left")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    said = [s for s in record["statements"] if s["name"].startswith("heldout")]
    parts = [
        f"{s['says']}: {s['base']['count']} of {s['base']['of']} seeds (95 % interval {s['base']['interval'][0]:.2f} to"
        f" {s['base']['interval'][1]:.2f})"
        for s in said
    ]
    captioned(figure, title, ".  ".join(part[0].upper() + part[1:] for part in parts) + ".")
    return figure
