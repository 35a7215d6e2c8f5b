"""Measures of two-layer networks changed into those of networks that show something else: what a check must tell apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from statistics import fmean
from typing import Any

Measured = dict[str, Any]
Change = Callable[[list[Measured]], None]
ICL = ("icl_seen", "icl_heldout")


def _transferred(networks: list[Measured]) -> None:
    for one in networks:
        for point in one["pretraining"]:
            for group in ICL:
                point[group] = dict(point["pt"])


def _one_stage(networks: list[Measured]) -> None:
    for one in networks:
        for point in one["pretraining"]:
            point["pt"]["exact"] = point["pt"]["type"]


def _unpretrained(networks: list[Measured]) -> None:
    for one in networks:
        one["finetuned"] = copy.deepcopy(one["scratch"])


def _guessed(networks: list[Measured]) -> None:
    for one in networks:
        for point in one["finetuned"]:
            point["icl_heldout"]["exact"] = one["trivial"]["icl_heldout"]["type_guessed"]


def _icl_first(networks: list[Measured]) -> None:
    for one in networks:
        for point in one["finetuned"]:
            point["grm_heldout"], point["icl_heldout"] = point["icl_heldout"], point["grm_heldout"]


def _sweeps(one: Measured) -> list[tuple[list[Measured], tuple[str, ...]]]:
    """The sweeps of a seed with the measures that are judged."""
    if "points" in one:
        return [(points, ("best", "end")) for points in one["points"].values()]
    return [(one[panel], ("icl_heldout", "pt")) for panel in ("fig6", "fig7")]


def _flat(networks: list[Measured]) -> None:
    for one in networks:
        for points, measures in _sweeps(one):
            for measure in measures:
                mean = fmean(point[measure] for point in points)
                for point in points:
                    point[measure] = mean


def _reversed(networks: list[Measured]) -> None:
    for one in networks:
        for points, measures in _sweeps(one):
            for measure in measures:
                values = [point[measure] for point in points]
                for point, value in zip(points, reversed(values), strict=True):
                    point[measure] = value


def _apart(networks: list[Measured]) -> None:
    # Of the kind that does better: where a kind fails anyway, its failure is no confusion.
    for one in networks:
        better = max(("icl+grm", "icl"), key=lambda kind: fmean(point["best"] for point in one["points"][kind]))
        for point in one["points"][better]:
            point["best"] = point["end"] = 0.0


def _divs_exchanged(networks: list[Measured]) -> None:
    for one in networks:
        one["div_name"] = {"low": "high", "high": "low"}[one["div_name"]]


def _no_task(networks: list[Measured]) -> None:
    for one in networks:
        for kind in ("silhouettes", "disjoint"):
            one[kind]["layer2.attention"] = one["trivial"]["query"][kind]
        for pool in one["steering"].values():
            pool |= {key: pool["untyped"][key] for key in ("source", "target", "crossing")}


CONFUSIONS: dict[str, Change] = {
    "ICL as good as PT": _transferred,
    "one stage": _one_stage,
    "the network without pretraining": _unpretrained,
    "a guess of the type": _guessed,
    "ICL first": _icl_first,
    "one kind fails": _apart,
    "no trend": _flat,
    "the trend reversed": _reversed,
    "Div exchanged": _divs_exchanged,
    "no task": _no_task,
}


def of(name: str, networks: list[Measured], as_if: str) -> list[Measured]:
    """The networks as if they showed the confusion (none: as they are).  Raises KeyError if unknown."""
    found = copy.deepcopy(networks)
    if as_if:
        CONFUSIONS[as_if](found)
    return found
