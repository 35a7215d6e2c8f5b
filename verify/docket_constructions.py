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
from verify.judges import beta_words as B
from verify.judges import constructions as C
from verify.judges import coverage as V
from verify.judges import framework as F
from verify.judges import positions as P
from verify.judges.thresholds import thresholds

Check = Callable[[Any, Court], Finding]
Part = tuple[Check, Callable[[Court], Derived]]


def _fixed(statement: Any, words: str, latex: str = "") -> Callable[[Court], Derived]:
    return lambda court: Derived(statement, words, latex)


def _by_reading(in_set: tuple[Any, str], literal: tuple[Any, str]) -> Callable[[Court], Derived]:
    return lambda court: Derived(*(in_set if court.reading == "set" else literal))


def _threshold(words: str, literal: str, latex: str) -> Callable[[Court], Derived]:
    """The exact thresholds are those of theory.constructions; the words say them in closed form, in either reading."""

    def derive(court: Court) -> Derived:
        said = words if court.reading == "set" else f"{literal}; in the set reading: {words}"
        return Derived(lambda exact: exact, said, latex)

    return derive


#: What the printed W_OV^subj does where a value is shared.
LITERAL = (
    "in the literal reading, at beta = inf (for finite beta see the claims on beta), a sequence is right exactly where its target value belongs to one "
    "subject (N_y = 1): a shared own "
    "value has -(N_y - 1) < 0 from the subject head. The same holds if W_OV^subj counts each value of the other subjects once, a shared own one "
    "among them: it has -1 from there, 0 with the relation head"
)
EXISTS = (
    "the proposition says that weights exist, and those of the set reading (each value that is not the subject's own once) are right "
    "{}: it holds. What fails is the printed construction with its sum over j' != j taken with multiplicity: "
)
STANDARD = (
    "a position is called right if every token of the argmax set can come next (the set lies in the support of the exact next-token "
    "law; argmax set = support is harder). By this, in the set reading, "
)
COVERAGE = (
    "printed as U'_l = U (all values of all types), which no table with L >= 2 meets; read as U'_l = U_l for every l"
)
SHARP = (
    "for all sequences of type l together U'_l = U_l is sufficient and necessary, since a value that no finetuning subject has is that of a "
    "held-out one, whose query fails. One sequence (set reading) is right exactly where its target is in U'_l and at least one context "
    "value is (contexts of finetuning subjects meet the second condition by themselves)"
)


def entries() -> dict[str, Part]:
    """Claim id -> (check, derived statement)."""
    right = (True, "every sequence is right")
    lone = (C.LONE, LITERAL)
    exists = (C.LONE, EXISTS.format("on every sequence") + LITERAL)
    covered = (
        C.LONE,
        EXISTS.format("on every sequence with covered values, U'_l = U_l, as the remark after it asks") + LITERAL,
    )
    return {
        "pt.length": (F.pt_length, _fixed(printed_framework.pt_length, "as printed")),
        "vocab.size": (
            F.vocabulary,
            _fixed(
                printed_framework.vocabulary_size,
                "for the sequences of Section 2; those of Section 4 hold L relation tokens besides, V = M + sum_l U_l + L + G + 1, "
                "and d = V + T of Eq. (1) is meant with that V",
            ),
        ),
        "icl.special": (
            F.icl_special,
            _fixed(
                printed_framework.icl_as_special_case, "as printed, in Section 2 (Section 4's ICL sequences differ)"
            ),
        ),
        "div": (F.divergence, _fixed(div.reached(), div.words())),
        "eq1": (
            F.eq1,
            _fixed(
                printed_framework.eq1,
                "for V the number of all tokens in use: with relation tokens (Section 4) that is V = M + sum_l U_l + L + G + 1. "
                "The V printed in Section 2 has no relation tokens, and d = V + T with it is too small for the one-hot embeddings by L",
            ),
        ),
        "prop1.f_subj": (
            C.f_subj,
            _fixed(
                S.subject_output,
                "-(sum_u w_u h(u)) + own values, w_u = 1 in the set reading and N_u, the number of subjects that have u, in the literal one",
                r"-\sum_uN_u\bm h(u)+\sum_\ell\bm h(a_{j_\star}^\ell)\ \text{(literal)}",
            ),
        ),
        "prop1.logits": (
            C.two_head_logits,
            _fixed(
                S.two_head_logits,
                "the type's values + own values - sum_u w_u h(u), w_u = 1 (set) or N_u, the number of subjects that have u (literal)",
                r"\sum_{u\in\mathcal U_\ell}\bm h(u)+\sum_\ell\bm h(a_{j_\star}^\ell)-\sum_uN_u\bm h(u)\ \text{(literal)}",
            ),
        ),
        "prop1.last": (C.last(1), _by_reading(right, exists)),
        "prop3.t=T": (C.last(3), _by_reading(right, lone)),
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
                "the sum over all subjects that have the attribute: they tie at beta = inf, and s_j alone is predicted only if the value is unique "
                "(at large finite beta earlier attributes break the tie: s_j alone wherever no other subject has all those shown so far)",
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
                "where x_t is not [sep] (which attends otherwise), as everywhere in the last subsequence before T: means over x_1..x_t; every "
                "relation token so far adds its type's values / t, and the subject's share is n_s(t)/t, its occurrences so far by t, not 1/t",
                r"f_{\text{rel}}^t=\tfrac1t\sum_{i\le t:\bm x_i=\bm h(r_\ell)}\sum_{u\in\mathcal U_\ell}\bm h(u),\quad f_{\text{subj}}^t=-\tfrac{n_s(t)}t"
                r"\Big(\sum_uw_u\bm h(u)-\sum_\ell\bm h(a_{j_\star}^\ell)\Big),\ w_u=1\text{ (set), }N_u\text{ (literal)}",
            ),
        ),
        "prop3.earlier": (
            P.every_position(earlier=True),
            _fixed(
                P.role_is_right,
                STANDARD
                + "the prediction is not right in the first subsequence: without an earlier [sep] a grammar slot after the relation token predicts [sep] at once; and not "
                "after shared attributes, where two relation tokens are attended, and where only a relation token can follow",
            ),
        ),
        "prop3.always": (
            P.every_position(earlier=False),
            _fixed(
                P.role_is_right,
                STANDARD
                + "right at t = T and T-1; wrong or impossible tokens in the first subsequence after its relation token, after shared attributes, "
                "where two relation tokens are attended, and where only a relation token can follow",
            ),
        ),
        "prop2.last": (
            C.last(2),
            _by_reading((True, "for covered values, U'_l = U_l, as the remark after it asks"), covered),
        ),
        "prop4.last": (C.last(4), _by_reading((True, COVERAGE), (C.LONE, LITERAL + "; " + COVERAGE))),
        "prop4.f": (
            C.icl_output,
            _fixed(
                S.icl_logits,
                "G and R get 2m/T (the m subjects and the m [sep] put them out), not N_ft/T; a subject gets 1/T for every context attribute that "
                "it has, with multiplicity; the part on the values, kept here as dots, is as printed in the set reading and has N_u for 1 in the "
                "literal one",
                r"\dots+\tfrac1{\mathrm T}\sum_i\sum_{j:a_j=a_{j_i}}\bm h(s_j)+\tfrac{2m}{\mathrm T}\sum_{v\in\mathcal G\cup\mathcal R}\bm h(v)",
            ),
        ),
        "prop4.coverage": (
            V.coverage,
            _by_reading(
                (V.sharp, SHARP),
                (
                    V.sharp,
                    SHARP
                    + "; in the literal reading the target must also belong to one subject, so no held-out query is right",
                ),
            ),
        ),
        "prop2_vs_4.rel": (
            V.relation_heads,
            _fixed(
                {"kq": "different", "ov covered": "equal", "ov uncovered": "different"},
                "W_KQ differs by sum_l h(r_l), which no ICL sequence contains; W_OV agrees if U' = U and differs in the columns of the relation tokens else",
                r"\text{(5)}-\text{(Prop. 4)}=\beta\sum_\ell\bm h(r_\ell)\bm h([\text{sep}])^\top",
            ),
        ),
        "beta.prop1": (thresholds(1), _threshold(B.PROP_1, B.LITERAL_1, B.LATEX_1)),
        "beta.prop2": (thresholds(2), _threshold(B.PROP_2, B.LITERAL, B.LATEX_2)),
        "beta.3head": (thresholds(3, 4), _threshold(B.THREE_HEADS, B.LITERAL, B.LATEX_3_4)),
    }
