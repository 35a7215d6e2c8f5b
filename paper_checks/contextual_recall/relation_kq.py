"""Theorem 2, proof, "Second Iteration": the update of W_KQ^rel (Eq. (7), with lambda_2 and p_{1-3i}).

The proof computes a bracket B with  E[hat gradient] = -(beta alpha_2 / T) B h([sep])^T; the statements below are B by
direction class, except `rel2.update`, which is what Theorem 2 adds to W_KQ^rel per unit of eta_KQ^rel and beta.
Attribute positions are read as the main text has them (p_{1-3i}); the appendix's indices are judged in `index`.
"""

from __future__ import annotations

import math

import sympy as sp

from paper_checks.claim import Claim, Kind, Mutation, Parameters
from paper_checks.contextual_recall.assumptions import PROOF_BALANCED, THEOREM_2
from paper_checks.contextual_recall.symbols import L, M, M_ft, T, U, alpha_2, m
from paper_checks.mutations import added, dropped, same_as, scaled, sign_flipped, symbol_replaced
from theory.onehot.classes import DirectionClass as KQ

POSITIONS = (KQ.P_QUERY, KQ.P_CONTEXT, KQ.P_ATTRIBUTE, KQ.P_SEP)

#: The line before the last "approximately" of each expected term.
ATTRIBUTE_BRACKET = {KQ.ATTRIBUTE: ((m - 1) * (1 - (m - 1) / T) - m * U / (T * M_ft)) * (m - 1) / (L * U)}
SUBJECT_BRACKET = {
    key: (U / M_ft - m * U / (T * M_ft) - (m - 1) ** 2 / T) * m / M for key in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT)
}
_EVERYWHERE = m * U / M_ft * (1 - 1 / T) - (m - 1) ** 2 / T
POSITION_BRACKET = {
    **{key: _EVERYWHERE for key in POSITIONS},
    KQ.P_ATTRIBUTE: _EVERYWHERE + (m - 1 - m * U / M_ft),
}

#: What stands after the last "approximately" of each term; the subject sum runs over all M.
LAST_APPROXIMATION = {
    "rel2.attr": {KQ.ATTRIBUTE: sp.Rational(2, 3) * (m - 1) ** 2 / (L * U)},
    "rel2.subject": {key: -((m - 1) ** 2) / (3 * M) for key in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT)},
    "rel2.position": {
        **{key: -((m - 1) ** 2) / T for key in POSITIONS},
        KQ.P_ATTRIBUTE: m - 1 - (m - 1) ** 2 / T,
    },
}

_ALPHA_3 = (m - 1) ** 2 * alpha_2  # alpha_3 per unit of eta_KQ^rel
PRINTED_UPDATE = {
    KQ.ATTRIBUTE: _ALPHA_3 * sp.Rational(2, 3) / (L * U),
    **{key: -_ALPHA_3 / T for key in POSITIONS},
    KQ.P_ATTRIBUTE: _ALPHA_3 * (1 / (m - 1) - 1 / T),
    **{key: -_ALPHA_3 / (3 * M) for key in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT)},
}


def middle_bound_per_pi(p: Parameters) -> float:
    """What multiplies max pi_u in the chain: (m-1)^2 U_L + m L U_L^2 / M_ft."""
    return (p["m"] - 1) ** 2 * p["U"] + p["m"] * p["L"] * p["U"] ** 2 / p["M_ft"]


def last_bound(p: Parameters) -> float:  # e m^2 U_L / M << m^2
    return math.e * p["m"] ** 2 * p["U"] / p["M"]


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="rel2.neglect",
            where="App. C.2, Second Iteration",
            title="the chain of bounds ending in e m^2 U_L / M << m^2",
            kind=Kind.BOUND,
            wording=(
                r"(\beta\alpha_2)^{-1}\lVert\nabla_{\bm W_{KQ}^{\mathrm{rel}}}\hat{\mathcal L}-\nabla_{\bm W_{KQ}^{\mathrm{rel}}}\mathcal L\rVert"
                r"\le2\sqrt2\alpha_2^{-1}\max_i|r_i-\hat r_i|"
                r"\le(\max_{u\in\mathcal U}\pi_u)\Big((m-1)^2U_L+mL\frac{U_L^2}{M_{\text{ft}}}\Big)\le\frac{em^2U_L}M\ll m^2,\quad "
                r"\text{since }M>M_{\text{ft}}\gg U_L"
            ),
            printed={
                "factor": 2 * math.sqrt(2),
                "middle": middle_bound_per_pi,
                "words": "((m-1)^2 U + m L U^2/M_ft)",
                "last": last_bound,
                "much smaller than m^2": True,
                "range of Lemma C.2": True,
            },
            assumptions=THEOREM_2,
            mutations=(
                Mutation(
                    "without m^2", "two powers lost", lambda s: {**s, "last": lambda p: s["last"](p) / p["m"] ** 2}
                ),
                Mutation("2e dropped", "a factor lost", lambda s: {**s, "last": lambda p: s["last"](p) / (2 * math.e)}),
                Mutation(
                    "no range", "every alpha_2, also beyond Lemma C.2's", lambda s: {**s, "range of Lemma C.2": False}
                ),
                Mutation("link 1 / 5", "a constant lost", lambda s: {**s, "factor": s["factor"] / 5}),
                Mutation("link 2 halved", "a constant lost", lambda s: {**s, "middle": lambda p: s["middle"](p) / 2}),
            ),
        ),
        Claim(
            id="rel2.norm",
            where="App. C.2, Second Iteration",
            title="norm of the second-step hat gradient is Theta(m^2)",
            kind=Kind.BOUND,
            wording=r"(\beta\alpha_2)^{-1}\lVert\nabla_{\bm W_{KQ}^{\mathrm{rel}}}\hat{\mathcal L}\rVert=\Theta(m^2)",
            printed={"m": sp.Integer(2)},
            assumptions=THEOREM_2,
            mutations=(
                Mutation("one power more", "m for 1", lambda s: {**s, "m": s["m"] + 1}),
                Mutation("one power less", "1/T twice", lambda s: {**s, "m": s["m"] - 1}),
            ),
        ),
        Claim(
            id="rel2.sep",
            where="App. C.2, Second Iteration",
            title="the case tables of r-hat and what [sep] contributes",
            kind=Kind.EQUATION,
            wording=(
                r"\hat r_i=-\alpha_2\begin{cases}m-1,&\bm x_i\in\mathcal U_{\ell_\star}\\\frac{U_L^2}{M_{\text{ft}}}\mathds 1[a_i^{\ell_\star}=y],&\bm x_i\in\mathcal S\end{cases},\quad "
                r"\bar{\hat r}=-\frac{\alpha_2}{\mathrm T}\Big((m-1)^2+\frac{U_L^2}{M_{\text{ft}}}\sum_i\mathds 1[a_i^{\ell_\star}=y]\Big)\quad "
                r"\text{[no case for [sep]; the gradient as displayed has no term in }\bm h([\text{sep}])\text{ and none at its positions]}"
            ),
            printed={},
            assumptions=PROOF_BALANCED,
            mutations=(
                sign_flipped(KQ.SEP, "[sep] boosted instead of suppressed"),
                dropped(KQ.SEP, "the token term of [sep] forgotten"),
                dropped(KQ.P_SEP, "the positions of [sep] forgotten"),
                symbol_replaced("m", lambda s: s - 1, "m - 1 for m", "one [sep] fewer"),
            ),
        ),
        Claim(
            id="rel2.attr",
            where="App. C.2, Second Iteration",
            title="expected attribute-token term, factor 2/3",
            kind=Kind.EQUATION,
            wording=(
                r"\ldots=\Big((m-1)\Big(1-\tfrac{m-1}{\mathrm T}\Big)-\tfrac{mU_L}{\mathrm TM_{\text{ft}}}\Big)\frac{m-1}{LU_L}\sum_u\bm h(u)"
                r"\approx\frac{2(m-1)^2}3\frac1{LU_L}\sum_u\bm h(u)"
            ),
            printed=ATTRIBUTE_BRACKET,
            assumptions=PROOF_BALANCED,
            mutations=(
                sign_flipped(KQ.ATTRIBUTE, "attributes suppressed"),
                symbol_replaced("m", lambda s: s - 1, "m - 1 for m", "one demonstration fewer"),
                scaled(L, "L lost", "the average over types forgotten"),
            ),
        ),
        Claim(
            id="rel2.subject",
            where="App. C.2, Second Iteration",
            title="expected subject-token term, factor 1/3, sum over all M",
            kind=Kind.EQUATION,
            wording=(
                r"\ldots=\Big(\tfrac{U_L}{M_{\text{ft}}}-\tfrac{mU_L}{\mathrm TM_{\text{ft}}}-\tfrac{(m-1)^2}{\mathrm T}\Big)\tfrac mM\sum_s\bm h(s)"
                r"\approx-\tfrac{(m-1)^2}3\tfrac1M\sum_s\bm h(s)"
            ),
            printed=SUBJECT_BRACKET,
            assumptions=PROOF_BALANCED,
            mutations=(
                same_as(KQ.SUBJECT_HELDOUT, KQ.SUBJECT_SEEN, "held-out subjects never occur in finetuning"),
                sign_flipped(KQ.SUBJECT_SEEN, "subjects boosted"),
                symbol_replaced("M_ft", lambda s: 2 * s, "2 M_ft for M_ft", "all subjects for the finetuning ones"),
            ),
        ),
        Claim(
            id="rel2.position",
            where="App. C.2, Second Iteration",
            title="expected positional term",
            kind=Kind.EQUATION,
            wording=(
                r"\ldots=\Big(m-1-\tfrac{mU_L}{M_{\text{ft}}}\Big)\sum_{i=1}^{m-1}\bm p_{3i+2}"
                r"+\Big(\tfrac{mU_L}{M_{\text{ft}}}(1-\mathrm T^{-1})-\tfrac{(m-1)^2}{\mathrm T}\Big)\bm p"
                r"\approx(m-1)\sum_{i=1}^{m-1}\bm p_{3i+2}-\frac{(m-1)^2}{\mathrm T}\bm p"
            ),
            printed=POSITION_BRACKET,
            assumptions=PROOF_BALANCED,
            mutations=(
                same_as(KQ.P_QUERY, KQ.P_CONTEXT, "the query position treated like a context position"),
                same_as(KQ.P_SEP, KQ.P_CONTEXT, "the positions of [sep] treated like subjects"),
                sign_flipped(KQ.P_ATTRIBUTE, "attribute positions suppressed"),
                symbol_replaced("U", lambda s: 2 * s, "2U for U", "a factor off"),
            ),
        ),
        Claim(
            id="rel2.update",
            where="Thm. 2; Eq. (7) with lambda_2, p_{1-3i}",
            title="updated W_KQ^rel and alpha_3",
            kind=Kind.EQUATION,
            wording=(
                r"\bm W_{KQ}^{\text{rel}}\approx\beta\Big(\sum_\ell\bm h(r_\ell)+\alpha_3\Big(\tfrac23\tfrac1{LU_L}\sum_u\bm h(u)+\tfrac1{m-1}\sum_{i=1}^{m-1}\bm p_{3i+2}"
                r"-\tfrac1{\mathrm T}\bm p-\tfrac13\tfrac1M\sum_s\bm h(s)\Big)\Big)\bm h([\text{sep}])^\top,\ \alpha_3:=\eta_{KQ}^{\text{rel}}(m-1)^2\alpha_2"
            ),
            printed=PRINTED_UPDATE,
            assumptions=PROOF_BALANCED,
            mutations=(
                dropped(KQ.SEP, "the [sep] token forgotten"),
                same_as(KQ.SUBJECT_HELDOUT, KQ.SUBJECT_SEEN, "sum over all M subjects"),
                scaled(T, "1/T lost", "alpha_3 without the attention weight"),
                same_as(KQ.P_QUERY, KQ.P_CONTEXT, "the query's own match forgotten"),
                added(KQ.ATTRIBUTE, alpha_2 / (L * U), "a spurious attribute term"),
            ),
            regime="M >> mL, M_ft >> U",
        ),
    )
