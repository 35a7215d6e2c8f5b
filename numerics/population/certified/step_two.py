"""kq_rel of the second step from expectations of the softmax, and what an uncertain first step does to it.

With e = softmax(f) - h(y), r_i = e^T b_{x_i}, rbar = e^T lambda and attention 1/width on the window, the entries are

    s_j:     [full slots] E[r_{s_j} - rbar; x_1 = j] + [query] E[r_{s_j} - rbar; x_m = j]        (over width)
    u of l:  1/L sum_{j has u} ([full] E_l[r_{a_j} - rbar; x_1 = j] + [partial] the same),
    [sep]:   -E[rbar] per [sep] in the window;      a position: the entry of its one slot.

The part of -h(y) is a mean over one or two draws and done here directly; rounding is bounded with sum_v |b_v| (pi_v + h_v).

The first step gives b = b~ + db with |db| <= rho.  Attention sums to sigma <= 1 over the tokens other than [sep], so
|lambda| <= sigma max|b| and |d lambda| <= sigma rho.  Along the path the softmax moves by |d pi|_1 = sum_v pi_v |d logit_v -
mean| <= 2 sigma rho, and |e|_1 <= 2, so with B = max |b~| + rho

    |d r_i| <= 2 sigma rho B + 2 rho,        |d rbar| <= 2 sigma rho sigma B + 2 sigma rho:

times the expected attention on a token or position, this is its radius.  Rounding of b/width and of the sums t is within
the same rule with rho + 6 u max|b|.  A value left out of the softmax moves pi by at most 2 tail in the 1-norm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified.problem import SecondLaw, Slots, TypeProblem, type_problem
from numerics.population.certified.rounding import UNIT, FloatArray, gamma, outward
from numerics.population.certified.step_one import StepOne
from numerics.population.layout import Layout
from numerics.world import World


@dataclass(frozen=True, eq=False)
class _Draw:
    """E[r - rbar; x = j] of one kind of draw (Q,), its radius, and a bound of the magnitudes that were added."""

    value: FloatArray
    radius: FloatArray


class SecondStep:
    """The assembly of kq_rel; `add` one type after the other, then `result`."""

    def __init__(
        self, world: World, n_demos: int, eta_ov: float, window: int | None, reading: str, one: StepOne
    ) -> None:
        self.world, self.reading, self.layout = world, reading, Layout(n_demos)
        self.slots = Slots.of(n_demos, window)
        values = slice(world.M, world.M + world.n_attributes)
        # Token 0 is a subject, hence no value.
        self.b = -eta_ov * (one.ov_rel[values] - one.ov_rel[:1])
        # Three roundings: the difference, the product, and that of the step size the caller may have had to round.
        rho = abs(eta_ov) * (one.ov_rel_radius[values] + one.ov_rel_radius[:1]) + 3 * UNIT * np.abs(self.b)
        self.b[:, world.sep_token] = 0.0
        rho[:, world.sep_token] = 0.0
        self.largest = float(np.abs(self.b).max())
        self.rho = float(rho.max()) * (1 + 1e-6) + 6 * UNIT * self.largest
        size = world.V + self.layout.T
        self.kq, self.radius, self.attended = np.zeros(size), np.zeros(size), np.zeros(size)

    def problem(self, ell: int, device: str) -> TypeProblem:
        """The reduced softmax of type ell.  Raises OverflowError for logits that are too large."""
        return type_problem(self.world, self.reading, self.slots, self.b, ell, device)

    def add(self, ell: int, problem: TypeProblem, law: SecondLaw) -> None:
        """Adds a type.  Cost O(A Q)."""
        world, slots, F, Q = self.world, self.slots, np.sort(self.world.finetune_array), self.world.M_ft
        target = world.attribute_token[F, ell] - world.M
        frequency = np.bincount(target, minlength=world.n_attributes) / Q
        on_subjects, on_values = self.b[:, F], self.b[:, world.attribute_token[F, ell]]
        t2 = on_values / slots.width
        t1 = on_subjects / slots.width + t2
        own = on_subjects / slots.width if slots.query else np.zeros_like(t2)
        full, partial = len(slots.full), len(slots.partial)
        mean1, mean2 = t1.mean(axis=1), t2.mean(axis=1)
        picked = np.arange(Q)
        own_of_target = own[target, picked].mean()
        elsewhere = frequency @ (full * mean1 + partial * mean2) + own_of_target
        tokens = world.attribute_token[F, ell]
        share = 1.0 / (slots.width * world.L)

        def draw(kind: str, b: FloatArray, hat_r: FloatArray, hat_bar: FloatArray) -> _Draw:
            P, R = getattr(law, f"P{kind}"), getattr(law, f"R{kind}")
            return self._draw(
                problem, P, R, getattr(law, f"P{kind}_error"), getattr(law, f"mass{kind}"), b, hat_r, hat_bar
            )

        if full:
            bar = frequency @ t1 + elsewhere - frequency @ mean1
            subject = draw("1", on_subjects, frequency @ on_subjects, bar)
            value = draw("1", on_values, frequency @ on_values, bar)
            self._put(F, subject, full * share)
            self._put(tokens, value, full * share)
            for k in slots.full:
                self._position(int(self.layout.subjects[k]), subject, share)
                self._position(int(self.layout.attributes[k]), value, share)
        if partial:
            bar = frequency @ t2 + elsewhere - frequency @ mean2
            value = draw("2", on_values, frequency @ on_values, bar)
            self._put(tokens, value, share)
            self._position(int(self.layout.attributes[slots.partial[0]]), value, share)
        bar = (full * mean1 + partial * mean2)[target] + own[target, picked]
        if slots.query:
            query = draw("q", on_subjects, on_subjects[target, picked], bar)
            self._put(F, query, share)
            self._position(int(self.layout.subjects[-1]), query, share)
        nothing = np.zeros_like(on_subjects)
        sep = draw("q", nothing, np.zeros(Q), bar)
        for index in self.layout.seps:
            if slots.inside[index]:
                self._put(np.full(Q, world.sep_token), sep, share)
                self._position(int(index), sep, share)

    def _draw(
        self,
        problem: TypeProblem,
        P: FloatArray,
        R: FloatArray,
        error: FloatArray,
        mass: FloatArray,
        b: FloatArray,
        hat_r: FloatArray,
        hat_bar: FloatArray,
    ) -> _Draw:
        """E[r - rbar; x = j] = sum_v b_v (P_v - h_v / Q) - (R - rbar of h / Q); hat_* are before 1/Q."""
        kept = problem.class_of >= 0
        index = problem.class_of[kept]
        p, p_error, most = np.abs(P[index]), error[index], problem.most[kept][:, None]
        size = np.abs(b[kept])
        value = (b[kept] * P[index]).sum(axis=0) - R - (hat_r - hat_bar) / problem.Q
        largest = np.abs(b).max(axis=0) + float(problem.most.max())
        radius = ((size + most) * p_error).sum(axis=0) + mass * largest + 2 * problem.tail * largest / problem.Q
        count = self.world.n_attributes + 2 * problem.Q + 3 * problem.slots + 40
        radius += gamma(count) * (((size + most) * p).sum(axis=0) + largest / problem.Q)
        return _Draw(value, radius)

    def _put(self, tokens: NDArray[np.int64], draw: _Draw, share: float) -> None:
        np.add.at(self.kq, tokens, share * draw.value)
        np.add.at(self.radius, tokens, share * (draw.radius + gamma(self._sums) * np.abs(draw.value)))
        np.add.at(self.attended, tokens, share / self.world.M_ft)

    def _position(self, index: int, draw: _Draw, share: float) -> None:
        """The entry of p_{-o}, o = T - 1 - index: the sum over the draws."""
        place = np.full(self.world.M_ft, self.world.V + self.layout.T - 1 - index)
        self._put(place, draw, share)

    @property
    def _sums(self) -> int:
        """Additions into one entry."""
        return (3 * self.layout.m + 2) * self.world.M_ft * self.world.L + 8

    def result(self) -> tuple[FloatArray, FloatArray]:
        """kq_rel (V+T,) and its radius, the uncertainty of the first step included."""
        slots = self.slots
        sigma = (2 * len(slots.full) + len(slots.partial) + slots.query) / slots.width
        B, rho = self.largest + self.rho, self.rho
        of_bar = 2 * sigma * rho * (sigma * B + 1)
        of_token = np.full(len(self.kq), 2 * rho * (sigma * B + 1))
        seps = self.world.V + self.layout.T - 1 - self.layout.seps
        of_token[[self.world.sep_token, *seps]] = 0.0
        return self.kq, outward(self.radius + self.attended * (of_token + of_bar))
