"""Step 1: the softmax part of kq_subj and ov_rel, summed over every sequence by halves.

At the initial weights and beta = inf the logit of value v is the mean of W_OV^subj[v, x_k] over the m i.i.d. draws, tokens
that are no value have logit 0, and the m slots are exchangeable.  W_OV^subj[v, x] = base_v + own_v(x) over the finetuning
subjects, base_v the least entry and own_v(x) in {0, 1}: with n_v = sum_k own_v(x_k) draws that have v,

    f_v = w_v exp(n_v / m),   w_v = exp(base_v),     pi_v = f_v / Z,    Z = (V - A) + sum_v f_v.

Values with the same own_v merge into classes c of weight W_c = sum w_v; tokens that are no value and values that do not
tell finetuning subjects apart are one class with n = 0.  Let x_1, x_2 be draws of the half alpha (h >= 2 of the m draws):

    X_c(j) = E[exp(n_c / m) / Z; x_1 = j] = sum_alpha mu_alpha (count_j(alpha) / h) F_alpha[c] T_c(alpha),
    P_v(j) = E[pi_v; x_1 = j] = w_v X_c(j).

Softmax part of ov_rel: the relation head's attention depends on positions only, so a subject position carries
sum_v P_v(j) h(v) s_j^T, an attribute position the same summed over the j with that value (types averaged), [sep] the sum over j.
Softmax part of kq_subj: (1/m) sum_k E[(r_k - rbar) x_k] has entry E[r_1 - rbar; x_1 = j] at s_j and, slots being
exchangeable, 0 at every position.  base_v cancels in r_1 - rbar, so with D(j) = sum_v own_v(j) P_v(j) = E[sum pi_v own_v(x_1); x_1 = j]
and E_2(j) = E[sum_v pi_v own_v(x_2); x_1 = j] it is D - (D + (m - 1) E_2) / m.  Ordered pairs of draws of alpha with x_1 = j:

    C(j) = sum_alpha mu_alpha (count_j / h) sum_c W_c n_c(alpha) F_alpha[c] T_c(alpha) = D(j) + (h - 1) E_2(j),
    entry = ((m - 1) / m) (h D(j) - C(j)) / (h - 1).

All sums have positive terms; only the last line subtracts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.population.construction import initial_ov_subj
from numerics.population.halves.half import Half, Workspace, block_rows
from numerics.population.halves.multisets import Multisets, multiset_count
from numerics.population.halves.rounding import FLOOR, OUTWARD, WEIGHT_COUNT, exponentials, gamma
from numerics.population.layout import Layout
from numerics.population.marginal import hat_gradients
from numerics.population.true import Compensated
from numerics.world import World

FloatArray = NDArray[np.float64]
# Blocks of either half whose T is kept before it is contracted, so that the contraction over subjects costs little.
TILE = 8


@dataclass(frozen=True, eq=False)
class FirstStep:
    """kq_subj (V+T,) and ov_rel (V, V) of the true objective, entrywise radii, and the sequences that were summed."""

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_subj_radius: FloatArray
    ov_rel_radius: FloatArray
    sequences: int


@dataclass(frozen=True, eq=False)
class Classes:
    """own (Q, C) in {0, 1}, the class 0 all 0; of (A,) the class of a value; w (A,) and W (C,) weights, with counts."""

    own: FloatArray
    of: NDArray[np.int64]
    w: FloatArray
    W: FloatArray
    w_count: float
    W_count: float

    @staticmethod
    def merged(world: World, reading: str) -> "Classes":
        """The classes of a world.  Cost O(Q A)."""
        A = world.n_attributes
        columns = initial_ov_subj(world, reading)[world.M : world.M + A][:, np.sort(world.finetune_array)]
        base = columns.min(axis=1)
        own = columns - base[:, None]
        patterns, of = np.unique(
            np.vstack([np.zeros((1, own.shape[1]), dtype=np.int64), own]), axis=0, return_inverse=True
        )
        # np.unique sorts, and nothing comes before a row of zeros.
        of = of.ravel()[1:]
        w, count = exponentials(base[None].astype(np.float64), np.ones(1))
        others = float(world.V - A)
        W = [math.fsum([others if c == 0 else 0.0, *w[of == c].tolist()]) for c in range(len(patterns))]
        return Classes(patterns.T.astype(np.float64), of, w, np.array(W), count, count + 1)


def split(m: int) -> tuple[int, int]:
    """(h, m - h): the halves of m exchangeable draws; the first has two of them where there are two."""
    h = min(m, max(2, (m + 1) // 2))
    return h, m - h


def first_work(world: World, n_demos: int, reading: str) -> tuple[int, int]:
    """Pairs of halves and columns: their product are the multiply-adds of each GEMM of step 1 (GEMM 1: half of them where
    the halves are alike)."""
    a, b = (multiset_count(world.M_ft, h) for h in split(n_demos + 1))
    return a * b, Classes.merged(world, reading).own.shape[1]


@dataclass(frozen=True, eq=False)
class Moments:
    """X (Q, C) and C (Q,) of the module's docstring, with their counts."""

    X: FloatArray
    C: FloatArray
    X_count: float
    C_count: float


def moments(classes: Classes, m: int, device: str, done: Callable[[int], None]) -> Moments:
    """Both, over every sequence; done(pairs) after every tile of them.

    Where the halves have equal size, Z(alpha, beta) = Z(beta, alpha) is made once for both.
    Cost O(C(Q+h-1, h) C(Q+m-h-1, m-h) C) flops, O(TILE b C + b^2) memory, b rows a block, beside the multisets.
    """
    Q, C = classes.own.shape
    own, W = torch.as_tensor(classes.own, device=device), torch.as_tensor(classes.W, device=device)
    table, exp_count = exponentials(np.arange(m + 1, dtype=np.float64)[None], np.array([float(m)]))
    powers = torch.as_tensor(table, device=device)

    def shared(draws: Tensor) -> Tensor:
        """(b, C) n_c of a half."""
        n = torch.zeros(len(draws), C, dtype=torch.float64, device=device)
        for k in range(draws.shape[1]):
            n += own[draws[:, k]]
        return n

    def factors(draws: Tensor) -> Tensor:
        return powers[shared(draws).long()]

    h, g = split(m)
    alphas = Multisets.of(Q, h, device)
    symmetric = h == g
    betas = alphas if symmetric else Multisets.of(Q, g, device)
    size = block_rows(device)
    left, right = Half.of(alphas, factors, C, size), Half.of(betas, factors, C, size)
    space, X, totals = Workspace(device, size, size), Compensated(), Compensated()

    def contract(start: int, T: Tensor) -> None:
        """Adds the part of the multisets from row `start` on, T (b, C)."""
        for lo, hi in left.bounds(start, start + len(T)):
            Y = left.rows(lo, hi)[1] * T[lo - start : hi - start]
            counts = alphas.counts(lo, hi).T
            X.add(counts @ Y)
            totals.add(counts @ ((Y * shared(alphas.draws[lo:hi])) @ W))

    tile = TILE * size
    for i in range(0, len(alphas), tile):
        rows = left.bounds(i, i + tile)
        for j in range(i if symmetric else 0, len(betas), tile):
            columns = [(c, d, *right.rows(c, d)) for c, d in right.bounds(j, j + tile)]
            T = torch.zeros(rows[-1][1] - i, C, dtype=torch.float64, device=device)
            # The same tile on both sides: what the transpose of a block adds belongs to the same T.
            mirrored = T if i == j else torch.zeros(columns[-1][1] - j, C, dtype=torch.float64, device=device)
            for a, b in rows:
                f_alpha, weighted = left.rows(a, b)
                scaled = f_alpha * W
                for c, d, f_beta, f_weighted in columns:
                    if symmetric and c < a:
                        continue
                    inverse = space.reciprocals(scaled, f_beta)
                    T[a - i : b - i].addmm_(inverse, f_weighted)
                    if symmetric and c > a:
                        mirrored[c - j : d - j].addmm_(inverse.T, weighted)
            contract(i, T)
            if symmetric and j > i:
                contract(j, mirrored)
            done((2 if symmetric and j > i else 1) * (rows[-1][1] - i) * (columns[-1][1] - j))
    z = exp_count + (classes.W_count + 1) + exp_count + C
    T_count = z + 2 + (exp_count + WEIGHT_COUNT + 1) + min(size, max(len(alphas), len(betas))) + 2 * TILE
    X_count = T_count + (exp_count + WEIGHT_COUNT + 1) + 1 + min(size, len(alphas)) + 4 + 1
    return Moments(X.value() / h, totals.value() / h, X_count, X_count + classes.W_count + 1 + C)


def first_step(
    world: World, n_demos: int, window: int | None, reading: str, device: str, done: Callable[[int], None]
) -> FirstStep:
    """kq_subj and ov_rel with radii.  Cost as `moments`, and O(V^2)."""
    layout, F, A, M = Layout(n_demos), np.sort(world.finetune_array), world.n_attributes, world.M
    classes, m = Classes.merged(world, reading), layout.m
    found = moments(classes, m, device, done)
    hat = hat_gradients(world, n_demos, 0, window, reading)

    # (Q, A + 1) P_v(j), the last column each token that is no value.
    P = np.concatenate([found.X[:, classes.of] * classes.w, found.X[:, :1]], axis=1)
    P_count = found.X_count + classes.w_count + 1
    relation = layout.relation_scores(window)
    width = int(relation.sum())
    part = np.zeros((world.V, A + 1))
    part[F] += relation[layout.subjects].sum() / width * P
    for ell in range(world.L):
        np.add.at(part, world.attribute_token[F, ell], relation[layout.attributes].sum() / (width * world.L) * P)
    part[world.sep_token] += relation[layout.seps].sum() / width * P.sum(axis=0)
    rows = np.full(world.V, A)
    rows[M : M + A] = np.arange(A)
    softmax = part.T[rows]
    # Scale (3 roundings, 1 product), a sum over at most L Q terms.
    # An input that no attended position holds (the last column says which do) has exactly nothing.
    bound = gamma(P_count + 4 + world.L * len(F)) * softmax + FLOOR * (part[:, A] > 0)
    ov_rel, ov_rel_radius = _with_hat(hat.ov_rel.floats, softmax, bound)

    own, h = classes.own, split(m)[0]
    D = (own * classes.W * found.X).sum(axis=1)
    D_count = found.X_count + classes.W_count + 2 + own.shape[1]
    scale = (m - 1) / (m * (h - 1))
    entry, error = np.zeros(world.V + layout.T), np.zeros(world.V + layout.T)
    entry[F] = scale * (h * D - found.C)
    error[F] = scale * (gamma(D_count + 6) * h * D + gamma(found.C_count + 6) * found.C) + FLOOR * own.any()
    kq_subj, kq_subj_radius = _with_hat(hat.kq_subj.floats, entry, error)
    return FirstStep(kq_subj, ov_rel, kq_subj_radius, ov_rel_radius, world.L * len(F) ** m)


def _with_hat(hat: FloatArray, softmax: FloatArray, bound: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Their sum and its radius: a rounding of the rational, one of the sum, and the bound of the softmax part."""
    total = hat + softmax
    return total, OUTWARD * (gamma(1) * (np.abs(hat) + np.abs(total)) + OUTWARD * bound)
