"""What is committed under results/ is what the rules of today say of the networks in it."""

import json
from importlib import resources

import jsonschema
import pytest

from verify.trained import record
from verify.trained.figures import FIGURES

SCHEMA = json.loads(resources.files("verify").joinpath("schema/figure.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in FIGURES if (record.RESULTS / name).is_dir()])
def test_what_is_committed_is_a_valid_record_of_the_paper_preset(name):
    """Verdicts in it follow from its own networks by the rules of today."""
    found = record.committed(name)
    jsonschema.validate(found, SCHEMA)
    assert found["preset"] == "paper"
    assert len(found["seeds"]["base"]) >= 5
    assert found["revision"] != "unknown"
    for statement, entry in zip(FIGURES[name].statements, found["statements"], strict=True):
        again = record.rounded(record.judged(statement, found["networks"]))
        assert again == entry
    for picture in found["pictures"]:
        path = record.RESULTS / name / picture
        assert 0 < path.stat().st_size < 300_000
