"""After the hat steps: exact."""

from __future__ import annotations

from dataclasses import replace

from numerics.conclusion import decide
from numerics.conclusion.decision import Decision, vacuous
from numerics.updates import updated_weights
from theory.finetuning.conclusion.table import table_conclusion
from verify.conclude.conclusion import POOLS, Conclusion, together
from verify.witnesses import Witnesses

#: The grammar length of the paper's own Section 4, at which T = 17 > S + 2 for its N_ft = 5.
PAPER_S = 10


def hat(w: Witnesses) -> Conclusion:
    """After the hat steps: exact rationals, count patterns over all sequences; by the derivation where (V, V) is too large."""
    s = w.setting
    if w.exact is None:
        return _derived_only(w)
    weights = updated_weights(w.world, w.exact, s.eta_kq_subj, s.eta_kq_rel)
    decisions = {pool: decide(w.world, s.N_ft, weights, pool) for pool in POOLS}
    anywhere = decide(w.world, s.N_ft, weights, "heldout", context="all")
    method = "exact rationals, " + " / ".join(sorted({d.method for d in decisions.values()}))
    return Conclusion("hat", method, decisions, anywhere, together(decisions))


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
        together(decisions),
        "; ".join(reasons),
    )
