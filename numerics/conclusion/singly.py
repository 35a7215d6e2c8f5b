"""Sequence by sequence, for weights between bounds: where scores are equal for certain, the attention is known exactly.

numerics.conclusion.interval lets a head attend any non-empty set of the positions whose scores overlap. But scores may be
equal for every weights that are meant: two entries known exactly, the same token twice, and positions whose entries are equal
because the context subjects are drawn alike. If all positions that can be maximal are equal in this way, the head attends
all of them and its output is the mean of their columns, between the means of the lower and of the upper ones; else it is in
their convex hull, as there. The margin lies between bounds as there. And where the output is one and the same for sequences with
different targets, one of the targets at most is its maximum.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from numerics.conclusion.decision import Counterexample, Decision, label
from numerics.conclusion.enumerate import Key
from numerics.conclusion.forward import describe
from numerics.conclusion.interval import Box, middle
from numerics.conclusion.problem import HEADS
from numerics.conclusion.rational import Weights, common_denominator, fractions, numerators
from numerics.conclusion.setting import Setting
from numerics.conclusion.symmetry import Equal

#: Sequences that are looked at one by one: about a millisecond each.
LIMIT = 5000


def kind(i: int) -> int:
    """Positions p_-i of one number are of one kind: the last sep 0, the query 1, context attributes, seps, subjects 2, 3, 4."""
    return i if i < 2 else {2: 2, 0: 3, 1: 4}[i % 3]


@dataclass(frozen=True)
class Attended:
    """What one head attends in a sequence: the positions that can be maximal (indices from the left) and their tokens.

    certain: the mean of these tokens' columns is what it puts out. whole: all these positions are attended, for certain.
    mask: the kinds of decision.KINDS attended, as bits; None: not known.
    """

    tokens: tuple[int, ...]
    places: tuple[int, ...]
    certain: bool
    whole: bool
    mask: int | None


@dataclass(frozen=True)
class Scores:
    """One head's entries between low and high (V + T,), integers over one denominator; exchangeable: positions of one kind
    are equal; equal: entries (V + T,) of one number are."""

    low: np.ndarray
    high: np.ndarray
    exchangeable: bool
    equal: np.ndarray | None

    @staticmethod
    def of(bounds: tuple[Weights, Weights], name: str, exchangeable: bool, equal: Equal | None) -> Scores:
        sides = [fractions(name, np.asarray(getattr(w, name)), np.shape(getattr(w, name))) for w in bounds]
        denominator = common_denominator(sides)
        low, high = (numerators(side, denominator) for side in sides)
        return Scores(low, high, exchangeable, None if equal is None else getattr(equal, name))

    def key(self, index: int, V: int) -> tuple[str, int]:
        """Equal keys: equal entries, for every weights that are meant."""
        if self.low[index] == self.high[index]:
            return "value", int(self.low[index])
        if self.equal is not None:
            return "class", int(self.equal[index])
        return ("kind", kind(index - V)) if self.exchangeable and index >= V else ("entry", index)

    def attended(self, tokens: list[int], V: int) -> Attended:
        """Cost O(T) additions of integers."""
        T = len(tokens)
        top = max(self.low[t] + self.low[V + T - 1 - x] for x, t in enumerate(tokens))
        places = tuple(x for x, t in enumerate(tokens) if self.high[t] + self.high[V + T - 1 - x] >= top)
        keys = set()
        for x in places:
            one = self.key(tokens[x], V), self.key(V + T - 1 - x, V)
            (what, a), (which, b) = one
            keys.add(("sum", a + b) if what == which == "value" else one)
        found = tuple(sorted(tokens[x] for x in places))
        whole = len(keys) == 1
        mask = mask_of(places, T)
        return Attended(
            found, places, whole or len(set(found)) == 1, whole, mask if whole or mask in (1, 2, 4, 8) else None
        )


def mask_of(places: tuple[int, ...], T: int) -> int:
    """The kinds of decision.KINDS that stand at these indices, as bits."""
    mask = 0
    for x in places:
        mask |= 1 if x == T - 2 else (2, 8, 4)[x % 3]
    return mask


@dataclass(frozen=True)
class Output:
    """One head's W_OV between bounds: `column` of every token in the box; equal: numbers (V, V) of entries, or None."""

    box: Box
    column: np.ndarray
    equal: np.ndarray | None

    def between(self, tokens: tuple[int, ...], certain: bool, target: int) -> list[np.ndarray]:
        """Bounds of logit[target] - logit[v], (V,) Fractions or integers over the common denominator.

        Entries of one number cancel. Cost O(V tokens).
        """
        rows = self.column[list(tokens)]
        lower, upper = self.box.lower.numerator[rows], self.box.upper.numerator[rows]
        if certain and len(set(tokens)) > 1 and self.equal is not None:
            return self._cancelled(tokens, target)
        low, high = lower[:, [target]] - upper, upper[:, [target]] - lower
        if self.equal is not None:
            numbers = self.equal[:, list(tokens)].T
            same = numbers == numbers[:, [target]]
            low[same], high[same] = 0, 0
        if certain:
            one = Fraction(1, len(rows))
            return [low.sum(axis=0) * one, high.sum(axis=0) * one]
        return [low.min(axis=0), high.max(axis=0)]

    def _cancelled(self, tokens: tuple[int, ...], target: int) -> list[np.ndarray]:
        """`between` for a mean over different tokens: what is left of the entries when equal ones have cancelled."""
        assert self.equal is not None
        lower, upper = self.box.lower.numerator, self.box.upper.numerator
        V, one = len(self.equal), Fraction(1, len(tokens))
        low, high = np.empty(V, dtype=object), np.empty(V, dtype=object)
        for v in range(V):
            left: Counter[int] = Counter(self.equal[target, list(tokens)].tolist())
            left.subtract(self.equal[v, list(tokens)].tolist())
            ends = [Fraction(0), Fraction(0)]
            for number, times in left.items():
                out, into = divmod(number, V)
                entry = lower[self.column[into]][out], upper[self.column[into]][out]
                ends[0] += times * entry[0 if times > 0 else 1]
                ends[1] += times * entry[1 if times > 0 else 0]
            low[v], high[v] = ends[0] * one, ends[1] * one
        return [low, high]


def _verdict(low: Fraction, high: Fraction) -> tuple[str, Fraction, Fraction]:
    """For a margin between these ends; "fails": tie or wrong."""
    if low > 0:
        return "right", low, high
    return "wrong" if high < 0 else "tie" if low == high == 0 else "fails" if high <= 0 else "open", low, high


def _excess(known: dict[Any, tuple[str, Fraction, Fraction]], times: Counter[Any]) -> int:
    """Sequences counted as open that cannot be right: one output, whatever it is, has one strict maximum at most."""
    possible: dict[Any, list[tuple[str, int]]] = {}
    for (attended, target), (verdict, _, _) in known.items():
        if verdict in ("right", "open") and all(certain for _, certain in attended):
            possible.setdefault(attended, []).append((verdict, times[attended, target]))
    excess = 0
    for some in possible.values():
        sure = any(verdict == "right" for verdict, _ in some)
        unsure = [count for verdict, count in some if verdict == "open"]
        excess += sum(unsure) - (0 if sure else max(unsure, default=0))
    return excess


@dataclass
class _Found:
    """The sequences with what is known of each. attended: number of sequences by kinds attended, per head, None: not known;
    failing: (key, type, subjects, attended) of the smallest that surely fails; unsure: the smallest key of those left open."""

    known: dict[Any, tuple[str, Fraction, Fraction]] = field(default_factory=dict)
    times: Counter[Any] = field(default_factory=Counter)
    attention: list[Counter[int] | None] = field(default_factory=lambda: [Counter(), Counter()])
    failing: tuple[Key, int, tuple[int, ...], tuple[Attended, ...]] | None = None
    unsure: Key | None = None


def _looked_at(setting: Setting, heads: list[Scores], outputs: list[Output], denominator: int) -> _Found:
    """Every sequence, one by one."""
    world, V, found = setting.world, setting.world.V, _Found()
    for ell in range(world.L):
        for subjects in product(*[setting.contexts.tolist()] * setting.n, setting.queries.tolist()):
            tokens = setting.tokens(ell, subjects)
            target = int(world.attribute_token[subjects[-1], ell])
            attended = tuple(head.attended(tokens, V) for head in heads)
            case = tuple((a.tokens, a.certain) for a in attended), target
            found.times[case] += 1
            if case not in found.known:
                parts = [o.between(*a, target) for o, a in zip(outputs, case[0], strict=True)]
                low, high = (np.delete(parts[0][k] + parts[1][k], target) for k in (0, 1))
                ends = Fraction(min(low)) / denominator, Fraction(min(high)) / denominator
                found.known[case] = _verdict(*ends)
            for h, a in enumerate(attended):
                counter = found.attention[h]
                if a.mask is None:
                    found.attention[h] = None
                elif counter is not None:
                    counter[a.mask] += 1
            key = len(set(subjects)), tuple(tokens)
            verdict = found.known[case][0]
            if verdict in ("tie", "wrong", "fails") and (found.failing is None or key < found.failing[0]):
                found.failing = key, ell, subjects, attended
            if verdict == "open" and (found.unsure is None or key < found.unsure):
                found.unsure = key
    return found


def _example(setting: Setting, bounds: tuple[Weights, Weights], found: _Found) -> Counterexample | None:
    """The smallest sequence that surely fails; it is said to be the smallest where no open one comes before it."""
    if found.failing is None:
        return None
    key, relation_type, subjects, attended = found.failing
    places = [a.places for a in attended] if all(a.whole for a in attended) else None
    smallest = found.unsure is None or key < found.unsure
    half_way = middle(*bounds)
    return describe(
        setting, half_way, relation_type, subjects, Fraction(0), smallest, places, certain=places is not None
    )


def singly(
    decision: Decision,
    setting: Setting,
    bounds: tuple[Weights, Weights],
    columns: tuple[np.ndarray, np.ndarray],
    boxes: tuple[Box, Box],
    denominator: int,
    exchangeable: bool,
    equal: Equal | None = None,
) -> Decision:
    """`decision` with what every sequence, taken for itself, says besides. columns: per head the column of every token.

    Cost O((T + V attended)) rational operations a sequence, remembered by what the heads attend.
    """
    heads = [Scores.of(bounds, n, exchangeable, equal) for n in ("kq_subj", "kq_rel")]
    numbers = None, None if equal is None else equal.ov_rel
    outputs = [Output(*parts) for parts in zip(boxes, columns, numbers, strict=True)]
    found = _looked_at(setting, heads, outputs, denominator)
    known, times = found.known, found.times
    counts: Counter[str] = Counter()
    for case, (verdict, _, _) in known.items():
        counts[verdict] += times[case]
    excess = _excess(known, times)

    def bounded(name: str, least: int, most: int) -> tuple[int, int]:
        before = getattr(decision, f"{name}_bounds")
        return max(before[0], least), min(before[1], most)

    right = bounded("right", counts["right"], counts["right"] + counts["open"] - excess)
    ties = bounded("ties", counts["tie"], counts["tie"] + counts["fails"] + counts["open"])
    wrong = bounded("wrong", counts["wrong"], counts["wrong"] + counts["fails"] + counts["open"])
    exact = all(low == high for low, high in (right, ties, wrong))
    why = (
        f"{counts['open'] + counts['fails']} of {setting.total} sequences are not decided by the bounds on the weights"
    )
    if excess:
        why += f"; of these, {excess} cannot be right: others with the same output have other targets"
    attention = {
        head: {label(k): c for k, c in sorted(of.items())}
        for head, of in zip(HEADS, found.attention, strict=True)
        if of is not None
    }
    ends = min(low for _, low, _ in known.values()), min(high for _, _, high in known.values())
    return replace(
        decision,
        right=right[0] if exact else None,
        ties=ties[0] if exact else None,
        wrong=wrong[0] if exact else None,
        right_bounds=right,
        ties_bounds=ties,
        wrong_bounds=wrong,
        exact=exact,
        method=decision.method if decision.exact or not exact else "every sequence",
        why="" if exact else why,
        min_margin=ends[0] if ends[0] == ends[1] else None,
        min_margin_bounds=ends,
        attention=attention if len(attention) == len(HEADS) else None,
        counterexample=_example(setting, bounds, found),
    )
