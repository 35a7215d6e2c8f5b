"""Claims judged from committed networks: the verdict is the record's, and confused measures are told."""

import math

import pytest

from paper_checks.claim import Kind
from paper_checks.contextual_recall.figures import Figure
from tests.verify.recorded import CLAIMS, FINDINGS, NETWORKS, RECORDS, SWEEPS
from verify.evidence import Status
from verify.judges import confusions, confusions_findings, figures, measured
from verify.setting import SettingError
from verify.trained import record as networks_record
from verify.verdict import verdict

CONFUSED = [(name, mutation.name) for name in RECORDS for mutation in CLAIMS[name].mutations]


def recorded_verdict(name):
    return RECORDS[name]["summary"]["verdict"] if name in SWEEPS else RECORDS[name]["verdict"]


def test_every_claim_on_networks_has_a_judge_and_two_confusions():
    assert set(CLAIMS) == {*NETWORKS, *SWEEPS, *FINDINGS}
    known = {*confusions.OF_NETWORKS, *confusions.OF_SWEEPS, *confusions_findings.CONFUSIONS}
    for claim in CLAIMS.values():
        assert claim.kind is Kind.EMPIRICAL
        assert len(claim.mutations) >= 2
        assert {mutation.name for mutation in claim.mutations} <= known
    assert {m.name for claim in CLAIMS.values() for m in claim.mutations} == known
    assert {*NETWORKS, *SWEEPS} <= set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_the_verdict_is_the_records_own(name):
    printed = figures.networks_show(CLAIMS[name].printed, None)
    derived = figures.networks_show(figures.what_was_measured(name)(None).statement, None)
    assert derived.status is Status.HOLDS
    assert printed.evidence
    assert str(verdict(Kind.EMPIRICAL, printed, derived, False)) == recorded_verdict(name)
    assert all(0 <= e.discrepancy < math.inf for e in printed.evidence)
    assert (printed.counterexample == "") == (printed.status is Status.HOLDS)


@pytest.mark.parametrize(("name", "confusion"), CONFUSED)
def test_a_confusion_changes_the_measures(name, confusion):
    """Of the committed networks: some number that is said of them is no longer so."""
    _, parts = measured.parts_of(name, "")
    _, confused = measured.parts_of(name, confusion)
    assert [one.name for one in parts] == [one.name for one in confused]
    assert [one.measured for one in parts] != [one.measured for one in confused]
    mutation = next(one for one in CLAIMS[name].mutations if one.name == confusion)
    derived = figures.what_was_measured(name)(None).statement
    assert figures.networks_show(mutation.apply(derived), None).status is Status.FAILS
    assert figures.networks_show(mutation.apply(CLAIMS[name].printed), None).status is Status.FAILS


@pytest.mark.parametrize("name", RECORDS)
def test_an_unknown_confusion_or_name_is_an_error(name):
    with pytest.raises(KeyError):
        figures.networks_show(Figure(name, as_if="no such confusion"), None)
    with pytest.raises(ValueError, match="must be one of"):
        figures.networks_show(Figure("fig0"), None)


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_said_must_be_said_of_every_part_once(name):
    found = figures.what_was_measured(name)(None).statement.found
    for wrong in (found[:-1], (*found, found[0]), (*found[:-1], (found[0][0], found[-1][1]))):
        with pytest.raises(LookupError, match=name):
            figures.networks_show(Figure(name, found=wrong), None)
    for k, (part, words) in enumerate(found):
        slip = (*found[:k], (part, words + " "), *found[k + 1 :])
        assert figures.networks_show(Figure(name, found=slip), None).status is Status.FAILS


@pytest.mark.parametrize("name", ["fig9_10", "fig13", "finding1", "finding5"])
def test_a_claim_without_a_record_is_an_error_that_names_the_file(name, monkeypatch, tmp_path):
    from verify.diversity import command
    from verify.findings import record as findings_record
    from verify.representations import record as representations_record

    for module in (networks_record, findings_record, representations_record):
        monkeypatch.setattr(module.committed, "__defaults__", (tmp_path,))
    monkeypatch.setattr(command, "ROOT", tmp_path)
    with pytest.raises(SettingError, match=rf"results/{name}.*{tmp_path}"):
        figures.networks_show(CLAIMS[name].printed, None)
