"""Logits and probabilities at the two steps, and bounds that hold over all sequences.

p is the setting: M, L, U, A = sum_l U_l, M_ft, m, T, V, N_min the least number of subjects that share a value (M/U where it is not
given: all values on equally many), and alpha_2 where the second step is meant.

First step (subject head uniform on the m subjects, relation head mute). Reading "set": the logit of a value u is
-(1 - k_u/m), k_u the number of the m subjects that have u; all other tokens have 0. "literal": -(N_u - k_u/m).
So every logit is <= 0 and, in "set", >= -1:  Z >= (V - A) + A/e, while in "literal" only Z >= V - A is left.
Since max_v pi_v = max_v e^{f_v} / Z and the largest probability is at least the mean, 1/V <= max pi <= 1 / that.

Second step with the printed W_OV^rel (attribute block and own values of seen subjects), subject head on the query:
f_u = alpha_2 (lambda_1 1[type of u = l*] + lambda_2 c_u) - 1[u not the query's], lambda_1 = (m-1)^2/T,
lambda_2 = U^2/(M_ft T), c_u the number of the m subjects (all seen) that have u. So -1 <= f <= alpha_2 (lambda_1 + m lambda_2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Parameters = Mapping[str, Any]


def first_logit(k_subject: int, k_value: int, m: int, weight: int = 1) -> float:
    """Logit of a value at the first step; weight 1 (set) or N_u (literal)."""
    return -(weight - k_value / m)


def first_normaliser(k_subjects: list[int], k_values: list[int], p: Parameters, weights: list[int]) -> float:
    """Z over values (once each) and all other tokens."""
    return sum(math.exp(k / p["m"] - w) for k, w in zip(k_values, weights, strict=True)) + p["V"] - p["A"]


def first_probability(p: Parameters, reading: str = "set") -> float:
    """Upper bound of max_v pi_v at the first step."""
    floor = p["V"] - p["A"] + (p["A"] / math.e if reading == "set" else 0.0)
    return 1 / floor


def second_scales(p: Parameters) -> tuple[float, float]:
    return (p["m"] - 1) ** 2 / p["T"], p["U"] ** 2 / (p["M_ft"] * p["T"])


def second_logit(
    same_type: bool, c_subject: int, c_value: int, is_query: bool, is_own: bool, p: Parameters, weight: int = 1
) -> float:
    """Logit of a value at the second step; weight 1 (set) or N_u (literal)."""
    lambda_1, lambda_2 = second_scales(p)
    return p["alpha_2"] * (lambda_1 * same_type + lambda_2 * c_value) - (weight - is_own)


def second_probability(p: Parameters, reading: str = "set") -> tuple[float, float]:
    """Upper bounds of max_v pi_v at the second step: by the actual exponents, and for every alpha_2 in the lemma's range.

    "set": the largest logit is at most alpha_2 (lambda_1 + m lambda_2), itself at most 1 there. "literal": an own value starts at
    -(N_u - 1), at most -(N_min - 1), so the largest logit is that much lower, or 0 on a token that is no value.
    """
    lambda_1, lambda_2 = second_scales(p)
    exponent = p["alpha_2"] * (lambda_1 + p["m"] * lambda_2)
    if reading == "set":
        floor = p["V"] - p["A"] + p["A"] / math.e
        return math.exp(exponent) / floor, math.e / floor
    lowered = p.get("N_min", p["M"] / p["U"]) - 1
    floor = p["V"] - p["A"]
    return max(1.0, math.exp(exponent - lowered)) / floor, max(1.0, math.exp(1 - lowered)) / floor


def first_softmax_norm(p: Parameters, reading: str = "set") -> float:
    """Frobenius norm of pi xbar^T, ||pi||_2 ||xbar||_2 <= sqrt(max pi), since sum pi = 1 and xbar is a mean of unit vectors.

    It bounds single sequences, their expectation, and ||pi||_2 alone.
    """
    return math.sqrt(first_probability(p, reading))


def subject_difference(p: Parameters, reading: str = "set") -> float:
    """||E (true - hat)|| of the [sep] column of W_KQ^subj, per unit beta.

    The constant part of r - r_hat cancels in r_i - rbar; what is left is o_i - obar, o_i = sum of pi over the L own values of
    subject i, 0 <= o_i <= min(1, L max pi). The rows x_i + p_i have norm sqrt 2, and (1/m) sum |o_i - obar| <= max o.
    """
    return math.sqrt(2) * min(1.0, p["L"] * first_probability(p, reading))


def relation_parts(p: Parameters) -> float:
    """max_i |r_i - r_hat_i| / (alpha_2 max pi) of the second step with the printed W_OV^rel, at most.

    r_i - r_hat_i is alpha_2 times (m-1) the mass of pi on the U values of the type on attributes, U^2/M_ft the mass on the L own
    values on subjects, and 0 on [sep].
    """
    return max((p["m"] - 1) * p["U"], p["L"] * p["U"] ** 2 / p["M_ft"])


def relation_chain(p: Parameters) -> float:
    """(beta alpha_2)^{-1} ||E (true - hat)|| of the second step with the printed W_OV^rel, for alpha_2 in Lemma C.2's range.

    With d = r - r_hat between 0 and its maximum and keys of norm sqrt 2, (1/T) sum |d_i - dbar| sqrt 2 <= sqrt 2 max d; and
    max pi <= e/M there, in both readings.
    """
    return math.sqrt(2) * math.e / p["M"] * relation_parts(p)


def subject_gap(p: Parameters) -> float:
    """|r - r_hat| <= 1 of one subject: the mass of pi on the values that are not its own ("set")."""
    return 1.0
