"""The beta at which every sequence is answered, proven: no head has to attend to one kind of position alone.

One sequence: query q, contexts c_1..c_n with attributes u_1..u_n of the type, target y, a rival token v. Write S(x) for the difference of
the rows y and v of W_OV^subj in the column of a token x, R(x) the same of W_OV^rel. The two logits differ by

    D = sum_i s_i S(x_i) + sum_i r_i R(x_i),                    s_i, r_i the attention of the two heads on the positions i.

Subject head. Where the query leads a kind of position by gamma > 0, s_i <= e_i = exp(-beta eta gamma) there, and s_q = 1 - the rest:

    sum_i s_i S(x_i) >= S(q) - sum_{i != q} e_i max(0, S(q) - S(x_i)).

Relation head. Where every attribute leads a kind of position by gamma, of either sign, r_i <= t_i r_k there for every attribute k,
t_i = exp(-beta eta gamma). Pair each context subject with its attribute; let a be the attention on all attributes, so that r_k <= a / n
for the least of them:

    sum_i r_i R(x_i) >= sum_k r_k (R(u_k) + t_c min(0, R(c_k))) + (a / n) (t_q min(0, R(q)) + (n+1) t_z min(0, R([sep])))
                     >= a rho,    rho = min_k (R(u_k) + t_c min(0, R(c_k))) + (t_q min(0, R(q)) + (n+1) t_z min(0, R([sep]))) / n.

a is at most 1, and at least n / (n + n t_c + t_q + (n+1) t_z). So every sequence is right at beta where for all q, y, v

    S(q) - sum_{i != q} e_i max(0, S(q) - S(x_i)) + a rho > 0,      a the least of the two if rho >= 0, 1 if rho < 0.       (*)

For beta in [b, B] the e_i are largest at b, the t_i at b where gamma >= 0 and at B where gamma < 0: (*) with these proves all of it.

Rising. If attributes lead every kind (all gamma >= 0), (*) grows with beta, and what holds at a beta holds from there on. So it does if
S(q) >= 0 throughout, R >= 0 on the kinds that lead attributes, and these leads, times their step, are below the query's leads in the
subject head, times its step: rho grows, and with K = sum e_i max(..) (*) is n rho > (K - S(q)) (n + n t_c + t_q + (n+1) t_z), which,
where it is positive, falls: K - S(q) at a rate of at least the query's least lead, the sum grows at one of at most the largest lead
over attributes. Then attributes decide however little attention they have: at beta = inf they have none, and the target ties with what
the query does not tell from it, while at every such finite beta it is first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from numerics.conclusion.setting import make_setting
from numerics.world import World
from verify.region.tempered import ROUNDING, FloatArray, Tempered, gaps

#: An exponential of a rounded product is right to this part (products up to 700).
EXPONENTIAL = 1e-12
#: exp(LARGEST_LEAD) is the largest t that is computed; exp(-LARGEST_EXPONENT) the smallest e, far below what such a t leaves.
LARGEST_LEAD, LARGEST_EXPONENT = 400.0, 700.0
#: Operations of an evaluation that are still done: seconds.
WORK = 2e9
#: Doublings of beta: to which it is told, and at a time where a window is sought.
PRECISION, SCAN = 1e-3, 0.25


def work(world: World) -> float:
    """Operations of an evaluation."""
    return float(world.n_attributes**2 * world.M_ft)


class Bound:
    """The left side of (*), smallest over all sequences of the pools; covered: over those whose target a finetuning subject has.

    Cost of an evaluation: O(A |C| A) with A = sum U_l and C the finetuning subjects, and the memory of one target's part.
    """

    def __init__(
        self, world: World, n_demos: int, between: Tempered, pools: Iterable[str], covered: bool = False
    ) -> None:
        self.n = n_demos
        self.of_query, self.of_attribute = gaps(world, n_demos, between)
        self.steps = [float(step) for step in between.steps]
        ov = [
            [np.asarray(getattr(w, name), np.float64) for w in (between.lower, between.upper)]
            for name in ("ov_subj", "ov_rel")
        ]
        self.subject, self.relation = ov
        #: Whether equal float64 entries of a column are equal numbers; else, and between bounds, none is taken to be.
        self.exact = between.lower is between.upper and all(
            _told_apart(np.asarray(getattr(between.lower, name))) for name in ("ov_subj", "ov_rel")
        )
        # Rivals: every attribute, and one of the tokens whose rows say the same.
        rows = np.hstack([side for pair in ov for side in pair])
        others = np.setdiff1d(np.arange(world.V), world.attribute_token)
        distinct = others[np.unique(rows[others], axis=0, return_index=True)[1]]
        self.rivals = np.concatenate([np.unique(world.attribute_token), distinct])
        self.world = world
        kept = [make_setting(world, n_demos, pool, "finetune") for pool in pools]
        self.queries = np.unique(np.concatenate([np.asarray(one.queries) for one in kept]))
        self.contexts = np.asarray(kept[0].contexts)
        self.sep = world.sep_token
        tokens = np.asarray(world.attribute_token)[self.queries]
        shown = world.attribute_token[world.finetune_array] if covered else tokens
        self.targets = [(ell, int(y)) for ell in range(world.L) for y in np.intersect1d(tokens[:, ell], shown[:, ell])]
        self.worst = self.targets[0]
        #: Type and subjects j_1..j_m on which `holds` last ended; after `window`, where it ends below and above.
        self.sequence: tuple[int, tuple[int, ...]] | None = None
        self.ends: tuple[tuple[int, tuple[int, ...]], ...] = ()
        self.counts = {"context": n_demos, "attribute": n_demos, "query": 1, "sep": n_demos + 1}
        self.size = max(float(np.abs(side[:, : self.sep + 1]).max()) for side in self.relation)
        self.spread = {
            "context": self._spread(self.contexts),
            "attribute": self._spread(np.unique(world.attribute_token[self.contexts])),
            "sep": self._spread(np.array([self.sep])),
        }

    def _spread(self, columns: np.ndarray) -> float:
        """The largest -S(x) of tokens x, over all rows."""
        least, most = self.subject[0][:, columns], self.subject[1][:, columns]
        return float((most.max(axis=0) - least.min(axis=0)).max())

    def rising(self) -> bool:
        """Whether what is proven at a beta is proven for every larger one."""
        behind = {kind: -gap for kind, gap in self.of_attribute.items() if gap < 0}
        if not behind:
            return True
        if self._negative(self.subject, "query") or any(self._negative(self.relation, kind) for kind in behind):
            return False
        return min(self.of_query.values()) * self.steps[0] > max(behind.values()) * self.steps[1] * (1 + EXPONENTIAL)

    def _negative(self, head: list[FloatArray], kind: str) -> bool:
        """Whether S(x) or R(x) < 0 may be in the columns of a kind other than attributes, for some target and rival."""
        tokens = np.asarray(self.world.attribute_token)
        for ell, y in self.targets:
            queries = self.queries[tokens[self.queries, ell] == y]
            columns = {"query": queries, "context": self.contexts, "sep": np.array([self.sep])}[kind]
            if (self._less(head, y, self.rivals[self.rivals != y], columns) < 0).any():
                return True
        return False

    def _less(self, head: list[FloatArray], y: int, rivals: np.ndarray, columns: np.ndarray) -> FloatArray:
        """(rivals, columns): row y minus the rows of the rivals, rounded down; 0 where exact numbers are equal.

        What is small here may be multiplied by a large t: a difference below what float64 resolves must not pass for none.
        """
        own, others = head[0][y, columns][None], head[1][np.ix_(rivals, columns)]
        slack = ROUNDING * (np.abs(own) + np.abs(others))
        return own - others - (np.where(own == others, 0.0, slack) if self.exact else slack)

    def holds(self, beta: float, until: float | None = None) -> bool:
        """Whether (*) proves every sequence at beta, or from beta `until` another.  Ends at the first sequence that it does not."""
        until = beta if until is None else until
        if (
            min(self.of_query.values()) <= 0
            or -min(self.of_attribute.values()) * self.steps[1] * until > LARGEST_EXPONENT
        ):
            return False
        targets = sorted(self.targets, key=lambda one: one != self.worst)
        e, t, share = self._attention(beta, until)
        for ell, y in targets:
            smallest, subjects = self._smallest(ell, y, e, t, share)
            if smallest <= 0:
                self.worst, self.sequence = (ell, y), (ell, subjects)
                return False
        return True

    def _attention(self, beta: float, until: float) -> tuple[dict[str, float], dict[str, float], float]:
        """Sums of e_i and the t_i by kind, rounded up, and the least a, rounded down."""
        e = {k: self.counts[k] * _decayed(beta * self.steps[0] * gap) for k, gap in self.of_query.items()}
        t = {k: _decayed((beta if gap >= 0 else until) * self.steps[1] * gap) for k, gap in self.of_attribute.items()}
        whole = self.n + sum(self.counts[k] * t[k] for k in t)
        return e, t, self.n / whole * (1 - EXPONENTIAL)

    def _smallest(
        self, ell: int, y: int, e: dict[str, float], t: dict[str, float], share: float
    ) -> tuple[float, tuple[int, ...]]:
        """The smallest left side over rivals and over sequences of type ell with target y, and subjects j_1..j_m on which it is."""
        tokens, rivals = np.asarray(self.world.attribute_token), self.rivals[self.rivals != y]
        queries = self.queries[tokens[self.queries, ell] == y]

        def less(head: list[FloatArray], columns: np.ndarray) -> FloatArray:
            """(rivals, columns): entry of the target minus that of a rival, at least."""
            return self._less(head, y, rivals, columns)

        def lost(columns: np.ndarray) -> FloatArray:
            return np.minimum(0.0, less(self.relation, columns))

        shown = less(self.relation, tokens[self.contexts, ell])
        paired = shown + t["context"] * lost(self.contexts)
        rho = paired.min(axis=1)[:, None]
        rho = rho + (t["query"] * lost(queries) + (self.n + 1) * t["sep"] * lost(np.array([self.sep]))) / self.n
        rho = rho - 16 * ROUNDING * self.size
        own = less(self.subject, queries)
        left = own - ROUNDING * np.abs(own) + np.where(rho >= 0, share, 1.0) * rho
        for kind, weight in e.items():
            left = left - weight * np.maximum(0.0, own + self.spread[kind])
        rival, q = np.unravel_index(int(left.argmin()), left.shape)
        context = int(self.contexts[int(paired[rival].argmin())])
        return float(left.min()), (*[context] * self.n, int(queries[q]))


def _decayed(exponent: float) -> float:
    """exp(-exponent), rounded up."""
    return math.exp(-min(exponent, LARGEST_EXPONENT)) * (1 + EXPONENTIAL)


def _told_apart(columns: np.ndarray) -> bool:
    """Whether different numbers of a column are different in float64 too, so that equal floats are equal numbers."""
    if columns.dtype != object:
        return True
    return all(len(set(column)) == len({float(one) for one in set(column)}) for column in columns.T)


@dataclass(frozen=True)
class Window:
    """Every sequence is right for first <= beta <= last; last None: for every finite beta >= first."""

    first: float
    last: float | None


def window(bound: Bound, between: Tempered) -> Window | None:
    """The widest interval of beta that (*) proves, its ends to PRECISION of a doubling; None if there is none.

    bound.ends are then sequences on which it ends, below and above.  Cost: some 20 evaluations if `rising`, else up to one for each
    quarter of a doubling.
    """
    low, high = log2_range(between)
    if bound.rising():
        # Beyond the largest lead nothing is computed; what is proven before it is proven there too.
        behind = -min(bound.of_attribute.values()) * bound.steps[1]
        top = high if behind <= 0 else min(high, math.log2(LARGEST_LEAD / behind))
        if not bound.holds(2.0**top):
            return None
        first = _edge(low, top, lambda x: bound.holds(2.0**x))
        bound.ends = () if bound.sequence is None else (bound.sequence,)
        return Window(2.0**first, None)
    found, at = [], low
    while at < high:
        if bound.holds(2.0**at, 2.0 ** (at + SCAN)):
            first = _edge(at - SCAN, at, partial(_from, bound, at))
            below, step = bound.sequence, SCAN
            while step > PRECISION:
                if at + step <= high and bound.holds(2.0**at, 2.0 ** (at + step)):
                    at, step = at + step, 2 * step
                else:
                    step /= 2
            found.append((at - first, first, at, (below, bound.sequence)))
        at += SCAN
    if not found:
        return None
    _, first, last, ends = max(found, key=lambda one: one[0])
    bound.ends = tuple(end for end in ends if end is not None)
    return Window(2.0**first, 2.0**last)


def _from(bound: Bound, until: float, log2: float) -> bool:
    return bound.holds(2.0**log2, 2.0**until)


def _edge(low: float, high: float, proven: Callable[[float], bool]) -> float:
    """Bisection to PRECISION: `high` is proven; the smallest found that is."""
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if proven(middle) else (middle, high)
    return high


#: log2 of beta times the step of a head: between these it is sought.
LARGEST_LOG2, SMALLEST_LOG2 = 60.0, -10.0


def log2_range(between: Tempered) -> tuple[float, float]:
    """log2 of beta, from and to."""
    sizes = [math.log2(step) for step in between.steps]
    return SMALLEST_LOG2 - max(sizes), LARGEST_LOG2 - min(sizes)
