"""Theorem 2, proof, "Subject Head": r-hat, Eq. (12), the expectations, and the updated W_KQ^subj (Eq. (6), with lambda_1).

Updates are written per unit of eta_KQ^subj and beta: the printed alpha_1 / eta. Classes that are absent are printed as 0.
"""

from __future__ import annotations

import math

import sympy as sp

from paper_checks.claim import Claim, Kind, Mutation, Parameters
from paper_checks.contextual_recall.assumptions import PROOF_BALANCED, THEOREM_2
from paper_checks.contextual_recall.symbols import M, U, m
from paper_checks.mutations import added, dropped, same_as, scaled, sign_flipped, symbol_replaced
from theory.onehot.classes import DirectionClass as KQ


def softmax_term(own: float, weighted: float) -> float:
    """sum_v pi_v h(v)^T W_OV x_i = 1[i in I_s] sum_{u in A_J(i)} pi_u; `own` is that sum, `weighted` the one over all values."""
    return own


def rhat(match: int, weight: int) -> float:  # r-hat_i = -1[a_J(i) = y] on subject positions
    return -match


def rhat_bound(p: Parameters, C: float) -> float:  # |r-hat_i - r_i| <= L / (V + L U_L (C/e - 1))
    return p["L"] / (p["V"] + p["A"] * (C / math.e - 1))


def difference_bound(p: Parameters, C: float) -> float:
    """beta^-1 ||difference|| <= (sqrt 2 / m)(2 m max_i |r_i - r-hat_i|), with the printed bound of |r_i - r-hat_i|."""
    return 2 * math.sqrt(2) * rhat_bound(p, C)


def eq12_per_sequence(match, m_: int):
    """Coefficients of Eq. (12) per unit beta, literally: on h(s_{j_k}), k = 1..m, and on relative positions.

    p_{3k} stands at relative position 3k - T + 1 by the proof's own rule p_i = h(p_{i-T+1}).
    """
    T, C_y = 3 * m_ - 1, sum(match)
    tokens = [-(match[k] - C_y / m_) / m_ for k in range(m_)]
    positions = {3 * k - T + 1: -(match[k - 1] - C_y / m_) / m_ for k in range(1, m_)}
    positions[-1] = positions.get(-1, 0.0) - (1 - C_y / m_) / m_
    return tokens, positions


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="subj.rhat",
            where="App. C.2, Subject Head",
            title="r-hat, its bound, and the neglected softmax term for the subject head",
            kind=Kind.EQUATION,
            wording=(
                r"\sum_{v\in\mathcal V}\pi_v\bm h(v)^\top\bm W_{OV}^{\text{subj}}\bm x_i=\mathds 1[i\in\mathcal I_s]\sum_{u\in\mathcal A_{J(i)}}\pi_u,\quad "
                r"|\hat r_i-r_i|\le\frac{L}{V+LU_L(C\exp^{-1}-1)}\ll\frac1m,\quad\ldots\quad "
                r"\hat r_i=-\begin{cases}\mathds 1[a_{J(i)}^{\ell_\star}=y],&i\in\mathcal I_s,\\0,&\text{o.w.}\end{cases}"
            ),
            printed={"softmax": softmax_term, "rhat": rhat, "bound": rhat_bound},
            assumptions=THEOREM_2,
            mutations=(
                Mutation("sign of r-hat", "a match raises r", lambda s: {**s, "rhat": lambda a, w: -s["rhat"](a, w)}),
                Mutation(
                    "sign of the softmax term",
                    "suppression read as boost",
                    lambda s: {**s, "softmax": lambda own, w: -s["softmax"](own, w)},
                ),
                Mutation("bound / 10", "factor lost", lambda s: {**s, "bound": lambda p, C: s["bound"](p, C) / 10}),
            ),
        ),
        Claim(
            id="eq12",
            where="Eq. (12)",
            title="per-sequence hat gradient of W_KQ^subj",
            kind=Kind.EQUATION,
            wording=(
                r"\nabla_{\bm W_{KQ}^{\text{subj}}}\hat{\mathcal L}=-\frac\beta m\Big(\sum_{k=1}^m(\mathds 1[a_{j_k}^{\ell_\star}=y]-m^{-1}C_y)\bm h(s_{j_k})"
                r"+\sum_{k=1}^{m-1}(\mathds 1[a_{j_k}^{\ell_\star}=y]-m^{-1}C_y)\bm p_{3k}+(1-m^{-1}C_y)\bm h(p_{-1})\Big)\bm h([\text{sep}])^\top"
            ),
            printed=eq12_per_sequence,
            assumptions=THEOREM_2,
            mutations=(
                Mutation(
                    "C_y without 1/m",
                    "the mean forgotten",
                    lambda s: (
                        lambda match, k: (
                            [x - (sum(match) - sum(match) / k) / k for x in s(match, k)[0]],
                            s(match, k)[1],
                        )
                    ),
                ),
                Mutation(
                    "query position dropped",
                    "k runs to m-1 only",
                    lambda s: lambda match, k: (s(match, k)[0], {p: c for p, c in s(match, k)[1].items() if p != -1}),
                ),
                Mutation(
                    "sign",
                    "ascent for descent",
                    lambda s: lambda match, k: ([-x for x in s(match, k)[0]], s(match, k)[1]),
                ),
            ),
        ),
        Claim(
            id="subj.E_Cy",
            where="App. C.2, Subject Head, expectations",
            title="E[C_y | y] = m/U_L",
            kind=Kind.EQUATION,
            wording=(
                r"\Pr(a_i^{\ell_\star}=y\mid y)=\frac1{U_L},\quad\text{and hence }\mathbb E[C_y\mid y]=\frac m{U_L},\quad "
                r"\text{Further, averaging over }y\text{ gives }\mathbb E[C_y]=\frac m{U_L}"
            ),
            printed=m / U,
            assumptions=PROOF_BALANCED,
            mutations=(
                symbol_replaced("m", lambda s: s - 1, "m - 1 for m", "one draw forgotten"),
                scaled(2, "doubled", "counted twice"),
            ),
        ),
        Claim(
            id="subj.E_tokens",
            where="App. C.2, Subject Head, expectations",
            title="E[sum_i 1[a_i = y] h(s_i)] = m/(U_L M) sum over all M subjects",
            kind=Kind.EQUATION,
            wording=(
                r"\mathbb E\Big[\sum_i\mathds 1[a_i^{\ell_\star}=y]\bm h(s_i)\Big]=\frac m{U_LM}\sum_{j=1}^M\bm h(s_j)"
            ),
            printed={KQ.SUBJECT_SEEN: m / (U * M), KQ.SUBJECT_HELDOUT: m / (U * M)},
            assumptions=PROOF_BALANCED,
            mutations=(
                same_as(KQ.SUBJECT_HELDOUT, KQ.SUBJECT_SEEN, "held-out subjects never occur in finetuning"),
                symbol_replaced("M_ft", lambda s: M, "M for M_ft", "all subjects for the finetuning ones"),
                symbol_replaced("m", lambda s: s + 1, "m + 1 for m", "one draw too many"),
            ),
        ),
        Claim(
            id="subj.update",
            where="Thm. 2; Eq. (6) with lambda_1",
            title="updated W_KQ^subj and alpha_1",
            kind=Kind.EQUATION,
            wording=(
                r"\bm W_{KQ}^{\text{subj}}\approx\beta\Big(\sum_j\bm h(s_j)+\alpha_1\bm h(p_{-1})\Big)\bm h([\text{sep}])^\top,"
                r"\ \alpha_1:=\eta_{KQ}^{\text{subj}}m^{-1}(1-U_L^{-1})"
            ),
            printed={KQ.P_QUERY: (1 - 1 / U) / m},
            assumptions=PROOF_BALANCED,
            mutations=(
                sign_flipped(KQ.P_QUERY, "the query position suppressed instead of boosted"),
                dropped(KQ.P_CONTEXT, "the context positions forgotten"),
                same_as(KQ.P_CONTEXT, KQ.P_QUERY, "all subject positions boosted alike"),
                symbol_replaced("m", lambda s: s - 1, "m - 1 for m", "N_ft for N_ft + 1"),
                added(KQ.SUBJECT_SEEN, 1 / M, "a token term that cancels"),
            ),
            regime="M >> mL, M_ft >> U",
        ),
        Claim(
            id="subj.true_vs_hat",
            where="App. C.2, Subject Head",
            title="the true expected gradient against the hat one",
            kind=Kind.BOUND,
            wording=(
                r"\frac1\beta\lVert\nabla_{\bm W_{KQ}^{\text{subj}}}\hat{\mathcal L}-\nabla_{\bm W_{KQ}^{\text{subj}}}\mathcal L\rVert"
                r"\le\ldots\le\frac{\sqrt2}m\Big(m\max_i|r_i-\hat r_i|+m\max_i|r_i-\hat r_i|\Big)\ll\frac{2\sqrt2}m,\quad "
                r"\beta^{-1}\lVert\nabla_{\bm W_{KQ}^{\text{subj}}}\hat{\mathcal L}\rVert\text{ is }\Theta(1/m)"
            ),
            printed={"bound": difference_bound, "order in m of the hat norm": sp.Integer(-1)},
            assumptions=THEOREM_2,
            mutations=(
                Mutation(
                    "1/m^2", "a power of m too many", lambda s: {**s, "order in m of the hat norm": sp.Integer(-2)}
                ),
                Mutation("constant", "no decay in m", lambda s: {**s, "order in m of the hat norm": sp.Integer(0)}),
                Mutation(
                    "negative bound", "no difference can be below 0", lambda s: {**s, "bound": lambda p, C: -1e-30}
                ),
            ),
            regime="M >> mL",
        ),
    )
