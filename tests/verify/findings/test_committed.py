"""What is committed under results/ is what the rules of today say of the networks in it."""

import json
from importlib import resources

import jsonschema
import pytest

from tests.close import close
from verify.findings import record
from verify.findings.findings import FINDINGS
from verify.findings.networks import in_precision, with_unembedding
from verify.findings.precision import compared, folder_of, moved, precision_of, single_of, unembedding_of
from verify.findings.settings import SIZES, config, size_of
from verify.judges.committed import BESIDE

SCHEMA = json.loads(resources.files("verify").joinpath("schema/finding.schema.json").read_text(encoding="utf-8"))


#: Presets below a finding's own folder that may be of one seed, which the words of the claim then say.
ALONE = ("paper-own-bfloat16", "paper-short", "paper-short-own")


# What six digits of the numbers they are computed from leave open.
SIX_DIGITS = {"rel": 1e-4, "abs_": 1e-5}


FOLDERS = [*FINDINGS, *(f"{name}/{preset}" for name, presets in BESIDE.items() for preset in presets)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_committed_follows_from_its_own_networks(folder):
    name, _, preset = folder.partition("/")
    found = record.committed(name, folder=folder)
    assert found["finding"] == name
    assert preset in ("", folder_of(found))
    jsonschema.validate(found, SCHEMA)
    assert found["revision"] != "unknown"
    assert len(found["seeds"]) >= (1 if preset in ALONE else 2)
    statements, whole = FINDINGS[name].judged(found["networks"])
    assert close(record.rounded(statements), found["statements"], **SIX_DIGITS)
    assert close(record.rounded(whole), found["all_main"], **SIX_DIGITS)
    assert record.verdict(statements, whole) == found["verdict"]
    assert record.said(found["statements"]) == found["findings"]
    # The setting that the record tells of is the preset's.
    size, precision, unembedding = size_of(found["preset"], name), precision_of(found), unembedding_of(found)
    own = with_unembedding(in_precision(config(size, 0), precision), unembedding).to_json()
    assert found["config"] == json.loads(json.dumps(record.rounded(own)))
    assert found["setting"] == record.rounded(record.setting(size, precision, unembedding))
    assert found["setting"]["papers_sizes"] == (found["preset"] == "paper")
    for picture in found["pictures"]:
        assert 0 < (record.RESULTS / folder / picture).stat().st_size < 300_000


@pytest.mark.parametrize("name", FINDINGS)
def test_a_verdict_rests_on_the_setting_that_the_rules_name(name):
    """On the paper's, else paper-short, once all its seeds are run, else on quick; rounded only where a record in float32 of the same
    setting shows that nothing of a main statement moved."""
    made = {folder: record.committed(name, folder=folder) for folder in FOLDERS if folder.partition("/")[0] == name}
    whole = set()
    for one in made.values():
        all_seeds = len(one["seeds"]) >= SIZES[one["preset"]].seeds[0 if FINDINGS[name].curves else 1]
        if precision_of(one) != "float32":
            single = f"{name}/{single_of(one)}"
            all_seeds = (
                all_seeds and record.written(single) and not moved(compared(record.committed(name, folder=single), one))
            )
        if all_seeds:
            whole.add((one["preset"], precision_of(one), unembedding_of(one)))
    presets = {preset for preset, _, _ in whole}
    own = made[name]
    assert (own["preset"], precision_of(own), unembedding_of(own)) in whole
    as_cited = {preset for preset, _, unembedding in whole if unembedding == "own"} - {"quick", "reduced"}
    assert (unembedding_of(own) == "own") == (own["preset"] in as_cited)
    assert own["preset"] == next(preset for preset in ("paper", "paper-short", "quick") if preset in presets)
