"""The boundary over a grid of U and N_ft, for the plot: every point decided, nothing interpolated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verify.region.boundary import Boundary, Sizes, boundary, closed_form
from verify.region.point import OBJECTIVES, Steps


@dataclass(frozen=True)
class Cell:
    """One (U, N_ft): the hat boundary in closed form, and both boundaries on actual tables."""

    sizes: Sizes
    closed: int | None
    boundaries: dict[str, Boundary]

    def as_json(self) -> dict[str, Any]:
        return {
            "U": self.sizes.U,
            "N_ft": self.sizes.N_ft,
            "M": self.sizes.M,
            "hat_closed_form": self.closed,
            **{name: b.as_json() for name, b in self.boundaries.items()},
        }


def sweep(
    sizes: Sizes,
    U: Sequence[int],
    N_ft: Sequence[int],
    steps: Steps,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[Cell]:
    """Boundaries at every U (dividing M) and N_ft, with the other sizes as given. Cost: |U| |N_ft| boundaries of both objectives."""
    cells = []
    for u in U:
        for n in N_ft:
            here = replace(sizes, U=u, N_ft=n)
            found = {name: boundary(here, name, steps, device, around=1) for name in OBJECTIVES}
            cells.append(Cell(here, closed_form(here), found))
            if progress is not None:
                progress(len(cells), len(U) * len(N_ft))
    return cells
