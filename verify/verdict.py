"""Verdicts, computed from findings by rule and by nothing else."""

from __future__ import annotations

from enum import StrEnum

from paper_checks.claim import Kind
from verify.evidence import Finding, Status


class Verdict(StrEnum):
    EXACT = "exact"
    APPROXIMATE = "approximate"
    CORRECTED = "corrected"
    FALSE = "false"
    READING = "reading"
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    UNDECIDED = "undecided"


def verdict(kind: Kind, printed: Finding, derived: Finding | None, approximation: bool) -> Verdict:
    """The verdict on a printed statement.

    printed    what the check found for the statement as printed
    derived    what the same check found for the statement that the derivation gives (None: nothing was derived)
    approximation  whether the paper prints the statement as an approximation

    A derived statement that fails the check means that the witnesses disagree: undecided, which counts as failure.
    """
    if derived is not None and derived.status not in (Status.HOLDS, Status.APPROXIMATE):
        return Verdict.UNDECIDED
    if kind is Kind.EMPIRICAL:
        empirical = {Status.HOLDS: Verdict.REPRODUCED, Status.FAILS: Verdict.NOT_REPRODUCED}
        return empirical.get(printed.status, Verdict.UNDECIDED)
    if printed.status in (Status.UNDECIDED, Status.VACUOUS):
        return Verdict.UNDECIDED
    if printed.status is Status.HOLDS:
        return Verdict.EXACT
    if kind is Kind.CONVENTION and derived is not None:
        return Verdict.READING
    if printed.status is Status.APPROXIMATE:
        return Verdict.APPROXIMATE if approximation else Verdict.CORRECTED
    if kind in (Kind.EQUATION, Kind.CONDITION):
        return Verdict.CORRECTED if derived is not None else Verdict.UNDECIDED
    return Verdict.FALSE
