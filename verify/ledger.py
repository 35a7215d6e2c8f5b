"""The committed ledger: the recorded verdict of every claim, for each reading. Read here; written only by `verify record`."""

from __future__ import annotations

import json
import re
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


def overall(readings: dict[str, str], construction: bool) -> str:
    """The verdict of a claim over both readings.

    `reading` where a construction is right (exact or approximate) in the default reading and wrong as W_OV^subj is literally
    printed. Sentences about anything else (the steps of a proof, which compute in the default reading) and constructions that
    fail in the default reading have the verdict of the default reading.
    """
    good = {str(Verdict.EXACT), str(Verdict.APPROXIMATE)}
    depends = construction and readings["set"] in good and readings["literal"] not in good
    return str(Verdict.READING) if depends else readings["set"]


#: Words of a derivation that add nothing to an exact claim, and the form of a list of coefficients, which repeats it.
PLAIN = ("as printed", "every sequence is right")
_COEFFICIENTS = re.compile(r"\w+: [^;]*[*/(]")


def note(words: str) -> str | None:
    """What the derivation adds to a claim that is exact: its scope, or the sharp condition; None if it adds nothing."""
    if not _COEFFICIENTS.match(words):
        return None if words in PLAIN else words
    return "; ".join(part for part in words.split("; ") if not _COEFFICIENTS.match(part)) or None


def entry_json(one: Record, literal: Record) -> dict[str, Any]:
    """One claim of the ledger, from its records in the two readings.

    Correction and counterexample are those of the default reading, or of the literal one where only that one fails. A claim
    that is exact has no correction; its note says in which scope it is, where that is not plain.
    """
    readings = {"set": one["verdict"], "literal": literal["verdict"]}
    verdict = overall(readings, one["construction"])
    right = verdict == Verdict.EXACT
    told = literal if verdict == Verdict.READING and one["verdict"] != verdict else one
    return {
        "id": one["id"],
        "verdict": verdict,
        "readings": readings,
        "where": one["where"],
        "title": one["title"],
        "statement": one["printed"],
        "fingerprint": one["fingerprint"],
        "correction": None if right else told["derived"],
        "note": note(one["derived"]) if right else None,
        "correction_latex": None if right else (told["derived_latex"] or None),
        "counterexample": told["counterexample"],
        "remainder": one["remainder"],
        "mutants": [mutant["name"] for mutant in one["mutants"]],
    }
