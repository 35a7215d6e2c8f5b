"""Empirical claims: the committed measures of trained networks, judged again here by the rules that were fixed before they ran.

What is committed are measures of every network; whether they show what the caption says is decided now, by the rules in
verify.trained.rules. A confusion (`as_if`) changes the measures into those of a network that shows something else.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from paper_checks.contextual_recall.figures import Figure, claims
from verify.court import Court
from verify.derived import Derived
from verify.evidence import Evidence, Finding, Route, finding
from verify.trained import rules
from verify.trained.figures import figure
from verify.trained.intervals import share
from verify.trained.record import committed

Measured = dict[str, Any]
KINDS = ("pt", "icl")


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


CONFUSIONS: dict[str, Callable[[Measured], None]] = {
    "roles exchanged": _exchanged,
    "a constant subject head": _constant,
    "heads that attend nowhere": _nowhere,
    "a guess of the type": _guess,
    "own values suppressed": _boosted,
}


def _networks(statement: Figure) -> tuple[dict[str, Any], list[Measured]]:
    record = committed(statement.name)
    networks = [copy.deepcopy(n) for n in record["networks"] if n["variant"] == "base"]
    if statement.as_if:
        for network in networks:
            CONFUSIONS[statement.as_if](network)
    return record, networks


def networks_show(statement: Figure, court: Court) -> Finding:
    """Every main statement of the figure in at least half of the seeds of the base setting."""
    record, networks = _networks(statement)
    evidence = []
    for one in figure(statement.name).statements:
        if not one.main:
            continue
        shown = sum(bool(one.holds(network)) for network in networks)
        found = share(shown, len(networks))
        evidence.append(
            Evidence(
                Route.TRAINED,
                f"{len(networks)} seeds, preset {record['preset']}",
                one.says,
                f"{shown} of {len(networks)} seeds, 95 % interval [{found['interval'][0]:.2f}, {found['interval'][1]:.2f}]",
                f"at least {rules.SEEDS:g} of the seeds",
                max(0.0, rules.SEEDS - found["share"]),
                0.0,
                "rule fixed before any network was trained",
                found["share"] >= rules.SEEDS,
            )
        )
    return finding(evidence)


def what_was_measured(name: str) -> Callable[[Court], Derived]:
    """The statement as printed, with what the committed networks show in words: counts of seeds and findings about the measure."""

    def derive(court: Court) -> Derived:
        record = committed(name)
        counted = [
            f"{s['base']['count']} of {s['base']['of']} seeds ({s['name']}{'' if s['main'] else ', beside the verdict'})"
            for s in record["statements"]
        ]
        words = f"preset {record['preset']}: " + "; ".join(counted)
        return Derived(Figure(name), " ".join([words + ".", *record["findings"]]))

    return derive


def entries() -> dict[str, tuple[Callable[[Any, Court], Finding], Callable[[Court], Derived]]]:
    """Claim id -> check and what was measured, for the figures of trained networks."""
    return {claim.id: (networks_show, what_was_measured(claim.printed.name)) for claim in claims()}
