"""What a decision over all sequences says: exact counts, the smallest margin, the attention, a counterexample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

KINDS = ("query", "context subjects", "attributes", "sep")


def label(mask: int) -> str:
    """Name of a set of attended kinds: bit k of `mask` stands for KINDS[k]."""
    return " + ".join(kind for k, kind in enumerate(KINDS) if mask >> k & 1)


@dataclass(frozen=True)
class Counterexample:
    """A sequence on which the target is not strictly first.

    tokens: names in sequence order, the target not included. predicted: all tokens whose logit is maximal. logits: of
    the target and of the predicted tokens. attended_*: "p_-1 s3"-like names. verdict: "tie" | "wrong". certain: False if
    the weights are only known between bounds that leave open what is attended, and these are shown for weights half way.

    smallest: True if no failing sequence is smaller. The order is one and the same on every route: sequences of fewer
    distinct subjects (query included) are smaller; of equally many, the one whose token ids, read from the left, come first.
    """

    relation_type: int
    subjects: tuple[int, ...]
    token_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    target: str
    predicted: tuple[str, ...]
    logits: Mapping[str, Fraction]
    attended_subj: tuple[str, ...]
    attended_rel: tuple[str, ...]
    verdict: str
    smallest: bool
    certain: bool = True

    @property
    def sentence(self) -> str:
        """The sequence, what is attended and what comes out, in words."""
        shown = ", ".join(self.predicted[:4])
        shown += f" and {len(self.predicted) - 4} more" if len(self.predicted) > 4 else ""
        gap = max(self.logits.values()) - self.logits[self.target]
        outcome = (
            f"ties at the top among {shown}" if self.verdict == "tie" else f"is {shown}, above it by {float(gap):.6g}"
        )
        return (
            f"On [{' '.join(self.tokens)}] the target is {self.target}; the subject head attends"
            f" {', '.join(self.attended_subj)}, the relation head {', '.join(self.attended_rel)}, and the prediction {outcome}."
        )

    def in_logits(self, unit: Fraction) -> Counterexample:
        """The same, where `logits` are in units of this many logits."""
        return replace(self, logits={name: x * unit for name, x in self.logits.items()})


@dataclass(frozen=True)
class Decision:
    """The argmax decided on all `total` sequences of a population.

    right: the target strictly above every other token; ties: the target among several maxima; wrong: the rest. The
    three are None where the exact count was infeasible (exact=False, `why` says so); the *_bounds hold always, and
    coincide when exact. min_margin: smallest of logit[target] - max over other tokens; None where only
    min_margin_bounds are known (or total = 0). attention: per head, number of sequences by the set of attended kinds
    (None in the interval version). score_gap, per head: smallest distance of two different attention levels that may
    meet in a sequence, one of them its maximum; logit_gap: no decision right/wrong was taken on a margin of smaller
    size. Both None if nothing was compared. They show that a float64 decision was not taken inside rounding. method:
    "enumerated" | "count patterns" | "every sequence" | "bounded" | "vacuous".
    """

    total: int
    right: int | None
    ties: int | None
    wrong: int | None
    right_bounds: tuple[int, int]
    ties_bounds: tuple[int, int]
    wrong_bounds: tuple[int, int]
    exact: bool
    method: str
    why: str = ""
    min_margin: Fraction | None = None
    min_margin_bounds: tuple[Fraction, Fraction] | None = None
    attention: Mapping[str, Mapping[str, int]] | None = None
    counterexample: Counterexample | None = None
    tie_tolerance: Fraction = Fraction(0)
    score_gap: Mapping[str, Fraction | None] = field(default_factory=dict)
    logit_gap: Fraction | None = None

    @property
    def vacuous(self) -> bool:
        """True if there is no sequence at all (no held-out subject): nothing was shown."""
        return self.total == 0

    @property
    def holds(self) -> bool | None:
        """Is the target strictly first on every sequence? None if vacuous, or if the bounds leave it open."""
        if self.vacuous:
            return None
        if self.right_bounds[0] == self.total:
            return True
        return False if self.right_bounds[1] < self.total else None

    @property
    def accuracy(self) -> Fraction | None:
        """right / total, exactly; None if vacuous or not exact."""
        return None if self.vacuous or self.right is None else Fraction(self.right, self.total)

    @property
    def accuracy_bounds(self) -> tuple[Fraction, Fraction] | None:
        """Bounds on right / total; None if vacuous."""
        if self.vacuous:
            return None
        return Fraction(self.right_bounds[0], self.total), Fraction(self.right_bounds[1], self.total)


def vacuous(why: str) -> Decision:
    """The decision over an empty population: total 0, holds None."""
    return Decision(0, 0, 0, 0, (0, 0), (0, 0), (0, 0), True, "vacuous", why)
