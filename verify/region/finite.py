"""Finite beta: at which inverse temperatures the updated weights answer every sequence, and where a named one fails.

Proven: verify.region.sufficient.  Failing: the beta nearest to what is proven at which one of the named worst sequences is answered
wrongly by the softmax, written out.  A conclusion that fails at beta = inf (hard attention) may well hold at finite beta: where the
relation head prefers the query, hard attention sees nothing of the attributes, and softmax a little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.conclusion.conditions import Condition
from numerics.conclusion.setting import make_setting
from numerics.world import World
from verify.region.sufficient import WORK, Bound, Window, log2_range, window, work
from verify.region.tempered import ROUNDING, Tempered

FloatArray = NDArray[np.float64]
Named = tuple[str, int, tuple[int, ...]]
#: Parts of the sequences, by pool of queries, in words.
PARTS = {
    "seen": "seen queries",
    "heldout": "held-out queries",
    "heldout_covered": "held-out queries with values that finetuning subjects have",
}


@dataclass(frozen=True)
class Failing:
    """A sequence (pool, type, subjects) that is not answered right at a beta."""

    beta: float
    sequence: Named

    def as_json(self) -> dict[str, Any]:
        pool, ell, subjects = self.sequence
        return {"beta": self.beta, "pool": pool, "type": ell, "subjects": list(subjects)}


@dataclass(frozen=True)
class FiniteBeta:
    """proven: every sequence is right at these beta (None: at none proven); why: what was not asked, and the reason.

    below: the largest beta under it, above: the smallest over it, found to fail surely; None: none found, or no window.
    parts: where nothing is proven of every sequence, the same of parts of them (PARTS), as far as there are several.
    """

    objective: str
    proven: Window | None
    below: Failing | None = None
    above: Failing | None = None
    why: str = ""
    parts: Mapping[str, FiniteBeta] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        from_here = self.proven is not None and self.proven.last is None
        return {
            "objective": self.objective,
            "sufficient": self.proven.first if self.proven is not None and from_here else None,
            "proven": None if self.proven is None else {"first": self.proven.first, "last": self.proven.last},
            "fails_at": None if self.below is None else self.below.beta,
            "sequence": None if self.below is None else self.below.as_json(),
            "fails_above": None if self.above is None else self.above.as_json(),
            "why": self.why or None,
            "parts": {name: part.as_json() for name, part in self.parts.items()},
        }

    def range_words(self) -> str:
        """Where every sequence is right: 'every finite beta >= 104.39', '3.115e+05 <= beta <= 1.05e+07'."""
        if self.proven is None:
            return f"not sought: {self.why}" if self.why else "no beta at which it is proven"
        first, last = self.proven.first, self.proven.last
        return f"every finite beta >= {first:.5g}" if last is None else f"{first:.5g} <= beta <= {last:.5g}"

    def words(self) -> str:
        """The range, and how sharp it is."""
        if self.proven is None:
            known = {name: part for name, part in self.parts.items() if part.proven is not None}
            return "; ".join([self.range_words(), *(f"{PARTS[name]}: {part._sharp()}" for name, part in known.items())])
        return self._sharp()

    def _sharp(self) -> str:
        if self.proven is None:
            return self.range_words()
        ends = [f"at {end.beta:.5g} a named sequence fails" for end in (self.below, self.above) if end is not None]
        if self.proven.last is not None and self.above is None:
            ends.append("beyond it nothing is proven")
        return "; ".join([f"every sequence is right at {self.range_words()}", *ends])


class _Wrong:
    """Surely wrong: whether some rival is above the target for ALL weights between the bounds, on one sequence.

    With middle weights, shares a_i of attention and differences d_i (target minus rival) of the columns, the logits differ by sum a_i d_i. Half
    widths h_i of the columns and g of the parts of a score change the shares by factors within e^{8 beta step g} =: 1 + c, and the sum by at
    most c sum a_i |d_i| + (1 + c) sum a_i (2 h_i).
    """

    def __init__(self, between: Tempered) -> None:
        self.steps = [float(step) for step in between.steps]
        self.heads = []
        middle = between.floats()
        for kq, ov in (("kq_subj", "ov_subj"), ("kq_rel", "ov_rel")):
            half = []
            for name in (kq, ov):
                low, high = (np.asarray(getattr(w, name), np.float64) for w in (between.lower, between.upper))
                half.append((high - low) / 2 + ROUNDING * np.maximum(np.abs(low), np.abs(high)))
            columns = np.asarray(getattr(middle, ov), np.float64)
            self.heads.append((np.asarray(getattr(middle, kq), np.float64), columns, float(half[0].max()), half[1]))

    def __call__(self, tokens: NDArray[np.int64], target: int, beta: float) -> bool:
        """Cost O(T V)."""
        T = len(tokens)
        found = np.zeros(len(self.heads[0][1]))
        for (kq, ov, g, half), step in zip(self.heads, self.steps, strict=True):
            scores = kq[tokens] + kq[len(ov) + np.arange(T - 1, -1, -1)]
            share = np.exp(beta * step * (scores - scores.max()))
            share /= share.sum()
            apart = ov[target, tokens][None] - ov[:, tokens]
            # Two scores, each of a token and a position.
            loose = np.expm1(min(8 * beta * step * g, 1.0)) + T * ROUNDING
            found += (
                apart @ share
                + loose * (np.abs(apart) @ share)
                + (1 + loose) * ((half[target, tokens][None] + half[:, tokens]) @ share)
            )
            if 8 * beta * step * g > 1:
                return False
        found[target] = np.inf
        # Where shares underflow to 0, so may what keeps the target first.
        return bool(found.min() < 0)


def finite_beta(
    world: World,
    n_demos: int,
    objective: str,
    between: Tempered,
    found: Mapping[str, Sequence[Condition]],
    draws: int = 64,
    seed: int = 0,
) -> FiniteBeta:
    """Where every sequence is right, and how sharp that is, for weights between bounds; `found`: conditions by pool of queries.

    The sequences tried are those on which the bound ends, the worst ones of every condition and `draws` random ones of each pool; what
    fails does so for all weights between.  Nothing is sought beyond WORK (verify.region.sufficient).  Where nothing is proven of every
    sequence the parts are looked at: one value that no finetuning subject has is enough for that, and says nothing of the others.
    """
    if (needed := work(world)) > WORK:
        return FiniteBeta(
            objective, None, why=f"an evaluation has {needed:.1e} operations, at most {WORK:.0e} are done"
        )

    def of(some: Mapping[str, Sequence[Condition]], covered: bool = False) -> FiniteBeta:
        return _sought(world, n_demos, objective, between, some, covered, draws, seed)

    whole = of(found)
    if whole.proven is not None:
        return whole
    parts = {pool: of({pool: some}) for pool, some in found.items()} if len(found) > 1 else {}
    has = _covered(world)[world.heldout]
    if has.any() and not has.all() and ("heldout" not in parts or parts["heldout"].proven is None):
        parts["heldout_covered"] = of({"heldout": found["heldout"]}, covered=True)
    return replace(whole, parts=parts)


def _covered(world: World) -> NDArray[np.bool_]:
    """(M, L): whether some finetuning subject has the subject's value of the type."""
    return world.finetune_value_counts[np.asarray(world.attribute_token) - world.M] > 0


def _sought(
    world: World,
    n_demos: int,
    objective: str,
    between: Tempered,
    found: Mapping[str, Sequence[Condition]],
    covered: bool,
    draws: int,
    seed: int,
) -> FiniteBeta:
    """The same without parts; covered: of sequences whose target a finetuning subject has."""
    bound = Bound(world, n_demos, between, found, covered)
    proven = window(bound, between)
    if proven is None:
        return FiniteBeta(objective, None)
    generator = np.random.default_rng(seed)
    ends = [("seen" if js[-1] in world.finetune else "heldout", ell, js) for ell, js in bound.ends]
    tried: dict[Named, None] = dict.fromkeys(ends)
    for pool, some in found.items():
        setting = make_setting(world, n_demos, pool, "finetune")
        tried |= dict.fromkeys((pool, ell, c.subjects) for c in some for ell in range(world.L))
        for _ in range(draws):
            context = generator.choice(setting.contexts, n_demos)
            subjects = (*(int(j) for j in context), int(generator.choice(setting.queries)))
            tried[pool, int(generator.integers(world.L)), subjects] = None
    if covered:
        has = _covered(world)
        tried = {one: None for one in tried if has[one[2][-1], one[1]]}
    least, largest = log2_range(between)
    below = _nearest(world, n_demos, between, tried, math.log2(proven.first), least)
    above = None if proven.last is None else _nearest(world, n_demos, between, tried, math.log2(proven.last), largest)
    return FiniteBeta(objective, proven, below, above)


def _nearest(
    world: World, n_demos: int, between: Tempered, tried: Iterable[Named], start: float, end: float
) -> Failing | None:
    """The beta nearest to 2^start on the way to 2^end at which one of the sequences surely fails, by steps of a doubling and bisection."""
    setting = make_setting(world, n_demos, "seen", "finetune")
    surely = _Wrong(between)
    way = 1.0 if end > start else -1.0
    reach, found = abs(end - start), None
    for one in tried:
        tokens, target = np.array(setting.tokens(one[1], one[2])), int(world.attribute_token[one[2][-1], one[1]])

        def wrong(far: float, tokens: NDArray[np.int64] = tokens, target: int = target) -> bool:
            return surely(tokens, target, 2.0 ** (start + way * far))

        # No further than the nearest so far.
        far = next((x for x in np.append(np.arange(0.0, reach, 1.0), reach) if wrong(float(x))), None)
        if far is None:
            continue
        low, high = max(0.0, float(far) - 1), float(far)
        while high - low > 1e-4:
            middle = (low + high) / 2
            low, high = (low, middle) if wrong(middle) else (middle, high)
        if found is None or high < reach:
            reach, found = high, Failing(2.0 ** (start + way * high), one)
    return found
