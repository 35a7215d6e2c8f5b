"""All pictures of a record, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from verify.representations.pictures.clustering import fig16, fig17, trivial
from verify.representations.pictures.learning import learning
from verify.representations.pictures.overview import fig8
from verify.representations.pictures.steering import fig18
from verify.trained.pictures.style import lighter, save

MADE = {"fig8": fig8, "fig16": fig16, "fig17": fig17, "fig18": fig18, "trivial": trivial, "learning": learning}


def draw(record: dict[str, Any], folder: Path) -> list[Path]:
    """Draws the pictures that the record names into the folder."""
    paths = [folder / name for name in record["pictures"]]
    for path in paths:
        save(MADE[path.stem](record), path)
        lighter(path)
    return paths
