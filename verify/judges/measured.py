"""The committed measures of a figure as parts: what each says, what was measured, and whether it is shown."""

from __future__ import annotations

from typing import Any

from verify.diversity import rules13, rules14
from verify.findings.precision import precision_of, unembedding_of
from verify.judges import confusions, measured_findings
from verify.judges.committed import FINDINGS, committed
from verify.judges.part import Part
from verify.trained import rules
from verify.trained.figures import figure
from verify.trained.intervals import share


def parts_of(name: str, as_if: str) -> tuple[str, list[Part]]:
    """The setting in words and the parts of a figure.  Raises SettingError for a figure without a record."""
    if name in FINDINGS:
        return measured_findings.parts_of(name, as_if)
    if name in SWEEPS:
        return _sweep(name, as_if)
    return _networks(name, as_if)


def options_of(name: str) -> str:
    """The options that make the committed record again: its preset, and its precision and unembedding where they are not the usual ones.

    Raises as `parts_of`.
    """
    record = committed(name)
    options = [f"--preset {record['preset']}"]
    if name in FINDINGS and precision_of(record) != "float32":
        options.append(f"--precision {precision_of(record)}")
    if name in FINDINGS and unembedding_of(record) != "tied":
        options.append(f"--unembedding {unembedding_of(record)}")
    return " ".join(options)


# --- figures of single networks --------------------------------------------------------------------------------------------


def _networks(name: str, as_if: str) -> tuple[str, list[Part]]:
    record = committed(name)
    networks = confusions.of_networks(record["networks"], as_if)
    n = len(networks)
    parts = []
    for one in figure(name).statements:
        shown = sum(bool(one.holds(network)) for network in networks)
        low, high = share(shown, n)["interval"]
        parts.append(
            Part(
                one.name,
                one.says,
                f"{shown} of {n} seeds, 95 % interval [{low:.2f}, {high:.2f}]",
                f"at least {rules.SEEDS:g} of the seeds",
                max(0.0, rules.SEEDS - shown / n),
                shown / n >= rules.SEEDS,
                one.main,
            )
        )
    for says, value in _means(networks).items():
        parts.append(Part(says, f"mean over seeds: {says}", f"{value:.3f}", "no number is printed", 0.0, True, False))
    return f"{n} seeds, preset {record['preset']}", parts


def _means(networks: list[dict[str, Any]]) -> dict[str, float]:
    """Numbers that the statements rest on, so that a confusion that moves them without crossing a threshold is told."""
    found: dict[str, list[float]] = {}
    for network in networks:
        for kind in ("pt", "icl"):
            for head in ("subject", "relation") if kind in network else ():
                score = rules.score(network[kind], head, "centred")
                found.setdefault(f"centred cosine of the {head} head, {kind}", []).append(score)
        if "accuracy" in network and "heldout_all" in network["accuracy"]:
            counts = network["accuracy"]["heldout_all"]
            found.setdefault("accuracy on held-out queries", []).append(rules.accuracy(counts))
    return {says: sum(values) / len(values) for says, values in found.items()}


# --- sweeps over subjects --------------------------------------------------------------------------------------------------


def _part13(summary: dict[str, Any]) -> list[Part]:
    parts = []
    for key, one in summary["groups"].items():
        slope, rise = one["slope"], one["rise"]
        low = -1.0 if slope["interval"] is None else slope["interval"][0]
        parts.append(
            Part(
                f"rise {key}",
                f"{one['M']} PT and {one['M_ft']} FT subjects: held-out exact accuracy from {one['unique'][0]} to"
                f" {one['unique'][-1]} unique values",
                f"rises by {rise['mean']:.3f}; slope in the share of values {slope['mean']:.3f}, {_interval(slope)} over"
                f" {slope['of']} seeds",
                f"slope above 0, rise of at least {rules13.EFFECT:g}",
                max(0.0, rules13.EFFECT - rise["mean"], -low),
                bool(one["shows_effect"]),
                True,
            )
        )
    return parts


def _interval(found: dict[str, Any]) -> str:
    interval = found["interval"]
    return "no interval" if interval is None else f"95 % [{interval[0]:.3f}, {interval[1]:.3f}]"


def _part14(summary: dict[str, Any]) -> list[Part]:
    small, large = (summary["means"][str(M)] for M in summary["sizes"])
    parts = [
        Part(
            f"high {name}",
            f"{summary['sizes'][0]} PT subjects: centred {name}",
            f"{small[name]['mean']:.3f}, {_interval(small[name])}",
            f"at least {rules14.HIGH:g}",
            max(0.0, rules14.HIGH - small[name]["mean"]),
            small[name]["mean"] >= rules14.HIGH,
            True,
        )
        for name in ("subject cosine", "relation cosine")
    ]
    over = summary["subject_over_type"]
    above = bool(over["interval"]) and over["interval"][0] > 0
    parts.append(
        Part(
            "subject over type",
            f"{summary['sizes'][0]} PT subjects: subject match less type match",
            f"{over['mean']:.3f}, {_interval(over)}",
            "interval above 0",
            0.0 if above else max(0.0, -(over["interval"] or [0.0])[0]),
            above,
            True,
        )
    )
    for name, gap in summary["differences"].items():
        parts.append(
            Part(
                f"lower {name}",
                f"{name}: {summary['sizes'][0]} less {summary['sizes'][1]} PT subjects",
                f"{small[name]['mean']:.3f} less {large[name]['mean']:.3f}: {gap['mean']:.3f}, {_interval(gap)}",
                f"interval above 0, difference of at least {rules14.GAP:g}",
                max(0.0, rules14.GAP - gap["mean"]),
                bool(summary["lower"][name]),
                True,
            )
        )
    return parts


SWEEPS = {"fig13": (rules13.judged, rules13.findings, _part13), "fig14": (rules14.judged, rules14.findings, _part14)}


def _sweep(name: str, as_if: str) -> tuple[str, list[Part]]:
    judged, _, parts = SWEEPS[name]
    record = committed(name)
    seeds = confusions.of_sweep(record["seeds"], as_if)
    numbers = sorted({one["M"] for one in seeds})
    said = "" if record["papers_sizes"] else " (the paper: 256 and 2048)"
    setting = f"{len(seeds)} networks, {' and '.join(map(str, numbers))} PT subjects{said}, preset {record['preset']}"
    return setting, parts(judged(seeds))


# --- in words --------------------------------------------------------------------------------------------------------------


def what_they_show(name: str) -> str:
    """What the committed networks show, in words: parts with their numbers, and findings about the measures."""
    if name in FINDINGS:
        return measured_findings.in_words(name)
    setting, parts = parts_of(name, "")
    if name in SWEEPS:
        judged, findings, _ = SWEEPS[name]
        return " ".join([f"{setting}.", *(f"{one.rstrip('.')}." for one in findings(judged(committed(name)["seeds"])))])
    counted = "; ".join(f"{p.name}{'' if p.main else ' (beside the verdict)'}: {p.measured}" for p in parts)
    return " ".join([f"{setting}. {counted}.", *committed(name)["findings"]])
