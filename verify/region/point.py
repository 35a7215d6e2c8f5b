"""One point of the region: does the conclusion hold there, after hat and after true steps?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.conditions import Condition, conditions
from numerics.conclusion.failing import surely_fails
from numerics.conclusion.rational import Weights
from numerics.population import hat_gradients
from numerics.population.certified import certified_gradients
from numerics.population.certified.result import CertifiedGradients, NotCertified
from numerics.updates import updated_weights
from numerics.world import World
from verify.enclosure import enclosed
from verify.witnesses import one_thread

OBJECTIVES = ("hat", "true")
#: Gaps of the region are 1e-9 of the scores or more unless a boundary is hit exactly; radii far below that decide them.
TOLERANCE = (1e-10, 1e-8)


@dataclass(frozen=True)
class Answer:
    """holds: True, False, or None (open, `why` says so). conditions: the sharp conditions of each pool of queries; the gap of
    each is per unit of the step that made it. failing: a sequence (pool, type, subjects) that surely fails."""

    objective: str
    holds: bool | None
    conditions: dict[str, list[Condition]]
    why: str
    failing: tuple[str, int, tuple[int, ...]] | None = None

    def gap(self, head: str) -> float:
        """The smallest gap of one head over both pools; nan where nothing was certified."""
        found = [c.low for pool in self.conditions.values() for c in pool if c.head == head]
        return min(found) if found else float("nan")

    def as_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "holds": self.holds,
            "why": self.why,
            "conditions": {
                pool: [
                    {"head": c.head, "against": c.against, "low": c.low, "high": c.high, "holds": c.holds}
                    for c in found
                ]
                for pool, found in self.conditions.items()
            },
            "failing": None
            if self.failing is None
            else {"pool": self.failing[0], "type": self.failing[1], "subjects": list(self.failing[2])},
        }


@dataclass(frozen=True)
class Steps:
    """The three step sizes; eta_kq_* per unit of the gradient per unit beta."""

    eta_ov: Fraction = Fraction(1)
    eta_kq_subj: Fraction = Fraction(1)
    eta_kq_rel: Fraction = Fraction(1)


def pools(world: World) -> tuple[str, ...]:
    """The pools of queries that are not empty."""
    return ("seen", "heldout") if world.M_ft < world.M else ("seen",)


def answered(world: World, n_demos: int, objective: str, lower: Weights, upper: Weights) -> Answer:
    """The conclusion for every weights between bounds: sharp conditions first, one failing sequence or all of them next."""
    found: dict[str, list[Condition]] = {}
    for pool in pools(world):
        found[pool] = conditions(world, n_demos, lower, upper, pool)
        broken = [c for c in found[pool] if c.holds is not True]
        if not broken:
            continue
        for c in broken:
            failing = surely_fails(world, n_demos, lower, upper, pool, "finetune", c)
            if failing is not None:
                return Answer(
                    objective,
                    False,
                    found,
                    f"{c.head} head: {c.against}" if c.head != "output" else "output",
                    (pool, *failing),
                )
        exact = lower is upper
        decision = decide(world, n_demos, lower, pool) if exact else decide_interval(world, n_demos, lower, upper, pool)
        if decision.holds is not True:
            why = f"{broken[0].head}: {broken[0].against}"
            return Answer(objective, decision.holds, found, why if decision.holds is False else f"open ({why})")
    return Answer(objective, True, found, "every condition holds")


def hat_point(world: World, n_demos: int, steps: Steps) -> Answer:
    """After the hat steps: exact rationals."""
    weights = updated_weights(world, hat_gradients(world, n_demos, steps.eta_ov), steps.eta_kq_subj, steps.eta_kq_rel)
    return answered(world, n_demos, "hat", weights, weights)


def true_gradients(world: World, n_demos: int, steps: Steps, device: str = "cpu") -> CertifiedGradients:
    """Certified true gradients, as accurate as the region needs them.  Raises NotCertified."""
    with one_thread():
        return certified_gradients(world, n_demos, float(steps.eta_ov), tolerance=TOLERANCE, device=device)


def true_point(world: World, n_demos: int, steps: Steps, device: str = "cpu") -> Answer:
    """After the true steps: certified enclosures. Open where they cannot be certified."""
    try:
        g = true_gradients(world, n_demos, steps, device)
    except NotCertified as error:
        return Answer("true", None, {}, f"not certified: {error}")
    lower, upper, _ = enclosed(world, g, steps.eta_kq_subj, steps.eta_kq_rel)
    return answered(world, n_demos, "true", lower, upper)


def point(world: World, n_demos: int, objective: str, steps: Steps, device: str = "cpu") -> Answer:
    """One of the two."""
    return hat_point(world, n_demos, steps) if objective == "hat" else true_point(world, n_demos, steps, device)
