"""The plots: numbers against the definitions and the ledger, words, tables, and colours from the page."""

from __future__ import annotations

import json
import math
import re
from importlib import resources
from xml.etree import ElementTree

import jsonschema
import pytest

from theory.finetuning.conclusion import balanced_conclusion, sharp_M_ft
from verify.report import curves
from verify.report.decided import RECORD, decided


def test_every_plot_belongs_to_claims_of_the_ledger(plots, ledger):
    ids = {entry["id"] for entry in ledger["claims"]}
    assert all(plot.claims and set(plot.claims) <= ids for plot in plots)


def test_every_plot_has_words_and_a_full_table(plots):
    for plot in plots:
        assert len(plot.alternative) > 60 and len(plot.caption) > 60
        assert len(plot.rows) >= 6
        assert all(len(row) == len(plot.columns) for row in plot.rows)
        root = ElementTree.fromstring(plot.svg)
        assert plot.alternative in [node.text for node in root]


def test_colours_come_from_the_page(plots):
    for plot in plots:
        assert not re.search(r"#[0-9a-fA-F]{6}\b", plot.svg)
        assert "currentColor" in plot.svg and "var(--curve-1)" in plot.svg
        assert "<style" not in plot.svg


@pytest.mark.parametrize(("U", "N_ft"), [(4, 1), (8, 5), (32, 5)])
def test_thresholds_are_where_the_conclusion_turns(U, N_ft):
    sweep = curves.thresholds((N_ft,), largest=U)
    at = int(sweep.columns[f"N_ft = {N_ft}"][-1])
    assert balanced_conclusion(10**6, 8, U, at, N_ft + 1).holds
    assert at == U or not balanced_conclusion(10**6, 8, U, at - 1, N_ft + 1).holds


def test_the_paper_lies_below_its_threshold():
    sharp = sharp_M_ft(256, 8, 32, 6)
    assert sharp is not None and 128 < sharp < 256
    sweep = curves.relation_scores([128, sharp - 1, sharp])
    best = [max(column[i] for name, column in sweep.columns.items() if name != "attribute") for i in range(3)]
    attribute = sweep.columns["attribute"]
    assert attribute[0] < best[0] and attribute[1] < best[1] and attribute[2] >= best[2]


def test_printed_and_derived_query_coefficients():
    sweep = curves.subject_coefficients([2, 6])
    assert sweep.columns["p_query, printed"] == pytest.approx((31 / 64, 31 / 192))
    assert sweep.columns["p_query, derived"] == pytest.approx((31 / 128, 31 * 5 / (32 * 36)))
    assert sweep.columns["p_context, derived"] == pytest.approx((-31 / 128, -31 / (32 * 36)))


def test_remainder_is_the_one_of_the_ledger(ledger):
    entry = next(e for e in ledger["claims"] if e["id"] == "rel.ov.update")
    recorded = float(re.search(r"relative size ([\d.]+)", entry["remainder"]).group(1))
    assert curves.update_remainder([4, 256]).columns["relative remainder"][0] == pytest.approx(recorded, abs=5e-4)


def test_remainder_falls_with_its_order():
    found = curves.update_remainder([4096, 16384]).columns["relative remainder"]
    assert math.log(found[1] / found[0], 4) == pytest.approx(-0.5, abs=0.01)


def test_norms_against_the_ledger(ledger):
    entry = next(e for e in ledger["claims"] if e["id"] == "rel.ov.norm")
    recorded = float(re.search(r"the norm is ([\d.]+)", entry["counterexample"]).group(1))
    assert curves.value_norm((16, 32)).columns["derived norm"][1] == pytest.approx(recorded, rel=1e-4)
    assert max(curves.value_norm((1, 2, 64)).columns["derived norm"]) < 1


def test_norm_of_the_subject_gradient_is_of_order_one_over_m():
    found = curves.subject_norm((6, 1024, 4096)).columns["derived norm"]
    assert found[1] / found[2] == pytest.approx(4, rel=0.01)


def test_rows_keep_to_the_wanted_values():
    sweep = curves.Sweep("x", (1.0, 2.0, 3.0), {"a": (1.0, None, 9.0)})
    assert sweep.rows((3.0, 2.0)) == [[2.0, None], [3.0, 9.0]]


def test_the_decided_boundary_is_the_committed_run(plots, tmp_path):
    assert decided(tmp_path / "nothing.json") is None
    plot = next(p for p in plots if p.id == "region-decided")
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert len(plot.rows) == len(record["sweep"]) and record["open"] == []
    assert ("32", "5", "235", "233", "230") in plot.rows
    schema = json.loads(resources.files("verify").joinpath("schema/region.schema.json").read_text(encoding="utf-8"))
    assert [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(record)] == []
    for cell in record["sweep"]:
        assert sharp_M_ft(256, 8, (cell["U"],) * 8, cell["N_ft"] + 1) == cell["hat_closed_form"]
        for name in ("hat", "true"):
            first, found = cell[name]["first"], cell[name]["decided"]
            assert first is None or (found[str(first)] is True and found.get(str(first - 1), False) is False)
