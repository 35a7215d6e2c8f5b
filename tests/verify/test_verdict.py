"""The rules that turn findings into verdicts: the whole table, written out."""

from __future__ import annotations

import itertools

import pytest

from paper_checks.claim import Kind
from verify.evidence import Evidence, Finding, Route, Status, finding
from verify.verdict import Verdict, verdict

H, A, F, V, U = Status.HOLDS, Status.APPROXIMATE, Status.FAILS, Status.VACUOUS, Status.UNDECIDED


def found(status: Status | None) -> Finding | None:
    return None if status is None else Finding(status, ())


#: Kinds of sentences that follow from definitions; what trained networks do is another matter.
PROVABLE = [kind for kind in Kind if kind is not Kind.EMPIRICAL]
#: printed status, kind, printed as an approximation -> verdict where the derived statement passes.
TABLE = {
    **{(H, kind, flag): Verdict.EXACT for kind in PROVABLE for flag in (False, True)},
    **{(V, kind, flag): Verdict.UNDECIDED for kind in PROVABLE for flag in (False, True)},
    **{(U, kind, flag): Verdict.UNDECIDED for kind in PROVABLE for flag in (False, True)},
    **{(A, kind, True): Verdict.APPROXIMATE for kind in PROVABLE if kind is not Kind.CONVENTION},
    **{(A, kind, False): Verdict.CORRECTED for kind in PROVABLE if kind is not Kind.CONVENTION},
    **{(s, Kind.CONVENTION, flag): Verdict.READING for s in (A, F) for flag in (False, True)},
    **{(F, kind, flag): Verdict.CORRECTED for kind in (Kind.EQUATION, Kind.CONDITION) for flag in (False, True)},
    **{(F, kind, flag): Verdict.FALSE for kind in (Kind.BOUND, Kind.ASSERTION) for flag in (False, True)},
    **{(H, Kind.EMPIRICAL, flag): Verdict.REPRODUCED for flag in (False, True)},
    **{(F, Kind.EMPIRICAL, flag): Verdict.NOT_REPRODUCED for flag in (False, True)},
    **{(s, Kind.EMPIRICAL, flag): Verdict.UNDECIDED for s in (A, V, U) for flag in (False, True)},
}


def test_the_table_is_complete():
    assert set(TABLE) == set(itertools.product(Status, Kind, (False, True)))


@pytest.mark.parametrize("derived", [H, A])
@pytest.mark.parametrize("key", TABLE, ids=lambda key: " ".join(map(str, key)))
def test_table(key, derived):
    status, kind, approximation = key
    assert verdict(kind, found(status), found(derived), approximation) is TABLE[key]


@pytest.mark.parametrize("derived", [F, V, U])
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("kind", Kind)
def test_a_derivation_that_fails_decides_nothing(kind, status, derived):
    """Not even a printed statement that passes: the witnesses disagree, or nothing was asked."""
    for approximation in (False, True):
        assert verdict(kind, found(status), found(derived), approximation) is Verdict.UNDECIDED


def test_without_a_derivation():
    assert verdict(Kind.EQUATION, found(F), None, False) is Verdict.UNDECIDED
    assert verdict(Kind.CONDITION, found(F), None, False) is Verdict.UNDECIDED
    assert verdict(Kind.CONVENTION, found(F), None, False) is Verdict.FALSE
    assert verdict(Kind.BOUND, found(F), None, False) is Verdict.FALSE
    assert verdict(Kind.BOUND, found(H), None, False) is Verdict.EXACT


def piece(agrees: bool, discrepancy: float = 0.0) -> Evidence:
    return Evidence(Route.ENUMERATED, "here", "x", "1", "1", discrepancy, 0.0, "equality", agrees)


def test_no_evidence_is_no_pass():
    assert finding([]).status is Status.VACUOUS
    for kind in Kind:
        assert verdict(kind, finding([]), found(H), False) is Verdict.UNDECIDED
    for kind in PROVABLE:
        assert verdict(kind, found(H), finding([]), False) is Verdict.UNDECIDED


def test_one_disagreement_decides():
    assert finding([piece(True), piece(True)], "unused").status is Status.HOLDS
    assert finding([piece(True)], "unused").counterexample == ""
    mixed = finding([piece(True), piece(False), piece(True)], "here it is")
    assert (mixed.status, mixed.counterexample) == (Status.FAILS, "here it is")


def test_evidence_in_json():
    made = piece(False, float("inf")).as_json("claim")
    assert made["discrepancy"] is None and made["claim"] == "claim" and made["route"] == "enumerated"
    assert made["agrees"] is False
