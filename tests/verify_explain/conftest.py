"""The command on a world, with what it writes read back."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.one_thread import one_thread as one_thread
from verify.explain import __main__ as command


@pytest.fixture(scope="session")
def schema() -> jsonschema.Draft202012Validator:
    text = resources.files("verify").joinpath("schema/explain.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.fixture
def run(tmp_path: Path, capsys, schema):
    """main([...]) -> the JSON, the page."""

    def made(*arguments: str):
        target, out = tmp_path / "e.json", tmp_path / "e.md"
        assert command.main([*arguments, "--json", str(target), "--output", str(out)]) == 0
        assert capsys.readouterr() == ("", "")
        data = json.loads(target.read_text(encoding="utf-8"))
        assert [e.message for e in schema.iter_errors(data)] == []
        return data, out.read_text(encoding="utf-8")

    return made
