"""The entry points."""

from __future__ import annotations

from fractions import Fraction

from numerics.conclusion.decision import Decision, vacuous
from numerics.conclusion.enumerate import enumerated
from numerics.conclusion.patterns import by_patterns
from numerics.conclusion.problem import as_tolerance, prepare
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import make_setting
from numerics.world import World

METHODS = ("auto", "enumerate", "patterns")


class TooManySequences(ValueError):
    """The population is larger than the limit of the enumeration."""


def decide(
    world: World,
    n_demos: int,
    weights: Weights,
    query: str = "seen",
    context: str = "finetune",
    method: str = "auto",
    tie_tolerance: float | Fraction = 0,
    limit: int = 1_000_000,
    budget: int = 2_000_000,
) -> Decision:
    if method not in METHODS:
        raise ValueError(f"method = {method!r}: must be one of {', '.join(METHODS)}")
    tolerance = as_tolerance(tie_tolerance)
    setting = make_setting(world, n_demos, query, context)
    if setting.total == 0:
        return vacuous(f"no {query} query subject: M = {world.M}, M_ft = {world.M_ft}")
    feasible = setting.total <= limit
    if method == "enumerate" and not feasible:
        raise TooManySequences(f"limit = {limit}: must be at least {setting.total}, the number of sequences")
    problem = prepare(setting, weights, tolerance)
    if method == "enumerate":
        return enumerated(problem, weights)
    decision = by_patterns(problem, weights, budget)
    unsettled = not decision.exact or decision.min_margin is None
    return enumerated(problem, weights) if method == "auto" and unsettled and feasible else decision
