"""The outcome of one claim in one reading as plain data: what is written, compared, resumed and shown."""

from __future__ import annotations

from typing import Any

from verify.docket import Outcome

Record = dict[str, Any]


def record(o: Outcome, reading: str) -> Record:
    """Everything about one trial, JSON-ready."""
    claim = o.entry.claim
    return {
        "id": claim.id,
        "reading": reading,
        "verdict": str(o.verdict),
        "construction": claim.construction,
        "where": claim.where,
        "title": claim.title,
        "fingerprint": claim.fingerprint,
        "printed": claim.wording,
        "printed_status": str(o.printed.status),
        "derived": o.statement.words,
        "derived_latex": o.statement.latex,
        "counterexample": o.printed.counterexample or None,
        "remainder": o.printed.remainder or None,
        "evidence": [e.as_json(claim.id) for e in o.printed.evidence],
        "derived_evidence": [e.as_json(claim.id) for e in o.derived.evidence],
        "mutants": [
            {"name": mutation.name, "why": mutation.why, "found": str(found.status)} for mutation, found in o.mutants
        ],
        "survivors": list(o.survivors),
        "seconds": round(o.seconds, 3),
    }


def numbers(one: Record) -> Record:
    """The record without what may differ between two runs: seconds."""

    def kept(evidence: list[Record]) -> list[Record]:
        return [{k: v for k, v in e.items() if k != "seconds"} for e in evidence]

    made = {k: v for k, v in one.items() if k != "seconds"}
    return {**made, "evidence": kept(one["evidence"]), "derived_evidence": kept(one["derived_evidence"])}
