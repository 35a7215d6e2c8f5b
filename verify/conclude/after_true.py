"""After the true steps: by certified gradients, by ball arithmetic, or, where neither reaches, open."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from numerics.conclusion import decide_interval
from numerics.conclusion.balls import WORK
from numerics.conclusion.decision import Decision
from numerics.population.gradients import Gradients
from numerics.population.sampled import SampledGradients
from verify.conclude.conclusion import POOLS, Conclusion, all_exact, complete, share, together
from verify.conclude.proven import counted_at, from_balls, from_certified
from verify.conclude.units import between, in_units, margin_in
from verify.evidence import Route
from verify.tolerances import tolerance
from verify.witnesses import Witnesses

#: Exponentials in ball arithmetic that are spent where only attention, margins or an example are missing: a second.
FEW = 100_000

#: Where kq_rel is a smaller part of the values it comes from (largest entries), exact ties cannot be told from near ones.
CANCELLED = 1e-9


def true(w: Witnesses) -> Conclusion:
    """After the true steps: for every weights within proven radii where there are any, else from float64 or sampled gradients.

    Certified gradients come first; where they decide nothing, or less than all, a small population is summed in balls of as
    many bits as the step sizes need. What neither reaches is not proven, and said to be open.
    """
    s = w.setting
    if not w.dense:
        return Conclusion("true", f"not decided: V = {w.world.V} is too large for dense matrices", {}, None, None)
    if w.certified is not None:
        found = from_certified(w, w.certified)
        if complete(found):
            return found
        closer = from_balls(w, FEW if all_exact(found.decisions) else WORK)
        return found if closer is None or (all_exact(found.decisions) and not all_exact(closer.decisions)) else closer
    found_in_balls = from_balls(w, WORK)
    if found_in_balls is not None:
        return found_in_balls
    g = w.true
    assert isinstance(g, Gradients | SampledGradients)
    largest = float(np.abs(g.kq_rel).max())
    if largest < CANCELLED * float(s.eta_ov) * float(np.abs(g.ov_rel).max()):
        why = f"not decided: at eta_ov = {float(s.eta_ov):g} the softmax saturates: too little is left of kq_rel to tell ties in float64"
        return Conclusion("true", why, {}, None, None, why)
    # A power of 2 near eta_ov: dividing by it rounds nothing.
    unit = 2.0 ** round(math.log2(s.eta_ov))
    weights = in_units(w, g, unit)
    if isinstance(g, SampledGradients):
        lower, upper = between(weights, g, unit, w)
        decisions = {pool: margin_in(decide_interval(w.world, s.N_ft, lower, upper, pool), unit) for pool in POOLS}
        n = tolerance(Route.SAMPLED).value
        method = f"sampled gradients ({g.replicates} replicates), decided for all weights within {n:g} standard errors"
        return Conclusion("true", method, decisions, None, together(decisions))
    # Positions of one kind are exchangeable, so their scores tie exactly; in float64 they differ by roundings.
    tie = 1e-13 * max(float(np.abs(g.kq_subj).max()), largest / unit, 1.0)
    return _unproven(counted_at(w, weights, unit, tie), tie)


def _unproven(c: Conclusion, tie: float) -> Conclusion:
    """Counts from gradients without radii: shown, but bounded by nothing, since a tie tolerance may hide a difference or miss
    a tie where the steps make the scores large."""

    def opened(d: Decision) -> Decision:
        if d.vacuous:
            return d
        anything = (0, d.total)
        return replace(
            d,
            right_bounds=anything,
            ties_bounds=anything,
            wrong_bounds=anything,
            exact=False,
            why=f"float64 gradients have no proven radii: levels within {tie:.0e} (in units of the steps) are counted as ties",
            min_margin_bounds=None,
            counterexample=None,
        )

    decisions = {pool: opened(d) for pool, d in c.decisions.items()}
    method = f"float64 over every sequence, not proven (ties within {tie:.0e})"
    reason = (
        "the population is too large for gradients with proven radii at these steps; in float64, not proven: "
        + "; ".join(f"on {POOLS[pool]} queries {share(d)}" for pool, d in decisions.items() if not d.vacuous)
    )
    anywhere = None if c.anywhere is None else opened(c.anywhere)
    return Conclusion("true", method, decisions, anywhere, together(decisions), reason)
