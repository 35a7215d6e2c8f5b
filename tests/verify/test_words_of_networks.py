"""The ledger says of trained networks what the committed records show now: a record put in place of another changes its words."""

from multiprocessing import Pipe

import pytest

from paper_checks.contextual_recall import figures, findings
from verify import __main__ as command
from verify import ledger, recompute
from verify.judges.measured import what_they_show
from verify.setting import SettingError

CLAIMS = {claim.id: claim.printed.name for claim in (*figures.claims(), *findings.claims())}
SAID = {entry["id"]: entry["correction"] for entry in ledger.load()["claims"]}


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_ledger_says_what_the_records_show(claim):
    assert SAID[claim] == what_they_show(CLAIMS[claim])


@pytest.fixture
def unusable(monkeypatch):
    """Every trial meets a committed record that cannot be judged."""

    def trial(which):
        raise SettingError("results/finding1: is none")

    monkeypatch.setattr(recompute, "trial", trial)


def one_line(capsys):
    told = capsys.readouterr().err
    return told.count("\n") == 1 and "results/finding1: is none" in told


def test_a_record_that_cannot_be_judged_is_one_line(unusable, capsys, tmp_path):
    arguments = ["--only", "finding1", "--jobs", "1", "--state", str(tmp_path / "state")]
    assert command.main(arguments) == 2 and one_line(capsys)
    with pytest.raises(SystemExit) as left:
        command.main(["show", "finding1"])
    assert left.value.code == 2 and one_line(capsys)


def test_a_worker_hands_it_on_as_it_is(unusable):
    mine, theirs = Pipe()
    theirs.send(recompute._tried(("finding1", "set")))
    with pytest.raises(SettingError, match=r"^results/finding1: is none$"):
        recompute._received(mine, ("finding1", "set"))
