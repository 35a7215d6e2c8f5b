"""The gradients of the first step from expectations of the softmax.

kq_subj: the hat part plus, at the token s_j of a finetuning subject, D(j).  Other tokens and all positions have no
softmax part: attention is 0 there or, at the subject positions, E r_k = E rbar because the draws are exchangeable.
ov_rel = E[e g^T] with the relation head uniform over the window: with n_s, n_a, n_z context subjects, attributes and
[sep] in it and n_q = 1 if the query subject is, the softmax part of its columns, width times, is

    s_j:  (n_s + n_q) P_v(j),       u of type l:  n_a / L sum_{j has u} P_v(j),       [sep]:  n_z sum_j P_v(j).

The hat part is rational, rounded once.
"""

from dataclasses import dataclass

import numpy as np

from numerics.population.certified.first import FirstLaw
from numerics.population.certified.patterns import Patterns
from numerics.population.certified.rounding import UNIT, FloatArray, gamma, outward, relative
from numerics.population.layout import Layout
from numerics.population.marginal import hat_gradients
from numerics.world import World


@dataclass(frozen=True, eq=False)
class StepOne:
    """kq_subj (V+T,) and ov_rel (V, V) with radii."""

    kq_subj: FloatArray
    kq_subj_radius: FloatArray
    ov_rel: FloatArray
    ov_rel_radius: FloatArray
    order: int | None

    @property
    def relative(self) -> dict[str, float]:
        """Largest radius over largest entry."""
        pairs = {"kq_subj": (self.kq_subj, self.kq_subj_radius), "ov_rel": (self.ov_rel, self.ov_rel_radius)}
        return {name: relative(value, radius) for name, (value, radius) in pairs.items()}


class FirstStep:
    """The assembly for a world, n_demos, window and reading; the hat part is computed once."""

    def __init__(self, world: World, n_demos: int, window: int | None, reading: str) -> None:
        self.world, self.layout = world, Layout(n_demos)
        inside = self.layout.relation_scores(window)
        self.width = int(inside.sum())
        self.context, self.attributes, self.seps, self.query = (
            int(inside[index].sum())
            for index in (
                self.layout.subjects[:-1],
                self.layout.attributes,
                self.layout.seps,
                self.layout.subjects[-1:],
            )
        )
        exact = hat_gradients(world, n_demos, 0, window, reading)
        self.hat_kq, self.hat_ov = exact.kq_subj.floats, exact.ov_rel.floats

    def tokens(self, patterns: Patterns, law: FirstLaw) -> tuple[FloatArray, FloatArray]:
        """(A+1, Q) E[pi_v; x_1 = j] of the values, in the last row of each token that is no value, and radii."""
        index = np.append(patterns.class_of, len(patterns.weights))
        scale = np.append(patterns.scale, 1.0)[:, None]
        P, radius = scale * law.P[index], scale * (law.P_radius[index] + 3 * UNIT * np.abs(law.P[index]))
        # A value left out: 0 <= pi_v <= f_v / Z, and f_v <= scale.
        left_out = np.append(patterns.class_of < 0, False)
        P[left_out], radius[left_out] = 0.0, patterns.scale.max(initial=0.0) / (patterns.least * patterns.Q)
        return P, radius

    def gradients(self, patterns: Patterns, law: FirstLaw) -> StepOne:
        """The gradients and their radii.  Cost O(V^2 + A L Q)."""
        world, F = self.world, np.sort(self.world.finetune_array)
        kq, kq_radius = self.hat_kq.copy(), UNIT * np.abs(self.hat_kq)
        kq[F] += law.D
        kq_radius[F] += law.D_radius + UNIT * np.abs(kq[F])
        P, P_radius = self.tokens(patterns, law)
        soft, radius = self.columns(P), self.columns(P_radius)
        # Sums of at most Q L terms of one sign and four factors; an expansion that is off may give either sign.
        radius += gamma(world.M_ft * world.L + 8) * self.columns(np.abs(P))
        ov = self.hat_ov + soft
        radius += UNIT * (np.abs(self.hat_ov) + np.abs(ov))
        return StepOne(kq, outward(kq_radius), ov, outward(radius), law.order)

    def columns(self, P: FloatArray) -> FloatArray:
        """(V, V) the softmax part of ov_rel from (A+1, Q) probabilities."""
        world, F = self.world, np.sort(self.world.finetune_array)
        by_input = np.zeros((len(P), world.V))
        by_input[:, F] = (self.context + self.query) * P
        for ell in range(world.L):
            np.add.at(by_input.T, world.attribute_token[F, ell], (self.attributes * P / world.L).T)
        by_input[:, world.sep_token] = self.seps * P.sum(axis=1)
        full = np.repeat(by_input[-1:], world.V, axis=0)
        full[world.M : world.M + world.n_attributes] = by_input[:-1]
        return full / self.width
