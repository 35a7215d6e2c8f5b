"""What is concluded after the steps of one objective: decisions of the query pools, whether the theorem's conclusion holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numerics.conclusion.decision import Decision

POOLS = {"seen": "seen", "heldout": "held-out"}


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
    # Where nothing was counted the bounds may say it all.
    right = d.right_bounds[0] if d.right is None and d.right_bounds[0] == d.right_bounds[1] else d.right
    return {
        "accuracy": None if right is None or d.vacuous else float(Fraction(right, d.total)),
        "right": right,
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


def together(decisions: dict[str, Decision]) -> bool | None:
    answers = [d.holds for d in decisions.values() if not d.vacuous]
    if any(a is False for a in answers):
        return False
    return None if any(a is None for a in answers) else True


def all_exact(decisions: dict[str, Decision]) -> bool:
    """Whether the counts of the query pools are proven."""
    return all(d.vacuous or d.exact for d in decisions.values())


def complete(c: Conclusion) -> bool:
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


def share(d: Decision) -> str:
    return f"{d.right} of {d.total}, {d.ties} ties"
