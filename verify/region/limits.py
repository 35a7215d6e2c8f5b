"""Limits of the three step sizes, from below and from above, at one world.

eta_KQ^subj, gradients given: every score difference is d0 + eta d1, with d0 = 0 between subjects and 1 against attributes
and [sep]. So the query wins against all iff d1 > 0 against the context subjects and eta < -1 / d1 wherever d1 < 0: an
interval with ends known to the radius of the gradients.
eta_KQ^rel: with the full window (T <= S + 2) all positions start equal and no token of a sequence has an initial score, so
d0 = 0 for every pair: every eta > 0 or none.
eta_OV enters the second step through the softmax: decided point by point, doubling by tens and then bisected.  As eta_OV -> 0
the scores of the relation head are proportional to it and so is the margin: the limit from below is 0 or there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from numerics.population import hat_gradients
from numerics.population.certified.result import CertifiedGradients
from numerics.population.layout import Layout
from numerics.world import World
from verify.region.point import Steps, point

#: Where the search for limits of eta_OV ends; the softmax of the second step is saturated far below the upper end.
SMALLEST, LARGEST = Fraction(1, 10**6), Fraction(10**9)
#: The limit of eta_OV is located to this factor.
FACTOR = 1.02


@dataclass(frozen=True)
class Limits:
    """Steps between `low` and `high` (None: no limit) keep the conclusion; with `high_at_least` < `high` the limit is bracketed.

    holds: False if no step does, None if open.
    """

    step: str
    objective: str
    holds: bool | None
    low: float | None
    high: float | None
    high_at_least: float | None
    why: str

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def words(self) -> str:
        if self.holds is False:
            return "no step size"
        if self.holds is None:
            return f"open: {self.why}"
        upper = "no upper limit" if self.high is None else f"< {self.high:.4g}"
        lower = "any > 0" if self.low is None else f"> {self.low:.3g}"
        return f"{lower}, {upper}" + (f" ({self.why})" if self.why else "")


def subject_step(world: World, n_demos: int, objective: str, gradients: CertifiedGradients | None) -> Limits:
    """Limits of eta_KQ^subj for the subject head to attend the query alone on every sequence. gradients None: exact hat."""
    if gradients is None:
        g = hat_gradients(world, n_demos, 0).kq_subj.floats
        radius = np.spacing(np.abs(g).max()) * np.ones_like(g)
    else:
        g, radius = gradients.kq_subj, gradients.kq_subj_radius
    layout, V = Layout(n_demos), world.V
    places = g[V:][::-1]
    slack = 2 * float(radius.max())
    # Seen and held-out queries: every subject.
    own = float(np.min(-g[: world.M]) - places[layout.subjects[-1]])
    tokens = np.unique(world.attribute_token[world.finetune_array])
    against = {
        "context subjects": (0.0, float(np.max(-g[world.finetune_array]) + np.max(-places[layout.subjects[:-1]]))),
        "attributes": (1.0, float(np.max(-g[tokens]) + np.max(-places[layout.attributes]))),
        "[sep]": (1.0, float(-g[world.sep_token] + np.max(-places[layout.seps]))),
    }
    high, bracket, who = None, None, ""
    for name, (start, gain) in against.items():
        slope = own - gain
        if start == 0 and slope - slack <= 0:
            return Limits(
                "eta_kq_subj",
                objective,
                False if slope + slack <= 0 else None,
                None,
                None,
                None,
                f"{name} score as much",
            )
        if start > 0 and slope < 0 and (high is None or -start / slope < high):
            high, bracket, who = -start / slope, start / (slack - slope), f"then {name} score as much as the query"
    return Limits("eta_kq_subj", objective, True, None, high, bracket, who)


def relation_step(objective: str, holds: bool | None) -> Limits:
    """Limits of eta_KQ^rel with the full window: none, where the conclusion holds at one step."""
    return Limits("eta_kq_rel", objective, holds, None, None, None, "full window: all positions start equal")


def value_step(
    world: World,
    n_demos: int,
    objective: str,
    steps: Steps,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Limits:
    """Limits of eta_OV at the other two steps as given. Cost: about 15 points of the region."""
    looked = 0

    def holds(eta: Fraction) -> bool | None:
        nonlocal looked
        looked += 1
        if progress is not None:
            progress(min(looked, 19), 20)
        return point(world, n_demos, objective, replace(steps, eta_ov=eta), device).holds

    def made(state: bool | None, low: float | None, high: float | None, least: float | None, why: str) -> Limits:
        if progress is not None:
            progress(20, 20)
        return Limits("eta_ov", objective, state, low, high, least, why)

    start = steps.eta_ov
    at_start = holds(start)
    if at_start is not True:
        return made(at_start, None, None, None, f"at eta_OV = {float(start):g}")
    good, bad = start, None
    while good < LARGEST:
        trial = good * 10
        answer = holds(trial)
        if answer is not True:
            bad, state = trial, answer
            break
        good = trial
    low = None if holds(SMALLEST) else float(SMALLEST)
    if bad is None:
        return made(True, low, None, float(good), f"decided up to {float(good):.0e}")
    while float(bad / good) > FACTOR:
        middle = Fraction(float(np.sqrt(float(good) * float(bad))))
        answer = holds(middle)
        good, bad, state = (middle, bad, state) if answer is True else (good, middle, answer)
    why = "located to 2 %" if state is False else "beyond that it could not be decided"
    return made(True, low, float(bad), float(good), why)
