"""Step 2: kq_rel = E sum_i g_i (r_i - rbar)(x_i + p_i) and its radius, from the sums of contexts.py.

Rounding.  Let b = max |B|; differences to y of B are at most 2 b, those of delta 4 b g, and of the sums in contexts.py those
of r are at most 2 b s and those of E[rbar; x_1 = j], absolute values throughout, AMPLIFIED b s with

    AMPLIFIED = (4 [D] + 4 (K - 1)(h + 1) / (h - 1) [C and D] + 2 [c2] + 2 [c3]) g,

s standing for E[s; x_1 = j].  So with k the longest count of roundings, gamma(k) (2 + AMPLIFIED) b s bounds the rounding of
the entry r - rbar, and as 4 K + 4 <= 8 + 4 (K - 1), that of the half slot, the query and the positions too.

The step B is known to rho = max |dB| only.  Along B + t dB logits move by |d_v| <= rho t, s by at most a factor exp(2 rho), and
|dpi/dt|_1 = sum pi_v |d_v - dbar| <= 2 sum_{v != y} pi_v |d_v - d_y| <= 4 rho s.  With |e|_1 = 2 s, r_i moves by at most
e^{2 rho} s (2 rho + 4 rho (b + rho)), and rbar, an average of r_i (0 at [sep]), by no more: r - rbar by s times

    SHIFT = e^{2 rho} rho (4 + 8 (b + rho)).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified.result import NotCertified
from numerics.population.halves.columns import Columns, Slots
from numerics.population.halves.contexts import Contexts
from numerics.population.halves.first import FirstStep
from numerics.population.halves.rounding import FLOOR, OUTWARD, gamma
from numerics.population.layout import Layout
from numerics.world import World

FloatArray = NDArray[np.float64]


def second_step(
    world: World,
    n_demos: int,
    eta_ov: float,
    window: int | None,
    reading: str,
    first: FirstStep,
    device: str,
    done: Callable[[int], None],
) -> tuple[FloatArray, FloatArray]:
    """kq_rel (V+T,) and its radius.  Raises NotCertified where the step moves logits beyond LARGEST or
    leaves them unknown.  Cost L type_sums."""
    layout = Layout(n_demos)
    slots, columns = Slots.of(layout, window), Columns.merged(world, reading, eta_ov, first)
    if not columns.rho < 1:
        raise NotCertified(
            f"eta_ov: with {eta_ov:g} the logits after the step are known to {columns.rho:.3g} only; valid: an eta_ov for which"
            " they are known to less than 1"
        )
    step = Contexts(world, slots, columns, device)
    K, h, g, F, Q = slots.K, slots.h, 1.0 / slots.width, step.F, world.M_ft
    seen = layout.relation_scores(window)
    tokens, token_s = np.zeros(world.V), np.zeros(world.V)
    by_index, index_s = np.zeros(layout.T), np.zeros(layout.T)
    count = 0.0
    for ell in range(world.L):
        t = step.type_sums(ell, done)
        count = max(count, t.count)
        values = world.attribute_token[F, ell]
        mean_bar, mean_s = t.own_bar.sum(), t.own_s.sum()
        if K:
            tokens[F] += K * (t.subject - t.bar)
            np.add.at(tokens, values, K * (t.attribute - t.bar))
            token_s[F] += K * t.s
            np.add.at(token_s, values, K * t.s)
        if slots.half:
            span = slice(world.attribute_offsets[ell], world.attribute_offsets[ell + 1])
            tokens[span] += t.half - t.half_bar
            token_s[span] += t.half_s
        if slots.query:
            tokens[F] += t.own - t.own_bar
            token_s[F] += t.own_s
        tokens[world.sep_token] -= seen[layout.seps].sum() * mean_bar
        token_s[world.sep_token] += seen[layout.seps].sum() * mean_s
        # The whole slots are the last K contexts, the half slot the one before.
        contexts = np.arange(n_demos)
        whole, cut = contexts[n_demos - K :], contexts[n_demos - K - 1 : n_demos - K] if slots.half else contexts[:0]
        by_index[layout.subjects[whole]] += t.subject.sum() - mean_bar
        by_index[layout.attributes[whole]] += t.attribute.sum() - mean_bar
        by_index[layout.attributes[cut]] += t.half.sum() - mean_bar
        by_index[layout.subjects[-1]] += (t.own.sum() - mean_bar) * seen[layout.subjects[-1]]
        by_index[layout.seps] -= mean_bar * seen[layout.seps]
        index_s += mean_s * seen
    scale = g / (world.L * Q)
    kq_rel = scale * np.concatenate([tokens, layout.to_relative(by_index)])
    s = scale * np.concatenate([token_s, layout.to_relative(index_s)])
    b, rho = float(np.abs(columns.step).max()), columns.rho
    amplified = g * (8 + 4 * (K - 1) * (h + 1) / max(1, h - 1)) if K else 4 * g
    rounding = gamma(count + 4 * world.L * Q + layout.T + 20) * (2 + amplified) * b
    shift = math.exp(2 * rho) * rho * (4 + 8 * (b + rho))
    radius = OUTWARD * (OUTWARD * s * (rounding + shift) + FLOOR * (b + rho) * (s > 0))
    return kq_rel, radius
