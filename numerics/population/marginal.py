"""Hat gradients by linearity of expectation: sums over at most three draws at a time.

A hat gradient is linear in r_i = -W[y, x_i] and in rbar = sum_k (n_k / n) r_k, where the attention n_i / n depends on
the position only.  So an entry of E[n^2 g_kq] = E sum_i n_i (n r_i - sum_k n_k r_k)(x_i + p_i) involves at most three
independent draws: the slot that is indexed, another slot (through rbar) and the query (through y).  For one type,
with N finetuning subjects, c_u = number of them with value u, and q, j, J for query, indexed and other slot:

    rs_j = sum_q -W[a_q, s_j]      ra_j = sum_q -W[a_q, a_j]      a context subject / attribute, summed over the query
    xs_q = sum_J -W[a_q, s_J]      xa_q = sum_J -W[a_q, a_J]      the same, summed over the slot, for a given query
    own_q = -W[a_q, s_q]           sep_q = -W[a_q, sep]           the query's own subject, the [sep] tokens

Given j in slot k, N^2 E[sum_i n_i r_i] is `bar` below; the other slots enter by their totals.  Slots with
different weights (a window that cuts, finite beta) are looped over.  Everything is done with integer W and n (object
arrays, hence exact), or in float64 for weights that are not rational.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.population.construction import initial_ov_subj
from numerics.population.exact import ExactGradients, exact_step, projected
from numerics.population.layout import Layout
from numerics.population.rational import Rational
from numerics.world import World


def expected_kq(world: World, n_demos: int, ov: NDArray, n: NDArray) -> NDArray:
    """(V+T,) the hat gradient of a head with matrix ov (V, V) and attention n_i / sum(n), times L M_ft^3 sum(n)^2.

    n (T,) by index.  Exact if ov and n are object arrays of Python ints; float64 otherwise.
    Cost O(sum_l U_l (M_ft + U_l) + m L M_ft).
    """
    layout, N, F = Layout(n_demos), world.M_ft, world.finetune_array
    s, a, z = n[layout.subjects[:-1]], n[layout.attributes], n[layout.seps]
    own_weight, total = n[layout.subjects[-1]], n.sum()
    S, A, Z = s.sum(), a.sum(), z.sum()
    tokens = np.zeros(world.V, dtype=ov.dtype)
    by_index = np.zeros(layout.T, dtype=ov.dtype)
    for ell in range(world.L):
        values = slice(world.attribute_offsets[ell], world.attribute_offsets[ell + 1])
        u = world.value_index[F, ell]
        c = np.bincount(u, minlength=world.U[ell]).astype(ov.dtype)
        on_subjects, on_values = -ov[values][:, F], -ov[values, values]
        rs, ra = c @ on_subjects, (c @ on_values)[u]
        xs, xa = on_subjects.sum(axis=1)[u], (on_values @ c)[u]
        own, sep = on_subjects[u, np.arange(N)], -ov[values, world.sep_token][u]
        Rs, Ra, Rown, Rsep = rs.sum(), ra.sum(), own.sum(), sep.sum()
        mean_bar = N * (S * Rs + A * Ra) + N * N * (own_weight * Rown + Z * Rsep)
        for k in range(n_demos):
            bar = N * (s[k] * rs + a[k] * ra) + (S - s[k]) * Rs + (A - a[k]) * Ra + N * (own_weight * Rown + Z * Rsep)
            tokens[F] += s[k] * (total * N * rs - bar)
            np.add.at(tokens, values.start + u, a[k] * (total * N * ra - bar))
        own_bar = N * (S * xs + A * xa) + N * N * (own_weight * own + Z * sep)
        tokens[F] += own_weight * (N * N * total * own - own_bar)
        tokens[world.sep_token] += Z * (total * N * N * Rsep - mean_bar)
        by_index[layout.subjects[:-1]] += s * (total * N * Rs - mean_bar)
        by_index[layout.attributes] += a * (total * N * Ra - mean_bar)
        by_index[layout.subjects[-1]] += own_weight * (total * N * N * Rown - mean_bar)
        by_index[layout.seps] += z * (total * N * N * Rsep - mean_bar)
    return np.concatenate([tokens, layout.to_relative(by_index)])


def expected_ov(world: World, n_demos: int, n: NDArray) -> NDArray:
    """(V, V) -E[h(y) g^T] of a head with attention n_i / sum(n), times L M_ft^2 sum(n); dtype of n.

    The target is independent of the context subjects; it shares its type with the context attributes and its subject
    with the query token.  Cost O(V^2 + sum_l U_l (M_ft + U_l)).
    """
    layout, N, F = Layout(n_demos), world.M_ft, world.finetune_array
    S, A, Z = n[layout.subjects[:-1]].sum(), n[layout.attributes].sum(), n[layout.seps].sum()
    ov = np.zeros((world.V, world.V), dtype=n.dtype)
    for ell in range(world.L):
        values = slice(world.attribute_offsets[ell], world.attribute_offsets[ell + 1])
        c = np.bincount(world.value_index[F, ell], minlength=world.U[ell]).astype(n.dtype)
        ov[values, F] -= S * c[:, None]
        ov[world.attribute_token[F, ell], F] -= n[layout.subjects[-1]] * N
        ov[values, values] -= A * np.outer(c, c)
        ov[values, world.sep_token] -= Z * N * c
    return ov


def hat_gradients(
    world: World, n_demos: int, eta_ov: float | Fraction = 1, window: int | None = None, reading: str = "set"
) -> ExactGradients:
    """Exact rational hat gradients of both steps at beta = inf, at any size.

    Equal, entry by entry, to exact.enumerated_hat_gradients.  Raises ValueError for n_demos < 1, a non-finite eta_ov,
    window < 1, an unknown reading.  Cost O(V^2 + sum_l U_l (M_ft + U_l) + m L M_ft) operations on Python ints.
    """
    layout, eta = Layout(n_demos), exact_step(eta_ov)
    width, L, N = layout.width(window), world.L, world.M_ft
    subject, relation = layout.subject_scores().astype(object), layout.relation_scores(window).astype(object)
    ov_subj = initial_ov_subj(world, reading).astype(object)
    kq_subj = Rational.of(expected_kq(world, n_demos, ov_subj, subject), L * N**3 * layout.m**2)
    ov_rel = Rational.of(expected_ov(world, n_demos, relation), L * N**2 * width)
    step = expected_kq(world, n_demos, projected(ov_rel.numerators, world), relation)
    kq_rel = Rational.of(step, L * N**3 * width**2 * ov_rel.denominator).times(-eta)
    return ExactGradients(kq_subj, ov_rel, kq_rel, n_demos, eta, window, reading)
