"""The committed ledger: the recorded verdict of every claim, for each reading. Read here; written only by `verify record`."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from verify.records import Record
from verify.verdict import Verdict

NAME = "ledger.json"
SCHEMA = "contextual-recall-referee/ledger/1"


def load() -> dict[str, Any]:
    """The ledger as it is committed. Raises FileNotFoundError where there is none."""
    return json.loads(resources.files("verify").joinpath(NAME).read_text(encoding="utf-8"))


def recorded(reading: str) -> dict[str, str]:
    """Claim id -> recorded verdict in this reading."""
    return {entry["id"]: entry["readings"][reading] for entry in load()["claims"]}


def overall(readings: dict[str, str]) -> str:
    """The verdict of a claim over both readings.

    `reading` where it is right (exact or approximate) in the default reading and wrong as W_OV^subj is literally printed;
    a claim that already fails in the default reading keeps that verdict.
    """
    good = {str(Verdict.EXACT), str(Verdict.APPROXIMATE)}
    depends = readings["set"] in good and readings["literal"] not in good
    return str(Verdict.READING) if depends else readings["set"]


def entry_json(one: Record, readings: dict[str, str]) -> dict[str, Any]:
    """One claim of the ledger, from its record in the default reading and the verdicts of both."""
    verdict = overall(readings)
    right = verdict == Verdict.EXACT
    return {
        "id": one["id"],
        "verdict": verdict,
        "readings": readings,
        "where": one["where"],
        "title": one["title"],
        "statement": one["printed"],
        "fingerprint": one["fingerprint"],
        "correction": None if right else one["derived"],
        "correction_latex": None if right else (one["derived_latex"] or None),
        "counterexample": one["counterexample"],
        "remainder": one["remainder"],
        "mutants": [mutant["name"] for mutant in one["mutants"]],
    }
