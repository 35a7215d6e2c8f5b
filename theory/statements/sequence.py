"""One sequence: the gradients of the last-token loss, and where its parts stand.

With f = sum_k W_OV^k g_k, g_k = sum_i alpha_i^k x_i, alpha^k = softmax(lambda^k), lambda_i^k = (x_i + p_i)^T W_KQ^k h(sep):

  L = -f_y + log sum_v e^{f_v}           dL/df = pi - h(y) =: e
  f = W_OV g + ...                       dL/dW_OV = e g^T
  dL/dalpha_i = e^T W_OV x_i =: r_i      dalpha_i/dlambda_j = alpha_i (1[i = j] - alpha_j)
                                         dL/dlambda_j = alpha_j (r_j - sum_i alpha_i r_i)
  lambda_j is linear in W_KQ             dL/dW_KQ = sum_j dL/dlambda_j (x_j + p_j) h(sep)^T

There is no further factor in the last line: W_KQ already contains beta. A factor beta appears for W_KQ / beta.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gradient_f(pi: Array, y: Array) -> Array:
    """(V,) dL/df = pi - h(y)."""
    return pi - y


def gradient_ov(error: Array, g: Array) -> Array:
    """(V, V) dL/dW_OV = e g^T, [output, input]."""
    return np.outer(error, g)


def softmax_chain(alpha: Array, r: Array) -> Array:
    """(T,) dL/dlambda_j = alpha_j (r_j - rbar)."""
    return alpha * (r - np.dot(alpha, r))


def gradient_kq(beta: float, alpha: Array, r: Array, keys: Array) -> Array:
    """(d,) the [sep] column of dL/dW_KQ; keys (T, d) are the rows x_j + p_j. beta is in alpha only."""
    return softmax_chain(alpha, r) @ keys


def positions(m: int) -> dict[str, list[int]]:
    """Relative positions: X = [s, sep, a, ..., s, sep] read from its end, p_0 = the last [sep]."""
    return {
        "query": [-1],
        "context subjects": [-1 - 3 * i for i in range(1, m)],
        "attributes": [1 - 3 * i for i in range(1, m)],
        "all subjects": [-1 - 3 * i for i in range(m)],
        "all positions": [-i for i in range(3 * m - 1)],
    }


def subject_hat_gradient(match: list[int], m: int) -> tuple[list[float], dict[int, float]]:
    """The [sep] column of the hat gradient of W_KQ^subj with the head uniform on the m subjects, per unit beta.

    r_hat_i is a constant minus match_i = 1[a_i = y], the same constant on every subject (1 or N_y), so r_hat_i - mean =
    -(match_i - C_y / m). Returns the coefficients of h(s_{j_k}), k = 1..m (the query last), and of the positions.
    """
    C_y = sum(match)
    coefficients = [-(match[k] - C_y / m) / m for k in range(m)]
    # Draw k (from 0) is m - 1 - k triples before the query, which stands at p_{-1}.
    return coefficients, {-1 - 3 * (m - 1 - k): coefficients[k] for k in range(m)}


def subject_softmax_term(own: float, weighted: float) -> float:
    """sum_v pi_v h(v)^T W_OV^subj h(s): the column is -(everything, weighted) + own, so own - weighted."""
    return own - weighted


def subject_rhat(match: int, weight: int) -> float:
    """-h(y)^T W_OV^subj h(s) = weight - 1[a_s = y]; weight is 1 (set) or N_y (literal)."""
    return weight - match
