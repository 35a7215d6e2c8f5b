"""Step 2 of one type: the sums over every query and every context, by halves of the context.

The subject head copies the query x_m = s_q, the relation head averages the last w positions with weight g = 1/w each:

    log f_v = W_OV^subj[v, s_q] + g_q B[v, s_q] + sum_k delta_v(x_k) + eta_v(x'),
    delta_v(x) = g (B[v, s_x] + B[v, a_x]),    eta_v(x') = g B[v, a_{x'}],

over the K slots that stand wholly in the window, and the one slot, if any, whose attribute does and whose subject does not
(a half slot: only its value matters).  Slots outside matter nowhere: their draws are summed out.  g_q = g if the query's
subject is in the window (w >= 2), else 0.  The K slots are exchangeable: h of them (two or more, where there are two)
and the half slot make the half alpha, the other K - h the half beta (see half.py), and (l, q) is looped over.

Nothing is lost where the softmax saturates: r_i = sum_v e_v B[v, x_i] with e = pi - h(y) and sum_v e_v = 0 is
sum_{v != y} pi_v (B[v, x_i] - B[y, x_i]), every term with a factor of s = 1 - pi_y = sum_{v != y} pi_v.  In the same way
rbar = sum_{v != y} pi_v (lambda_v - lambda_y), lambda the part of log f that g weighs.  Below every v-sum is such a sum,
"differences to y", and Y = mu_alpha omega F_alpha[v] T_v(alpha) is E[pi_v; alpha, q], its column y set to 0.

    c1(alpha) = sum_v Y_v sum_{k in alpha} delta_v(x_k),   c2 = sum_v Y_v eta_v,   c3 = sum_v Y_v g_q B[v, s_q]
    E[rbar | alpha, q] = (K / h) c1 + c2 + c3               (exchangeable; used for q and for the half slot)
    D(j) = E[sum_v pi_v delta_v(j); x_1 = j],
    C(j) = sum_alpha (count_j / h) c1 = D(j) + (h - 1) E[sum_v pi_v delta_v(x_2); x_1 = j],
    E[rbar; x_1 = j] = D + (K - 1)(C - D) / (h - 1) + sum_alpha (count_j / h)(c2 + c3).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.population.certified.result import NotCertified
from numerics.population.halves.columns import Columns, Slots
from numerics.population.halves.half import Half, Workspace, block_rows
from numerics.population.halves.multisets import Multisets
from numerics.population.halves.rounding import LARGEST, WEIGHT_COUNT, exponentials, weight
from numerics.population.true import Compensated
from numerics.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TypeSums:
    """Of one type, summed over queries, E over contexts: r and rbar by token, and s = 1 - pi_y for the bounds.

    subject, attribute, bar, s (Q,): whole slots, x_1 = j; half, half_bar, half_s (U_l,): the half slot, by value; own, own_bar,
    own_s (Q,): by query.  count: the longest count of roundings.
    """

    subject: FloatArray
    attribute: FloatArray
    bar: FloatArray
    s: FloatArray
    half: FloatArray
    half_bar: FloatArray
    half_s: FloatArray
    own: FloatArray
    own_bar: FloatArray
    own_s: FloatArray
    count: float


class Contexts:
    """The sums of step 2 of a world: tensors and bounds that do not depend on the type."""

    def __init__(self, world: World, slots: Slots, columns: Columns, device: str) -> None:
        self.world, self.slots, self.columns, self.device = world, slots, columns, device
        self.F = np.sort(world.finetune_array)
        Q, A, C = len(self.F), world.n_attributes, len(columns.step)
        self.on_subjects = columns.step[:, self.F].T
        own = np.zeros((Q, C)) if not slots.query else self.on_subjects
        by_value = np.concatenate([columns.of, [C - 1]])
        terms = np.stack([columns.start.T, own[:, by_value]])
        self.top = max(0.0, float((terms[0] + terms[1] / slots.width).max()))
        exps, count = exponentials(terms, np.array([1.0, slots.width]))
        exps[:, A] *= world.V - A
        omega = np.zeros((Q, C))
        np.add.at(omega.T, by_value, exps.T)
        self.omega, self.omega_count = self.tensor(omega), count + 1 + A
        self.own = self.tensor(own / slots.width)
        self.alphas = Multisets.of(Q, slots.h, device)
        self.betas = Multisets.of(Q, slots.K - slots.h, device)
        self.block = block_rows(device)
        self.space = Workspace(device, max(self.block, *world.U), self.block)

    def tensor(self, array: NDArray) -> Tensor:
        """A float64 tensor on the device."""
        return torch.as_tensor(np.ascontiguousarray(array, dtype=np.float64), device=self.device)

    def type_sums(self, ell: int, done: Callable[[int], None]) -> TypeSums:
        """The sums of type ell; done(pairs) after every block.

        Cost O(Q U' C(Q+h-1, h) C(Q+K-h-1, K-h) C) flops, U' the values of the half slot (1 without).
        """
        slots, world, w = self.slots, self.world, float(self.slots.width)
        Q, C = self.omega.shape
        local = world.value_index[self.F, ell]
        on_values = self.columns.step[:, world.attribute_offsets[ell] : world.attribute_offsets[ell + 1]].T
        on_attributes = on_values[local]
        target = self.columns.of[world.attribute_token[self.F, ell] - world.M]
        both = np.stack([self.on_subjects, on_attributes])
        phi_array, phi_count = exponentials(both, np.array([w, w]))
        phi, delta = self.tensor(phi_array), self.tensor((both[0] + both[1]) / w)
        # Values of the half slot that occur in F; without a half slot one that changes nothing.
        seen = np.unique(local) if slots.half else np.zeros(1, dtype=np.int64)
        halves = on_values[seen] if slots.half else np.zeros((1, C))
        eta_array, eta_count = exponentials(halves[None], np.array([w]))
        shares = np.bincount(local, minlength=world.U[ell])[seen] if slots.half else np.array([Q])
        eta_factor, eta, share = self.tensor(eta_array), self.tensor(halves / w), self.tensor(weight(shares, Q))
        highest = self.top + slots.K * max(0.0, float(delta.max())) + max(0.0, float(eta.max()))
        if not highest <= LARGEST:
            raise NotCertified(
                f"eta_ov: the step moves logits up to {highest:.3g} above those of the tokens that are no value, where float64 sums"
                f" of exponentials are not bounded here; valid: an eta_ov for which they stay below {LARGEST:g}"
            )

        def factors(draws: Tensor) -> Tensor:
            f = torch.ones(len(draws), C, dtype=torch.float64, device=self.device)
            for k in range(draws.shape[1]):
                f *= phi[draws[:, k]]
            return f

        beta, n = Half.of(self.betas, factors, C, self.block), len(seen)
        groups = np.unique(target)
        # By subject of a whole slot, then by value of the half slot: what r reads there, and the sums over alpha and queries.
        read = self.tensor(np.concatenate([self.on_subjects, halves]))
        read_attribute = self.tensor(np.concatenate([on_attributes, halves]))
        by_place, by_query = Compensated(), Compensated()
        rows, ratio = max(1, self.block // n), slots.K / max(1, slots.h)
        for start in range(0, len(self.alphas), rows):
            stop = min(start + rows, len(self.alphas))
            draws = self.alphas.draws[start:stop]
            counts = self.alphas.counts(start, stop)
            # Row (i, u) is multiset i with value u in the half slot.
            f = (factors(draws)[:, None] * eta_factor).flatten(0, 1)
            mu = (self.alphas.weights[start:stop, None] * share).flatten()
            moved = (counts @ delta).repeat_interleave(n, 0)
            value = torch.arange(n, device=self.device).repeat(stop - start)
            places = torch.cat([counts.repeat_interleave(n, 0), torch.nn.functional.one_hot(value, n).to(f.dtype)], 1).T
            total_1, total_23 = torch.zeros_like(mu), torch.zeros_like(mu)
            queries = torch.empty(Q, C + 1, dtype=torch.float64, device=self.device)
            r, r_attribute, r_s = (torch.zeros(Q + n, dtype=torch.float64, device=self.device) for _ in range(3))
            for y in groups.tolist():
                Y_sum = torch.zeros_like(f)
                for q in np.flatnonzero(target == y).tolist():
                    left = f * self.omega[q]
                    Y = left * self.space.sums(left, beta) * mu[:, None]
                    Y[:, y] = 0.0
                    s = Y.sum(1)
                    c1 = (Y * moved).sum(1) - moved[:, y] * s
                    c23 = Y @ (self.own[q] - self.own[q, y])
                    if slots.half:
                        by_half = (Y.view(-1, n, C) * eta).sum(2) - eta[:, y] * s.view(-1, n)
                        c23 = c23 + by_half.flatten()
                    Y_sum += Y
                    total_1 += c1
                    total_23 += c23
                    queries[q, :C] = Y.sum(0)
                    queries[q, C] = (ratio * c1 + c23).sum()
                P = places @ Y_sum
                r += (P * (read - read[:, [y]])).sum(1)
                r_attribute += (P * (read_attribute - read_attribute[:, [y]])).sum(1)
                r_s += P.sum(1)
            bars = places @ torch.stack([total_1, total_23, ratio * total_1 + total_23], 1)
            by_place.add(torch.cat([torch.stack([r, r_attribute, r_s], 1), bars], 1))
            by_query.add(queries)
            done(len(f) * Q * len(self.betas))

        # One longest count for all: Z, T, Y; then sums over alpha, over queries, over columns, over groups.
        parts = slots.K * (phi_count + 1) + eta_count + 1 + self.omega_count + 1
        other = slots.K * (phi_count + 1) + WEIGHT_COUNT + 1
        T_count = parts + C + 2 + other + min(self.block, len(self.betas)) + len(beta.bounds())
        Y_count = T_count + parts + 2 * WEIGHT_COUNT + 3
        count = Y_count + 2 * min(rows, len(self.alphas)) * n + 2 * Q + 2 * C + 2 * slots.K + 40

        placed, per_query = by_place.value(), by_query.value()
        subject, attribute, whole_s, C1, C23, _ = placed[:Q].T / max(1, slots.h)
        D = (subject + attribute) / w
        bar = C23 + D + (slots.K - 1) * (C1 - D) / max(1, slots.h - 1)
        # r, s and rbar at every value of the type; values unseen in F and no half slot at all leave 0.
        by_value = np.zeros((3, world.U[ell]))
        if slots.half:
            by_value[:, seen] = placed[Q:, [0, 2, 5]].T
        own_of = self.on_subjects - np.take_along_axis(self.on_subjects, target[:, None], axis=1)
        own = (per_query[:, :C] * own_of).sum(axis=1)
        return TypeSums(
            subject=subject,
            attribute=attribute,
            bar=bar,
            s=whole_s,
            half=by_value[0],
            half_s=by_value[1],
            half_bar=by_value[2],
            own=own,
            own_bar=per_query[:, C],
            own_s=per_query[:, :C].sum(axis=1),
            count=count,
        )
