"""Expectations of the softmax of the second step by moments of F = sum_c copies_c f_c, given the query.

f_c = omega_c(q) prod_k phi_c(x_k) over n full and at most one partial slot, all draws independent.  For a multiset W

    T_cW = mean_x phi_c Phi_W,     T'_cW = mean_x t_c phi_c Phi_W       (t mixed in sign; T2, T2' for the partial slot)
    E[f_c F-term W c_k(q); x_1 = j] = phi_c(j) Phi_W(j) / Q  W_cW T^(n-1) T2,    W_cW = mean_q omega_c c_k omega_W(q),

with lambda_c = t_c(x_1) + sum over the other slots + own_c(q) inside the expectation as

    t_c(j) [the same]  +  phi_c(j) Phi_W(j) / Q { W_cW ((n-1) T' T^(n-2) T2 + T^(n-1) T2') + W^own_cW T^(n-1) T2 },

W^own with omega_c own_c for omega_c; and given q:  omega_c(q) c_k(q) omega_W(q) { T^n T2;  n T' T^(n-1) T2 + T^n T2' }.
p = sum_k c_k(q) F^k is the expansion of numerics.population.certified.expansion, with centre and bound for each q:

    Z >= O + sum_c omega_c (1 + sum_k t_c(x_k))          (e^x >= 1 + x), the last sum at its smallest over the draws.
"""

import numpy as np
import torch
from torch import Tensor

from numerics.population.certified.expansion import coefficient_roundings, coefficients
from numerics.population.certified.multisets import CHUNK, Level, count, fits
from numerics.population.certified.problem import SecondLaw, TypeProblem
from numerics.population.certified.rounding import Accumulator, FloatArray, gamma, power

MOST_SECOND = 6


def second_work(problem: TypeProblem, order: int) -> int:
    """Multiplications of the matrix products of the level `order` for one type."""
    return (8 + 4 * problem.partial) * count(problem.A, order) * (problem.A + 1) * problem.Q


def second_fits(problem: TypeProblem, order: int) -> bool:
    """Whether the level below the level `order`, products of three tables, can be stored."""
    return fits(problem.A, max(0, order - 1), 3 * problem.Q)


def _centres(p: TypeProblem) -> tuple[FloatArray, FloatArray]:
    """(Q,) centres of Z given q, and lower bounds."""
    omega, copies = p.omega[:-1], p.copies[:, None]
    mean = omega * copies * power(p.phi1[:-1].mean(1, keepdim=True), p.full)
    least = omega * copies
    drop = p.full * ((least.T @ p.t1[:-1]).amin(1))
    if p.partial:
        mean = mean * p.phi2[:-1].mean(1, keepdim=True)
        drop = drop + (least.T @ p.t2[:-1]).amin(1)
    size = p.others + least.sum(0)
    scale = size + (least.T @ p.t1[:-1].abs()).amax(1) * p.slots + (least.T @ p.t2[:-1].abs()).amax(1)
    zmin = size + drop - gamma(4 * (p.A + p.Q) + 4 * p.roundings + 40) * scale
    zmin = torch.maximum(zmin, torch.full_like(zmin, p.others * (1 - 1e-15)))
    centre = torch.maximum(p.others + mean.sum(0), zmin)
    return centre.cpu().numpy(), zmin.cpu().numpy()


class _Sums:
    """The accumulated sums of one level: P1, B1 (bracket of lambda), P2, B2, Pq, Bq, each (A'+1, Q)."""

    def __init__(self, p: TypeProblem) -> None:
        zero = torch.zeros_like(p.omega)
        self.P1, self.B1, self.P2, self.B2, self.Pq, self.Bq = (Accumulator(zero) for _ in range(6))

    def add(self, p: TypeProblem, kappa: Tensor, Phi1: Tensor, Phi2: Tensor, Omega: Tensor, c_k: Tensor) -> None:
        """A block of multisets: kappa (n,), products of phi1, phi2, omega (n, Q); c_k (Q,)."""
        n, Q = p.full, p.Q
        T = Phi1 @ p.phi1.T / Q
        S = Phi1 @ (p.phi1 * p.t1).T / Q
        rest = power(T, n - 1)
        # d = the sum over full slots but one, whole = over all of them, of T' times the other factors.
        d = (n - 1) * S * power(T, n - 2) if n > 1 else torch.zeros_like(T)
        right1 = Phi1 * kappa[:, None]
        weight = (Omega * c_k) @ p.omega.T / Q
        weight_own = (Omega * c_k) @ (p.omega * p.own).T / Q
        whole, whole_d = rest * T, n * S * rest
        if p.partial:
            T2 = Phi2 @ p.phi2.T / Q
            S2 = Phi2 @ (p.phi2 * p.t2).T / Q
            right2 = Phi2 * kappa[:, None]
            self.P2.add((weight * whole).T @ right2)
            self.B2.add((weight * whole_d + weight_own * whole).T @ right2)
            d, whole_d = d * T2 + rest * S2, whole_d * T2 + whole * S2
            rest, whole = rest * T2, whole * T2
        self.P1.add((weight * rest).T @ right1)
        self.B1.add((weight * d + weight_own * rest).T @ right1)
        rightq = Omega * kappa[:, None] * c_k
        self.Pq.add(whole.T @ rightq)
        self.Bq.add(whole_d.T @ rightq)

    def laws(self, p: TypeProblem) -> list[tuple[FloatArray, FloatArray]]:
        """[P (A'+1, Q), R by class] for the full slot, the partial slot, the query."""
        found = []
        for P, B, phi, shift in (
            (self.P1, self.B1, p.phi1, p.t1),
            (self.P2, self.B2, p.phi2, p.t2),
            (self.Pq, self.Bq, p.omega, p.own),
        ):
            whole = P.value() * phi / p.Q
            found.append((whole.cpu().numpy(), (whole * shift + B.value() * phi / p.Q).cpu().numpy()))
        return found


def _roundings(p: TypeProblem, k: int, N: int) -> int:
    """Roundings of a term of level k.

    Phi_W, omega_W: k (r + 1) each, r = those of a factor; T: r + Q + 2 more, to the power of the slots; W: c_k, omega_W,
    omega_c, own, Q; kappa 4 k; the inner product CHUNK; outer factors r + own 8; at most 3 sums of products.
    """
    r, Q = p.roundings, p.Q
    mean = k * (r + 1) + r + Q + 4
    return (p.slots + 1) * (mean + 2) + (k * (r + 1) + r + Q + coefficient_roundings(N) + 6) + 6 * k + CHUNK + r + 24


def moment_law(problem: TypeProblem, N: int) -> SecondLaw:
    """The law of a type to order N, for at least one full slot.

    Cost O(C(A'+N-1, N) A' Q) multiplications, memory 24 C(A'+N-2, N-1) Q bytes.
    """
    p, Q, copies = problem, problem.Q, problem.copies.cpu().numpy()
    centre, zmin = _centres(p)
    c = coefficients(N, float(p.others), centre, zmin)
    c_tensor = torch.as_tensor(c, device=p.omega.device)
    tables = (p.phi1[:-1], p.phi2[:-1], p.omega[:-1])
    level = Level.empty(tables, p.A)
    signed = [np.zeros((p.A + 1, Q)) for _ in range(6)]
    error = [np.zeros((p.A + 1, Q)) for _ in range(3)]
    for k in range(N + 1):
        sums = _Sums(p)
        if k == 0:
            phi1, phi2, omega = level.products
            sums.add(p, level.kappa, phi1, phi2, omega, c_tensor[0])
        else:
            for kappa, products, _, _ in level.blocks(p.copies, tables):
                sums.add(p, kappa, products[0], products[1], products[2], c_tensor[k])
            if k < N:
                level = level.next(p.copies, tables)
        relative = gamma(_roundings(p, k, N) + N + 4)
        for i, (P, R) in enumerate(sums.laws(p)):
            signed[2 * i] += P
            signed[2 * i + 1] += R
            error[i] += np.abs(P) * relative
    weighted = np.append(copies, p.others)[:, None]
    counted = np.append(copies, 0.0)[:, None]
    masses, bars = [], []
    for i in range(3):
        P = signed[2 * i]
        hidden = (weighted * error[i]).sum(axis=0)
        hidden += gamma(len(weighted) + 6) * ((weighted * np.abs(P)).sum(axis=0) + 1 / Q)
        masses.append(np.abs(1 / Q - (weighted * P).sum(axis=0)) + hidden)
        bars.append((counted * signed[2 * i + 1]).sum(axis=0))
    if not p.partial:
        masses[1] = np.zeros(Q)
    return SecondLaw(
        P1=signed[0],
        R1=bars[0],
        P1_error=error[0],
        mass1=masses[0],
        P2=signed[2],
        R2=bars[1],
        P2_error=error[1],
        mass2=masses[1],
        Pq=signed[4],
        Rq=bars[2],
        Pq_error=error[2],
        massq=masses[2],
        order=N,
    )
