"""The committed pictures of trained networks, for the pages of the claims they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def pictures_of(claim: str) -> tuple[Picture, ...]:
    """The pictures of a claim, in the order of their names; none for a claim without networks."""
    if claim not in FIGURES:
        return ()
    folder = RESULTS / FIGURES[claim]
    return tuple(
        Picture(f"pictures/{folder.name}/{path.name}", path, f"{claim}: {path.stem.replace('_', ' ')}")
        for path in sorted(folder.glob("*.png"))
    )
