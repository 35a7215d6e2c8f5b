"""One point of the region: does the conclusion hold there, after hat and after true steps?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.conditions import Condition, conditions
from numerics.conclusion.failing import surely_fails
from numerics.conclusion.rational import Weights
from numerics.population import hat_gradients
from numerics.population.certified import certified_gradients
from numerics.population.certified.result import CertifiedGradients, NotCertified
from numerics.population.exact import ExactGradients
from numerics.updates import UpdatedWeights, updated_weights
from numerics.world import World
from verify.enclosure import enclosed
from verify.witnesses import one_thread

OBJECTIVES = ("hat", "true")
#: Relative errors asked of the true gradients (step 1, step 2), from loose on: a loose enclosure costs a tenth of a tight one
#: and is as proven; the next is asked only where the answer stays open. Gaps of the region are 1e-9 of the scores or more
#: unless a boundary is hit exactly.
TOLERANCES = ((1e-3, 1e-2), (1e-6, 1e-5), (1e-10, 1e-8))
HOLDS = "every condition holds"


@dataclass(frozen=True)
class Answer:
    """holds: True, False, or None (open, `why` says so). conditions: the sharp conditions of each pool of queries, their
    gaps in the units of `between`. failing: a sequence (pool, type, subjects) that surely fails."""

    objective: str
    holds: bool | None
    conditions: dict[str, list[Condition]]
    why: str
    failing: tuple[str, int, tuple[int, ...]] | None = None

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


def _levelled(world: World, weights: UpdatedWeights, subj: Fraction, rel: Fraction) -> UpdatedWeights:
    """The same attention: `subj` taken off every token's score in the subject head, `rel` off every position's in the relation head.

    These are what the scores of subjects and of positions start from; without them a small step is not lost in float64. Nor may
    it be measured by the scores of relation tokens, which no sequence here holds: they are set to 0.
    """
    kq_subj, kq_rel = weights.kq_subj.copy(), weights.kq_rel.copy()
    kq_subj[: world.V] -= subj
    kq_rel[world.V :] -= rel
    kq_rel[[world.relation_token(ell) for ell in range(world.L)]] = Fraction(0)
    return UpdatedWeights(kq_subj, kq_rel, weights.ov_subj, weights.ov_rel)


def between(
    world: World, g: ExactGradients | CertifiedGradients, steps: Steps
) -> tuple[UpdatedWeights, UpdatedWeights, Fraction, Fraction]:
    """(lower, upper, subj, rel): bounds of the weights after both steps, full window, per unit beta, levelled.

    Scores come divided by `subj` = eta_KQ^subj and `rel` = eta_KQ^rel u, logits by u, a power of 2 near eta_OV: no argmax
    depends on them. Exact gradients: lower is upper, dtype object. Cost O(V^2).
    """
    unit = Fraction(2) ** round(math.log2(g.eta_ov))
    subj, rel = steps.eta_kq_subj, steps.eta_kq_rel * unit
    if isinstance(g, ExactGradients):
        w = updated_weights(world, g, steps.eta_kq_subj, steps.eta_kq_rel)
        ov = (w.ov_subj, w.ov_rel) if unit == 1 else (w.ov_subj / unit, w.ov_rel / unit)
        exact = _levelled(world, UpdatedWeights(w.kq_subj / subj, w.kq_rel / rel, *ov), 1 / subj, 1 / rel)
        return exact, exact, subj, rel
    lower, upper, _ = enclosed(world, g, steps.eta_kq_subj, steps.eta_kq_rel)
    low, high = (_levelled(world, side, 1 / subj, 1 / rel) for side in (lower, upper))
    return low, high, subj, rel


def answered(
    world: World, n_demos: int, objective: str, lower: Weights, upper: Weights, thorough: bool = True
) -> Answer:
    """The conclusion for every weights between bounds: sharp conditions first, one failing sequence or all of them next.

    The weights are from gradients over independent draws with the full window: positions of one kind score the same.
    thorough False: open where the conditions do not hold and none of their worst sequences surely fails.
    Cost: that of the conditions, O(L M + A |Q| A); thorough, that of numerics.conclusion.decide where these do not tell.
    """
    found = {pool: conditions(world, n_demos, lower, upper, pool) for pool in pools(world)}
    broken = {pool: [c for c in some if c.holds is not True] for pool, some in found.items()}
    for pool, some in broken.items():
        for c in some:
            failing = surely_fails(world, n_demos, lower, upper, pool, "finetune", c)
            if failing is not None:
                return Answer(objective, False, found, named(c), (pool, *failing))
    why = HOLDS
    for pool, some in broken.items():
        if not some:
            continue
        if not thorough:
            return Answer(objective, None, found, f"open ({named(some[0])})")
        if lower is upper:
            decision = decide(world, n_demos, lower, pool)
        else:
            decision = decide_interval(world, n_demos, lower, upper, pool, exchangeable=True)
        if decision.holds is not True:
            told = named(some[0]) if decision.holds is False else f"open ({named(some[0])})"
            return Answer(objective, decision.holds, found, told)
        why = f"every sequence right, though not every head attends what it should: {named(some[0])}"
    return Answer(objective, True, found, why)


def named(c: Condition) -> str:
    """A condition that does not hold, in words."""
    if c.head == "output":
        return "output: another token's logit reaches the target's"
    head, wanted = ("relation", "an attribute") if c.head == "rel" else ("subject", "the query")
    if c.head == "rel" and c.against == "query":
        return "relation head: the query scores as much as an attribute"
    return f"{head} head: {'[sep]' if c.against == 'sep' else c.against} score as much as {wanted}"


def hat_point(world: World, n_demos: int, steps: Steps) -> Answer:
    """After the hat steps: exact rationals."""
    lower, upper, *_ = between(world, hat_gradients(world, n_demos, steps.eta_ov), steps)
    return answered(world, n_demos, "hat", lower, upper)


def true_gradients(
    world: World, n_demos: int, steps: Steps, device: str = "cpu", tolerance: tuple[float, float] = TOLERANCES[-1]
) -> CertifiedGradients:
    """Certified true gradients within the tolerance.  Raises NotCertified."""
    with one_thread():
        return certified_gradients(world, n_demos, float(steps.eta_ov), tolerance=tolerance, device=device)


def true_point(
    world: World,
    n_demos: int,
    steps: Steps,
    device: str = "cpu",
    tolerances: tuple[tuple[float, float], ...] | None = None,
) -> Answer:
    """After the true steps: certified enclosures, tighter ones where the looser leave it open. Open where none can be certified."""
    answer = Answer("true", None, {}, "not tried")
    tolerances = TOLERANCES if tolerances is None else tolerances
    for tolerance in tolerances:
        last = tolerance == tolerances[-1]
        try:
            g = true_gradients(world, n_demos, steps, device, tolerance)
        except NotCertified as error:
            return replace(answer, holds=None, why=f"not certified: {error}")
        lower, upper, *_ = between(world, g, steps)
        answer = answered(world, n_demos, "true", lower, upper, thorough=last)
        if answer.holds is not None:
            return answer
    return answer


def gradients(
    world: World, n_demos: int, objective: str, steps: Steps, device: str = "cpu"
) -> ExactGradients | CertifiedGradients:
    """Exact after hat steps, certified as tightly as the region ever asks for after true steps.  Raises NotCertified."""
    if objective == "hat":
        return hat_gradients(world, n_demos, steps.eta_ov)
    return true_gradients(world, n_demos, steps, device)


def point(world: World, n_demos: int, objective: str, steps: Steps, device: str = "cpu") -> Answer:
    """One of the two."""
    return hat_point(world, n_demos, steps) if objective == "hat" else true_point(world, n_demos, steps, device)
