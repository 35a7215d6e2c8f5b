"""The pictures of a record, drawn like the paper's: Fig. 2, 3, 4 with 15 (curves), 5, 6 with 7 (sweeps)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from verify.findings import rules
from verify.findings.record import seeds_in_words
from verify.trained.intervals import spread
from verify.trained.pictures.style import captioned, lighter, save

METRICS = {
    "exact": ("#c44e52", "exact match"),
    "type": ("#4c72b0", "attribute-type match"),
    "subject": ("#55a868", "subject match"),
    "attribute": ("#8172b3", "attribute match"),
}
KINDS = {"icl": ("#4c72b0", "ICL"), "icl+grm": ("#dd8452", "ICL+Grm")}
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3")
LOSSES = {"finetuned": "loss of all tokens", "last": "loss of the last token alone"}
# Statements told under the picture of the formats alone.
BY_FORMAT = "other_lengths"
# Predictors drawn beside the curves.
CONTROLS = {
    "type_guessed": ("--", "all facts, type guessed"),
    "type_known": (":", "type known, commonest value"),
}


def _spread(axis: Any, steps: list[int], curves: list[list[float]], colour: str, label: str, style: str = "-") -> None:
    """The mean over seeds, thick, and every seed, thin."""
    columns = list(zip(*curves, strict=True))
    axis.plot(steps, [sum(c) / len(c) for c in columns], color=colour, ls=style, lw=1.8, label=label)
    if len(curves) > 1:
        for curve in curves:
            axis.plot(steps, curve, color=colour, ls=style, lw=0.6, alpha=0.5)


def _panel(axis: Any, record: dict[str, Any], part: str, group: str, title: str, style: str = "-") -> None:
    """The four metrics of a group of sequences over the iterations."""
    curves = [one[part] for one in record["networks"]]
    steps = [point["step"] for point in curves[0]]
    for metric, (colour, words) in METRICS.items():
        _spread(axis, steps, [[p[group][metric] for p in c] for c in curves], colour, words, style)
    axis.set_title(title, fontsize=9, loc="left")


def _dressed(axes: Any, x: str) -> None:
    for axis in axes:
        axis.set_ylim(-0.03, 1.06)
        axis.set_xlabel(x, fontsize=9)
        axis.grid(lw=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)


def _level(axis: Any, at: float, words: str, style: str = ":") -> None:
    """A horizontal line that says what it is, above its right end."""
    axis.axhline(at, color="0.45", lw=0.9, ls=style)
    box = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5}
    axis.annotate(
        f"{words}: {at:.3g}",
        (1, at),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=6.5,
        color="0.3",
        bbox=box,
    )


def baselines(axis: Any, record: dict[str, Any], group: str) -> None:
    """Levels of the two predictors that guess, means over seeds."""
    for name, (style, words) in CONTROLS.items():
        mean = sum(one["trivial"][group][name] for one in record["networks"]) / len(record["networks"])
        _level(axis, mean, words, style)


def _legend(axis: Any) -> None:
    """Right of the last panel: it covers no curve."""
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _caption(record: dict[str, Any]) -> str:
    judged = ".  ".join(words for words in record["findings"] if not words.startswith(BY_FORMAT))
    count = len(record["seeds"])
    note = "One seed alone.  " if count == 1 else f"Means of {count} seeds, thin lines and dots: the seeds.  "
    return f"{record['verdict'].capitalize()} at this setting ({record['setting']['says']}).  {note}{judged}."


def fig2(record: dict[str, Any], title: str) -> Any:
    """PT sequences and ICL sequences while pretraining."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 5), sharey=True)
    _panel(axes[0], record, "pretraining", "pt", "PT sequences")
    bound = sum(one["reachable"] for one in record["networks"]) / len(record["networks"])
    axes[0].axhline(bound, color="0.45", lw=0.9, ls="--")
    words = f"reader of the grammar: {bound:.3f}"
    axes[0].annotate(
        words,
        (1, bound),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        ha="right",
        fontsize=6.5,
        color="0.3",
    )
    for axis, group, words in ((axes[1], "icl_seen", "seen"), (axes[2], "icl_heldout", "held-out")):
        _panel(axis, record, "pretraining", group, f"ICL sequences, {words} queries")
        limit = sum(rules.without_facts(one, group) for one in record["networks"]) / len(record["networks"])
        _level(axis, limit, "best predictor without facts")
    axes[0].set_ylabel("accuracy at the final token")
    _dressed(axes, "pretraining iteration")
    _legend(axes[-1])
    captioned(figure, title, _caption(record))
    return figure


def _finetuned(record: dict[str, Any], title: str, panels: list[tuple[str, str]]) -> Any:
    figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels) + 3, 5.2), sharey=True)
    for axis, (group, words) in zip(axes, panels, strict=True):
        _panel(axis, record, "finetuned", group, words)
        if group in rules.GROUPS:
            curves = [one["scratch"] for one in record["networks"]]
            steps = [point["step"] for point in curves[0]]
            exact = [[p[group]["exact"] for p in c] for c in curves]
            _spread(axis, steps, exact, "0.45", "exact match, without pretraining", "-.")
            baselines(axis, record, group)
        last = [one["last"] for one in record["networks"]]
        words, colour = "exact match, loss of the last token alone", METRICS["exact"][0]
        _spread(axis, [p["step"] for p in last[0]], [[p[group]["exact"] for p in c] for c in last], colour, words, ":")
    _legend(axes[-1])
    axes[0].set_ylabel("accuracy at the final token")
    _dressed(axes, "finetuning iteration")
    captioned(figure, title, _caption(record))
    return figure


def fig3(record: dict[str, Any], title: str) -> Any:
    """ICL sequences while finetuning on ICL."""
    return _finetuned(record, title, [("icl_seen", "ICL, seen queries"), ("icl_heldout", "ICL, held-out queries")])


def fig4_15(record: dict[str, Any], title: str) -> Any:
    """ICL+Grm (one grammar token) and ICL sequences while finetuning on ICL+Grm."""
    panels = [
        ("grm_seen", "ICL+Grm ($S_{ft}=1$), seen queries"),
        ("grm_heldout", "ICL+Grm ($S_{ft}=1$), held-out queries"),
        ("icl_seen", "ICL, seen queries"),
        ("icl_heldout", "ICL, held-out queries"),
    ]
    return _finetuned(record, title, panels)


def _errors(axis: Any, x: list[float], columns: list[list[float]], colour: str, label: str, style: str = "-") -> None:
    """Means over seeds with every seed as a dot; columns: per x the seeds' values."""
    axis.plot(x, [spread(c)["mean"] for c in columns], color=colour, ls=style, lw=1.5, marker="o", ms=4, label=label)
    for at, column in zip(x, columns, strict=True):
        axis.plot([at] * len(column), column, ".", color=colour, ms=4, alpha=0.45)


def fig5(record: dict[str, Any], title: str) -> Any:
    """Held-out ICL exact match against the number of finetuning subjects, both kinds of finetuning."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 5), sharey=True)
    for axis, (kind, (colour, words)) in zip(axes, KINDS.items(), strict=True):
        points = [one["points"][kind] for one in record["networks"]]
        x = [point["subjects"] for point in points[0]]
        for key, name, style in (("best", "held-out, best step", "-"), ("end", "held-out, at the end", "--")):
            _errors(
                axis,
                x,
                [list(c) for c in zip(*[[p[key] for p in one] for one in points], strict=True)],
                colour,
                name,
                style,
            )
        if kind == "icl+grm":
            own = [list(c) for c in zip(*[[p["grm"] for p in one] for one in points], strict=True)]
            _errors(axis, x, own, COLOURS[2], "held-out ICL+Grm ($S_{ft}=1$), best step", "-.")
        seen = [list(c) for c in zip(*[[p["seen"] for p in one] for one in points], strict=True)]
        _errors(axis, x, seen, "0.6", "seen, at the end", ":")
        axis.set_title(f"finetuned on {words} sequences", fontsize=9, loc="left")
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("exact match on ICL sequences")
    _dressed(axes, "finetuning subjects")
    captioned(figure, title, _caption(record))
    return figure


def fig6_7(record: dict[str, Any], title: str) -> Any:
    """Exact match against S (above) and M (below), a line for every Div."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 8), sharey=True)
    kinds = {
        "pt": "PT, pretrained",
        "icl_heldout": "held-out ICL, finetuned on ICL+Grm",
        "grm_heldout": "held-out ICL+Grm ($S_{ft}=1$), the same",
        "icl_direct": "held-out ICL, finetuned on ICL",
    }
    panels = [(panel, factor, measure) for panel, factor in (("fig6", "S"), ("fig7", "M")) for measure in kinds]
    for axis, (panel, factor, measure) in zip(axes.flat, panels, strict=True):
        seeds = [one[panel] for one in record["networks"]]
        x = sorted({p[factor] for p in seeds[0]})
        for colour, div in zip(COLOURS, sorted({p["Div"] for p in seeds[0]}), strict=False):
            columns = [
                [next(p[measure] for p in one if p["Div"] == div and p[factor] == at) for one in seeds] for at in x
            ]
            _errors(axis, x, columns, colour, f"Div {div:g}")
        axis.set_title(kinds[measure], fontsize=9, loc="left")
        axis.set_xticks(x)
    for row, words in zip(axes, ("grammar length S", "subjects M"), strict=True):
        row[0].set_ylabel("exact match")
        _dressed(row, words)
        _legend(row[-1])
    captioned(figure, title, _caption(record))
    return figure


def _cells(axis: Any, found: list[dict[str, Any]], first: int) -> None:
    """Means over seeds by grammar length (up) and demonstrations, each with its number; a frame around what finetuning had:
    its lengths, its numbers of demonstrations from column `first` on."""
    lengths, counts, trained = found[0]["S_ft"], found[0]["n_demos"], found[0]["trained"]
    means = [
        [float("nan") if None in column else sum(column) / len(column) for column in zip(*rows, strict=True)]
        for rows in zip(*[one["exact"] for one in found], strict=True)
    ]
    axis.imshow(means, origin="lower", cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(means):
        for j, mean in enumerate(row):
            if mean == mean:
                colour = "white" if mean > 0.6 else "0.2"
                axis.text(j, i, f"{mean:.2f}", ha="center", va="center", fontsize=7.5, color=colour)
    low, high = lengths.index(min(trained)), lengths.index(max(trained))
    corner, width = (first - 0.5, low - 0.5), len(counts) - first
    frame = plt.Rectangle(corner, width, high - low + 1, fill=False, edgecolor="#c44e52", lw=2, clip_on=False)
    axis.add_patch(frame)
    axis.set_xticks(range(len(counts)), counts)
    axis.set_yticks(range(len(lengths)), [f"{S} (ICL)" if S == 0 else S for S in lengths])
    axis.set_xlabel("demonstrations", fontsize=9)
    axis.tick_params(labelsize=8)


def formats(record: dict[str, Any], title: str) -> Any:
    """Held-out exact match at grammar lengths and numbers of demonstrations that finetuning had, and had not."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 5.2), sharey=True)
    for axis, (part, words) in zip(axes, LOSSES.items(), strict=True):
        found = [one["formats"][part] for one in record["networks"]]
        # With all tokens, the attribute of every demonstration is a target.
        _cells(axis, found, 0 if part == "finetuned" else len(found[0]["n_demos"]) - 1)
        axis.set_title(f"{words}; framed: what it trains", fontsize=9, loc="left")
    axes[0].set_ylabel("grammar tokens before the attribute, $S_{ft}$", fontsize=9)
    beside = [words for words in record["findings"] if words.startswith(BY_FORMAT)]
    count = len(record["seeds"])
    whose = seeds_in_words(1) if count == 1 else f"means of {count} seeds"
    note = f"Held-out exact match, {whose}; empty: more positions than the network has."
    captioned(figure, title, f"{note}  {'.  '.join(beside)}.")
    return figure


DRAWN = {"formats": formats, "fig2": fig2, "fig3": fig3, "fig4_15": fig4_15, "fig5": fig5, "fig6_7": fig6_7}


# Bytes from which a picture is kept in 256 colours: of many seeds' thin lines, whose blends are what weighs.
HEAVY = 300_000


def draw(record: dict[str, Any], folder: Path) -> list[Path]:
    """Draws the pictures of a record into the folder.  Raises ValueError for an unknown one."""
    paths = []
    for file in record["pictures"]:
        name = Path(file).stem
        if name not in DRAWN:
            raise ValueError(f"picture must be one of {', '.join(DRAWN)}, got {name!r}")
        save(DRAWN[name](record, f"{record['title']} ({record['preset']} preset)"), folder / file)
        if (folder / file).stat().st_size >= HEAVY:
            lighter(folder / file)
        paths.append(folder / file)
    return paths
