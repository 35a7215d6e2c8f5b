"""A finding at every setting: every cell is the record's own, the verdict's record is named, older records have gaps and no zeros."""

import copy
import json

import pytest

from verify.findings.record import RESULTS
from verify.judges import by_setting as table
from verify.judges.committed import BESIDE


def read(folder):
    return json.loads((RESULTS / folder / "finding.json").read_text(encoding="utf-8"))


def of_means(rows, trend, k):
    if "rise" not in trend:
        assert set(rows) == {"", "largest difference"}
        assert float(rows["largest difference"].cells[k]) == pytest.approx(trend["largest"], rel=0.006)
        return
    assert set(rows) == {"", "means", "rise", "least step"}
    assert [float(x) for x in rows["means"].cells[k].split(", ")] == pytest.approx(trend["means"], abs=0.0051)
    assert float(rows["least step"].cells[k]) == pytest.approx(trend["worst_step"], rel=0.006, abs=1e-9)
    mean, _, rest = rows["rise"].cells[k].partition(" (")
    told = [float(mean), *(float(x) for x in rest.rstrip(")").split(" to ") if x)]
    wanted = [trend["rise"][key] for key in ("mean", "least", "largest")]
    assert told == pytest.approx(wanted[: len(told)], rel=0.006, abs=1e-9)


@pytest.mark.parametrize("name", BESIDE)
def test_every_cell_is_the_records_own(name):
    found = table.by_setting(name)
    folders = [name, *(f"{name}/{beside}" for beside in BESIDE[name])]
    assert [one.folder for one in found.settings] == folders
    assert [one.rests for one in found.settings] == [True] + [False] * len(BESIDE[name])
    by_name = {}
    for row in found.rows:
        assert len(row.cells) == len(folders)
        if row.stated:
            below = by_name.setdefault(row.name, {"": row})
        else:
            below[row.name] = row
    for k, folder in enumerate(folders):
        record = read(folder)
        whole = record["all_main"]
        assert found.means == (whole is None)
        if whole is None:
            first, cell = "every main statement, of means over seeds", record["verdict"]
        else:
            first, cell = "every main statement in one seed", f"{whole['count']} of {whole['of']}"
        assert by_name[first][""].cells[k] == cell
        told = {first}
        for one in record["statements"]:
            told |= {one["name"].replace("_", " ")}
            rows = by_name[one["name"].replace("_", " ")]
            assert (rows[""].says, rows[""].main) == (one["says"], one["main"])
            if whole is None:
                assert rows[""].cells[k] == one["verdict"]
                of_means(rows, one["trend"], k)
                continue
            assert rows[""].cells[k] == f"{sum(one['by_seed'].values())} of {len(record['seeds'])}"
            assert set(rows) == {"", *(value.replace("_", " ") for value in one["values"])}
            for value, spread in one["values"].items():
                mean = float(rows[value.replace("_", " ")].cells[k].partition(" (")[0])
                assert mean == pytest.approx(spread["mean"], rel=0.006, abs=0.5 if value.endswith("_step") else 1e-9)
        untold = set(by_name) - told
        assert all(row.cells[k] == table.MISSING for title in untold for row in by_name[title].values())


def test_a_younger_statement_is_missing_in_older_records(monkeypatch):
    record = read("finding3/paper-short-bfloat16")
    shares = {part: {"exact": 0.5, "type": 0.75, "subject": 0.5} for part in ("before", "finetuned", "scratch", "last")}
    # Without the statement that came after it: its rows are the last.
    for network in record["networks"]:
        network.pop("attributes", None)
    younger, older = copy.deepcopy(record), copy.deepcopy(record)
    for network in younger["networks"]:
        network["among_attributes"] = shares
    for network in older["networks"]:
        network.pop("among_attributes", None)
    records = {"finding3": older, "finding3/younger": younger}
    monkeypatch.setattr(table, "BESIDE", {"finding3": ("younger",)})
    monkeypatch.setattr(table, "committed", records.__getitem__)
    found = table.by_setting("finding3")
    rows = {row.name: row.cells for row in found.rows[-9:]}
    assert rows["among attributes"] == (table.MISSING, "0 of 2")
    assert rows["finetuned type"] == (table.MISSING, "0.75") and rows["last exact"] == (table.MISSING, "0.5")


def test_no_statement_is_lost_where_no_record_has_all(monkeypatch):
    record = read("finding3")
    one, other = copy.deepcopy(record), copy.deepcopy(record)
    for network in one["networks"]:
        del network["attributes"]
    for network in other["networks"]:
        del network["among_attributes"]
    monkeypatch.setattr(table, "BESIDE", {"finding3": ("other",)})
    monkeypatch.setattr(table, "committed", {"finding3": one, "finding3/other": other}.__getitem__)
    rows = {row.name: row.cells for row in table.by_setting("finding3").rows if row.stated}
    assert rows["among attributes"] == ("0 of 2", table.MISSING)
    assert rows["attribute targets"] == (table.MISSING, "0 of 2")


def test_one_setting_alone_is_no_table():
    assert table.by_setting("finding5") is table.by_setting("fig13") is None
