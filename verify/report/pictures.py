"""The committed pictures of trained networks, for the pages of the claims they belong to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.findings.record import seeds_in_words
from verify.report.captions import SHOWN

#: Claim id -> entry point and folder below results/.
FIGURES = {
    "finding1": "finding1",
    "finding2": "finding2",
    "finding3": "finding3",
    "fig5": "fig5",
    "finding4": "finding4",
    "finding5": "finding5",
    "fig9-10": "fig9_10",
    "fig11-12": "fig11_12",
    "fig13": "fig13",
    "fig14": "fig14",
    "fig19-21": "fig19_21",
    "fig22-26": "fig22_26",
}
RESULTS = Path(__file__).resolve().parent.parent.parent / "results"


@dataclass(frozen=True)
class Picture:
    """A picture by its name in the report, its source, and what it shows in words."""

    file: str
    source: Path
    words: str


def pictures_of(claim: str, results: Path = RESULTS) -> tuple[Picture, ...]:
    """The pictures of a claim, in the order of their names, those of another preset (a folder below) last; none for a claim
    without networks. Raises ValueError for a picture without words or beside no record."""
    if claim not in FIGURES:
        return ()
    folder = results / FIGURES[claim]
    found = [*sorted(folder.glob("*.png")), *sorted(folder.glob("*/*.png"))]
    return tuple(
        Picture(f"pictures/{path.relative_to(results).as_posix()}", path, f"{_shown(path)} {_setting(path, folder)}")
        for path in found
    )


def _shown(path: Path) -> str:
    if path.stem not in SHOWN:
        raise ValueError(f"{path}: has no words; say what it shows in verify/report/captions.py")
    return SHOWN[path.stem]


def _setting(path: Path, folder: Path) -> str:
    """The preset of the record beside the picture; of a folder below, that the verdict does not rest on it."""
    own = _record(path.parent)
    preset = own["preset"]
    if path.stem == "unlearning":
        return f"Preset {preset}{_products(own)}; the verdict does not rest on it."
    if path.parent == folder:
        return f"Preset {preset}{_products(own)}."
    if preset == _record(folder)["preset"]:
        products = _products(own) or ", products in float32"
        return f"Preset {preset} once more{products}, {seeds_in_words(len(own['seeds']))}; the verdict does not rest on it."
    return f"Another setting, preset {preset}{_products(own)}, on which the verdict does not rest."


def _products(record: dict[str, Any]) -> str:
    """What products were rounded to in training, where they were, and whose the unembedding is, where it is its own."""
    config = record.get("config", {})
    config = config.get("low", config)
    cast, tied = config.get("autocast", "none"), config.get("model", {}).get("tied", True)
    return ("" if tied else ", with an unembedding of its own") + ("" if cast == "none" else f", products in {cast}")


def _record(folder: Path) -> dict[str, Any]:
    for name in ("finding", "figure", "unlearning", folder.name):
        record = folder / f"{name}.json"
        if record.is_file():
            return dict(json.loads(record.read_text(encoding="utf-8")))
    raise ValueError(f"{folder}: holds pictures and no record that names their preset")
