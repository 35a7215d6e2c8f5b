"""Everything that one run of the region finds: boundaries, limits of the steps, finite beta; as data and as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from numerics.population.certified.result import NotCertified
from verify.region.boundary import Boundary, Sizes, boundary, closed_form
from verify.region.finite import FiniteBeta, finite_beta
from verify.region.limits import Limits, relation_step, subject_step, value_step
from verify.region.point import HOLDS, OBJECTIVES, Answer, Steps, answered, between, gradients, point
from verify.region.tempered import Tempered

#: Is M_ft one below the first decided to fail?
BELOW = {True: "NO", False: "yes", None: "open"}
Bar = Callable[[str], Callable[[int, int], None] | None]


@dataclass(frozen=True)
class AtPoint:
    """One M_ft: the answers at beta = inf, where they are that it holds the limits of the steps, and what is so at finite beta."""

    M_ft: int
    why: str
    answers: dict[str, Answer]
    limits: dict[str, list[Limits]]
    beta: dict[str, FiniteBeta]

    def as_json(self) -> dict[str, Any]:
        return {
            "M_ft": self.M_ft,
            "chosen": self.why,
            "answers": {name: a.as_json() for name, a in self.answers.items()},
            "limits": {name: [one.as_json() for one in some] for name, some in self.limits.items()},
            "finite_beta": {name: b.as_json() for name, b in self.beta.items()},
        }


@dataclass(frozen=True)
class Region:
    """sizes, steps: what was asked; closed: the hat boundary in closed form; boundaries: by objective, on actual tables."""

    sizes: Sizes
    steps: Steps
    closed: int | None
    boundaries: dict[str, Boundary]
    points: list[AtPoint]

    def as_json(self) -> dict[str, Any]:
        return {
            "sizes": dict(self.sizes.__dict__),
            "steps": {name: str(value) for name, value in self.steps.__dict__.items()},
            "boundary": {
                "hat_closed_form": self.closed,
                **{name: b.as_json() for name, b in self.boundaries.items()},
            },
            "points": [p.as_json() for p in self.points],
        }


def at_point(sizes: Sizes, M_ft: int, why: str, steps: Steps, device: str, bar: Bar) -> AtPoint:
    """The answers at one M_ft, and the limits of every step and of beta where the conclusion holds."""
    world, N = sizes.world(M_ft), sizes.N_ft
    answers: dict[str, Answer] = {}
    limits: dict[str, list[Limits]] = {}
    beta: dict[str, FiniteBeta] = {}
    for objective in OBJECTIVES:
        answers[objective] = point(world, N, objective, steps, device)
        try:
            g = gradients(world, N, objective, steps, device)
        except NotCertified as error:
            # Decided from a looser enclosure.
            answers[objective] = replace(
                answers[objective], why=f"{answers[objective].why}; limits not sought: {error}"
            )
            continue
        lower, upper, *units = between(world, g, steps)
        tempered = Tempered(lower, upper, (units[0], units[1]))
        if answers[objective].holds is not True:
            beta[objective] = finite_beta(world, N, objective, tempered, answers[objective].conditions)
            continue
        # With these tight enclosures.
        answers[objective] = answer = answered(world, N, objective, lower, upper)
        limits[objective] = [
            subject_step(world, N, g)
            if answer.why == HOLDS
            else Limits("eta_kq_subj", objective, None, why=answer.why),
            value_step(
                world, N, objective, steps, answer, device, bar(f"limits of eta_OV, {objective}, M_ft = {M_ft}")
            ),
            relation_step(objective, answer),
        ]
        beta[objective] = finite_beta(world, N, objective, tempered, answer.conditions)
    return AtPoint(M_ft, why, answers, limits, beta)


def both_hold(boundaries: dict[str, Boundary]) -> int | None:
    """The least M_ft at which both are decided to hold; None where there is none."""
    held = [{M_ft for M_ft, holds in b.decided.items() if holds} for b in boundaries.values()]
    return min(set.intersection(*held), default=None)


def region(sizes: Sizes, steps: Steps, M_ft: int, device: str, bar: Bar, details: bool = True) -> Region:
    """Boundaries, then the point asked for, then, if the conclusion fails there, the first M_ft at which it holds after both."""
    boundaries = {
        objective: boundary(sizes, objective, steps, device, bar(f"boundary, {objective}")) for objective in OBJECTIVES
    }
    points = []
    if details:
        points.append(at_point(sizes, M_ft, "as given", steps, device, bar))
        holds = all(a.holds is True for a in points[0].answers.values())
        inside = both_hold(boundaries)
        if not holds and inside is not None:
            points.append(at_point(sizes, inside, "the first where both hold", steps, device, bar))
    return Region(sizes, steps, closed_form(sizes), boundaries, points)


def first_words(M_ft: int, M: int, every: bool = True) -> str:
    """M itself says less than the theorem: nothing is held out there.  every: all M_ft below it were decided."""
    return f"{M_ft}" if M_ft < M else f"{M} = M (seen queries only), none {'' if every else 'decided '}below"


def show(console: Console, found: Region) -> None:
    """Tables for people."""
    s = found.sizes
    console.print(
        f"[bold]Where the conclusion holds[/bold]: M = {s.M}, L = {s.L}, U = {s.U}, N_ft = {s.N_ft}, balanced tables, beta = inf",
        highlight=False,
    )
    table = Table(title="M_ft from which it holds", title_justify="left")
    for name in ("after", "first M_ft", "fails just below", "M_ft decided", "holds from there on"):
        table.add_column(name)
    closed = ("none up to M", "-")
    if found.closed is not None:
        closed = (first_words(found.closed, s.M), "yes" if found.closed > s.U else "-")
    table.add_row(
        "hat steps, closed form (every f_u = 1/U, all step sizes)",
        *closed,
        "all",
        "-" if found.closed is None else "yes",
    )
    for objective, b in found.boundaries.items():
        first, below, onwards = "none found", "-", "-"
        if b.first is not None:
            first = first_words(b.first, s.M, len(b.decided) == s.M - s.U + 1)
            below = BELOW[b.decided.get(b.first - 1, None)] if b.first > s.U else "-"
            onwards = "at all of these" if b.monotone else "NO"
        elif not any(b.decided.values()) and all(h is False for h in b.decided.values()):
            first = "none up to M" if len(b.decided) == s.M - s.U + 1 else "not at M"
        table.add_row(f"{objective} steps, these tables", first, below, f"{len(b.decided)} of {s.M - s.U + 1}", onwards)
    console.print(table)
    for p in found.points:
        console.print(f"[bold]M_ft = {p.M_ft}[/bold] ({p.why})", highlight=False)
        for objective, answer in p.answers.items():
            word = {True: "holds", False: "FAILS", None: "open"}[answer.holds]
            console.print(f"  {objective} steps: {word} at beta = inf ({answer.why})", highlight=False)
            for one in p.limits.get(objective, []):
                console.print(f"    {one.step}: {one.words()}", highlight=False)
            if objective in p.beta:
                console.print(f"    finite beta: {p.beta[objective].words()}", highlight=False)
