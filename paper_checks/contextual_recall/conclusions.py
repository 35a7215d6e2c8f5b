"""Theorems 1 and 2: the window, the conclusion, its hypotheses and step sizes, and how the two statements agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from paper_checks.claim import Claim, Kind, Mutation, Parameters
from paper_checks.contextual_recall import relation_kq, relation_ov
from paper_checks.contextual_recall.assumptions import BALANCED, SHORT_CONTEXT, THEOREM_2
from paper_checks.contextual_recall.gradient import main_text_positions, printed_positions
from paper_checks.contextual_recall.symbols import L, M, M_ft, T, U, m
from paper_checks.mutations import replaced_by
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV

lambda_2 = sp.Symbol("lambda_2", positive=True)
lambda_3 = sp.Symbol("lambda_3", positive=True)

#: Theorem 1, Eq. (7), what is added to the initial weights (positions as printed there: p_{1-3i}).
THEOREM_1_KQ = {
    KQ.ATTRIBUTE: sp.Rational(2, 3) * lambda_2 / (L * U),
    **{key: -lambda_2 / T for key in relation_kq.POSITIONS},
    KQ.P_ATTRIBUTE: lambda_2 / (m - 1) - lambda_2 / T,
    **{key: -lambda_2 / (3 * M) for key in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT)},
}
THEOREM_1_OV = {
    OV.ATTRIBUTE_ATTRIBUTE: lambda_3 * (m - 1),
    OV.OWN_ATTRIBUTE_SEEN: lambda_3 * U**2 / M_ft,
}
THEOREM_1_HYPOTHESES = frozenset({"M large", "M_ft large", "N_ft small", "U' = U"})
THEOREM_2_HYPOTHESES = frozenset({"M >> mL", "M > M_ft", "M_ft >> U", "U' = U", "T <= S + 2"})


def theorem_2_sufficient(p: Parameters) -> bool:
    """Theorem 2: the conclusion holds wherever its hypotheses do."""
    return all(assumption.holds(p) is not False for assumption in THEOREM_2)


def uniform_attention(p: Parameters) -> float:
    """alpha_i^rel = 1/T on every position, in the first and in the second step."""
    return 1 / p["T"]


@dataclass(frozen=True)
class PrintedUpdate:
    """The weights of Eq. (6)-(7) with alpha_1 = alpha_3 = 1 and some alpha_2 > 0; `mutation` names a slip in them."""

    alpha_2: Callable[[Parameters], Fraction]
    mutation: str = "printed weights"


AS_PRINTED = PrintedUpdate(lambda p: Fraction(1))


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="window",
            where="Thm. 2; App. C.2, Relation Head and Second Iteration",
            title="T <= S+2, and what changes when it fails (the paper's own S = 10, N_ft = 5)",
            kind=Kind.CONDITION,
            wording=(
                r"\text{Since }S+2\ge\mathrm T\text{, first consider the update for the KQ part.}\quad\ldots\quad "
                r"\text{Since }\bm W_{KQ}^{\text{rel}}\text{ remains unchanged in the first iteration, }\alpha_i^{\text{rel}}=\tfrac1{\mathrm T}"
            ),
            printed=uniform_attention,
            mutations=(
                replaced_by(lambda p: 1 / (p["S"] + 2), "1/(S+2)", "the window's length for the sequence's"),
                replaced_by(lambda p: 1 / p["m"], "1/m", "uniform over subjects instead of positions"),
            ),
        ),
        Claim(
            id="thm2.last_step",
            construction=True,
            where="Thm. 1/2, last sentence of the proof",
            title="the printed weights (6)-(7) give perfect accuracy as beta -> inf",
            kind=Kind.ASSERTION,
            wording=(
                r"\text{Using these updated weights, following similar steps as in the proof of Proposition 4, we can show that when }\beta\to\infty,"
                r"\text{ the model attains perfect accuracy on ICL sequences with seen or held-out subjects.}"
            ),
            printed=AS_PRINTED,
            assumptions=THEOREM_2,
            mutations=(
                Mutation(
                    "attribute boost reversed",
                    "sign of the attribute terms",
                    lambda s: replace(s, mutation="attribute boost reversed"),
                ),
                Mutation(
                    "OV attribute block dropped",
                    "no type information",
                    lambda s: replace(s, mutation="OV attribute block dropped"),
                ),
            ),
        ),
        Claim(
            id="thm2.accuracy",
            where="Thm. 1/2",
            title="the weights after the actual GD steps give perfect accuracy on seen and held-out queries as beta -> inf",
            kind=Kind.ASSERTION,
            wording=r"\text{when }\beta\to\infty\text{, this model gets perfect accuracy on ICL sequences with seen or held-out query subjects}",
            printed=theorem_2_sufficient,
            assumptions=(*THEOREM_2, BALANCED),
            mutations=(
                replaced_by(lambda p: True, "always", "no hypothesis at all"),
                replaced_by(lambda p: p["M_ft"] >= 2 * p["U"], "M_ft >= 2U", "a weaker hypothesis"),
            ),
        ),
        Claim(
            id="thm2.finite_beta",
            construction=True,
            where="Thm. 1",
            title='"with sufficiently large beta"',
            kind=Kind.ASSERTION,
            wording=r"\text{These weights, with sufficiently large }\beta\text{, lead the model to attain perfect accuracy on ICL sequences for all subjects.}",
            printed=AS_PRINTED,
            assumptions=THEOREM_2,
            mutations=(
                Mutation(
                    "attribute boost reversed",
                    "sign of the attribute terms",
                    lambda s: replace(s, mutation="attribute boost reversed"),
                ),
                Mutation(
                    "OV attribute block dropped",
                    "no type information",
                    lambda s: replace(s, mutation="OV attribute block dropped"),
                ),
            ),
        ),
        Claim(
            id="thm2.hypotheses",
            where="Thm. 1/2",
            title="which of M >> mL, M > M_ft >> U_L, small N_ft is needed, and what the sharp condition is",
            kind=Kind.CONDITION,
            wording=r"\mathcal U'_\ell=\mathcal U_\ell\ \forall\ell\in[L],\ M\gg mL,\ M>M_{\text{ft}}\gg U_L,\ \mathrm T\le S+2",
            printed=theorem_2_sufficient,
            assumptions=(BALANCED,),
            mutations=(
                replaced_by(lambda p: p["M_ft"] > p["U"], "M_ft > U", "a condition too weak"),
                replaced_by(lambda p: p["M_ft"] > 50 * p["U"] ** 2, "M_ft > 50 U^2", "a condition too strong"),
                Mutation("negated", "the wrong side of the boundary", lambda s: lambda p: not s(p)),
                Mutation(
                    "balanced over all subjects",
                    "1/U for the frequencies among the finetuning subjects",
                    lambda s: lambda p: s({**p, "frequencies": None}),
                ),
            ),
        ),
        Claim(
            id="thm2.step_sizes",
            where="Thm. 1/2",
            title="which step sizes are allowed",
            kind=Kind.CONDITION,
            wording=(
                r"\text{one step of GD on }\bm W_{KQ}^{\text{subj}}\text{ with step size }\eta_{KQ}^{\text{subj}}\text{, one step of projected GD }\ldots"
                r"\text{ on }\bm W_{OV}^{\text{rel}}\text{ with step size }\eta_{OV}^{\text{rel}}\text{, and two steps of GD on }\bm W_{KQ}^{\text{rel}}"
                r"\text{ with step size }\eta_{KQ}^{\text{rel}}\quad\ldots\quad\text{where }\lambda_1,\lambda_2,\lambda_3\text{ are some constants }"
                r"\text{[in Theorem 1; no condition on the step sizes is stated]}"
            ),
            printed=lambda p: p["T"] <= p["S"] + 2,
            assumptions=THEOREM_2,
            mutations=(
                replaced_by(lambda p: p["eta_ov"] <= 10**7, "eta_ov <= 10^7", "an upper limit far too large"),
                replaced_by(lambda p: p["eta_kq_rel"] >= 1, "eta_kq_rel >= 1", "a limit on the wrong step"),
                Mutation(
                    "balanced over all subjects",
                    "1/U for the frequencies among the finetuning subjects: no upper limit",
                    lambda s: lambda p: s({**p, "frequencies": None}),
                ),
            ),
        ),
        Claim(
            id="thm2.unbalanced",
            where="App. C.2, Subject Head",
            title='"each value appears on M/U_L subjects": what holds for arbitrary value frequencies',
            kind=Kind.CONDITION,
            wording=r"\text{Since each value appears on }M/U_L\text{ subjects, }\mathbb E[\mu_s(y)]=\frac1M\sum_{j=1}^M\bm h(s_j)",
            printed="balanced formulas",
            assumptions=THEOREM_2,
            mutations=(
                replaced_by(
                    "frequencies over all subjects", "frequencies over all M", "N_u / M for the finetuning ones"
                ),
                replaced_by("frequencies squared", "f_u^2 for f_u", "a power too many"),
            ),
        ),
        Claim(
            id="thm2.unique_attr",
            where="App. B.1, C.3.2",
            title="M_1 = 256 (every subject its own type-1 value)",
            kind=Kind.ASSERTION,
            wording=(
                r"\text{The settings for the experiments in Section 4 and Appendix C are as follows. We set }M=256,L=8,N_{\text{tr}}=5,M_2=\dots=M_8=32,"
                r"S=10,N=N_{\text{ft}}=5\text{ for both sections, while }M_1=32\text{ and }M_1=256\text{, respectively.}\quad\ldots\quad "
                r"\text{We finetune the model on ICL sequences (Eq. 3) with the last-token prediction objective, using }50\%\text{ of the total subjects "
                r"(Fig. 24 shows that the model generalizes on held-out subjects).}\quad "
                r"\text{[Theorem 2's conclusion is read at }M_1=M\text{; the paper does not apply it there]}"
            ),
            printed=lambda p: True,
            assumptions=(SHORT_CONTEXT,),
            mutations=(
                replaced_by(lambda p: False, "never right", "what holds after hat steps, said of the true ones"),
                replaced_by(
                    lambda p: p["objective"] == "true", "true steps always", "no condition on what is attended"
                ),
                Mutation(
                    "two unseen values",
                    "a query with a second unseen value as if it had one",
                    lambda s: lambda p: s({**p, "unseen_own": 1}),
                ),
                Mutation(
                    "hat like true",
                    "the softmax term forgotten",
                    lambda s: lambda p: s({**p, "objective": "true"}),
                ),
            ),
        ),
        Claim(
            id="thm1_vs_2",
            where="Thm. 1 against Thm. 2",
            title="the informal and the formal statement agree",
            kind=Kind.EQUATION,
            wording=(
                r"\text{We state the formal version of Theorem 1 below }\ldots\quad "
                r"\text{[read with }\lambda_1=\alpha_1,\ \lambda_2=\alpha_3,\ \lambda_3=\alpha_2;\ \bm h(p_{1-3i})\text{ stands in Eq. (7), }\bm p_{3i+2}\text{ in Theorem 2]}"
            ),
            printed={
                "kq": (THEOREM_1_KQ, relation_kq.PRINTED_UPDATE),
                "ov": (THEOREM_1_OV, relation_ov.PRINTED_UPDATE),
                "hypotheses": (THEOREM_1_HYPOTHESES, THEOREM_2_HYPOTHESES),
                "positions": (main_text_positions, printed_positions),
            },
            mutations=(
                Mutation(
                    "factor 2/3 in one only",
                    "a coefficient changed between the statements",
                    lambda s: {**s, "kq": ({**s["kq"][0], KQ.ATTRIBUTE: lambda_2 / (L * U)}, s["kq"][1])},
                ),
                Mutation(
                    "N_ft in one only",
                    "m - 1 read as m",
                    lambda s: {**s, "ov": ({**s["ov"][0], OV.ATTRIBUTE_ATTRIBUTE: lambda_3 * m}, s["ov"][1])},
                ),
                Mutation(
                    "window in one only",
                    "T <= S + 2 asked by one of the two",
                    lambda s: {**s, "hypotheses": (s["hypotheses"][0] - {"T <= S + 2"}, s["hypotheses"][1])},
                ),
            ),
        ),
    )
