"""The four parts drawn, a picture each."""

from pathlib import Path
from typing import Any

from verify.diversity.figure import COLOURS, blank, save

ROLES = ("attributes", "query", "context_subjects", "context_seps", "sep")
WORDS = ("attributes", "query", "context\nsubjects", "context\n[sep]", "last\n[sep]")


def _world(size: dict[str, Any]) -> str:
    return f"M = {size['M']}, L = {size['L']}, U = {size['U']}, M_ft = {size['M_ft']}, N_ft = {size['n_demos']}"


def convergence(part: dict[str, Any], path: str | Path) -> None:
    """(a) Errors of every stream against the batch size, the fitted lines."""
    figure = blank(5.2 * len(part["worlds"]), 4.2)
    axes = figure.subplots(1, len(part["worlds"]), squeeze=False)[0]
    for axis, found in zip(axes, part["worlds"], strict=True):
        for k, (name, errors) in enumerate(found["errors"].items()):
            words = {"two_steps": "kq_rel after a sampled first step"}.get(name, name)
            x = [n for n in found["sizes"] for _ in range(found["streams"])]
            y = [e for at in errors for e in at]
            slope, (low, high) = found["slopes"][name]["slope"], found["slopes"][name]["interval"]
            axis.plot(x, y, "os^D"[k], color=COLOURS[k], ms=3, label=f"{words}: {slope:.3f} [{low:.3f}, {high:.3f}]")
            first = sum(errors[0]) / len(errors[0])
            axis.plot(
                found["sizes"], [first * (n / found["sizes"][0]) ** -0.5 for n in found["sizes"]], color="0.6", lw=0.8
            )
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("N, sequences per batch")
        axis.set_ylabel("relative error to the exact gradient")
        axis.set_title(f"{_world(found['world'])} ({found['method']})", fontsize=9)
        axis.legend(fontsize=8, frameon=False)
        axis.grid(lw=0.3)
    figure.suptitle(f"Plain steps on batches against the population: {part['verdict']} (grey: N^(-1/2))", fontsize=10)
    save(figure, path)


def relation(part: dict[str, Any], path: str | Path) -> None:
    """(b) Shares of the relation head by role; changes of classes against both predictions."""
    figure = blank(11, 7.6)
    top, bottom = figure.subplots(2, 2)
    for axis, kind in zip(top, ("separated", "collapsed"), strict=True):
        mine = [n for n in part["networks"] if n["kind"] == kind]
        for n in mine:
            axis.plot(range(5), [n["shares"].get(role, 0.0) for role in ROLES], "o", color=COLOURS[0], alpha=0.5, ms=5)
        if mine:
            axis.plot(
                range(5), [mine[0]["uniform"][role] for role in ROLES], "_", color=COLOURS[1], ms=22, label="uniform"
            )
            axis.legend(fontsize=8, frameon=False)
        axis.set_xticks(range(5), WORDS, fontsize=8)
        axis.set_ylim(-0.03, 1.03)
        axis.set_ylabel("attention of the relation head")
        axis.set_title(f"{len(mine)} networks, {kind} in pretraining", fontsize=10)
    separated = [n for n in part["networks"] if n["kind"] == "separated"]
    for axis, name in zip(bottom, ("paper", "derived"), strict=True):
        group = part["groups"]["separated"]
        labels: list[str] = []
        for n in separated:
            wrong = {pair for pair in n["change_against"][name]["wrong"]}
            for pair in wrong:
                if pair not in labels:
                    labels.append(pair)
        labels.sort(key=lambda pair: -sum(pair in n["change_against"][name]["wrong"] for n in separated))
        counts = [sum(pair in n["change_against"][name]["wrong"] for n in separated) for pair in labels]
        axis.barh(range(len(labels)), counts, color=COLOURS[5])
        axis.set_yticks(range(len(labels)), labels, fontsize=7)
        axis.invert_yaxis()
        axis.set_xlabel("separated networks that order the pair the other way")
        said = "" if not group["of"] else f": {group[name]['agreement']['mean']:.0%} of the pairs agree"
        axis.set_title(f"order by the {name} coefficients{said}", fontsize=10)
    figure.suptitle("The relation head after finetuning with AdamW", fontsize=11)
    save(figure, path)


def recovery(part: dict[str, Any], path: str | Path) -> None:
    """(c) Held-out accuracy over the steps; a panel for every world and beta, a line for every pair of step sizes."""
    panels = [(w, beta) for w in part["worlds"] for beta in sorted({c["beta"] for c in w["courses"]})]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = blank(5.6 * columns, 3.7 * rows + 0.4)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis, (found, beta) in zip(axes, panels, strict=False):
        mine = [c for c in found["courses"] if c["beta"] == beta]
        shapes = sorted({c["kq"] for c in mine})
        colours = sorted({c["ov"] for c in mine})
        for c in mine:
            points = c["course"] + (c["prolonged"] or [])
            x = [max(one["step"], 0.7) for one in points]
            y = [min(one["seen"], one["heldout"]) for one in points]
            colour, style = COLOURS[colours.index(c["ov"])], ("-", "--", ":")[shapes.index(c["kq"]) % 3]
            axis.plot(x, y, color=colour, ls=style, lw=1.2, label=f"KQ {c['kq']:g}, OV {c['ov']:g}: {c['outcome']}")
        level = min(found["theorem"]["accuracy"].values())
        axis.axhline(level, color="0.5", lw=0.8)
        axis.annotate(
            "theorem's two steps", (1, level), xytext=(0, 2), textcoords="offset points", fontsize=7, color="0.4"
        )
        axis.set_xscale("log")
        axis.set_ylim(-0.03, 1.03)
        axis.set_xlabel("plain steps")
        axis.set_ylabel("accuracy, the lower of seen and held-out")
        axis.set_title(
            f"M = {found['world']['M']}, beta = {beta:g}: {found['verdict']} ({found['accuracies']})", fontsize=9
        )
        axis.legend(fontsize=6.5, frameon=False, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))
        axis.grid(lw=0.3)
    figure.suptitle("Plain gradient descent from Prop. 1 where the two-step conclusion fails", fontsize=10)
    save(figure, path)


def enumeration(part: dict[str, Any], path: str | Path) -> None:
    """(d) Exact accuracy beside the sample's interval."""
    figure = blank(8.4, 4.2)
    axis = figure.subplots()
    rows = part["rows"]
    pools = list(dict.fromkeys((r["query"], r["context"]) for r in rows))
    for r in rows:
        seeds = max(1, len({o["seed"] for o in rows}) - 1)
        x = pools.index((r["query"], r["context"])) + 0.5 * (r["seed"] / seeds - 0.5)
        first = r is rows[0]
        axis.plot([x, x], r["interval"], color=COLOURS[5], lw=3, label="sample, 95 %" if first else None)
        axis.plot(x, r["accuracy"], "o", color=COLOURS[1], ms=5, label="every sequence" if first else None)
        axis.plot(x, r["trivial"]["copy"], "_", color=COLOURS[2], ms=8, label="copy" if first else None)
        axis.plot(x, r["trivial"]["majority"], "_", color=COLOURS[3], ms=8, label="majority" if first else None)
    axis.set_xticks(range(len(pools)), [f"queries {q}\ncontexts {c}" for q, c in pools], fontsize=8)
    axis.set_ylabel("exact match")
    axis.set_ylim(-0.03, 1.03)
    axis.grid(axis="y", lw=0.3)
    axis.legend(fontsize=8, frameon=False, ncols=4, loc="lower left")
    axis.set_title(
        f"Networks in a world of M = {part['config']['world']['M']}: {part['misses']} of {len(rows)} intervals miss",
        fontsize=10,
    )
    save(figure, path)


DRAWN = {"convergence": convergence, "relation": relation, "recovery": recovery, "enumeration": enumeration}


def draw(record: dict[str, Any], folder: str | Path) -> list[Path]:
    """A PNG for every part of the record in an existing folder; their paths."""
    out = []
    for name, part in record["parts"].items():
        out.append(Path(folder) / f"{name}.png")
        DRAWN[name](part, out[-1])
    return out
