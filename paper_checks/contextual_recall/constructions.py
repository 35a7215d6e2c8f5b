"""Propositions 1-4: what the paper says that each head puts out, and what the model then predicts.

Statements about outputs are functions of a sight `o` of one sequence at one position and return coefficients by token id;
tokens that are absent have coefficient 0. A sight knows: own (the subject's values), kind (the type in force), values(l),
every_value, grammar, relations, sep, subject (token of s_j), subjects_with(u), count(u) = N_u, t, T, S, N_tr, N_ft,
relation_types (of the relation tokens so far), subjects_so_far, context (values in an ICL context), target_seen, context_seen
(whether the target, how many context values are seen in finetuning), relations_back(k): number of relation tokens among the
last k tokens.

The seed file has each formula twice, as text and as LaTeX. Its text drops R from three unions that its LaTeX has: in the
prediction Unif(G and R), at t = T-S-1 and for t in {T-S, ..., T-2} without a relation token (where the text would leave no
difference between the two cases); in f_grm at t = T-S-1 and t in {T-S, ..., T-2}; and in the last sum of Prop. 4's f(X).
Transcribed here is the LaTeX. In square brackets within a wording stand our words, not the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from paper_checks.claim import Assumption, Claim, Kind, Mutation
from paper_checks.mutations import replaced_by

Coefficients = dict[int, Fraction]
HALF = Fraction(1, 2)

UNIQUE = Assumption("every value belongs to one subject", r"U_\ell=M", lambda p: p["U"] == p["M"])
COVERED = Assumption(
    "every value is seen in finetuning", r"\mathcal U'_\ell=\mathcal U_\ell", lambda p: p["all_values_seen"]
)


def added(*parts: tuple[Fraction | int, list[int]]) -> Coefficients:
    """sum of coefficient times the sum over tokens."""
    total: Coefficients = {}
    for coefficient, tokens in parts:
        for token in tokens:
            total[token] = total.get(token, Fraction(0)) + coefficient
    return total


def prop1_f_subj(o) -> Coefficients:  # -(sum_u h(u) - sum_l h(a_j^l))
    return added((-1, o.every_value), (1, o.own))


def prop1_logits(o) -> Coefficients:  # sum_j h(u_j^l) + sum_l h(a_j^l) - sum_u h(u)
    return added((1, o.values(o.kind)), (1, o.own), (-1, o.every_value))


def prop3_f_grm_T(o) -> Coefficients:  # (N_tr-1)/T h(s_j) + N_tr/T (1.5 sum_G + sum_R + h(sep))
    share = Fraction(o.N_tr, o.T)
    return added(
        (Fraction(o.N_tr - 1, o.T), [o.subject]), (share * 3 / 2, o.grammar), (share, o.relations), (share, [o.sep])
    )


def prop3_before_T(o) -> tuple[Coefficients, Coefficients]:
    """f_rel^t = (1/t) sum_j h(u_j^{l_Ntr}),  f_subj^t = -(1/t)(sum_u h(u) - sum_l h(a_j^l)).

    Printed is a sum over "j, l N_tr" of h(u_j^{l N_tr}); "i.e., all attributes of type l_{N_tr}", it says, and so it is read.
    """
    share = Fraction(1, o.t)
    return added((share, o.values(o.kind))), added((-share, o.every_value), (share, o.own))


def prop3_after_attribute(o) -> Coefficients:  # t = T-S-2: g = h(a), f_grm = h(s_j)
    return added((1, [o.subject]))


def prop3_window(o) -> frozenset[str]:
    """t in {T-S, ..., T-2}: Unif(G) if a relation token is among x_{t-S-2}, ..., x_t, else Unif(G and R)."""
    return frozenset({"G"}) if o.relations_back(o.S + 3) else frozenset({"G", "R"})


def prop4_f(o) -> Coefficients:
    """sum over the type's values - (sum_u h(u) - own) + (1/T) sum_{i in M''} h(s_i) + (N_ft/T) sum over G and R.

    Of M'' the paper says no more than that it is a subset of [M]; it is read as the subjects that have a value of the context.
    """
    sharing = sorted({s for u in o.context for s in o.subjects_with(u)})
    return added(
        (1, o.values(o.kind)),
        (-1, o.every_value),
        (1, o.own),
        (Fraction(1, o.T), sharing),
        (Fraction(o.N_ft, o.T), [*o.grammar, *o.relations]),
    )


def negated(statement: Callable) -> Callable:
    return lambda o: {token: -value for token, value in statement(o).items()}


def own_suppressed(statement: Callable) -> Callable:
    """The statement with every own value one lower."""

    def lowered(o) -> Coefficients:
        found = dict(statement(o))
        return {**found, **{u: found.get(u, Fraction(0)) - 1 for u in o.own}}

    return lowered


def without(statement: Callable, family: str) -> Callable:
    """The coefficients of one family of tokens left out."""
    return lambda o: {k: v for k, v in statement(o).items() if k not in getattr(o, family)}


def _assertion(id_: str, where: str, title: str, wording: str, mutants: tuple[Mutation, ...], **more) -> Claim:
    return Claim(
        id=id_,
        where=where,
        title=title,
        kind=Kind.ASSERTION,
        wording=wording,
        printed=True,
        mutations=mutants,
        construction=True,
        **more,
    )


NEVER = replaced_by(False, "never right", "as if the construction failed")


def claims() -> tuple[Claim, ...]:
    drop_own = Mutation("own values suppressed too", "+ sum_l h(a_j^l) forgotten", own_suppressed)
    drop_values = Mutation(
        "no type boost", "the relation head forgotten", lambda s: lambda o: added((-1, o.every_value), (1, o.own))
    )
    sign = Mutation("sign", "suppression and boost exchanged", negated)
    drop_grammar = Mutation("no grammar", "G left out", lambda s: without(s, "grammar"))
    wrong_share = Mutation(
        "t for T", "a share that does not sum", lambda s: lambda o: {k: v * 2 for k, v in s(o).items()}
    )
    return (
        Claim(
            id="prop1.f_subj",
            construction=True,
            where="Prop. 1, proof sketch",
            title="with the printed W_OV^subj, f_subj = -(sum_u h(u) - sum_l h(a_j^l))",
            kind=Kind.EQUATION,
            wording=(
                r"\bm W_{OV}^{\text{subj}}=-\sum_j\Big(\sum_{j'\ne j,\ell}\bm h(a_{j'}^\ell)\Big)\bm h(s_j)^\top,\quad\ldots\quad "
                r"f_{\text{subj}}(\bm X)=-\Big(\sum_u\bm h(u)-\sum_\ell\bm h(a_{j_\star}^\ell)\Big)"
            ),
            printed=prop1_f_subj,
            mutations=(sign, drop_own),
        ),
        Claim(
            id="prop1.logits",
            construction=True,
            where="Prop. 1, proof sketch",
            title="f = sum_j h(u_j^l) + sum_l h(a_j^l) - sum_u h(u)",
            kind=Kind.EQUATION,
            wording=(
                r"f(\bm X)=\sum_j\bm h(u_j^{\ell_{N_{\text{tr}}}})+\sum_\ell\bm h(a_{j_\star}^\ell)-\sum_u\bm h(u)"
            ),
            printed=prop1_logits,
            mutations=(sign, drop_values),
        ),
        _assertion(
            "prop1.last",
            "Prop. 1",
            "last-token prediction on PT is right over the whole vocabulary for sufficiently large beta",
            (
                r"\text{There exists a single-layer attention-only model such that when weights }\bm W_{KQ}^h\text{ are scaled by a sufficiently large }\beta"
                r"\text{, it correctly predicts the last token, returning the attribute }a_{j_\star}^{\ell_{N_{\text{tr}}}}"
                r"\text{ corresponding to the sequence's subject }s_{j_\star}\text{ and attribute type }\ell_{N_{\text{tr}}}"
            ),
            (NEVER, replaced_by("ties allowed everywhere", "ties", "as if every sequence tied")),
        ),
        _assertion(
            "prop3.t=T",
            "Prop. 3",
            "the 3-head model is right at t = T",
            r"v^*=a_{j_\star}^{\ell_{N_{\text{tr}}}}\text{ if }t=\mathrm T",
            (NEVER, replaced_by("ties allowed everywhere", "ties", "as if every sequence tied")),
        ),
        Claim(
            id="prop3.f_grm.T",
            where="Prop. 3, proof",
            title="f_grm at t = T",
            kind=Kind.EQUATION,
            wording=(
                r"f_{\text{grm}}=\tfrac{N_{\text{tr}}-1}{\mathrm T}\bm h(s_{j_\star})+\tfrac{N_{\text{tr}}}{\mathrm T}"
                r"\Big(1.5\sum_{v\in\mathcal G}\bm h(v)+\sum_\ell\bm h(r_\ell)+\bm h([\text{sep}])\Big)"
            ),
            printed=prop3_f_grm_T,
            mutations=(sign, drop_grammar, wrong_share),
        ),
        Claim(
            id="prop3.t=T-1",
            where="Prop. 3, proof",
            title="prediction at t = T-1 is [sep]",
            kind=Kind.EQUATION,
            wording=r"v^*=[\text{sep}]\text{ if }t=\mathrm T-1",
            printed=lambda o: frozenset({"sep"}),
            mutations=(
                replaced_by(lambda o: frozenset({"G"}), "G", "as if the grammar went on"),
                replaced_by(lambda o: frozenset({"sep", "G"}), "tie with G", "0.5 read as 1"),
            ),
        ),
        Claim(
            id="prop3.t=T-S-1",
            where="Prop. 3, proof",
            title="prediction at t = T-S-1 is Unif over G and R",
            kind=Kind.EQUATION,
            wording=r"v\sim\operatorname{Unif}(\mathcal G\cup\mathcal R)\text{ if }t=\mathrm T-S-1",
            printed=lambda o: frozenset({"G", "R"}),
            mutations=(
                replaced_by(lambda o: frozenset({"G"}), "G only", "relations forgotten"),
                replaced_by(lambda o: frozenset({"R"}), "R only", "grammar forgotten"),
            ),
        ),
        Claim(
            id="prop3.t=T-S-2",
            where="Prop. 3, proof",
            title="after an attribute: g_grm = h(a), f_grm = h(s_j), prediction s_j",
            kind=Kind.EQUATION,
            wording=r"t=\mathrm T-S-2:\ g_{\text{grm}}=\bm h(a_{j_\star}^{\ell_{N-1}}),\ f_{\text{grm}}=\bm h(s_{j_\star}),\quad v^*=s_{j_\star}\text{ if }t=\mathrm T-S-2",
            printed=prop3_after_attribute,
            mutations=(sign, wrong_share),
        ),
        Claim(
            id="prop3.window",
            where="Prop. 3, proof",
            title="the window in which a relation token switches the prediction from Unif(G,R) to Unif(G)",
            kind=Kind.EQUATION,
            wording=(
                r"v\sim\operatorname{Unif}(\mathcal G)\text{ if }t\in\mathcal T,\exists j\in\{t-S-2,\dots,t\},\bm x_j\in\mathcal R,\quad "
                r"v\sim\operatorname{Unif}(\mathcal G\cup\mathcal R)\text{ if }t\in\mathcal T,\nexists j\in\{t-S-2,\dots,t\},\bm x_j\in\mathcal R,\quad "
                r"\mathcal T:=\{\mathrm T-S,\dots,\mathrm T-2\}"
            ),
            printed=prop3_window,
            mutations=(
                replaced_by(lambda o: frozenset({"G"}), "always G", "the switch forgotten"),
                replaced_by(
                    lambda o: frozenset({"G", "R"}) if o.relations_back(o.S + 2) else frozenset({"G"}),
                    "reversed",
                    "the switch the wrong way round",
                ),
            ),
        ),
        Claim(
            id="prop3.t<T.rel_subj",
            where="Prop. 3, proof",
            title="f_rel^t and f_subj^t for t < T",
            kind=Kind.EQUATION,
            wording=(
                r"\text{when }t<\mathrm T\text{, }f_{\text{rel}}^t(\bm X)=\tfrac1t\sum_{j,\ell{N_{\text{tr}}}}\bm h(u_j^{\ell{N_{\text{tr}}}}),\quad\ldots\quad "
                r"\text{when }t<\mathrm T\text{, }f_{\text{subj}}^t(\bm X)=-\tfrac1t\Big(\sum_u\bm h(u)-\sum_\ell\bm h(a_{j_\star}^\ell)\Big)"
            ),
            printed=prop3_before_T,
            mutations=(
                Mutation(
                    "sign",
                    "both heads negated",
                    lambda s: lambda o: tuple({k: -v for k, v in part.items()} for part in s(o)),
                ),
                Mutation(
                    "without 1/t",
                    "a sum for a mean",
                    lambda s: lambda o: tuple({k: v * o.t for k, v in part.items()} for part in s(o)),
                ),
            ),
        ),
        _assertion(
            "prop3.earlier",
            "Prop. 3, proof",
            '"easily extended" to t < T-S-2, including the first subsequence',
            r"\text{it can be easily extended to other cases where }t<\mathrm T-S-2\text{ as well}",
            (
                replaced_by("later subsequences only", "first one left out", "as if only the first subsequence failed"),
                replaced_by(
                    "after the relation token of the first", "one role", "as if the place of the failure were right"
                ),
            ),
        ),
        _assertion(
            "prop3.always",
            "Prop. 3",
            '"always gives the correct prediction for any token position"',
            r"\text{when the scalar }\beta\to\infty\text{, it always gives the correct prediction for any token position}",
            (
                replaced_by(
                    "all but the first subsequence", "first one left out", "as if later subsequences were right"
                ),
                replaced_by(
                    "all but after attributes", "attributes left out", "as if only shared values were the matter"
                ),
            ),
        ),
        _assertion(
            "prop2.last",
            "Prop. 2",
            "last-token prediction on ICL is right for sufficiently large beta",
            (
                r"\text{There exists single-layer attention-only model such that when weights }\bm W_{KQ}^h\text{ are scaled by a sufficiently large }\beta"
                r"\text{, it correctly predicts the last token, returning the attribute }a_{j_{N_{\text{ft}}+1}}^{\ell_\star}"
                r"\text{ corresponding to the query subject }s_{j_{N_{\text{ft}}+1}}\text{ and the shared attribute type }\ell_\star"
            ),
            (NEVER, replaced_by("ties allowed everywhere", "ties", "as if every sequence tied")),
            assumptions=(COVERED,),
        ),
        _assertion(
            "prop4.last",
            "Prop. 4",
            "the same with the grammar head, when U' = U",
            r"\text{when the scalar }\beta\to\infty\text{ and }\mathcal U'_\ell=\mathcal U\text{, this model always gives the correct prediction for the last token position}",
            (NEVER, replaced_by("ties allowed everywhere", "ties", "as if every sequence tied")),
            assumptions=(COVERED,),
        ),
        Claim(
            id="prop4.f",
            where="Prop. 4, proof",
            title="the printed f(X) of the 3-head model",
            kind=Kind.EQUATION,
            wording=(
                r"f(\bm X)=\sum_{u\in\mathcal U_{\ell_\star}}\bm h(u)-\Big(\sum_u\bm h(u)-\sum_\ell\bm h(a_{j_{N_{\text{ft}}+1}}^\ell)\Big)"
                r"+\tfrac1{\mathrm T}\sum_{i\in\mathcal M''}\bm h(s_i)+\tfrac{N_{\text{ft}}}{\mathrm T}\sum_{v\in\mathcal G\cup\mathcal R}\bm h(v),\quad "
                r"\text{where }\mathcal M''\subseteq[M]\text{ [read here as the subjects that have a value of the context; the paper says no more of it]}"
            ),
            printed=prop4_f,
            assumptions=(COVERED,),
            mutations=(sign, drop_grammar, drop_own),
        ),
        _assertion(
            "prop4.coverage",
            "Remark after Prop. 2",
            "what happens when U'_l is not U_l",
            (
                r"\text{Note that, for the relation head to output all attributes of the same type as the attributes that appear in the context, "
                r"for any type }\ell\text{, the set of attributes seen during finetuning }\mathcal U'_\ell\text{ should match the full set }\mathcal U_\ell"
            ),
            (
                replaced_by("uncovered targets right", "covered anyway", "as if unseen values were produced"),
                replaced_by("covered targets wrong", "nothing right", "as if one unseen value spoilt everything"),
                replaced_by(lambda o: o.target_seen, "target alone", "the context forgotten"),
                replaced_by(lambda o: o.context_seen > 0, "context alone", "the target forgotten"),
            ),
        ),
        Claim(
            id="prop2_vs_4.rel",
            where="Eq. (5) beside Prop. 4",
            title="the two printed forms of the relation head agree",
            kind=Kind.EQUATION,
            wording=(
                r"\text{[Eq. (5):] }\bm W_{KQ}^{\text{rel}}=\beta\sum_\ell\Big(\bm h(r_\ell)+\bm u_\ell'\Big)\bm h([\text{sep}])^\top,\quad "
                r"\bm u_\ell'=\sum_{u\in\mathcal U'_\ell}\bm h(u),\quad "
                r"\bm W_{OV}^{\text{rel}}=\sum_\ell\Big(\Big(\sum_{u\in\mathcal U_\ell}\bm h(u)\Big)\bm h(r_\ell)^\top+\bm u_\ell'\bm u_\ell^{\prime\top}\Big)\quad "
                r"\text{[Prop. 4:] }\bm W_{KQ}^{\text{rel}}=\beta\sum_\ell\sum_{u\in\mathcal U'_\ell}\bm h(u)\bm h([\text{sep}])^\top,\quad "
                r"\bm W_{OV}^{\text{rel}}=\sum_\ell\Big(\sum_{u\in\mathcal U'_\ell}\bm h(u)\Big)\Big(\sum_{u\in\mathcal U'_\ell}\bm h(u)+\bm h(r_\ell)\Big)^\top\quad "
                r"\text{[side by side; the paper does not say that the two agree]}"
            ),
            printed={"kq": "equal", "ov": "equal"},
            mutations=(
                Mutation("OV differs when covered", "a column too many", lambda s: {**s, "ov covered": "different"}),
                Mutation("KQ equal", "h(r_l) forgotten", lambda s: {**s, "kq": "equal"}),
            ),
        ),
        _assertion(
            "beta.prop1",
            "Prop. 1",
            'how large is "sufficiently large beta"',
            r"\text{scaled by a sufficiently large }\beta\text{ [Prop. 1]}",
            (
                replaced_by(lambda exact: exact / 2, "half of it", "a threshold too small"),
                replaced_by(lambda exact: exact + 1, "one more", "sufficient, but not the threshold"),
            ),
        ),
        _assertion(
            "beta.prop2",
            "Prop. 2",
            'how large is "sufficiently large beta"',
            r"\text{scaled by a sufficiently large }\beta\text{ [Prop. 2]}",
            (
                replaced_by(lambda exact: exact / 2, "half of it", "a threshold too small"),
                replaced_by(lambda exact: exact + 1, "one more", "sufficient, but not the threshold"),
            ),
        ),
        _assertion(
            "beta.3head",
            "Props. 3, 4",
            "the same with the grammar head",
            r"\text{when the scalar }\beta\to\infty\text{ [Props. 3, 4]}",
            (
                replaced_by(lambda exact: exact / 2, "half of it", "a threshold too small"),
                replaced_by(lambda exact: exact + 1, "one more", "sufficient, but not the threshold"),
                replaced_by(
                    lambda exact: 0.0 if exact == math.inf else exact,
                    "ties at finite beta",
                    "as if the ties of beta = infinity were there before",
                ),
            ),
        ),
    )
