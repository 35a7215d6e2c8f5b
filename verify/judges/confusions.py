"""Measures of trained networks changed into those of networks that show something else: what a check must tell apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from statistics import fmean
from typing import Any

Measured = dict[str, Any]
KINDS = ("pt", "icl")
CONTEXT = "all"


def _parts(network: Measured) -> list[Measured]:
    return [network[kind] for kind in KINDS if kind in network]


def _exchanged(network: Measured) -> None:
    for part in _parts(network):
        m = part["mechanism"]
        m["subject_head"], m["relation_head"] = m["relation_head"], m["subject_head"]


def _constant(network: Measured) -> None:
    for part in _parts(network):
        head, constant = int(part["mechanism"]["subject_head"]), part["baselines"]["subject"]["constant"]
        for measure, scores in part["scores"]["subject"].items():
            scores[head] = constant[measure]


def _nowhere(network: Measured) -> None:
    for part in _parts(network):
        part["mechanism"]["kind"] = "collapsed"


def _guess(network: Measured) -> None:
    for counts in network["accuracy"].values():
        if isinstance(counts, dict):
            for prefix in ("", "covered_"):
                if f"{prefix}right" in counts:
                    counts[f"{prefix}right"] = counts[f"{prefix}right"] / network.get("L", 8)


def _boosted(network: Measured) -> None:
    for name in ("subject_before", "subject_after"):
        pattern = network["ov"][name]
        pattern["own"], pattern["others"] = pattern["others"], pattern["own"]
        pattern["separation"] = 1 - pattern["separation"]


OF_NETWORKS: dict[str, Callable[[Measured], None]] = {
    "roles exchanged": _exchanged,
    "a constant subject head": _constant,
    "heads that attend nowhere": _nowhere,
    "a guess of the type": _guess,
    "own values suppressed": _boosted,
}


def of_networks(networks: list[Measured], as_if: str) -> list[Measured]:
    """The networks of the base setting, as if they showed the confusion (none: as they are).  Raises KeyError if unknown."""
    found = [copy.deepcopy(one) for one in networks if one["variant"] == "base"]
    if as_if:
        for network in found:
            OF_NETWORKS[as_if](network)
    return found


def _groups(seeds: list[Measured]) -> list[list[Measured]]:
    """The points of a seed with the same number of finetuning subjects, fewest values first."""
    return [
        sorted((p for p in one["points"] if p["M_ft"] == M_ft), key=lambda p: p["unique"])
        for one in seeds
        for M_ft in sorted({p["M_ft"] for p in one["points"]})
    ]


def _flat(seeds: list[Measured]) -> None:
    """No dependence on the number of values, and none on the number of PT subjects."""
    for points in _groups(seeds):
        accuracies = [p["heldout"][CONTEXT]["accuracy"] for p in points]
        mean = fmean(a["exact"] for a in accuracies)
        for accuracy in accuracies:
            accuracy["exact"] = mean
    smallest = min(one["M"] for one in seeds)
    small = [one for one in seeds if one["M"] == smallest]
    for number, one in enumerate([s for s in seeds if s["M"] != smallest]):
        like = small[number % len(small)]
        one["pretrained"] = copy.deepcopy(like["pretrained"])
        # Fig. 14 reads the point with the fewest subjects and the most values.
        fewest = min(p["M_ft"] for p in one["points"])
        mine, its = (
            max((p for p in s["points"] if p["M_ft"] == fewest), key=lambda p: p["unique"]) for s in (one, like)
        )
        for name in ("subject", "type"):
            mine["heldout"][CONTEXT]["accuracy"][name] = its["heldout"][CONTEXT]["accuracy"][name]


def _reversed(seeds: list[Measured]) -> None:
    """Accuracies in the opposite order of the number of values; the numbers of PT subjects exchanged."""
    for points in _groups(seeds):
        exact = [p["heldout"][CONTEXT]["accuracy"]["exact"] for p in points]
        for point, value in zip(points, reversed(exact), strict=True):
            point["heldout"][CONTEXT]["accuracy"]["exact"] = value
    low, high = min(one["M"] for one in seeds), max(one["M"] for one in seeds)
    for one in seeds:
        one["M"] = low + high - one["M"]


OF_SWEEPS: dict[str, Callable[[list[Measured]], None]] = {"no trend": _flat, "the trend reversed": _reversed}


def of_sweep(seeds: list[Measured], as_if: str) -> list[Measured]:
    """The seeds of a sweep, as if they showed the confusion (none: as they are).  Raises KeyError if unknown."""
    found = copy.deepcopy(seeds)
    if as_if:
        OF_SWEEPS[as_if](found)
    return found
