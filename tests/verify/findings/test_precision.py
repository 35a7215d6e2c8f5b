"""Finds again what bfloat16 may and may not move, on records made for it, and that the option reaches the networks."""

import copy
import json

import pytest

from verify.findings import command, precision, record
from verify.findings.command import Options
from verify.findings.findings import finding
from verify.findings.networks import Network, in_precision
from verify.findings.precision import compared
from verify.findings.precision import moved as main_moved
from verify.findings.settings import SIZES, config


@pytest.fixture
def pair():
    """A committed record in float32 and the same as if it were of bfloat16."""
    single = record.committed("finding1", folder="finding1/paper-short")
    half = copy.deepcopy(single)
    half["config"]["autocast"] = "bfloat16"
    return single, half


def test_the_same_numbers_move_nothing(pair):
    found = compared(*pair)
    assert not any(one.moved for one in found) and main_moved(found) == []
    assert {one.name for one in found} >= {"pt_exact", "icl_heldout", "type_step", "exact_step", "icl_seen_attribute"}
    assert all(one.float32 == one.rounded for one in found)


@pytest.mark.parametrize(("by", "moved"), [(0.09, False), (0.11, True)])
def test_a_share_moves_by_a_tenth(pair, by, moved):
    pair[1]["networks"][0]["pretraining"][-1]["icl_seen"]["exact"] = by
    pair[0]["networks"][0]["pretraining"][-1]["icl_seen"]["exact"] = 0.0
    found = {one.name: one for one in compared(*pair) if one.main}
    assert found["icl_seen"].moved == moved and main_moved(list(found.values())) == ["no_icl icl_seen"] * moved
    assert (found["icl_seen"].float32, found["icl_seen"].rounded) == (0.0, by)


@pytest.mark.parametrize(("times", "moved"), [(0.76, False), (1.3, False), (0.74, True), (1.35, True)])
def test_a_stage_moves_by_a_quarter(pair, times, moved):
    for point in pair[1]["networks"][0]["pretraining"]:
        point["step"] = round(times * point["step"])
    found = {one.name: one for one in compared(*pair)}
    assert found["exact_step"].moved == found["type_step"].moved == moved


def test_a_statement_judged_otherwise_has_moved(pair):
    """Recall just above and just below what is asked: hardly another number."""
    for one, times in zip(pair, (0.901, 0.899), strict=True):
        seed = one["networks"][0]
        seed["pretraining"][-1]["pt"]["exact"] = times * seed["reachable"]
    found = {one.name: one for one in compared(*pair)}
    assert abs(found["pt_exact"].float32 - found["pt_exact"].rounded) < 0.01
    assert found["pt_exact"].moved and "recall pt_exact" in main_moved(list(found.values()))


def test_what_stands_beside_the_verdict_is_told_and_takes_none_away(pair):
    pair[1]["networks"][0]["pretraining"][-1]["icl_seen"]["attribute"] = 1.0
    found = compared(*pair)
    assert [one.name for one in found if one.moved] == ["icl_seen_attribute"] and main_moved(found) == []


def test_records_that_cannot_be_compared(pair):
    single, half = pair
    with pytest.raises(ValueError, match="one in float32 and one that is not, got float32 and float32"):
        compared(single, single)
    with pytest.raises(ValueError, match="one finding, got 'finding1' and 'finding2'"):
        compared(single, half | {"finding": "finding2"})
    with pytest.raises(ValueError, match="one configuration"):
        compared(single, half | {"config": half["config"] | {"S": 21}})
    with pytest.raises(ValueError, match="a seed in common"):
        compared(single, half | {"networks": [half["networks"][0] | {"seed": 7}]})
    with pytest.raises(ValueError, match="seed by seed, got those of finding1, judged by means"):
        compared(single | {"all_main": None}, half)


def test_the_precision_reaches_the_networks_and_the_record(tmp_path):
    shown = finding("finding1")
    made = {
        name: command.run(shown, "tiny", 1, Options(tmp_path, 1, precision=name)) for name in ("float32", "bfloat16")
    }
    runs = {name: made[name]["networks"][0]["run"] for name in made}
    assert runs["float32"] != runs["bfloat16"]
    for name, run in runs.items():
        identity = json.loads((tmp_path / run / "checkpoint.json").read_text(encoding="utf-8"))["identity"]
        assert {key: identity[key] for key in precision.PRECISIONS[name]} == precision.PRECISIONS[name]
        assert precision.precision_of(made[name]) == name
        assert made[name]["setting"] == record.rounded(record.setting(SIZES["tiny"], name))
    assert made["bfloat16"]["setting"]["says"].endswith("(in training, products are rounded to bfloat16)")
    assert "bfloat16" not in made["float32"]["setting"]["says"]


def test_what_a_network_starts_from_has_its_precision():
    rounded = {name: in_precision(config(SIZES["tiny"], 0), name) for name in ("float32", "tf32", "bfloat16")}
    assert {name: (one.autocast, one.tf32) for name, one in rounded.items()} == {
        "float32": ("none", False),
        "tf32": ("none", True),
        "bfloat16": ("bfloat16", False),
    }
    own = Network(config(SIZES["tiny"], 0), "icl").at("bfloat16")
    assert own.before is not None and own.before.config.autocast == "bfloat16"
    with pytest.raises(ValueError, match="precision must be one of 'float32', 'tf32', 'bfloat16', got 'half'"):
        own.at("half")


def test_tensorfloat_is_refused_where_there_is_none(tmp_path, capsys):
    arguments = [
        "--precision",
        "tf32",
        "--device",
        "cpu",
        "--runs",
        str(tmp_path / "runs"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert command.main("finding1", arguments) == 2
    assert "--precision tf32: is of CUDA devices; valid on cpu: float32, bfloat16" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
