"""The entry points: decide for known weights, decide_interval for weights between bounds."""

from __future__ import annotations

from fractions import Fraction

from numerics.conclusion.decision import Decision, vacuous
from numerics.conclusion.enumerate import enumerated
from numerics.conclusion.interval import bounded, boxes
from numerics.conclusion.patterns import by_patterns
from numerics.conclusion.problem import as_tolerance, prepare
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import make_setting
from numerics.conclusion.singly import LIMIT, singly
from numerics.conclusion.symmetry import Equal
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
    """Is the argmax over the whole vocabulary the target, at beta = inf, on all L * |Q| * |C|^(m-1) sequences (m =
    n_demos + 1)?

    weights: anything with kq_subj, kq_rel (V + T,) and ov_subj, ov_rel (V, V) [output, input], per unit beta; entries
    Fraction or int (dtype object), or float64, which are taken at their exact value. A head attends uniformly the
    positions of maximal token score + position score. query: "seen" (finetuning subjects) or "heldout"; context:
    "finetune" or "all" subjects.

    tie_tolerance (absolute): attention levels, and logits, no further apart are ties; OV columns of a head that agree
    within a quarter of it are taken as equal. Use it with float64; score_gap and logit_gap of the result show what was
    decided how clearly.

    method: "enumerate" evaluates every sequence (at most `limit`, else TooManySequences); "patterns" counts cases
    instead, exact unless compositions exceed `budget` steps (about 2 microseconds each; then bounds); "auto" is
    "patterns", followed by "enumerate" if that left something open and the population is within `limit`.

    Cost: enumerate O(L |Q| |C|^n V^2). patterns O(V^2) to read the weights; per type O(K_s K_r (U + groups) + |Q| (K_s
    + K_r)) to count, K_s, K_r <= |C| * groups the slot levels of the heads; O(V) for every different pair of attended
    columns. About half a second at M = 256, L = 8, U = 32, M_ft = 128, m = 6 where few columns can win; several seconds
    with hundreds of different levels in both heads.

    Raises ValueError for n_demos < 1, an unknown pool or method, a bad tolerance, or weights of wrong shape or with
    entries that are not finite.
    """
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


def decide_interval(
    world: World,
    n_demos: int,
    lower: Weights,
    upper: Weights,
    query: str = "seen",
    context: str = "finetune",
    exchangeable: bool = False,
    equal: Equal | None = None,
) -> Decision:
    """What is certain about `decide` for every weights with lower <= weights <= upper, entry by entry.

    The result is exact only if every sequence is decided the same way for all of them; otherwise right_bounds,
    ties_bounds, wrong_bounds and min_margin_bounds hold for all of them, and `holds` is True or False only if it is so
    for all. Even with lower = upper it may stay open where `decide` counts compositions: intervals use convex hulls
    only, unless there are at most singly.LIMIT sequences and these do not settle that all are right: then each is looked at
    for itself, and equal scores are ties.
    exchangeable: only weights are meant whose positional scores are the same for all context subjects, for all their
    attributes, and for all seps but the last, as exact gradients over independent draws are. equal: only weights are meant
    in which entries of one number are equal (the bounds of such entries too). A counterexample fails for all the weights;
    its logits are shown for the weights half way, and so is its attention where it is not known. It is the smallest if it
    says so: never where there are more than singly.LIMIT sequences. There is none, though holds is False, if that follows
    only from the argument that one target at most can be right (see numerics.conclusion.interval and .singly; `why` says
    so). attention is None unless it was looked for and is known on every sequence, score_gap empty, logit_gap None.

    Cost O(V) for every case of numerics.conclusion.cases (about 20 microseconds each): 1 to 4 s at M = 256, L = 8, U =
    32, M_ft = 128, m = 6 where few columns can win, 8 s with hundreds of levels.

    Raises ValueError as `decide` does, and if an entry of lower is above that of upper.
    """
    setting = make_setting(world, n_demos, query, context)
    if setting.total == 0:
        return vacuous(f"no {query} query subject: M = {world.M}, M_ft = {world.M_ft}")
    problem, columns = boxes(setting, lower, upper)
    decision = bounded(setting, problem, columns, lower, upper)
    if setting.total > LIMIT or (decision.holds and equal is None):
        return decision
    exact = problem.exact
    return singly(decision, setting, (lower, upper), exact.column, columns, exact.ov_denominator, exchangeable, equal)
