"""Appendix C.2.1: Lemmas C.1 and C.2 and the displayed steps of their proofs.

Per-sequence formulas are functions of counts: k_subject[j], how often subject j stands among the m subjects; the printed
logits are indexed by (subject j, type l), as in the paper. Bounds are functions of the setting p.
"""

from __future__ import annotations

import math

from paper_checks.claim import Claim, Kind, Mutation, Parameters
from paper_checks.contextual_recall.assumptions import ALPHA_2_SMALL, C_LARGE, THEOREM_2, alpha_2_limit
from paper_checks.mutations import replaced_by

E = math.e


def lemma_c1_logit(
    k_subject: int, k_value: int, m: int, weight: int = 1
) -> float:  # h(a_j^l)^T f = -(1 - k_j/m), Eq. (13)
    return -(1 - k_subject / m)


def lemma_c1_normaliser(
    k_subjects, k_values, p: Parameters, weights
) -> float:  # Z = L e^-1 sum_j e^{k_j/m} + (V - L U_L)
    return p["L"] / E * sum(math.exp(k / p["m"]) for k in k_subjects) + p["V"] - p["A"]


def lemma_c1_bound(p: Parameters, C: float) -> float:  # pi_v <= 1 / (V + (C e^-1 - 1) L U_L)
    return 1 / (p["V"] + (C / E - 1) * p["A"])


def lambdas(p: Parameters) -> tuple[float, float]:
    """lambda_1 := (m-1) N_ft / T and lambda_2 := U_L^2 / (M_ft T)."""
    return (p["m"] - 1) * p["N_ft"] / p["T"], p["U"] ** 2 / (p["M_ft"] * p["T"])


def lemma_c2_logit(
    same_type: bool, c_subject: int, c_value: int, is_query: bool, is_own: bool, p: Parameters, weight: int = 1
) -> float:
    """alpha_2 ((m-1) N_ft/T 1[l = l*] + U_L^2/(M_ft T) c_j(X)) - 1[j != j_q]."""
    lambda_1, lambda_2 = lambdas(p)
    return p["alpha_2"] * (lambda_1 * same_type + lambda_2 * c_subject) - (not is_query)


def lemma_c2_middle(p: Parameters) -> float:
    """exp(a(l1 + m l2)) / (U (exp(a(l1 + l2) - 1) + (L-1) exp(a l2 - 1)) + V - L U), a = alpha_2."""
    lambda_1, lambda_2 = lambdas(p)
    a, U, L = p["alpha_2"], p["U"], p["L"]
    top = math.exp(a * (lambda_1 + p["m"] * lambda_2))
    return top / (
        U * (math.exp(a * (lambda_1 + lambda_2) - 1) + (L - 1) * math.exp(a * lambda_2 - 1)) + p["V"] - p["A"]
    )


def lemma_c2_final(p: Parameters) -> float:
    """pi_v <= .. <= e / M."""
    return lemma_c2_bounds(p)[1]


def lemma_c2_bounds(p: Parameters) -> tuple[float, float]:
    """pi_v <= e / (V + L U_L (e^-1 - 1)) <= e / M."""
    return E / (p["V"] + p["A"] * (1 / E - 1)), E / p["M"]


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="lemC1.logit",
            where="Lemma C.1, proof, Eq. (13) and Z",
            title="logit of a_j^l is -(1 - k_j/m); Z as printed",
            kind=Kind.EQUATION,
            wording=(
                r"\text{let }k_j\text{ be the multiplicity of subject }j\text{ among these [subject positions]},\quad\ldots\quad "
                r"\bm h(a_j^\ell)^\top f(\bm X)=\ldots=-\Big(1-\frac{k_j}{m}\Big),\quad\ldots\quad Z=\ldots=Le^{-1}\sum_je^{k_j/m}+(V-LU_L)"
            ),
            printed={"logit": lemma_c1_logit, "Z": lemma_c1_normaliser},
            assumptions=(C_LARGE,),
            mutations=(
                Mutation("sign", "1 - k/m without the minus", lambda s: {**s, "logit": lambda *a: -s["logit"](*a)}),
                Mutation(
                    "m - 1 for m",
                    "query left out",
                    lambda s: {**s, "logit": lambda k, v, m, w: s["logit"](k, v, m - 1, w)},
                ),
                Mutation("Z without e^-1", "factor lost", lambda s: {**s, "Z": lambda *a: E * s["Z"](*a)}),
            ),
        ),
        Claim(
            id="lemC1",
            where="Lemma C.1",
            title="pi_v <= 1/(V + (C/e - 1) L U_L) for M >= C U_L, C > e",
            kind=Kind.BOUND,
            wording=(
                r"\text{assuming }M\ge CU_L\text{, where }C>e\text{ is a constant, }\ldots\text{ the prediction probabilities }\pi_v\text{ are bounded as:}"
                r"\quad\pi_v\le\frac{1}{V+(Ce^{-1}-1)LU_L}"
            ),
            printed=lemma_c1_bound,
            assumptions=(C_LARGE,),
            mutations=(
                replaced_by(lambda p, C: 1 / (p["V"] + p["A"]), "logits of 0 counted twice", "a smaller bound still"),
                replaced_by(lambda p, C: 1 / p["V"], "uniform", "the largest probability is at least 1/V"),
            ),
        ),
        Claim(
            id="lemC2.logit",
            where="Lemma C.2, proof",
            title="the printed logit of an attribute",
            kind=Kind.EQUATION,
            wording=(
                r"\bm h(a_j^\ell)^\top f(\bm X)=\alpha_2\Big((m-1)\frac{N_{\text{ft}}}{\mathrm T}\mathds 1[\ell=\ell_\star]"
                r"+\frac{U_L^2}{M_{\text{ft}}\mathrm T}c_j(\bm X)\Big)-\mathds 1[j\ne j_q],\quad\ldots\quad "
                r"\lambda_1:=(m-1)N_{\text{ft}}/\mathrm T,\quad\lambda_2:=U_L^2/(M_{\text{ft}}\mathrm T)"
            ),
            printed=lemma_c2_logit,
            assumptions=(*THEOREM_2, ALPHA_2_SMALL),
            mutations=(
                Mutation("sign", "suppression becomes boost", lambda s: lambda *a: -s(*a)),
                Mutation(
                    "m for c",
                    "every subject counted as the same",
                    lambda s: lambda t, cs, cv, q, o, p, w: s(t, p["m"], p["m"], q, o, p, w),
                ),
                Mutation(
                    "type ignored",
                    "lambda_1 on every type",
                    lambda s: lambda t, cs, cv, q, o, p, w: s(True, cs, cv, q, o, p, w),
                ),
            ),
        ),
        Claim(
            id="lemC2.middle",
            where="Lemma C.2, proof, first inequality of the chain",
            title="the middle inequality",
            kind=Kind.BOUND,
            wording=(
                r"\lambda_1:=(m-1)N_{\text{ft}}/\mathrm T,\quad\lambda_2:=U_L^2/(M_{\text{ft}}\mathrm T),\quad "
                r"\pi_v\le\frac{\exp(\alpha_2(\lambda_1+m\lambda_2))}{U_L(\exp(\alpha_2(\lambda_1+\lambda_2)-1)"
                r"+(L-1)\exp(\alpha_2\lambda_2-1))+V-LU_L}"
            ),
            printed=lemma_c2_middle,
            assumptions=(*THEOREM_2, ALPHA_2_SMALL),
            mutations=(
                Mutation("half", "a factor 2 lost", lambda s: lambda p: s(p) / 2),
                Mutation(
                    "lambda_1 dropped in the numerator",
                    "the boost of the type forgotten",
                    lambda s: lambda p: s(p) * math.exp(-p["alpha_2"] * lambdas(p)[0]),
                ),
            ),
        ),
        Claim(
            id="lemC2",
            construction=True,
            where="Lemma C.2",
            title="the final bound pi_v <= e/M",
            kind=Kind.BOUND,
            wording=r"\pi_v\le\frac{e}{V+LU_L(e^{-1}-1)}\le\frac eM",
            printed=lemma_c2_final,
            assumptions=(*THEOREM_2, ALPHA_2_SMALL),
            mutations=(
                replaced_by(lambda p: 1 / (2 * p["M"]), "1/(2M) for e/M", "factor 2e lost"),
                replaced_by(lambda p: 1 / p["V"], "1/V for e/M", "the largest probability is at least 1/V"),
            ),
        ),
    )


__all__ = ["alpha_2_limit", "claims", "lambdas"]
