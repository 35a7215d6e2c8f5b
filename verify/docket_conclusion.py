"""The docket's part on the conclusion of Theorems 1 and 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy as sp

from paper_checks.contextual_recall import conclusions as printed_conclusions
from paper_checks.contextual_recall import relation_kq
from paper_checks.contextual_recall.gradient import main_text_positions
from theory.statements import sequence as derived_sequence
from verify.court import Court
from verify.derived import Derived
from verify.evidence import Finding
from verify.judges import conventions, growing_beta, hypotheses, printed_update, step_sizes, tables, unseen_values

Check = Callable[[Any, Court], Finding]


#: Numbers of the main job at the paper's setting.
FINITE = (
    "All this is at beta = inf (hard attention; a tie is no success). Below the sharp condition hard attention sees the query alone, softmax a little of "
    "the attributes: after the hat steps (frequencies exactly 1/U, set, T <= S+2) the query's column does not tell its own values apart, and every "
    "sequence is right from some finite beta on under a weaker condition (thm2.hypotheses), with margins that fall exponentially: at M=256 L=8 U=32 "
    "M_ft=128 N_ft=5, steps 1, for every finite "
    "beta >= 3.149e+05 (proven; a sequence fails just below). After the true steps a seen query prefers some of its own values, and every sequence is "
    "right for 3.115e+05 <= beta <= 1.05e+07, while just above that and in the limit seen queries fail"
)


def _fixed(statement: Any, words: str, latex: str = "") -> Callable[[Court], Derived]:
    return lambda court: Derived(statement, words, latex)


def _theorem_1_and_2() -> Derived:
    kq = (printed_conclusions.THEOREM_1_KQ, relation_kq.PRINTED_UPDATE)
    ov = (printed_conclusions.THEOREM_1_OV, printed_conclusions.relation_ov.PRINTED_UPDATE)
    worded = printed_conclusions.THEOREM_1_HYPOTHESES | {"T <= S + 2"}
    hypotheses = (worded, printed_conclusions.THEOREM_2_HYPOTHESES)
    positions = (main_text_positions, derived_sequence.positions)
    return Derived(
        {"kq": kq, "ov": ov, "hypotheses": hypotheses, "positions": positions},
        "the coefficients agree with lambda_1 = alpha_1, lambda_2 = alpha_3, lambda_3 = alpha_2 (the paper only says: some constants); the "
        "appendix must read p_{1-3i} for p_{3i+2}. Of the hypotheses Theorem 1 words M >> mL and M > M_ft >> U as large M, M_ft and small N_ft, "
        "and beta -> inf as a large beta; T <= S + 2, which bounds N_ft by the grammar length, it lacks and must add. (The sharp condition, "
        "thm2.hypotheses, is that of neither theorem.)",
        r"\bm p_{3i+2},\ i=1..m-1\ \longrightarrow\ \bm h(p_{1-3i}),\ i=1..N_{\text{ft}}",
    )


def _printed_weights(court: Court) -> Derived:
    """The printed weights need alpha_2 (m-1) above the logit that the own value starts from: 0 (set), -(M/U - 1) (literal)."""
    if court.reading == "set":
        return Derived(
            printed_conclusions.AS_PRINTED,
            "as printed, for every alpha_1, alpha_2, alpha_3 > 0; the sharp beta is the largest root of explicit exponential polynomials in it",
        )
    lifted = printed_conclusions.PrintedUpdate(lambda p: 1 + Fraction(p["M"] // p["U"] - 1, p["m"] - 1))
    return Derived(
        lifted,
        "in the literal reading only for alpha_2 > (M/U - 1)/(m-1), every value on M/U subjects: the own value has -(M/U - 1) from the subject head, "
        "below every token that is no value; values of one type on unequally many subjects fail at every alpha_2",
        r"\alpha_2>\frac{M/U_L-1}{m-1}\ \text{(literal)}",
    )


def _finite_beta(court: Court) -> Derived:
    """The same with how large beta must be."""
    found = _printed_weights(court)
    return replace(
        found,
        words=f"{found.words}. {growing_beta.words(court)}. For the weights of the actual steps see thm2.accuracy",
    )


def _sharp(court: Court) -> Derived:
    from theory.finetuning.conclusion import sharp_condition

    condition = sharp_condition()
    latex = rf"M_{{\text{{ft}}}}\ge\max\Big({sp.latex(condition.M_ft_heldout)},\ {sp.latex(sp.factor(condition.M_ft_seen))}\Big)"
    return Derived(hypotheses.sharp_condition, hypotheses.sharp_words(court.reading), latex)


def entries() -> dict[str, tuple[Check, Callable[[Court], Derived]]]:
    """The claims thm2.* and thm1_vs_2."""
    return {
        "thm2.last_step": (printed_update.last_step, _printed_weights),
        "thm2.finite_beta": (printed_update.finite_beta, _finite_beta),
        "thm2.accuracy": (
            lambda s, court: hypotheses.hypotheses(s, court, exact=False),
            _fixed(
                hypotheses.sharp_condition,
                "after the hat steps, for T <= S+2 and L >= 2, it holds where the sharp condition of thm2.hypotheses does, in which frequencies are "
                "those among the finetuning subjects; in the literal reading eta_OV^rel has a lower bound besides. After the true steps the "
                f"boundary lies near that, and a large eta_OV^rel fails (thm2.step_sizes). {FINITE}",
            ),
        ),
        "thm2.hypotheses": (
            lambda s, court: hypotheses.hypotheses(s, court, exact=True),
            _sharp,
        ),
        "thm2.step_sizes": (step_sizes.step_sizes, _fixed(step_sizes.allowed_steps, step_sizes.WORDS)),
        "thm2.unbalanced": (
            tables.unbalanced,
            _fixed(
                "frequencies among the finetuning subjects",
                "the proof uses a hypothesis that the theorem lacks; all formulas hold with f_u, the share of the FINETUNING subjects that have the "
                "value u, and power sums of them; f_u is 1/U only where each value appears on M_ft/U of these subjects, which a balanced table does not give."
                " The conclusion (hat steps, set, T <= S+2) then holds where in the subject head every query scores above every context subject, "
                "that is, (1 - F)/m > (m-1)(m-2)/(m^2 M_ft) (p_c - p_q), p_s the mean over the types of f at the values of s, F that of sum_u f_u^2, "
                "and p_q = F for a held-out query; in the relation head every value seen in "
                "finetuning scores above every query and every own attribute above its context subject, f_y > 0 for every value of a "
                "query and eta_OV^rel (m-1)/(L T) f_max (f_max - f_y) < 1 for each; the last two are necessary too wherever attributes "
                "alone are attended, while a tie in score with the query may still be right",
            ),
        ),
        "thm2.unique_attr": (
            unseen_values.unique_attributes,
            _fixed(unseen_values.unseen_rule, unseen_values.WORDS),
        ),
        "thm1_vs_2": (conventions.statements_agree, lambda court: _theorem_1_and_2()),
    }
