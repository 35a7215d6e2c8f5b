"""The committed ledger: the recorded verdict of every claim, for each reading. Read here; written only by `verify record`."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from verify.docket import Outcome
from verify.verdict import Verdict

NAME = "ledger.json"
SCHEMA = "contextual-recall-referee/ledger/1"


def load() -> dict[str, Any]:
    """The ledger as it is committed. Raises FileNotFoundError where there is none."""
    return json.loads(resources.files("verify").joinpath(NAME).read_text(encoding="utf-8"))


def recorded(reading: str) -> dict[str, str]:
    """Claim id -> recorded verdict in this reading."""
    return {entry["id"]: entry["readings"][reading] for entry in load()["claims"]}


def entry_json(o: Outcome, readings: dict[str, str]) -> dict[str, Any]:
    """One claim of the ledger; the verdict is the one in the default reading."""
    claim = o.entry.claim
    right = o.verdict is Verdict.EXACT
    return {
        "id": claim.id,
        "verdict": str(o.verdict),
        "readings": readings,
        "where": claim.where,
        "title": claim.title,
        "statement": claim.wording,
        "fingerprint": claim.fingerprint,
        "correction": None if right else o.statement.words,
        "correction_latex": None if right else (o.statement.latex or None),
        "counterexample": o.printed.counterexample or None,
        "remainder": o.printed.remainder or None,
        "mutants": [mutation.name for mutation, _ in o.mutants],
    }
