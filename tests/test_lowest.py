"""Every dependency has a lower end, and pip is told all of them but torch's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.lowest import lowest

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def test_every_dependency_has_a_lower_end():
    said = {one.split("==")[0] for one in lowest(PROJECT)}
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert said == {one.split(">=")[0] for one in needed} - {"torch"}


@pytest.mark.parametrize("said", ["numpy", "numpy==1.26", "numpy<2", "numpy>=1.26,!=1.26.1"])
def test_one_without_is_refused(said):
    with pytest.raises(ValueError, match="must be name>=lower"):
        lowest({"dependencies": [said], "optional-dependencies": {"dev": []}})
