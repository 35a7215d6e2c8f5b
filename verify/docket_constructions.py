"""The docket's part on Section 2, Eq. (1) and Propositions 1-4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paper_checks.contextual_recall import framework as printed_framework
from theory.statements import constructions as S
from verify.court import Court
from verify.derived import Derived
from verify.evidence import Finding
from verify.framework import statement as div
from verify.judges import constructions as C
from verify.judges import framework as F
from verify.judges.thresholds import thresholds

Check = Callable[[Any, Court], Finding]
Part = tuple[Check, Callable[[Court], Derived]]


def _fixed(statement: Any, words: str, latex: str = "") -> Callable[[Court], Derived]:
    return lambda court: Derived(statement, words, latex)


def _by_reading(in_set: tuple[Any, str], literal: tuple[Any, str]) -> Callable[[Court], Derived]:
    return lambda court: Derived(*(in_set if court.reading == "set" else literal))


def entries() -> dict[str, Part]:
    """Claim id -> (check, derived statement)."""
    right = (True, "every sequence is right")
    unique = (
        "unique",
        "in the literal reading only where no two subjects share a value: a shared own value starts at -(N_u - 1) < 0",
    )
    no_beta = (
        lambda exact: exact,
        "in the literal reading no beta suffices where a value is shared; the thresholds are those of the set reading where none is",
    )
    sharp = (lambda exact: exact, "")
    return {
        "pt.length": (F.pt_length, _fixed(printed_framework.pt_length, "as printed")),
        "vocab.size": (
            F.vocabulary,
            _fixed(
                printed_framework.vocabulary_size,
                "as printed for Section 2; Section 4 adds the L relation tokens, V = M + sum_l U_l + L + G + 1",
            ),
        ),
        "icl.special": (
            F.icl_special,
            _fixed(
                printed_framework.icl_as_special_case, "as printed, in Section 2 (Section 4's ICL sequences differ)"
            ),
        ),
        "div": (F.divergence, _fixed(div.reached(), div.words())),
        "eq1": (F.eq1, _fixed(printed_framework.eq1, "as printed")),
        "prop1.f_subj": (
            C.f_subj,
            _fixed(
                S.subject_output,
                "-(sum_u w_u h(u)) + own values, w_u = 1 in the set reading and N_u in the literal one",
                r"-\sum_uN_u\bm h(u)+\sum_\ell\bm h(a_{j_\star}^\ell)\ \text{(literal)}",
            ),
        ),
        "prop1.logits": (
            C.two_head_logits,
            _fixed(
                S.two_head_logits,
                "the type's values + own values - sum_u w_u h(u), w_u = 1 (set) or N_u (literal)",
                r"\sum_{u\in\mathcal U_\ell}\bm h(u)+\sum_\ell\bm h(a_{j_\star}^\ell)-\sum_uN_u\bm h(u)\ \text{(literal)}",
            ),
        ),
        "prop1.last": (C.last(1), _by_reading(right, unique)),
        "prop3.t=T": (C.last(3), _by_reading(right, unique)),
        "prop3.f_grm.T": (
            C.grammar_at_end,
            _fixed(
                S.grammar_output_at_end,
                "(1/T) sum over the N_tr - 1 attributes of all subjects that have them + (N_tr/T)(2.5 sum_G + 2 sum_R + h([sep])): subjects and [sep] "
                "both put out G and R",
                r"\tfrac1{\mathrm T}\sum_{k<N_{\text{tr}}}\sum_{j:a_j=a_k}\bm h(s_j)+\tfrac{N_{\text{tr}}}{\mathrm T}\Big(2.5\sum_{\mathcal G}\bm h(v)"
                r"+2\sum_\ell\bm h(r_\ell)+\bm h([\text{sep}])\Big)",
            ),
        ),
        "prop3.t=T-1": (C.argmax_at(lambda case: [1]), _fixed(lambda o: frozenset({"sep"}), "as printed")),
        "prop3.t=T-S-1": (
            C.argmax_at(lambda case: [case.S + 1]),
            _fixed(
                lambda o: frozenset({"G", "R"}),
                "as printed for the argmax set; the next token is a relation token with probability 1/S, so uniform over "
                "G and R is its law only if G = L (S - 1)",
            ),
        ),
        "prop3.t=T-S-2": (
            C.after_attribute,
            _fixed(
                S.after_attribute,
                "the sum over all subjects that have the attribute: they tie, and s_j alone is predicted only if the value is unique",
                r"f_{\text{grm}}=\sum_{j:a_j^\ell=a}\bm h(s_j)",
            ),
        ),
        "prop3.window": (
            C.argmax_at(lambda case: list(range(2, case.S + 1)), least_S=2, least_N=2),
            _fixed(
                S.middle_argmax,
                "in later subsequences: the window is the last S+2 tokens (t-S-1..t) and reaches into the previous subsequence: its relation token switches the prediction too "
                "early, and with two attended relation tokens G ties with [sep]",
                r"n\text{ relation tokens attended in }\{t-S-1,\dots,t\}:\ \mathcal G\cup\mathcal R\ (n=0),\ \mathcal G\ (n=1),\ \mathcal G\cup\{[\text{sep}]\}\ (n=2)",
            ),
        ),
        "prop3.t<T.rel_subj": (
            C.before_end,
            _fixed(
                S.heads_before_end,
                "means over x_1..x_t: every relation token so far adds its type's values / t, and the subject's share is (its "
                "occurrences so far)/t, not 1/t",
                r"f_{\text{rel}}^t=\tfrac1t\sum_{i\le t:\bm x_i=r_\ell}\bm u_\ell,\quad f_{\text{subj}}^t=\tfrac{n_s(t)}t(\dots)",
            ),
        ),
        "prop3.earlier": (
            C.every_position(earlier=True),
            _fixed(
                C.role_is_right,
                "not in the first subsequence: without an earlier [sep] a grammar slot after the relation token predicts [sep] at once; and not "
                "after shared attributes, nor where an old relation token is still in the window",
            ),
        ),
        "prop3.always": (
            C.every_position(earlier=False),
            _fixed(
                C.role_is_right,
                "right at t = T and T-1; wrong or impossible tokens in the first subsequence after its relation token, after shared attributes, "
                "where two relation tokens are in the window, and where only a relation token can follow",
            ),
        ),
        "prop2.last": (C.last(2), _by_reading(right, unique)),
        "prop4.last": (C.last(4), _by_reading(right, unique)),
        "prop4.f": (
            C.icl_output,
            _fixed(
                S.icl_logits,
                "G and R get 2m/T (the m subjects and the m [sep] put them out), not N_ft/T; a subject gets 1/T for every context attribute that "
                "it has",
                r"\dots+\tfrac1{\mathrm T}\sum_i\sum_{j:a_j=a_{j_i}}\bm h(s_j)+\tfrac{2m}{\mathrm T}\sum_{v\in\mathcal G\cup\mathcal R}\bm h(v)",
            ),
        ),
        "prop4.coverage": (
            C.coverage,
            _by_reading(
                (
                    "and covered right",
                    "a held-out query is right exactly where its value is seen in finetuning (contexts from the finetuning subjects)",
                ),
                (
                    True,
                    "no query with an unseen value is right (in the literal reading no held-out query is: its value is shared)",
                ),
            ),
        ),
        "prop2_vs_4.rel": (
            C.relation_heads,
            _fixed(
                {"kq": "different", "ov covered": "equal", "ov uncovered": "different"},
                "W_KQ differs by sum_l h(r_l), which no ICL sequence contains; W_OV agrees if U' = U and differs in the columns of the relation tokens else",
                r"\text{(5)}-\text{(Prop. 4)}=\beta\sum_\ell\bm h(r_\ell)\bm h([\text{sep}])^\top",
            ),
        ),
        "beta.prop1": (
            thresholds(1),
            _by_reading((sharp[0], "every sequence is right exactly for e^beta > N_tr - 1 (L >= 2)"), no_beta),
        ),
        "beta.prop2": (
            thresholds(2),
            _by_reading(
                (sharp[0], "the largest root of an explicit polynomial in e^beta (theory.constructions.icl_equations)"),
                no_beta,
            ),
        ),
        "beta.3head": (
            thresholds(3, 4),
            _by_reading(
                (
                    sharp[0],
                    "the largest root of explicit polynomials in e^beta; the grammar head's G is a further rival",
                ),
                no_beta,
            ),
        ),
    }
