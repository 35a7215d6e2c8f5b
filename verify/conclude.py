"""The conclusion of the theorem at the user's setting: after hat and after true steps, on every sequence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.balls import WORK, enclosed_weights, work
from numerics.conclusion.decision import Counterexample, Decision, vacuous
from numerics.conclusion.failing import largest_margin
from numerics.conclusion.interval import middle
from numerics.conclusion.setting import make_setting
from numerics.population.certified import CertifiedGradients
from numerics.population.gradients import Gradients
from numerics.population.sampled import SampledGradients
from numerics.updates import UpdatedWeights, initial_weights, updated_weights
from theory.finetuning.conclusion import balanced_conclusion, sharp_M_ft
from theory.finetuning.conclusion.table import table_conclusion
from verify.enclosure import enclosed
from verify.evidence import Route
from verify.setting import Setting
from verify.tolerances import tolerance
from verify.witnesses import Witnesses

POOLS = {"seen": "seen", "heldout": "held-out"}

#: The decision of a query pool, and of the pool of the context subjects if not "finetune".
Decide = Callable[..., Decision]


@dataclass(frozen=True)
class Conclusion:
    """One objective. decisions: by query pool, contexts from the finetuning subjects; `anywhere`: held-out queries with
    contexts from all subjects. holds: every sequence of both pools right (an empty pool asks for nothing); None: open."""

    objective: str
    method: str
    decisions: dict[str, Decision]
    anywhere: Decision | None
    holds: bool | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        made: dict[str, Any] = {"holds": self.holds, "method": self.method, "reason": self.reason}
        for pool, d in self.decisions.items():
            made[pool] = decision_json(d)
        if self.anywhere is not None:
            made["heldout_any_context"] = decision_json(self.anywhere)
        return made


def decision_json(d: Decision) -> dict[str, Any]:
    """accuracy, ties (number of sequences where the target ties for the maximum), total; bounds where the count is open."""
    bounds = d.accuracy_bounds
    return {
        "accuracy": None if d.accuracy is None else float(d.accuracy),
        "right": d.right,
        "ties": d.ties,
        "total": d.total,
        "accuracy_bounds": None if bounds is None else [float(bounds[0]), float(bounds[1])],
        "vacuous": d.vacuous,
        "method": d.method,
        "min_margin": None if d.min_margin is None else float(d.min_margin),
        "attention": None if d.attention is None else {h: dict(v) for h, v in d.attention.items()},
        "counterexample": None
        if d.counterexample is None
        else {
            "tokens": list(d.counterexample.tokens),
            "target": d.counterexample.target,
            "predicted": list(d.counterexample.predicted),
            "attended_subj": list(d.counterexample.attended_subj),
            "attended_rel": list(d.counterexample.attended_rel),
            "sentence": d.counterexample.sentence,
        },
    }


def _together(decisions: dict[str, Decision]) -> bool | None:
    answers = [d.holds for d in decisions.values() if not d.vacuous]
    if any(a is False for a in answers):
        return False
    return None if any(a is None for a in answers) else True


def hat(w: Witnesses) -> Conclusion:
    """After the hat steps: exact rationals, count patterns over all sequences; by the derivation where (V, V) is too large."""
    s = w.setting
    if w.exact is None:
        return _derived_only(w)
    weights = updated_weights(w.world, w.exact, s.eta_kq_subj, s.eta_kq_rel)
    decisions = {pool: decide(w.world, s.N_ft, weights, pool) for pool in POOLS}
    anywhere = decide(w.world, s.N_ft, weights, "heldout", context="all")
    method = "exact rationals, " + " / ".join(sorted({d.method for d in decisions.values()}))
    return Conclusion("hat", method, decisions, anywhere, _together(decisions))


#: The grammar length of the paper's own Section 4, at which T = 17 > S + 2 for its N_ft = 5.
PAPER_S = 10


def at_other_S(w: Witnesses) -> tuple[int, Conclusion] | None:
    """The hat conclusion on the other side of T <= S + 2: at the paper's S where the run's S allows the theorem, else at T - 2.

    None where both are the same window.
    """
    s = w.setting
    other = replace(s, S=PAPER_S) if s.window is None else replace(s, S=None)
    if other.window == s.window:
        return None
    there = Witnesses(other, w.world, w.device)
    return other.grammar_length, hat(there)


def _derived_only(w: Witnesses) -> Conclusion:
    """A vocabulary too large for dense matrices: the derivation decides by ranges of scores over all sequences."""
    s = w.setting
    if s.window is not None or s.reading != "set":
        why = f"not decided: V = {w.world.V} is too large for dense matrices, and the ranges of scores cover T <= S+2, set, only"
        return Conclusion("hat", why, {}, None, None)
    decisions, reasons = {}, []
    for pool, queries in (("seen", s.M_ft), ("heldout", s.M - s.M_ft)):
        total = s.L * queries * s.M_ft ** (s.m - 1)
        if total == 0:
            decisions[pool] = vacuous(f"no {POOLS[pool]} query subject")
            continue
        found = table_conclusion(w.derived, s.m, s.eta_ov, s.eta_kq_subj, s.eta_kq_rel, pool == "seen")
        right = total if found.holds else None
        most = total - 1 if found.holds is False and found.at_most == 1 else int(found.at_most * total)
        bounds = (total, total) if found.holds else (0, most)
        wrong = (total - bounds[1], total - bounds[0])
        decisions[pool] = Decision(
            total=total,
            right=right,
            ties=0 if found.holds else None,
            wrong=0 if found.holds else None,
            right_bounds=bounds,
            ties_bounds=(0, wrong[1]),
            wrong_bounds=(0, wrong[1]),
            exact=bool(found.holds),
            method="ranges of scores",
            why=found.reason,
        )
        reasons.append(f"{POOLS[pool]} queries: {found.reason}")
    return Conclusion(
        "hat",
        "derivation, ranges of scores over all sequences",
        decisions,
        None,
        _together(decisions),
        "; ".join(reasons),
    )


def true(w: Witnesses) -> Conclusion:
    """After the true steps: for every weights within proven radii where there are any, else from float64 or sampled gradients.

    Certified gradients come first; where they decide nothing, or less than all, a small population is summed in balls of as
    many bits as the step sizes need. What neither reaches is not proven, and said to be open.
    """
    s = w.setting
    if not w.dense:
        return Conclusion("true", f"not decided: V = {w.world.V} is too large for dense matrices", {}, None, None)
    if w.certified is not None:
        found = _certified(w, w.certified)
        if _complete(found):
            return found
        closer = _in_balls(w, FEW if _all_exact(found) else WORK)
        return found if closer is None or (_all_exact(found) and not _all_exact(closer)) else closer
    found_in_balls = _in_balls(w, WORK)
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
    weights = _in_units(w, g, unit)
    if isinstance(g, SampledGradients):
        lower, upper = _between(weights, g, unit, w)
        decisions = {pool: decide_interval(w.world, s.N_ft, lower, upper, pool) for pool in POOLS}
        n = tolerance(Route.SAMPLED).value
        method = f"sampled gradients ({g.replicates} replicates), decided for all weights within {n:g} standard errors"
        return Conclusion("true", method, decisions, None, _together(decisions))
    # Positions of one kind are exchangeable, so their scores tie exactly; in float64 they differ by roundings.
    tie = 1e-13 * max(float(np.abs(g.kq_subj).max()), largest / unit, 1.0)
    return _unproven(_counted(w, weights, unit, tie, ""), tie)


def _all_exact(c: Conclusion) -> bool:
    """Whether the counts of both query pools are proven."""
    return all(d.vacuous or d.exact for d in c.decisions.values())


def _complete(c: Conclusion) -> bool:
    """Whether nothing is left to say: counts, margins, attention, and a failing sequence where there is one."""
    return all(
        d.vacuous
        or (
            d.exact
            and d.attention is not None
            and d.min_margin is not None
            and (d.holds or (d.counterexample is not None and d.counterexample.certain))
        )
        for d in [*c.decisions.values(), *([] if c.anywhere is None else [c.anywhere])]
    )


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
        + "; ".join(f"on {POOLS[pool]} queries {_share(d)}" for pool, d in decisions.items() if not d.vacuous)
    )
    anywhere = None if c.anywhere is None else opened(c.anywhere)
    return Conclusion("true", method, decisions, anywhere, _together(decisions), reason)


def _counted(w: Witnesses, weights: Any, unit: float | Fraction, tie: float | Fraction, method: str) -> Conclusion:
    """Decisions for one weights, levels and logits within `tie` (in units of the steps) taken as equal."""

    def decided(pool: str, context: str = "finetune") -> Decision:
        return _margin_in(decide(w.world, w.setting.N_ft, weights, pool, context=context, tie_tolerance=tie), unit)

    decisions = {pool: decided(pool) for pool in POOLS}
    return Conclusion("true", method, decisions, decided("heldout", "all"), _together(decisions))


def _certified(w: Witnesses, g: CertifiedGradients) -> Conclusion:
    """For every weights within the proven radii; counts that stay open are those at the centre, and said to be."""
    s = w.setting
    lower, upper, unit = enclosed(w.world, g, s.eta_kq_subj, s.eta_kq_rel)
    # Equal by symmetry or not, what differs by less than the radii is counted as a tie.
    tie = 2 * _widest(lower, upper)
    counted = _counted(w, _in_units(w, g, unit), unit, tie, "")

    def decided(pool: str, context: str = "finetune") -> Decision:
        # The context subjects are drawn alike; a window cuts the sequence, and their positions are alike no more.
        exchangeable = s.window is None
        return _margin_in(decide_interval(w.world, s.N_ft, lower, upper, pool, context, exchangeable), unit)

    return _joined(w, f"certified gradients ({g.method})", decided, counted, (lower, upper), tie)


def _in_balls(w: Witnesses, limit: int) -> Conclusion | None:
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
    counted = _counted(w, middle(lower, upper), unit, tie, "")

    def decided(pool: str, context: str = "finetune") -> Decision:
        return _margin_in(decide_interval(w.world, s.N_ft, lower, upper, pool, context, equal=equal), unit)

    return _joined(w, "ball arithmetic over every sequence", decided, counted, (lower, upper), tie)


def _widest(lower: Any, upper: Any) -> Any:
    """The largest distance of two bounds: a float or a Fraction."""
    names = ("kq_subj", "kq_rel", "ov_rel")
    return max(Fraction(np.max(getattr(upper, name) - getattr(lower, name))) for name in names)


def _joined(
    w: Witnesses, gradients: str, decided: Decide, counted: Conclusion, bounds: tuple[Any, Any], tie: Fraction
) -> Conclusion:
    """What is proven for all weights between the bounds, with what the centre shows besides; open counts are the centre's."""
    decisions = {pool: decided(pool) for pool in POOLS}
    anywhere = decided("heldout", "all")
    if counted.anywhere is not None:
        anywhere = _completed(w, "heldout", "all", anywhere, counted.anywhere, bounds, tie)
    if all(d.vacuous or d.exact for d in decisions.values()):
        decisions = {
            pool: _completed(w, pool, "finetune", d, counted.decisions[pool], bounds, tie)
            for pool, d in decisions.items()
        }
        method = f"{gradients}: decided for all weights within the proven radii"
        return Conclusion("true", method, decisions, anywhere, _together(decisions))
    method = (
        f"{gradients}: what holds and the bounds are proven for all weights within the radii; counts that"
        f" stay open are those at the centre of the enclosures, levels within {_shown(tie)} (in units of the steps) taken as ties"
    )
    reason = "; ".join(
        f"whatever the weights within the radii, the accuracy on {POOLS[pool]} queries lies between {float(low):.6g} and"
        f" {float(high):.6g} (at the centre, not proven: {_share(counted.decisions[pool])})"
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
    return Conclusion("true", method, kept, anywhere, _together(kept), reason)


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


def _share(d: Decision) -> str:
    return f"{d.right} of {d.total}, {d.ties} ties"


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


def _margin_in(d: Decision, unit: float | Fraction) -> Decision:
    """The decision with margins and the counterexample's logits in logits, not in units of the step."""
    size = Fraction(unit)
    bounds, example = d.min_margin_bounds, d.counterexample
    return replace(
        d,
        min_margin=None if d.min_margin is None else d.min_margin * size,
        min_margin_bounds=None if bounds is None else (bounds[0] * size, bounds[1] * size),
        counterexample=None if example is None else example.in_logits(size),
    )


#: Exponentials in ball arithmetic that are spent where only attention, margins or an example are missing: a second.
FEW = 100_000

#: Where kq_rel is a smaller part of the values it comes from (largest entries), exact ties cannot be told from near ones.
CANCELLED = 1e-9


def _in_units(w: Witnesses, g: Any, unit: float) -> UpdatedWeights:
    """The weights after the true steps, each part in units of its own step.

    The argmax does not change if the scores of a head, or all logits, are divided by a positive number. Scores of the
    subject head are divided by eta_kq_subj, those of the relation head by eta_kq_rel times the unit, logits by the unit
    (about eta_ov). Then float64's roundings are of one size in all of them, and the same tolerance is right at every step
    size; 1 - eta * gradient, rounded, would lose the gradient of a small step, and logits that differ by 1 would tie
    within the tolerance of scores that a large step has made large.
    """
    s = w.setting
    start = initial_weights(w.world, s.N_ft, s.window, s.reading)

    def moved(initial: NDArray[Any], gradient: NDArray[Any], step: Fraction, size: Fraction) -> NDArray[np.object_]:
        pairs = zip(initial.tolist(), gradient.tolist(), strict=True)
        return np.array([Fraction(i) / (step * size) - Fraction(x) / size for i, x in pairs], dtype=object)

    ov = g.ov_rel.copy()
    ov[:, w.world.sep_token] = 0.0
    return UpdatedWeights(
        moved(start.kq_subj, g.kq_subj, s.eta_kq_subj, Fraction(1)),
        moved(start.kq_rel, g.kq_rel, s.eta_kq_rel, Fraction(unit)),
        start.ov_subj / unit,
        start.ov_rel / unit - float(s.eta_ov) / unit * ov,
    )


def _between(weights: UpdatedWeights, g: SampledGradients, unit: float, w: Witnesses) -> tuple[Any, Any]:
    """Entrywise bounds of the weights of `_in_units`: 5 standard errors around the sampled gradients."""
    n = tolerance(Route.SAMPLED).value
    ov_error = g.ov_rel_error.copy()
    ov_error[:, w.world.sep_token] = 0.0
    ov_rel = n * float(w.setting.eta_ov) / unit * ov_error

    def exact(errors: NDArray[Any], size: float) -> NDArray[np.object_]:
        return np.array([Fraction(n) * Fraction(x) / Fraction(size) for x in errors.tolist()], dtype=object)

    kq_subj, kq_rel = exact(g.kq_subj_error, 1.0), exact(g.kq_rel_error, unit)

    def shifted(sign: int) -> SimpleNamespace:
        return SimpleNamespace(
            kq_subj=weights.kq_subj + sign * kq_subj,
            kq_rel=weights.kq_rel + sign * kq_rel,
            ov_subj=weights.ov_subj,
            ov_rel=weights.ov_rel + sign * ov_rel,
        )

    return shifted(-1), shifted(1)


def sharp(setting: Setting) -> int | None:
    """The smallest integer M_ft <= M for which the balanced hat conclusion holds with the other sizes as given; None: none.

    M itself says that no M_ft < M suffices: at M_ft = M no query is held out, and only seen ones must be right, while the
    theorem is about M_ft < M.

    Full window, reading "set" and L >= 2: closed form, the same for every eta_ov > 0, and it holds from there on. Otherwise
    every M_ft is decided by the derivation at the setting's steps, and a larger M_ft may fail again (with L = 1 there is no
    type to infer: queries attended alone can be right, and eta_ov matters).
    """
    if setting.window is None and setting.reading == "set" and setting.L >= 2:
        return sharp_M_ft(setting.M, setting.L, setting.U, setting.m)
    for M_ft in range(max(setting.U), setting.M + 1):
        found = balanced_conclusion(
            setting.M,
            setting.L,
            setting.U,
            M_ft,
            setting.m,
            window=setting.window,
            eta_ov=setting.eta_ov,
            eta_kq_rel=setting.eta_kq_rel,
            eta_kq_subj=setting.eta_kq_subj,
            reading=setting.reading,
        )
        if found.holds:
            return M_ft
    return None
