"""Expectations of the softmax of the first step: by moments of F = sum_c w_c f_c, or over all multisets of draws.

With f_c = prod_k phi_c(x_k) over m i.i.d. draws, and a multiset W of classes, Phi_W(x) = prod of phi_w(x),

    E[f_c f_W 1{x_1 = j}]             = phi_c(j) Phi_W(j) / Q  T_cW^(m-1),          T_cW = mean_x phi_c(x) Phi_W(x),
    E[f_c f_W 1{x_2 has c, x_1 = j}]  = phi_c(j) Phi_W(j) / Q  T_cW^(m-2) T'_cW,    T'_cW = mean_x 1[x has c] phi_c(x) Phi_W(x).

S_cW = sum over {x has c} of Phi_W(x) is one matrix product with a 0/1 matrix, and T = (sum_x Phi_W + (b-1) S) / Q,
T' = b S / Q.  The class "other" has phi = 1, S = 0.  Every term is positive, so errors are counted, and with p of
numerics.population.certified.expansion

    P_c(j) = E[pi_c; x_1 = j] / w_c ~ sum_k c_k E[f_c F^k; x_1 = j],    off by at most H mass(j) / zmin (_most),
    D(j) = (1 - 1/m) sum_c w_c (E[f_c/Z 1{x_1 has c}; x_1 = j] - E[f_c/Z 1{x_2 has c}; x_1 = j]).

D(j) = E[sum_v pi_v (1{j has v} - n_v / m); x_1 = j] is the softmax part of the gradient of kq_subj at token s_j; its two
terms have one sign each and are at most `own`, so the expansion puts it off by at most own * mass(j).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics.population.certified.expansion import coefficient_roundings, coefficients
from numerics.population.certified.multisets import CHUNK, Level, count, draws, fits
from numerics.population.certified.patterns import Patterns
from numerics.population.certified.rounding import Accumulator, FloatArray, gamma, pairwise, power

# Subjects per block of the matrix product S: bounds its roundings for large M_ft.
BLOCK = 128
MOST_ORDER = 10
# Largest m for which binomial probabilities are multiplied out in float64: no factor over- or underflows noticeably.
MOST_BINOMIAL = 256
E_UP = 2.7182818284590456


@dataclass(frozen=True, eq=False)
class FirstLaw:
    """P (A'+1, Q) = E[f_c / Z; x_1 = j], last row E[1 / Z; x_1 = j]; D (Q,); both with radii; order None: no expansion."""

    P: FloatArray
    P_radius: FloatArray
    D: FloatArray
    D_radius: FloatArray
    order: int | None


def moment_work(patterns: Patterns, order: int) -> int:
    """Multiplications of the three matrix products of the level `order`."""
    A = len(patterns.weights)
    return 3 * count(A, order) * (A + 1) * patterns.Q


def enumeration_work(patterns: Patterns) -> int:
    """Multiplications of the enumeration of all multisets of draws."""
    return count(patterns.Q, patterns.m) * (len(patterns.weights) + 1) * (2 * patterns.Q + patterns.m)


class _Tables:
    """The tensors of a reduced first step on a device."""

    def __init__(self, patterns: Patterns, device: str) -> None:
        self.patterns = patterns
        indicator = torch.as_tensor(patterns.indicator, device=device)
        self.weights = torch.as_tensor(patterns.weights, device=device)
        # Exact for 0 and 1; a where() of two Python numbers would pass through float32.
        self.phi = indicator * patterns.b + (1.0 - indicator)
        none = torch.zeros(1, patterns.Q, dtype=torch.float64, device=device)
        self.has = torch.cat([indicator, none]).T.contiguous()
        self.blocks = range(0, patterns.Q, BLOCK)

    def level(self, level: Level | None, base: Level) -> tuple[FloatArray, FloatArray]:
        """G (A'+1, Q) = E[f_c F^k; x_1 = j] and X2 (Q,) = sum_c w_c E[f_c 1{x_2 has c} F^k; x_1 = j].

        The level itself if it is stored, else streamed from the one below.  Roundings: `roundings`.
        Cost 3 C(A'+k-1, k) (A'+1) Q multiplications, memory O(CHUNK (A' + Q)) besides the levels.
        """
        p, A = self.patterns, len(self.patterns.weights)
        G = Accumulator(torch.zeros(A + 1, p.Q, dtype=torch.float64, device=self.phi.device))
        X = Accumulator(G.total)
        for kappa, Phi in self._chunks(level, base):
            S = sum(Phi[:, low : low + BLOCK] @ self.has[low : low + BLOCK] for low in self.blocks)
            assert isinstance(S, Tensor)
            T = (S * p.b_less_1 + pairwise(Phi)[:, None]) / p.Q
            rest = power(T, p.m - 2)
            right = Phi * kappa[:, None]
            G.add((T * rest).T @ right)
            X.add((S * p.b / p.Q * rest).T @ right)
        phi = torch.cat([self.phi, torch.ones_like(G.total[:1])])
        joint = X.value()[:A] * self.phi / p.Q * self.weights[:, None]
        return (G.value() * phi / p.Q).cpu().numpy(), joint.cpu().numpy().sum(axis=0)

    def _chunks(self, level: Level | None, base: Level) -> Iterator[tuple[Tensor, Tensor]]:
        if level is None:
            for kappa, products, _, _ in base.blocks(self.weights, (self.phi,)):
                yield kappa, products[0]
            return
        for low in range(0, len(level.kappa), CHUNK):
            yield level.kappa[low : low + CHUNK], level.products[0][low : low + CHUNK]

    def roundings(self, k: int) -> int:
        """Roundings of G and X2 of level k.

        Phi_W: k of b and k - 1.  S: Phi_W and the longest sum, that of the subjects with c, in blocks; T: that or the
        pairwise sum, b - 1 and its product, sum, division by Q (T' likewise); T^(m-1): m - 1 times that and m - 2.
        kappa: 4 k; right: Phi_W and 1; the inner product CHUNK, across blocks 3; phi, division, weight and their
        products 5; the sum over c of X2: A'.
        """
        p = self.patterns
        longest = int(p.indicator.sum(axis=1).max(initial=0))
        longest = min(longest, BLOCK) + len(self.blocks)
        mean = 2 * k + max(longest, p.Q.bit_length()) + 4
        return (p.m - 1) * (mean + 1) + 4 * k + 2 * k + 1 + CHUNK + 8 + len(p.weights)


def _centre(patterns: Patterns, levels: list[tuple[FloatArray, FloatArray]], zmin: float) -> float:
    """The centre z of the expansion that makes the mass small; any z >= O' is valid.

    The mean of Z for odd N; for even N, where |q| ~ (Z - zmin)(Z - z)^N, the mean weighted with Z - zmin.
    """
    p = patterns
    moments = [1.0] + [float(p.weights @ G[:-1].sum(axis=1)) for G, _ in levels]
    centre = p.constant + moments[1]
    if len(levels) % 2 and len(levels) > 1:
        excess = centre - zmin
        variance = moments[2] - moments[1] ** 2
        if excess > 0 and variance > 0:
            centre += variance / excess
    return max(min(centre, p.largest), zmin)


def _most(p: Patterns, mass: FloatArray, centre: float, zmin: float, N: int) -> FloatArray:
    """(A'+1, Q) H with E[f_c |q|; x_1 = j] <= H mass(j).

    f_c = b^n_c <= e always, and for every t:  E[f_c |q|; j] <= b^t mass(j) + e max|q| P(n_c > t; x_1 = j), where n_c
    given x_1 = j is 1[j has c] + a binomial of m - 1 draws; the best t is taken, for m <= MOST_BINOMIAL.  Cost O(m^2 A' Q).
    """
    if p.m > MOST_BINOMIAL:
        return np.concatenate([np.full((len(p.weights), p.Q), E_UP), np.ones((1, p.Q))])
    swing = max(abs(1 - zmin / centre), abs(1 - p.largest / centre))
    largest = swing ** (N + 1) if N % 2 else (p.largest / zmin - 1) * swing**N
    chance = p.indicator.mean(axis=1)[:, None]
    exactly = [math.comb(p.m - 1, n) * chance**n * (1 - chance) ** (p.m - 1 - n) for n in range(p.m)]
    found = np.full((len(p.weights), p.Q), E_UP)
    for t in range(1, p.m):
        # n_c > t: at least t more draws have c if j has, else t + 1.
        beyond = np.where(p.indicator > 0, sum(exactly[t:]), sum(exactly[t + 1 :]))
        found = np.minimum(found, p.b**t + E_UP * largest * beyond / (p.Q * mass))
    return np.concatenate([np.minimum(E_UP, found * (1 + 1e-9)), np.ones((1, p.Q))])


def _law(tables: _Tables, levels: list[tuple[FloatArray, FloatArray]]) -> FirstLaw:
    """The law of order N = len(levels) - 1 from the levels 0..N."""
    p, N, m = tables.patterns, len(levels) - 1, tables.patterns.m
    zmin = p.least
    centre = np.array(_centre(p, levels, zmin))
    c = coefficients(N, p.constant, centre, np.array(zmin))
    extra = coefficient_roundings(N) + N + 6
    P, P_abs, X2, X2_abs = np.zeros_like(levels[0][0]), np.zeros_like(levels[0][0]), np.zeros(p.Q), np.zeros(p.Q)
    for k, (G, X) in enumerate(levels):
        relative = gamma(tables.roundings(k) + extra)
        P, P_abs = P + c[k] * G, P_abs + np.abs(c[k]) * G * relative
        X2, X2_abs = X2 + c[k] * X, X2_abs + np.abs(c[k]) * X * relative
    whole = np.append(p.weights, p.constant)[:, None]
    # The computed mass: the missing probability itself, what rounding may hide of it, and the sum of A' + 1 products.
    hidden = (whole * P_abs).sum(axis=0) + gamma(len(whole) + 4) * (np.abs(whole * P).sum(axis=0) + 1 / p.Q)
    missing = 1 / p.Q - (whole * P).sum(axis=0)
    mass = np.abs(missing) + hidden
    # E[q f_c / Z] has the sign of q and lies between the missing mass times the least and times the most of f_c / Z: the
    # middle is added, off by half the width and by `hidden` times the most.  Where rounding hides even the sign, the mass
    # of the wrong sign is at most hidden - |missing|, and only f_c <= e, which is proportional to it, is used.
    most = _most(p, mass, float(centre), zmin, N) / zmin
    most[:-1] = np.where(np.abs(missing) > hidden, most[:-1], E_UP / zmin)
    least = 1 / p.largest
    middle = (most + least) / 2 * missing
    # Relative errors that act on Z: what is left out, and the rounding of the constant part.
    common = p.tail + gamma(4)
    whole_error = P_abs + (most - least) / 2 * mass + most * hidden + gamma(8) * (np.abs(P) + np.abs(middle))
    P_radius = whole_error + common * (np.abs(P) + most * mass + whole_error)
    X1 = (p.indicator * p.weights[:, None] * P[:-1]).sum(axis=0)
    X1_radius = (p.indicator * p.weights[:, None] * P_abs[:-1]).sum(axis=0)
    # Sums of at most A' products, each of one sign; the factor 1 - 1/m has 2 roundings.
    sums = gamma(len(p.weights) + 8) * (np.abs(X1) + np.abs(X2)) + (2 * common * p.own + p.tail) / p.Q
    D_radius = X1_radius + X2_abs + p.own * mass + sums
    return FirstLaw(P + middle, P_radius, (m - 1) / m * (X1 - X2), D_radius, N)


def by_moments(patterns: Patterns, device: str, budget: float) -> Iterator[FirstLaw]:
    """The laws of order N = 0, 1, 2, ... while level N stays within `budget` multiplications.

    Each order needs the levels of those before and one more of C(A'+N-1, N) multisets; level N is stored only if N + 1 is
    within the budget and it fits into memory.  Cost O(C(A'+N-1, N) A' Q), memory 8 C(A'+N-1, N) Q bytes where stored.
    """
    tables = _Tables(patterns, device)
    below, found = Level.empty((tables.phi,), len(patterns.weights)), []
    found.append(tables.level(below, below))
    yield _law(tables, found)
    for N in range(1, MOST_ORDER + 1):
        if moment_work(patterns, N) > budget or not len(patterns.weights):
            return
        stored = moment_work(patterns, N + 1) <= budget and fits(len(patterns.weights), N, patterns.Q)
        level = below.next(tables.weights, (tables.phi,)) if stored else None
        found.append(tables.level(level, below))
        yield _law(tables, found)
        if level is None:
            return
        below = level


def by_enumeration(patterns: Patterns, device: str) -> FirstLaw:
    """The law by the sum over all multisets of draws; no expansion, only rounding.

    Cost O(C(Q+m-1, m) A' Q), memory O(m C(Q+m-1, m)).
    """
    p, m, A = patterns, patterns.m, len(patterns.weights)
    chosen, chance = draws(p.Q, m)
    # b^n from the counted b: n - 1 roundings more.
    powers = power_table(p.b, m).to(device)
    has = torch.as_tensor(p.indicator, device=device)
    weights = torch.as_tensor(p.weights, device=device)[None]
    P = Accumulator(torch.zeros(A + 1, p.Q, dtype=torch.float64, device=device))
    X2 = Accumulator(torch.zeros(1, p.Q, dtype=torch.float64, device=device))
    for low in range(0, len(chosen), CHUNK):
        index = torch.as_tensor(chosen[low : low + CHUNK], device=device)
        share = torch.as_tensor(chance[low : low + CHUNK], device=device)
        often = torch.nn.functional.one_hot(index, p.Q).sum(1).to(torch.float64)
        n = (often @ has.T).round()
        f = powers[n.to(torch.int64)]
        inverse = share / (p.constant + (f * weights).sum(1))
        here = torch.cat([f, torch.ones_like(share)[:, None]], dim=1) * inverse[:, None]
        place = often / m
        P.add(here.T @ place)
        X2.add((here[:, :A] * weights * n / m).sum(1)[None] @ place)
    # Chance 3 m, f 2 m, Z 2 m + A + 4, its quotient and products 6, the inner product CHUNK, across 3, the sum over c A.
    relative = gamma(7 * m + 2 * A + CHUNK + 20) + p.tail
    mean, share_of_all = P.value().cpu().numpy(), X2.value().cpu().numpy()[0]
    X1 = (p.indicator * p.weights[:, None] * mean[:-1]).sum(axis=0)
    radius = (relative + gamma(A + 8)) * (X1 + share_of_all) + p.tail / p.Q
    return FirstLaw(mean, relative * mean, X1 - share_of_all, radius, None)


def power_table(b: float, m: int) -> Tensor:
    """(m + 1,) b^0, ..., b^m by repeated multiplication."""
    return torch.cumprod(torch.tensor([1.0] + [b] * m, dtype=torch.float64), 0)
