"""Decisions for all weights within proven radii, with what the weights at the centre show besides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.balls import enclosed_weights, work
from numerics.conclusion.decision import Counterexample, Decision
from numerics.conclusion.failing import largest_margin
from numerics.conclusion.interval import middle
from numerics.conclusion.setting import make_setting
from numerics.population.certified import CertifiedGradients
from verify.conclude.conclusion import POOLS, Conclusion, all_exact, share, together
from verify.conclude.units import in_units, margin_in
from verify.enclosure import enclosed
from verify.witnesses import Witnesses

#: The decision of a query pool, and of the pool of the context subjects if not "finetune".
Decide = Callable[..., Decision]


def counted_at(w: Witnesses, weights: Any, unit: float | Fraction, tie: float | Fraction) -> Conclusion:
    """Decisions for one weights, levels and logits within `tie` (in units of the steps) taken as equal; without a method."""

    def decided(pool: str, context: str = "finetune") -> Decision:
        return margin_in(decide(w.world, w.setting.N_ft, weights, pool, context=context, tie_tolerance=tie), unit)

    decisions = {pool: decided(pool) for pool in POOLS}
    return Conclusion("true", "", decisions, decided("heldout", "all"), together(decisions))


def from_certified(w: Witnesses, g: CertifiedGradients) -> Conclusion:
    """For every weights within the proven radii; counts that stay open are those at the centre, and said to be."""
    s = w.setting
    lower, upper, unit = enclosed(w.world, g, s.eta_kq_subj, s.eta_kq_rel)
    # Equal by symmetry or not, what differs by less than the radii is counted as a tie.
    tie = 2 * _widest(lower, upper)
    counted = counted_at(w, in_units(w, g, unit), unit, tie)

    def decided(pool: str, context: str = "finetune") -> Decision:
        # The context subjects are drawn alike; a window cuts the sequence, and their positions are alike no more.
        exchangeable = s.window is None
        return margin_in(decide_interval(w.world, s.N_ft, lower, upper, pool, context, exchangeable), unit)

    return _joined(w, f"certified gradients ({g.method})", decided, counted, (lower, upper), tie)


def from_balls(w: Witnesses, limit: int) -> Conclusion | None:
    """For every weights within proven radii, of a population that takes at most `limit` exponentials in ball arithmetic.

    None for a larger one, and where the bits do not suffice. The radii are about 1e-70 of what the steps make of the
    gradients, so next to nothing but a tie stays open; ties that symmetries of the population prove are known to be exact.
    """
    s = w.setting
    if work(w.world, s.N_ft, s.window) > limit:
        return None
    try:
        lower, upper, unit, equal = enclosed_weights(
            w.world, s.N_ft, (s.eta_kq_subj, s.eta_ov, s.eta_kq_rel), s.window, s.reading
        )
    except ValueError:
        return None
    tie = 2 * _widest(lower, upper)
    counted = counted_at(w, middle(lower, upper), unit, tie)

    def decided(pool: str, context: str = "finetune") -> Decision:
        return margin_in(decide_interval(w.world, s.N_ft, lower, upper, pool, context, equal=equal), unit)

    return _joined(w, "ball arithmetic over every sequence", decided, counted, (lower, upper), tie)


def _widest(lower: Any, upper: Any) -> Any:
    """The largest distance of two bounds: a float or a Fraction."""
    names = ("kq_subj", "kq_rel", "ov_rel")
    return max(Fraction(np.max(getattr(upper, name) - getattr(lower, name))) for name in names)


def _joined(
    w: Witnesses, route: str, decided: Decide, counted: Conclusion, bounds: tuple[Any, Any], tie: Fraction
) -> Conclusion:
    """What is proven for all weights between the bounds, with what the centre shows besides; open counts are the centre's."""
    decisions = {pool: decided(pool) for pool in POOLS}
    anywhere = decided("heldout", "all")
    if counted.anywhere is not None:
        anywhere = _completed(w, "heldout", "all", anywhere, counted.anywhere, bounds, tie)
    if all_exact(decisions):
        decisions = {
            pool: _completed(w, pool, "finetune", d, counted.decisions[pool], bounds, tie)
            for pool, d in decisions.items()
        }
        method = f"{route}: decided for all weights within the proven radii"
        return Conclusion("true", method, decisions, anywhere, together(decisions))
    method = (
        f"{route}: what holds and the bounds are proven for all weights within the radii; counts that"
        f" stay open are those at the centre of the enclosures, levels within {_shown(tie)} (in units of the steps) taken as ties"
    )
    reason = "; ".join(
        f"whatever the weights within the radii, the accuracy on {POOLS[pool]} queries lies between {float(low):.6g} and"
        f" {float(high):.6g} (at the centre, not proven: {share(counted.decisions[pool])})"
        for pool, d in decisions.items()
        if not (d.vacuous or d.exact) and d.accuracy_bounds is not None
        for low, high in [d.accuracy_bounds]
    )
    kept = {
        pool: _with_counts(
            _completed(w, pool, "finetune", d, counted.decisions[pool], bounds, tie), counted.decisions[pool]
        )
        for pool, d in decisions.items()
    }
    if counted.anywhere is not None:
        anywhere = _with_counts(anywhere, counted.anywhere)
    return Conclusion("true", method, kept, anywhere, together(kept), reason)


def _shown(tie: Fraction) -> str:
    """A tolerance with one digit; it may be smaller than float64 goes."""
    if tie == 0:
        return "0"
    digits = math.floor((tie.numerator.bit_length() - tie.denominator.bit_length()) * math.log10(2))
    return f"{float(tie):.0e}" if digits > -300 else f"1e{digits + 1}"


def _with_counts(d: Decision, centre: Decision) -> Decision:
    """A decision that stays open, with the counts of the centre: its bounds, hence what holds, remain those of the proof."""
    if d.vacuous or d.exact:
        return d
    return replace(
        centre,
        right_bounds=d.right_bounds,
        ties_bounds=d.ties_bounds,
        wrong_bounds=d.wrong_bounds,
        exact=False,
        method=f"{centre.method} at the centre of the enclosures",
        why=d.why,
        min_margin_bounds=d.min_margin_bounds,
        # One that fails for all the weights, if there is one; else that of the centre.
        counterexample=d.counterexample or centre.counterexample,
    )


def _completed(
    w: Witnesses, pool: str, context: str, d: Decision, centre: Decision, bounds: tuple[Any, Any], tie: Fraction
) -> Decision:
    """The exact decision for all weights, with what the centre shows besides, where that is beyond doubt.

    The attention of the centre is that of all weights if its levels are clear and none that was taken as a tie joins two
    kinds of positions, or if it is the one found sequence by sequence. Its smallest margin is shown only then, and its
    counterexample, the smallest one there, only where it is seen to fail for all weights.
    """
    if d.vacuous or not d.exact:
        return d
    clear = all(gap is None or gap > 2 * tie for gap in centre.score_gap.values())
    mixed = any(" + " in kinds for of in (centre.attention or {}).values() for kinds in of)
    alike = clear and (not mixed if d.attention is None else d.attention == centre.attention)
    if not alike or (d.right, d.ties) != (centre.right, centre.ties):
        return replace(d, min_margin=_narrow(d.min_margin_bounds))
    example, own = centre.counterexample, d.counterexample
    if own is not None and (own.smallest or example is None or not _fails(w, pool, context, bounds, example)):
        example = own
    margin, ends = centre.min_margin, d.min_margin_bounds
    if d.min_margin is not None or (margin is not None and ends is not None and not ends[0] <= margin <= ends[1]):
        margin = d.min_margin
    return replace(d, min_margin=margin, attention=centre.attention, counterexample=example)


def _fails(w: Witnesses, pool: str, context: str, bounds: tuple[Any, Any], example: Counterexample) -> bool:
    """Whether a sequence surely fails for all weights between the bounds. Cost O(T V)."""
    setting = make_setting(w.world, w.setting.N_ft, pool, context)
    return largest_margin(setting, *bounds, example.relation_type, example.subjects) <= 0


def _narrow(bounds: tuple[Fraction, Fraction] | None) -> Fraction | None:
    """The middle of bounds that agree to nine digits, else None."""
    if bounds is None or bounds[1] - bounds[0] > Fraction(1, 10**9) * max(abs(x) for x in bounds):
        return None
    return (bounds[0] + bounds[1]) / 2
