"""Committed records of networks and their claims, for the tests of both."""

import pytest

from paper_checks.contextual_recall import figures as printed_figures
from paper_checks.contextual_recall import findings as printed_findings
from verify.judges import committed, measured, measured_findings
from verify.setting import SettingError
from verify.trained.figures import FIGURES

CLAIMS = {claim.printed.name: claim for claim in (*printed_figures.claims(), *printed_findings.claims())}
NETWORKS = tuple(FIGURES)
SWEEPS = tuple(measured.SWEEPS)
FINDINGS = committed.FINDINGS


def record_of(name):
    """The committed record, None where there is none yet."""
    try:
        return committed.committed(name)
    except SettingError:
        return None


RECORDS = {name: found for name in CLAIMS if (found := record_of(name)) is not None}


@pytest.fixture
def replaced(monkeypatch):
    """Puts a record in the place of a committed one."""

    def put(name, record):
        for module in (measured, measured_findings):
            monkeypatch.setattr(
                module, "committed", lambda asked: record if asked == name else committed.committed(asked)
            )

    return put
