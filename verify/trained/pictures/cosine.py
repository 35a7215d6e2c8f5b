"""Figs. 10, 12, 23, 26: cosines of the heads' outputs with f_subj and f_rel, every seed, the trivial baselines beside."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from verify.trained import rules
from verify.trained.heads import SCORES, TARGETS
from verify.trained.pictures.style import COLOURS, captioned

TITLES = {
    "all": "cosine, all coordinates",
    "attributes": "cosine, attribute coordinates",
    "centred": "cosine, attributes, centred",
    "explained": "share of variation explained",
}
WORDS = {"subject": "f_subj", "relation": "f_rel"}
BASELINES = ("constant", "shuffled", "uniform", "initial", "before")
NAMES = {
    "constant": "constant vector",
    "shuffled": "other facts",
    "uniform": "uniform attention",
    "initial": "before training",
    "before": "before finetuning",
}


def _columns(part: dict[str, Any], target: str, measure: str) -> dict[str, float]:
    """Of one network: a value for every column."""
    values = part["scores"][target][measure]
    roles = {name: part["mechanism"][f"{name}_head"] for name in TARGETS}
    out = {f"{name} head": values[h] for name, h in roles.items()}
    rest = [h for h in range(len(values)) if h not in roles.values()]
    if rest:
        out["third head"] = values[rest[0]]
    found = part["baselines"][target]
    return out | {NAMES[name]: found[name][measure] for name in BASELINES if name in found}


def cosine(networks: list[dict[str, Any]], kind: str, title: str, findings: list[str]) -> Any:
    """The figure, of the base networks' measures."""
    figure, axes = plt.subplots(2, len(SCORES), figsize=(14, 7.2), sharey=True, sharex=True)
    for row, target in zip(axes, TARGETS, strict=True):
        for axis, measure in zip(row, SCORES, strict=True):
            every = [(_columns(n[kind], target, measure), n[kind]["mechanism"]["kind"]) for n in networks]
            names = list(every[0][0])
            for x, name in enumerate(names):
                role = name.split()[0]
                colour = COLOURS.get(role, COLOURS["baseline"]) if "head" in name else COLOURS["baseline"]
                mine = [values[name] for values, _ in every]
                separate = [values[name] for values, mechanism in every if mechanism != "collapsed"]
                shown = separate or mine
                axis.bar(x, sum(shown) / len(shown), color=colour, alpha=0.55, width=0.72)
                for i, (values, mechanism) in enumerate(every):
                    at = x + 0.5 * ((i + 0.5) / len(every) - 0.5)
                    filled = mechanism != "collapsed"
                    axis.plot(at, values[name], "o", ms=3.6, mfc="0.15" if filled else "none", mec="0.15", mew=0.7)
            axis.axhline(0, color="0.4", lw=0.6)
            if measure != "explained":
                axis.axhline(rules.CLOSE, color="0.5", lw=0.8, ls=":")
            axis.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
            axis.spines[["top", "right"]].set_visible(False)
            if target == "subject":
                axis.set_title(TITLES[measure], fontsize=9.5)
        row[0].set_ylabel(f"with {WORDS[target]}", fontsize=10)
    axes[0, 0].set_ylim(-1.05, 1.08)
    mechanisms = [n[kind]["mechanism"]["kind"] for n in networks]
    collapsed = mechanisms.count("collapsed")
    others = "all" if collapsed == len(networks) else "the others"
    caption = (
        f"{len(networks)} seeds: dots, hollow where heads are collapsed ({collapsed}); bars: means over {others}.  Dotted: the bar"
        f" {rules.CLOSE:g} of the rule.  " + "  ".join(findings)
    )
    captioned(figure, title, caption)
    return figure
