"""Theorem 2, proof, "Relation Head", first iteration: W_KQ^rel is not moved, and the update of W_OV^rel (Eq. (7), with lambda_3).

Gradients are written as the paper writes them (E of the hat gradient); updates per unit of eta_OV^rel.
"""

from __future__ import annotations

import math

import sympy as sp

from paper_checks.claim import Claim, Kind, Mutation, Parameters
from paper_checks.contextual_recall.assumptions import BALANCED_FT, C_LARGE, PROOF_BALANCED, THEOREM_2
from paper_checks.contextual_recall.symbols import L, M_ft, T, U, m
from paper_checks.mutations import added, dropped, replaced_by, same_as, scaled, sign_flipped, symbol_replaced
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV

#: The four terms of E[hat gradient of W_OV^rel], by the entry [output, input] they fill.
EXPECTED_GRADIENT = {
    OV.ATTRIBUTE_ATTRIBUTE: -(m - 1) / (L * T * U**2),
    OV.OWN_ATTRIBUTE_SEEN: -(m - 1) / (L * T * U * M_ft) - 1 / (L * T * M_ft),
    OV.OTHER_ATTRIBUTE_SEEN: -(m - 1) / (L * T * U * M_ft),
    OV.ATTRIBUTE_SEP: -m / (L * T * U),
}

#: Theorem 2 (in Eq. (7) with lambda_3 for alpha_2), the update: alpha_2 ((m-1) sum u u^T + U^2/M_ft sum_j (sum_l h(a_j^l)) h(s_j)^T), alpha_2 = eta (L T U^2)^-1.
PRINTED_UPDATE = {
    OV.ATTRIBUTE_ATTRIBUTE: (m - 1) / (L * T * U**2),
    OV.OWN_ATTRIBUTE_SEEN: U**2 / M_ft / (L * T * U**2),
}


def softmax_mass_bound(p: Parameters, C: float) -> float:  # sum_v pi_v <= V / (V + (C/e - 1) L U_L)
    return p["V"] / (p["V"] + (C / math.e - 1) * p["A"])


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="rel.first_kq",
            where="App. C.2, Relation Head",
            title="W_KQ^rel has zero gradient in the first step",
            kind=Kind.EQUATION,
            wording=(
                r"r_i=\frac1{\mathrm T}\sum_i\bm u^\top\Big(\sum_\ell\bm h(u_\ell)\Big)\mathds 1[\bm x_i=\bm h(r_\ell)]=0,\quad "
                r"\text{since the context does not contain a relation token. This means that the gradient is zero and therefore, }"
                r"\bm W_{KQ}^{\text{rel}}\text{ is not updated in this iteration}"
            ),
            printed={},
            assumptions=THEOREM_2,
            mutations=(
                added(KQ.P_QUERY, sp.Rational(1, 10), "as if the query moved the relation head"),
                added(KQ.ATTRIBUTE, 1 / (L * U), "as if W_OV^rel already read attributes"),
            ),
        ),
        Claim(
            id="rel.ov.expect",
            where="App. C.2, Relation Head, W_OV^rel",
            title="E of the hat gradient of W_OV^rel, four terms",
            kind=Kind.EQUATION,
            wording=(
                r"\mathbb E[\nabla_{\bm W_{OV}^{\mathrm{rel}}}\hat{\mathcal L}]"
                r"=-\frac{m-1}{L\mathrm TU_L^2}\sum_{\ell=1}^L\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)^\top"
                r"-\frac{m-1}{L\mathrm TU_LM_{\text{ft}}}\sum_{\ell=1}^L\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)\Big(\sum_{j=1}^{M_{\text{ft}}}\bm h(s_j)\Big)^\top"
                r"-\frac1{L\mathrm TM_{\text{ft}}}\sum_{j=1}^{M_{\text{ft}}}\Big(\sum_{\ell=1}^L\bm h(a_j^\ell)\Big)\bm h(s_j)^\top"
                r"-\frac m{L\mathrm TU_L}\sum_{\ell=1}^L\sum_{j=1}^{U_L}\bm h(u_j^\ell)\bm h([\text{sep}])^\top"
            ),
            printed=EXPECTED_GRADIENT,
            assumptions=(*THEOREM_2, BALANCED_FT),
            mutations=(
                sign_flipped(OV.ATTRIBUTE_ATTRIBUTE, "ascent on the attribute block"),
                dropped(OV.OTHER_ATTRIBUTE_SEEN, "the uniform-subject term forgotten"),
                same_as(OV.ATTRIBUTE_HELDOUT, OV.OTHER_ATTRIBUTE_SEEN, "held-out subjects treated like seen ones"),
                symbol_replaced("m", lambda s: s - 1, "m - 1 for m", "one demonstration less"),
                symbol_replaced("U", lambda s: s + 1, "U + 1 for U", "a factor U off by one"),
            ),
        ),
        Claim(
            id="rel.ov.neglect",
            where="App. C.2, Relation Head, W_OV^rel",
            title="norm of the softmax term <= sum_v pi_v <= V/(V+(C/e-1)L U_L) << 1",
            kind=Kind.BOUND,
            wording=(
                r"\lVert\nabla_{\bm W_{OV}^{\mathrm{rel}}}\hat{\mathcal L}-\nabla_{\bm W_{OV}^{\mathrm{rel}}}\mathcal L\rVert"
                r"\le\sum_v\pi_v\le\frac V{V+(Ce^{-1}-1)LU_L}\ll1,\quad\text{since }C\gg e"
            ),
            printed={"sum of pi": softmax_mass_bound},
            assumptions=(*THEOREM_2, C_LARGE),
            mutations=(
                replaced_by({"sum of pi": lambda p, C: 0.5}, "1/2", "probabilities that do not sum to one"),
                replaced_by({"sum of pi": lambda p, C: p["M"] / p["V"]}, "M/V", "only the subjects counted"),
                Mutation(
                    "norm of pi * 4/5",
                    "a constant lost",
                    lambda s: {**s, "norm of pi": lambda p: 0.8 * s["norm of pi"](p)},
                ),
                Mutation("norm halved", "a constant lost", lambda s: {**s, "norm": lambda p, C: s["norm"](p, C) / 2}),
            ),
        ),
        Claim(
            id="rel.ov.norm",
            where="App. C.2, Relation Head, W_OV^rel",
            title="norm of the hat gradient of W_OV^rel is Theta(sqrt(U_L L)) > 1",
            kind=Kind.BOUND,
            wording=r"\lVert\nabla_{\bm W_{OV}^{\mathrm{rel}}}\hat{\mathcal L}\rVert=\Theta(\sqrt{U_LL})>1",
            printed={"U": sp.Rational(1, 2), "L": sp.Rational(1, 2), "m": sp.Integer(0)},
            assumptions=THEOREM_2,
            mutations=(
                Mutation("sqrt lost", "exponents doubled", lambda s: {k: 2 * v for k, v in s.items()}),
                Mutation("grows with m", "a factor m", lambda s: {**s, "m": s["m"] + 1}),
            ),
        ),
        Claim(
            id="rel.ov.drop",
            where="App. C.2, Relation Head, W_OV^rel",
            title="the uniform-subject term may be dropped since M_ft >> U_L",
            kind=Kind.EQUATION,
            wording=(
                r"\text{since }M_{\text{ft}}\gg U_L\text{, }\lambda:=(L\mathrm TU_L^2)^{-1}\text{, we have}\quad "
                r"-\mathbb E[\nabla_{\bm W_{OV}^{\mathrm{rel}}}\hat{\mathcal L}](\bm I-\bm h([\text{sep}])\bm h([\text{sep}])^\top)"
                r"\approx\lambda\Big((m-1)\sum_{\ell=1}^L\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)^\top"
                r"+\frac{U_L^2}{M_{\text{ft}}}\sum_{j=1}^{M_{\text{ft}}}\Big(\sum_{\ell=1}^L\bm h(a_j^\ell)\Big)\bm h(s_j)^\top\Big)"
            ),
            printed=PRINTED_UPDATE,
            assumptions=(*THEOREM_2, BALANCED_FT),
            mutations=(
                sign_flipped(OV.ATTRIBUTE_ATTRIBUTE, "the leading block with the wrong sign"),
                dropped(OV.ATTRIBUTE_ATTRIBUTE, "the leading block dropped instead of the uniform one"),
                scaled(2, "doubled", "a factor 2"),
            ),
            regime="M_ft >> U",
        ),
        Claim(
            id="rel.ov.projection",
            where="Thm. 2; App. C.2, Relation Head, W_OV^rel",
            title="the right projection orthogonal to h([sep])",
            kind=Kind.EQUATION,
            wording=(
                r"\text{one step of projected GD (right projection with }\bm I-\bm h([\text{sep}])\bm h([\text{sep}])^\top\text{) on }\bm W_{OV}^{\text{rel}}"
                r"\quad\ldots\quad\text{We right project this gradient onto the subspace orthogonal to }\bm h([\text{sep}])"
            ),
            printed={k: v for k, v in EXPECTED_GRADIENT.items() if k is not OV.ATTRIBUTE_SEP},
            assumptions=(*THEOREM_2, BALANCED_FT),
            mutations=(
                added(OV.ATTRIBUTE_SEP, -m / (L * T * U), "not projected"),
                dropped(OV.OWN_ATTRIBUTE_SEEN, "a projection that also removes the subjects"),
            ),
        ),
        Claim(
            id="rel.ov.update",
            where="Thm. 2; Eq. (7) with lambda_3",
            title="updated W_OV^rel and alpha_2",
            kind=Kind.EQUATION,
            wording=(
                r"\bm W_{OV}^{\text{rel}}\approx\sum_\ell\Big(\sum_j\bm h(u_j^\ell)\Big)\bm h(r_\ell)^\top"
                r"+\alpha_2\Big((m-1)\sum_{\ell=1}^L\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)\Big(\sum_{j=1}^{U_L}\bm h(u_j^\ell)\Big)^\top"
                r"+\frac{U_L^2}{M_{\text{ft}}}\sum_{j=1}^{M_{\text{ft}}}\Big(\sum_{\ell=1}^L\bm h(a_j^\ell)\Big)\bm h(s_j)^\top\Big),"
                r"\ \alpha_2=\eta_{OV}^{\text{rel}}(L\mathrm TU_L^2)^{-1}"
            ),
            printed=PRINTED_UPDATE,
            assumptions=PROOF_BALANCED,
            mutations=(
                sign_flipped(OV.ATTRIBUTE_ATTRIBUTE, "the attribute block suppressed"),
                scaled(T, "T lost", "1/T of the attention mean forgotten"),
                symbol_replaced("U", lambda s: s**2, "U^2 for U", "values counted twice"),
                same_as(OV.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE, OV.ATTRIBUTE_ATTRIBUTE, "the sum over types outside"),
            ),
            regime="M_ft >> U",
        ),
    )
