"""What is told of a finding's other records: whose they are, and what rounding moved."""

import copy

import pytest

from verify.findings import record
from verify.judges import committed, measured_findings
from verify.representations import record as representations
from verify.setting import SettingError


@pytest.fixture
def records(monkeypatch):
    """A record of Finding 1 in float32, seed 0; the same as if in bfloat16; and one of another preset."""
    single = record.committed("finding1", folder="finding1/paper-short")
    half = copy.deepcopy(single)
    half["config"]["autocast"] = "bfloat16"
    found = {
        "finding1": record.committed("finding1", folder="finding1/reduced"),
        "finding1/paper-short": single,
        "finding1/paper-short-bfloat16": half,
    }
    monkeypatch.setattr(measured_findings, "committed", lambda name: found[name])
    monkeypatch.setattr(measured_findings, "written", lambda name: name in found)
    return found


def test_a_rounded_record_is_told_with_what_moved(records):
    told = measured_findings._beside("finding1", "paper-short-bfloat16")
    assert (
        "20000 + 2000 iterations at the paper's rates; products in training rounded to bfloat16): 1 of 1 seeds" in told
    )
    assert told.endswith(
        "In float32 seed 0: the same numbers; by the rule of verify/findings/precision.py rounding moves nothing"
    )
    for point in records["finding1/paper-short-bfloat16"]["networks"][0]["pretraining"]:
        point["step"] *= 2
    told = measured_findings._beside("finding1", "paper-short-bfloat16")
    assert "type_step 750 (rounded: 1500), exact_step 9500 (rounded: 19000)" in told
    assert told.endswith("rounding moves type_first exact_step, type_first type_step")


def test_a_rounded_record_alone_is_told_as_one_without_a_verdict(records):
    del records["finding1/paper-short"]
    told = measured_findings._beside("finding1", "paper-short-bfloat16")
    assert "1 of 1 seeds show every main statement" in told
    assert told.endswith("what rounding moves here no record in float32 says, so no verdict may rest on it")
    records["finding1"] = records["finding1/paper-short-bfloat16"]
    with pytest.raises(KeyError, match="finding1/paper-short"):
        measured_findings.parts_of("finding1", "")


def test_another_unembedding_is_a_setting_of_its_own(records):
    """Never compared with the record of tied networks, in whichever precision."""
    own = records["finding1/paper-short-own-bfloat16"] = copy.deepcopy(records["finding1/paper-short-bfloat16"])
    own["config"]["model"]["tied"] = False
    records["finding1"] = records["finding1/paper-short-bfloat16"]
    told = measured_findings._beside("finding1", "paper-short-own-bfloat16")
    assert (
        "an unembedding of its own, as in minGPT, which the paper cites, and not tied as in GPT-2; products in" in told
    )
    assert told.endswith("so no verdict may rest on it")
    records["finding1/paper-short-own"] = copy.deepcopy(records["finding1/paper-short"])
    records["finding1/paper-short-own"]["config"]["model"]["tied"] = False
    told = measured_findings._beside("finding1", "paper-short-own-bfloat16")
    assert told.endswith("rounding moves nothing")
    assert measured_findings._beside("finding1", "paper-short-own").startswith("Preset paper-short (one seed alone;")
    with pytest.raises(
        SettingError, match="must be of preset paper-short, got 'paper-short' in float32, unembedding own"
    ):
        records["finding1/paper-short"] = records["finding1/paper-short-own"]
        measured_findings._beside("finding1", "paper-short")


def test_beside_one_of_its_own_a_tied_unembedding_is_told(records):
    assert "as in GPT-2" not in measured_findings._beside("finding1", "paper-short-bfloat16")
    judged = records["finding1"] = copy.deepcopy(records["finding1"])
    judged["config"]["model"]["tied"] = False
    told = measured_findings._beside("finding1", "paper-short-bfloat16")
    assert "at the paper's rates; the unembedding tied to the embedding, as in GPT-2; products in training" in told


def test_a_record_of_no_known_precision_is_one_line(records):
    records["finding1"] = copy.deepcopy(records["finding1"])
    records["finding1"]["config"]["autocast"] = "float16"
    with pytest.raises(
        SettingError,
        match=r"^results/finding1: a record's configuration must be of float32, tf32, bfloat16, got autocast 'float16', tf32 False$",
    ):
        measured_findings.parts_of("finding1", "")


def test_in_float32_it_is_a_setting_of_its_own_beside_another_preset(records):
    told = measured_findings._beside("finding1", "paper-short")
    assert told.startswith(
        "Preset paper-short (one seed alone; the paper's facts, width and demonstrations; 20 grammar tokens"
    )
    assert "rounded" not in told and told.endswith("results/finding1/paper-short)")


def test_beside_a_rounded_verdict_it_says_what_moved(records):
    records["finding1"] = records["finding1/paper-short-bfloat16"]
    told = measured_findings._beside("finding1", "paper-short")
    assert told.startswith("In float32 seed 0: the same numbers; by the rule")
    assert told.endswith("rounding moves nothing (results/finding1/paper-short)")


def test_a_scaled_setting_is_called_so(monkeypatch):
    quick = record.committed("finding3", folder="finding3/quick")
    assert quick["preset"] == "quick"
    monkeypatch.setattr(measured_findings, "committed", lambda name: quick)
    told = measured_findings._beside("finding3", "quick")
    assert "5 seeds; facts, width and demonstrations scaled down; 6 grammar tokens, 1000 + 900 iterations)" in told


def test_trends_are_told_by_what_their_means_show(monkeypatch):
    tied = record.committed("fig5")
    own = copy.deepcopy(tied)
    own["config"]["model"]["tied"] = False
    for network in own["networks"]:
        for kind in ("icl", "icl+grm"):
            for k, point in enumerate(network["points"][kind]):
                point |= {"best": 0.1 * k, "end": 0.0, "grm": 0.0}
    found = {"fig5": tied, "fig5/quick-own": own}
    monkeypatch.setattr(measured_findings, "committed", lambda name: found[name])
    told = measured_findings._beside("fig5", "quick-own")
    assert told.startswith(
        "Preset quick (2 seeds; facts, width and demonstrations scaled down; 6 grammar tokens, 1000 + 300 iterations; an"
    )
    assert told.endswith(
        ": 3 of its 3 main statements shown by the means over seeds (rises_icl, rises_icl+grm, comparable; beside the verdict: none;"
        " results/fig5/quick-own)"
    )
    for network in own["networks"]:
        for point in network["points"]["icl+grm"]:
            point["best"] = 0.9
    assert measured_findings._beside("fig5", "quick-own").endswith(
        ": 1 of its 3 main statements shown by the means over seeds (rises_icl; beside the verdict: none; results/fig5/quick-own)"
    )


@pytest.mark.parametrize("folder", ["paper-short", "reduced-bfloat16", "quick"])
def test_a_record_in_the_wrong_folder_is_refused(records, folder):
    name = f"finding1/{folder}"
    records[name] = records["finding1" if folder == "paper-short" else "finding1/paper-short-bfloat16"]
    with pytest.raises(SettingError, match=f"results/{name}: must be of preset {folder}, got "):
        measured_findings._beside("finding1", folder)


def test_every_folder_with_a_record_is_told():
    for name in ("finding1", "finding2", "finding3", "finding4", "fig5"):
        there = {path.parent.name for path in (record.RESULTS / name).glob("*/finding.json")}
        assert there == set(committed.BESIDE.get(name, ()))


def test_a_rounded_record_is_judged_only_where_nothing_judged_moved(records):
    records["finding1"] = half = records["finding1/paper-short-bfloat16"]
    setting, parts = measured_findings.parts_of("finding1", "")
    assert "paper-short" in setting and all(part.shown for part in parts)
    half["networks"][0]["pretraining"][-1]["icl_seen"]["exact"] = 0.2
    with pytest.raises(
        SettingError, match=r"results/finding1: is in bfloat16 and may carry no verdict .*no_icl icl_seen;"
    ):
        measured_findings.parts_of("finding1", "")
    half["networks"][0]["seed"] = 5
    with pytest.raises(SettingError, match="records must have a seed in common"):
        measured_findings.parts_of("finding1", "")


def test_other_records_of_finding_5_are_told(monkeypatch):
    first = representations.committed(folder="finding5/long")
    short = copy.deepcopy(first) | {"preset": "paper-short"}
    for config in short["config"].values():
        config["autocast"] = "bfloat16"
    short["setting"]["says"] = "said of it"
    found = {"finding5/long": first, "finding5/paper-short-bfloat16": short, "finding5/paper-short": short}
    monkeypatch.setattr(measured_findings, "committed", lambda name: found[name])
    numbers = "3 seeds; 8 kinds of grammar token, up to 11 demonstrations, Div 0.5 against 0.85"
    shown = "0 of its 5 main statements shown"
    told = measured_findings._representations_beside
    assert told("finding5/long") == (
        f"Before it the preset quick-long was judged ({numbers}): {shown} (results/finding5/long)"
    )
    folder = "finding5/paper-short-bfloat16"
    assert told(folder) == f"Preset paper-short ({numbers}; said of it): {shown} (results/{folder})"
    for one in short["networks"]:
        one["silhouettes"]["layer2.attention"] = [i / 20 for i in range(12)]
    assert told(folder).endswith(f": 1 of its 5 main statements shown: grows (results/{folder})")
    found["finding5/paper-short-bfloat16"] = first
    with pytest.raises(SettingError, match="must be of preset paper-short-bfloat16, got 'quick-long' in float32"):
        told(folder)


def test_every_record_of_finding_5_is_told():
    there = {f"finding5/{path.parent.name}" for path in (record.RESULTS / "finding5").glob("*/finding.json")}
    assert there == set(committed.REPRESENTATIONS)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fig13/none", "python -m verify.fig13 at the setting that none names and put it there"),
        (
            "finding2/none-own-bfloat16",
            "python -m verify.finding2 at the setting that none-own-bfloat16 names and put",
        ),
    ],
)
def test_a_missing_record_names_a_command_that_exists(name, command):
    with pytest.raises(SettingError, match=f"^results/{name}: holds no record that can be judged .*; run {command}"):
        committed.committed(name)
