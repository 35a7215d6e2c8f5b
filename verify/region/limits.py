"""Limits of the three step sizes, from below and from above, at one world where the conclusion holds.

eta_KQ^subj, gradients given: every score difference is d0 + eta d1, with d0 = 0 between subjects and 1 against attributes
and [sep]. So the query wins against all iff d1 > 0 against the context subjects and eta < -1 / d1 wherever d1 < 0: an
interval with ends known to the radius of the gradients.
eta_KQ^rel: with the full window (T <= S + 2) all positions start equal and no token of a sequence has an initial score, so
d0 = 0 for every pair: every eta > 0 or none.
eta_OV, hat: what W_OV^rel gains is eta B with B fixed, so the gradient of the second step, and with it every score of the
relation head, is proportional to eta. Only the output is left: for a query q, a value u that the contexts hold, the target y
and any other token v
    d0 + eta d1,    d0 = W_subj[y, q] - W_subj[v, q] >= 0,    d1 = B[y, u] - B[v, u],
the same comparison on every sequence (numerics.conclusion.conditions): every eta below min -d0 / d1 over d1 < 0.
eta_OV, true: enters the second step through the softmax too: decided step by step, by tens, then bisected. Of the steps in
between nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from numerics.population import hat_gradients
from numerics.population.certified.result import CertifiedGradients
from numerics.population.construction import initial_ov_subj
from numerics.population.exact import ExactGradients, projected
from numerics.population.layout import Layout
from numerics.population.rational import Rational
from numerics.world import World
from verify.region.point import HOLDS, TOLERANCES, Answer, Steps, hat_point, true_point

#: Between these, limits of eta_OV after true steps are sought.
SMALLEST, LARGEST = Fraction(1, 10**6), Fraction(10**9)
#: They are located to this factor; a step that could not be decided is no limit, and a rough place is enough.
FACTOR, ROUGH = 1.02, 1.25


@dataclass(frozen=True)
class Limits:
    """Where one step size keeps the conclusion, the other two as given.

    proven   every step strictly between `low` and `high_at_least` keeps it; else it was decided at some of them only, these
             two among them
    high     a step from which on it does not (proven), or at which it does not (not proven); None: none is known
    failing  whether it surely fails at `high`; False where it could not be decided there
    holds    False if no step keeps it, None if open: `why` says so
    """

    step: str
    objective: str
    holds: bool | None
    proven: bool = False
    low: float = 0.0
    high_at_least: float | None = None
    high: float | None = None
    failing: bool = True
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def words(self) -> str:
        if self.holds is not True:
            return f"{'no step size' if self.holds is False else 'open'}: {self.why}"
        why = f" ({self.why})" if self.why else ""
        if self.proven:
            if self.high_at_least is None:
                return f"every step > {self.low:g}{why}"
            known = "" if self.high is not None else ", beyond that open"
            return f"every step > {self.low:g} and < {_down(self.high_at_least)}{known}{why}"
        beyond = ""
        if self.high is not None:
            beyond = f"; fails at {self.high:.4g}" if self.failing else f"; could not be decided at {self.high:.4g}"
        return f"at every step tried from {self.low:.4g} to {self.high_at_least:.4g}{beyond}{why}"


def _down(value: float) -> str:
    """Four digits, rounded down: a limit from above stays one."""
    size = 10.0 ** (math.floor(math.log10(value)) - 3)
    return f"{math.floor(value / size * (1 + 1e-15)) * size:.4g}"


def subject_step(world: World, n_demos: int, gradients: ExactGradients | CertifiedGradients) -> Limits:
    """Limits of eta_KQ^subj for the subject head to attend the query alone, any of the M subjects, on every sequence."""
    if isinstance(gradients, ExactGradients):
        objective, g = "hat", gradients.kq_subj.floats
        radius = np.spacing(np.abs(g))
    else:
        objective, g, radius = "true", gradients.kq_subj, gradients.kq_subj_radius
    layout, V = Layout(n_demos), world.V
    places = g[V:][::-1]
    # A difference of two scores has four entries; 4e-16 of their size for the float64 sums themselves.
    slack = 4 * float(radius.max() + 4e-16 * np.abs(g).max())
    own = float(np.min(-g[: world.M]) - places[layout.subjects[-1]])
    tokens = np.unique(world.attribute_token[world.finetune_array])
    against = {
        "context subjects": (0.0, float(np.max(-g[world.finetune_array]) + np.max(-places[layout.subjects[:-1]]))),
        "attributes": (1.0, float(np.max(-g[tokens]) + np.max(-places[layout.attributes]))),
        "[sep]": (1.0, float(-g[world.sep_token] + np.max(-places[layout.seps]))),
    }
    found = Limits("eta_kq_subj", objective, True, proven=True)
    for name, (start, gain) in against.items():
        slope = own - gain
        if start == 0 and slope - slack <= 0:
            none = False if slope + slack <= 0 else None
            return Limits("eta_kq_subj", objective, none, why=f"{name} score as much as the query")
        if start > 0 and slope - slack < 0:
            least = start / (slack - slope)
            if found.high_at_least is None or least < found.high_at_least:
                high = -start / (slope + slack) if slope + slack < 0 else None
                why = f"then {name} score as much as the query"
                found = replace(found, high_at_least=least, high=high, why=why)
    return found


def relation_step(objective: str, answer: Answer) -> Limits:
    """Limits of eta_KQ^rel with the full window: none, where the conclusion holds at one step."""
    return Limits("eta_kq_rel", objective, answer.holds, proven=True, why="full window: all positions start equal")


def hat_value_step(world: World, gradients: ExactGradients) -> Fraction | None:
    """The exact limit of eta_OV from above where every head attends what it should at one step; None if there is none.

    gradients: at any eta_OV. Cost O(M A^2) with A = sum U_l; exact for the pairs within 1e-9 of the least in float64.
    """
    values = slice(world.M, world.M + world.n_attributes)
    gained = Rational(-projected(gradients.ov_rel.numerators, world), gradients.ov_rel.denominator)
    subj, B = initial_ov_subj(world, "set"), gained.floats
    best: Fraction | None = None
    bound = math.inf
    for ell in range(world.L):
        target = world.attribute_token[:, ell]
        for u in np.unique(world.attribute_token[world.finetune_array, ell]):
            # Only attributes ever fall below the other tokens in W_OV^subj, and only they gain: (A, M) pairs.
            d0 = (subj[target, np.arange(world.M)][None, :] - subj[values, : world.M]).astype(np.float64)
            d1 = B[target, u][None, :] - B[values, u][:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                limit = np.where((d1 < 0) & (d0 > 0), -d0 / d1, np.inf)
            least = float(limit.min())
            if least == math.inf or least > bound * (1 + 1e-9):
                continue
            bound = min(bound, least)
            pairs = {
                (int(d0[v, q]), world.M + int(v), int(target[q])) for v, q in np.argwhere(limit <= least * (1 + 1e-9))
            }
            for start, v, y in pairs:
                slope = Fraction(int(gained.numerators[y, u]) - int(gained.numerators[v, u]), int(gained.denominator))
                one = -start / slope
                best = one if best is None else min(best, one)
    return best


def value_step(
    world: World,
    n_demos: int,
    objective: str,
    steps: Steps,
    answer: Answer,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Limits:
    """Limits of eta_OV at the other two steps as given, where `answer`, the one at steps.eta_ov, holds.

    Cost: hat, O(M A^2); true (or a head that does not attend what it should), about 15 points of the region.
    """
    if answer.holds is not True:
        return Limits("eta_ov", objective, answer.holds, why=answer.why)
    if objective == "hat" and answer.why == HOLDS:
        limit = hat_value_step(world, hat_gradients(world, n_demos, 0))
        size = None if limit is None else float(limit)
        why = "" if limit is None else "there another token's logit reaches the target's"
        return Limits("eta_ov", objective, True, proven=True, high_at_least=size, high=size, why=why)
    looked = 0

    def holds(eta: Fraction) -> bool | None:
        nonlocal looked
        looked += 1
        if progress is not None:
            progress(min(looked, 24), 25)
        there = replace(steps, eta_ov=eta)
        if objective == "hat":
            return hat_point(world, n_demos, there).holds
        # The tightest enclosures take ten times as long and move the end by little: it stays open a little earlier.
        return true_point(world, n_demos, there, device, TOLERANCES[:-1]).holds

    up, high, failing = _searched(holds, steps.eta_ov, LARGEST, 10)
    down, *_ = _searched(holds, steps.eta_ov, SMALLEST, Fraction(1, 1000))
    if progress is not None:
        progress(25, 25)
    end = None if high is None else float(high)
    return Limits("eta_ov", objective, True, False, float(down), float(up), end, failing)


def _searched(
    holds: Callable[[Fraction], bool | None], start: Fraction, end: Fraction, factor: Fraction | int
) -> tuple[Fraction, Fraction | None, bool]:
    """(last step that holds, a step beyond it that does not or None, whether it surely fails there), from a start that holds."""
    good, bad, failing = start, None, True
    while bad is None and (good < end if factor > 1 else good > end):
        trial = good * factor
        answer = holds(trial)
        if answer is True:
            good = trial
        else:
            bad, failing = trial, answer is False
    while bad is not None and max(bad / good, good / bad) > (FACTOR if failing else ROUGH):
        # Three digits are enough for a trial, and keep the fractions short.
        middle = Fraction(f"{math.sqrt(float(good) * float(bad)):.6g}")
        answer = holds(middle)
        if answer is True:
            good = middle
        else:
            bad, failing = middle, answer is False
    return good, bad, failing
