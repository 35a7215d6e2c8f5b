"""The boundary in M_ft, located to one subject: where the conclusion starts to hold in balanced worlds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numerics.world import World
from theory.finetuning.conclusion import sharp_M_ft
from verify.region.point import Answer, Steps, point

#: On either side of the boundary, that many more values of M_ft are decided: tables of unequal remainder need not be monotone.
AROUND = 2
#: Where there are no more values of M_ft than that, every one is decided.
ALL = 24
#: Exactly balanced tables below the boundary that are decided besides.
MULTIPLES = 8


@dataclass(frozen=True)
class Sizes:
    """A balanced world without its number of finetuning subjects."""

    M: int = 256
    L: int = 8
    U: int = 32
    N_ft: int = 5
    G: int = 4
    seed: int = 0

    def world(self, M_ft: int) -> World:
        """Balanced; where U does not divide M_ft, values occur floor or ceil(M_ft / U) times."""
        return World.balanced(self.M, self.L, self.U, M_ft, n_grammar=self.G, seed=self.seed)


@dataclass(frozen=True)
class Boundary:
    """first: the least M_ft decided at which it holds, M_ft - 1 failing or open (None: at no decided M_ft up to M; equal to U if
    it holds there). decided: every M_ft looked at. monotone: nothing decided contradicts "holds exactly from first on"."""

    objective: str
    first: int | None
    decided: dict[int, bool | None]
    answers: dict[int, Answer] = field(repr=False, default_factory=dict)

    @property
    def monotone(self) -> bool:
        if self.first is None:
            return not any(self.decided.values())
        return all(holds == (M_ft >= self.first) for M_ft, holds in self.decided.items() if holds is not None)

    def as_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "first": self.first,
            "monotone": self.monotone,
            "decided": {str(M_ft): holds for M_ft, holds in sorted(self.decided.items())},
        }


def boundary(
    sizes: Sizes,
    objective: str,
    steps: Steps,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    around: int = AROUND,
) -> Boundary:
    """Every M_ft from U to M where these are at most ALL. Else by bisection, and the MULTIPLES of U next below what that finds (below M
    where it finds none), since at large steps exactly balanced tables hold where others do not; then `around` further values on
    both sides of the first, and of what holds among them. Cost O(log M) points, and one for every M_ft that holds below a gap wider
    than `around`.
    """
    answers: dict[int, Answer] = {}
    low, high = sizes.U, sizes.M
    few = high - low < ALL
    total = high - low + 1 if few else (high - low + 1).bit_length() + 4 + 2 * around + MULTIPLES

    def holds(M_ft: int) -> bool | None:
        if M_ft not in answers:
            answers[M_ft] = point(sizes.world(M_ft), sizes.N_ft, objective, steps, device)
            if progress is not None:
                progress(min(len(answers), total - 1), total)
        return answers[M_ft].holds

    if few:
        for M_ft in range(low, high + 1):
            holds(M_ft)
    elif not holds(low) and holds(high):
        while high - low > 1:
            middle = (low + high) // 2
            if holds(middle):
                high = middle
            else:
                low = middle
    if not few and not holds(sizes.U):
        below = range(sizes.U, high, sizes.U)
        for M_ft in below[-MULTIPLES:]:
            holds(M_ft)

    def least() -> int | None:
        return min((M_ft for M_ft, a in answers.items() if a.holds), default=None)

    # What is decided around the first may hold below it again: then on from there.
    first, before = least(), None
    while first is not None and first != before:
        for M_ft in range(max(sizes.U, first - 1 - around), min(sizes.M, first + around) + 1):
            holds(M_ft)
        first, before = least(), first
    if progress is not None:
        progress(total, total)
    return Boundary(objective, first, {k: a.holds for k, a in answers.items()}, answers)


def closed_form(sizes: Sizes) -> int | None:
    """The hat boundary by the sharp condition, f_u = 1/U at every integer M_ft, the same for all steps; None if beyond M."""
    return sharp_M_ft(sizes.M, sizes.L, (sizes.U,) * sizes.L, sizes.N_ft + 1) if sizes.L >= 2 else None
