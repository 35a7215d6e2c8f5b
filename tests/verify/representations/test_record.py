"""The record of tiny networks: its format, its verdict from its own numbers, the pictures, the command's errors."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from numerics.gpt import load
from verify import finding5
from verify.findings.networks import ROOT
from verify.findings.precision import precision_of, unembedding_of
from verify.representations import command, measured, rules
from verify.representations.pictures import draw
from verify.representations.record import findings, pairs, record, statements
from verify.representations.settings import PRESETS, setting
from verify.trained.pictures.style import lighter

SCHEMA = json.loads((ROOT / "verify" / "schema" / "finding5.schema.json").read_text())
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def test_record_fits_the_schema_and_is_written_without_nan(tiny):
    jsonschema.validate(tiny, SCHEMA)
    assert json.loads(json.dumps(tiny, allow_nan=False)) == tiny
    assert tiny["seeds"] == [0, 1] and tiny["finding"] == tiny["claim"] == "finding5"


def test_verdict_follows_from_the_record_s_own_numbers(tiny):
    judged = statements(pairs(tiny["networks"]))
    assert [(one["name"], one["verdict"]) for one in judged] == [(s["name"], s["verdict"]) for s in tiny["statements"]]
    main = [one["verdict"] == "reproduced" for one in judged if one["main"]]
    assert (tiny["verdict"] == "reproduced") == all(main)


def test_every_number_is_there(tiny):
    for pair in pairs(tiny["networks"]).values():
        for div in rules.DIVS:
            m = pair[div]
            count = len(m["demonstrations"])
            assert m["demonstrations"] == [0, 1, 2]
            assert set(m["trivial"]) == set(measured.CONTROLS)
            curves = [v for kind in measured.KINDS for v in m[kind].values()]
            curves += [v[kind] for v in m["trivial"].values() for kind in measured.KINDS]
            assert all(len(curve) == count and all(-1 <= s <= 1 for s in curve) for curve in curves)
            assert set(m["silhouettes"]) == set(m["disjoint"]) >= {rules.NAMED, "layer1.attention", "layer2.residual"}
            assert len(m["cosines"]) == count and len(m["cosines"][0]) == 3
            assert len(m["steering"]["seen"]["by_target"]) == 3
            assert len(m["steering"]["seen"]["source"]) == len(measured.BETAS)


def test_what_pretraining_learnt_is_told_in_records_that_hold_it(tiny, tmp_path):
    seeds = copy.deepcopy(pairs(tiny["networks"]))
    whole = tiny["config"]["low"]["pretraining"]["iterations"]
    for pair in seeds.values():
        for div in rules.DIVS:
            found = pair[div]["pretraining"]
            assert found["step"] == sorted(set(found["step"])) and found["step"][-1] == whole
            assert all(len(found[name]) == len(found["step"]) for name in command.LEARNT)
            assert all(e <= min(t, s) for e, t, s in zip(found["exact"], found["type"], found["subject"], strict=True))
            early, late = ([0.0, 0.1, 0.8, 0.8], [0.0, 0.0, 0.1, 0.8])
            named = (
                {"type": late, "subject": early, "exact": late}
                if div == "low"
                else {"type": early} | dict.fromkeys(("subject", "exact"), late)
            )
            pair[div]["pretraining"] = {"step": [1, 2, 3, 4]} | named
    said = findings(seeds)
    assert (
        "low Div, pretraining: type match half of its end at iteration 4, 0.80 at the end; subject match half of its end at iteration 3"
        in " ".join(said)
    )
    assert "high Div, pretraining: type match half of its end at iteration 3" in " ".join(said)
    assert "learning.png" in tiny["pictures"]
    del seeds["0"]["low"]["pretraining"]
    assert not any("pretraining" in one for one in findings(seeds))
    chosen = setting("tiny")
    older = record(chosen, "tiny", seeds, "cpu", 1.0)
    jsonschema.validate(older, SCHEMA)
    assert "learning.png" not in older["pictures"] and not [p for p in draw(older, tmp_path) if p.stem == "learning"]


def test_networks_of_a_seed_differ_in_their_chains_alone():
    pair = setting("paper").networks(1)
    low, high = (pair[div].config.to_json() for div in rules.DIVS)
    assert (low["corpus"].pop("div"), high["corpus"].pop("div")) == (0.2, 0.5)
    assert low == high and {network.kind for network in pair.values()} == {"icl+grm"}
    assert (low["S"], low["n_tr"], low["n_demos"], low["S_ft"]) == (80, 5, 16, [1, 2, 3, 4, 5])
    assert (low["corpus"]["M"], low["corpus"]["M_ft"], low["model"]["d"]) == (256, 128, 256)
    corpora = [network.config.corpus.build() for network in pair.values()]
    assert (corpora[0].attribute_token == corpora[1].attribute_token).all()
    assert corpora[0].div() == pytest.approx(0.2, abs=0.01) and corpora[1].div() == pytest.approx(0.5, abs=0.02)


def test_every_preset_fits_the_schema():
    assert set(PRESETS) == set(SCHEMA["properties"]["preset"]["enum"])


def test_an_unembedding_of_its_own_reaches_every_network_and_the_record(tiny, own):
    folder, found = own
    jsonschema.validate(found, SCHEMA)
    assert (unembedding_of(tiny), unembedding_of(found)) == ("tied", "own")
    assert found["setting"]["says"] == tiny["setting"]["says"] + " (with an unembedding of its own, as in minGPT)"
    paths = {path.parent for path in folder.glob("*/finished.json")}
    assert len(paths) == 4 and all(load(path).unembedding is not None for path in paths)
    same = pairs(tiny["networks"])["0"]["low"]
    other = pairs(found["networks"])["0"]["low"]
    assert same["div"] == other["div"] and same["silhouettes"] != other["silhouettes"]


def test_findings_name_what_passes_without_a_task(tiny):
    seeds = copy.deepcopy(pairs(tiny["networks"]))
    for pair in seeds.values():
        for div in rules.DIVS:
            pair[div]["trivial"]["bag"]["silhouettes"] = [0.0, 0.2, 0.4]
            for pool in rules.POOLS:
                pair[div]["steering"][pool]["crossing"] = 0.51
    said = " ".join(findings(seeds))
    assert "bag (4 of 4)" in said and "8 of 8 mean passings are within 0.05 of 1/2" in said


def test_findings_tell_networks_by_their_first_layer(tiny):
    seeds = copy.deepcopy(pairs(tiny["networks"]))
    for name, pair in seeds.items():
        for div in rules.DIVS:
            layers = [layer for layer in pair[div]["silhouettes"] if layer.startswith("layer1.")]
            for layer in layers:
                pair[div]["silhouettes"][layer] = [0.0, 0.0, 0.05 if name == "0" else -0.4]
            for pool in rules.POOLS:
                pair[div]["steering"][pool]["crossing"] = 0.5 if name == "0" else None
    said = " ".join(findings(seeds))
    assert "within 0.1 of 0 in 2 of 4 networks" in said and "passes at beta 0.50 in 4 of 4 cases" in said
    assert "less than 0.2 above the best trivial predictor in 4 of 4 networks" in said
    assert "at 0.1 or more in 2 of 4 networks" in said and "passes in 0 of 4 cases" in said


def test_pictures(tiny, tmp_path: Path):
    for path in draw(tiny, tmp_path):
        with Image.open(path) as image:
            assert image.width > 600
        assert path.stat().st_size < 300_000


def test_fewer_colours_keep_those_that_are_rare(tmp_path: Path):
    colours = np.full((300, 300, 3), 255, dtype=np.uint8)
    colours[:60, :60] = np.stack(np.broadcast_arrays(*np.ogrid[0:240:4, 0:240:4], 128), 2)
    Image.fromarray(colours).save(tmp_path / "made.png")
    lighter(tmp_path / "made.png")
    with Image.open(tmp_path / "made.png") as image:
        assert image.mode == "P" and np.abs(np.asarray(image.convert("RGB")).astype(int) - colours).max() <= 24


def test_command_errors_are_one_line(capsys):
    for arguments in (["--seeds", "0"], ["--preset", "none"], ["--device", "tpu"]):
        with pytest.raises(SystemExit) as ended:
            command.main(arguments)
        assert ended.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert command.main(["--runs", "/proc/none"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(ValueError, match="preset must be one of"):
        setting("none")
    with pytest.raises(ValueError, match="seeds must be at least 1"):
        command.run("tiny", 0)


@pytest.mark.parametrize("folder", ["finding5", "finding5/long", "finding5/quick-own"])
def test_committed_record_is_what_the_rules_say_of_its_numbers(folder):
    path = ROOT / "results" / folder
    if not (path / "finding.json").exists():
        pytest.skip("no committed record")
    made = json.loads((path / "finding.json").read_text())
    jsonschema.validate(made, SCHEMA)
    judged = statements(pairs(made["networks"]))
    assert [(one["name"], one["verdict"]) for one in judged] == [(s["name"], s["verdict"]) for s in made["statements"]]
    assert all((path / name).exists() for name in made["pictures"])
    assert made["preset"] == {"finding5/long": "quick-long"}.get(folder, "quick")
    # Of the settings as they stand; its sentences again from its numbers, which are rounded: their last digit may be another.
    options = (precision_of(made), unembedding_of(made))
    again = record(setting(made["preset"]), made["preset"], pairs(made["networks"]), made["device"], 0.0, *options)
    for name in ("setting", "config", "rule", "verdict", "seeds", "pictures", "title", "printed"):
        assert again[name] == made[name], name
    for name in ("statements", "findings", "trivial"):
        one, two = (json.dumps(found[name]) for found in (again, made))
        assert NUMBER.sub("#", one) == NUMBER.sub("#", two), name
        assert list(map(float, NUMBER.findall(one))) == pytest.approx(list(map(float, NUMBER.findall(two))), abs=0.011)
    assert folder != "finding5" or finding5.committed() == made
