"""Statements that say nothing are never found to hold."""

from __future__ import annotations

import pytest

from verify.docket import entries
from verify.evidence import Status
from verify.recompute import court

SILENT = {
    "rel.ov.norm": {},
    "rel2.norm": {},
    "index": lambda m: {},
    "thm2.accuracy": lambda p: False,
    "thm2.hypotheses": lambda p: False,
    "thm2.step_sizes": lambda p: False,
}


@pytest.mark.parametrize("name", sorted(SILENT))
def test_saying_nothing_does_not_hold(name):
    found = entries()[name].check(SILENT[name], court("set"))
    assert found.status in (Status.FAILS, Status.VACUOUS)
