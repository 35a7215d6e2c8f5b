"""Everything that one run of the region finds: boundaries, limits of the steps, finite beta; as data and as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from numerics.population import hat_gradients
from numerics.population.certified.result import NotCertified
from numerics.updates import UpdatedWeights, updated_weights
from numerics.world import World
from verify.enclosure import enclosed
from verify.region.boundary import Boundary, Sizes, boundary, closed_form
from verify.region.finite import FiniteBeta, finite_beta
from verify.region.limits import Limits, relation_step, subject_step, value_step
from verify.region.point import OBJECTIVES, Answer, Steps, answered, point, true_gradients

#: Is M_ft one below the first decided to fail?
BELOW = {True: "NO", False: "yes", None: "open"}
Bar = Callable[[str], Callable[[int, int], None] | None]


@dataclass(frozen=True)
class AtPoint:
    """One M_ft: the answers, and where the conclusion holds the limits of the steps and of beta."""

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


def _weights(world: World, N_ft: int, objective: str, steps: Steps, device: str) -> UpdatedWeights:
    """Half-way weights in units of their steps' own size, for the search at finite beta: per unit beta, as updated_weights."""
    if objective == "hat":
        return updated_weights(world, hat_gradients(world, N_ft, steps.eta_ov), steps.eta_kq_subj, steps.eta_kq_rel)
    g = true_gradients(world, N_ft, steps, device)
    return updated_weights(world, g, float(steps.eta_kq_subj), float(steps.eta_kq_rel))


def at_point(sizes: Sizes, M_ft: int, why: str, steps: Steps, device: str, bar: Bar) -> AtPoint:
    """The answers at one M_ft, and the limits of every step and of beta where the conclusion holds."""
    world, N = sizes.world(M_ft), sizes.N_ft
    answers: dict[str, Answer] = {}
    limits: dict[str, list[Limits]] = {}
    beta: dict[str, FiniteBeta] = {}
    for objective in OBJECTIVES:
        gradients = None
        if objective == "true":
            try:
                gradients = true_gradients(world, N, steps, device)
            except NotCertified as error:
                answers["true"] = Answer("true", None, {}, f"not certified: {error}")
                continue
            lower, upper, _ = enclosed(world, gradients, steps.eta_kq_subj, steps.eta_kq_rel)
            answers["true"] = answered(world, N, "true", lower, upper)
        else:
            answers["hat"] = point(world, N, "hat", steps)
        if answers[objective].holds is not True:
            continue
        limits[objective] = [
            subject_step(world, N, objective, gradients),
            value_step(world, N, objective, steps, device, bar(f"limits of eta_OV, {objective}, M_ft = {M_ft}")),
            relation_step(objective, True),
        ]
        beta[objective] = finite_beta(world, N, objective, _weights(world, N, objective, steps, device))
    return AtPoint(M_ft, why, answers, limits, beta)


def region(sizes: Sizes, steps: Steps, M_ft: int, device: str, bar: Bar, details: bool = True) -> Region:
    """Boundaries, then the point asked for, then M_ft = M - U (well inside, if anything is) where it differs."""
    boundaries = {
        objective: boundary(sizes, objective, steps, device, bar(f"boundary, {objective}")) for objective in OBJECTIVES
    }
    points = []
    if details:
        points.append(at_point(sizes, M_ft, "as given", steps, device, bar))
        firsts = [b.first for b in boundaries.values() if b.first is not None]
        if points[0].answers["true"].holds is not True and firsts and len(firsts) == len(OBJECTIVES):
            inside = min(sizes.M, max(firsts))
            points.append(at_point(sizes, inside, "the first where both hold", steps, device, bar))
    return Region(sizes, steps, closed_form(sizes), boundaries, points)


def show(console: Console, found: Region) -> None:
    """Tables for people."""
    s = found.sizes
    console.print(
        f"[bold]Where the conclusion holds[/bold]: M = {s.M}, L = {s.L}, U = {s.U}, N_ft = {s.N_ft}, balanced tables, beta = inf",
        highlight=False,
    )
    table = Table(title="the smallest M_ft from which it holds", title_justify="left")
    for name in ("after", "first M_ft", "fails just below", "values decided", "monotone among them"):
        table.add_column(name)
    closed = "none up to M" if found.closed is None else str(found.closed)
    table.add_row("hat steps, closed form (f_u = 1/U)", closed, "yes", "all", "yes")
    for objective, b in found.boundaries.items():
        first = "none up to M" if b.first is None else str(b.first)
        below = BELOW[b.decided.get(b.first - 1, None)] if b.first is not None and b.first > s.U else "-"
        table.add_row(
            f"{objective} steps, these tables", first, below, str(len(b.decided)), "yes" if b.monotone else "NO"
        )
    console.print(table)
    for p in found.points:
        console.print(f"[bold]M_ft = {p.M_ft}[/bold] ({p.why})", highlight=False)
        for objective, answer in p.answers.items():
            word = {True: "holds", False: "FAILS", None: "open"}[answer.holds]
            console.print(f"  {objective} steps: {word} ({answer.why})", highlight=False)
            for one in p.limits.get(objective, []):
                console.print(f"    {one.step}: {one.words()}", highlight=False)
            if objective in p.beta:
                beta = p.beta[objective]
                enough = (
                    "no finite bound"
                    if beta.sufficient is None
                    else f"beta >= {beta.sufficient:.4g} suffices on every sequence"
                )
                fails = (
                    "no failing sequence found below it"
                    if beta.fails_at is None
                    else f"at beta = {beta.fails_at:.4g} a named sequence still fails"
                )
                console.print(f"    finite beta: {enough}; {fails}", highlight=False)
