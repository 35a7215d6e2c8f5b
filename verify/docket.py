"""The docket: for every claim, the check that judges a statement and the statement that the derivation puts in its place."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from paper_checks.claim import Claim, Mutation
from paper_checks.contextual_recall import claims as paper_claims
from paper_checks.contextual_recall.assumptions import BALANCED
from theory.finetuning.facts import expected_matches_given_target
from theory.finetuning.norms import squared_norm
from theory.statements import bounds as derived_bounds
from theory.statements import sequence as derived_sequence
from verify import docket_conclusion, docket_constructions
from verify.court import Court
from verify.derived import Derived
from verify.evidence import Finding, Status
from verify.judges import (
    bounds,
    coefficients,
    conventions,
    figures,
    growth,
    remarks,
    second_step,
    sequencewise,
    tables,
)
from verify.judges.coefficients import Quantity
from verify.judges.theorem2 import quantities
from verify.verdict import Verdict, verdict

Check = Callable[[Any, Court], Finding]


@dataclass(frozen=True)
class Entry:
    """How one claim is tried."""

    claim: Claim
    check: Check
    derive: Callable[[Court], Derived]


@dataclass(frozen=True)
class Outcome:
    """The trial of one claim: findings for the printed and the derived statement, the verdict, the mutants."""

    entry: Entry
    printed: Finding
    derived: Finding
    statement: Derived
    verdict: Verdict
    mutants: tuple[tuple[Mutation, Finding], ...] = field(default=())
    seconds: float = 0.0

    @property
    def survivors(self) -> tuple[str, ...]:
        """Mutants that the check did not reject: those it finds as good as the derived statement."""
        return tuple(mutation.name for mutation, found in self.mutants if not _rejected(found, self.derived))


def _rejected(mutant: Finding, derived: Finding) -> bool:
    """A mutant is rejected if it fails, or is no more than an approximation where the derived statement holds exactly."""
    if mutant.status is Status.FAILS:
        return True
    return mutant.status is Status.APPROXIMATE and derived.status is Status.HOLDS


def _coefficient_entries() -> dict[str, tuple[Check, Callable[[Court], Derived]]]:
    def checked(name: str, quantity: Quantity) -> Check:
        return lambda statement, court: coefficients.judge(statement, quantity, court, paper_claims()[name].regime)

    def derived(name: str, quantity: Quantity) -> Callable[[Court], Derived]:
        def derive(court: Court) -> Derived:
            truth = {k: coefficients.settled(v) for k, v in quantity.derived().items() if k in quantity.classes()}
            shown = {k: sp.factor(v) for k, v in truth.items() if v != 0}
            words = "; ".join(f"{k.value}: {v}" for k, v in shown.items()) or "zero on every class"
            latex = r",\quad ".join(rf"\text{{{k.value.replace('_', ' ')}}}: {sp.latex(v)}" for k, v in shown.items())
            more = [remarks.remark(name)]
            if BALANCED in paper_claims()[name].assumptions:
                more.append("with 1/U the frequency of each value among the FINETUNING subjects")
            return Derived(truth, "; ".join([words, *filter(None, more)]), latex or "0")

        return derive

    return {name: (checked(name, quantity), derived(name, quantity)) for name, quantity in quantities().items()}


def _fixed(statement: Any, words: str, latex: str = "") -> Callable[[Court], Derived]:
    return lambda court: Derived(statement, words, latex)


def _other_entries() -> dict[str, tuple[Check, Callable[[Court], Derived]]]:
    E, S, B = derived_bounds, derived_sequence, bounds
    matches = expected_matches_given_target()
    balanced_matches = matches.subs(
        {s: 1 / sp.Symbol("U", positive=True) for s in matches.free_symbols if s.name == "f_u"}
    )
    hat_norm_order = growth.order(squared_norm("kq_subj"), "m")
    ov_orders = {k: growth.order(squared_norm("ov_rel"), k) for k in ("U", "L", "m")}
    kq_orders = {"m": growth.order(squared_norm("kq_rel"), "m") + 1}  # alpha_2 itself falls like 1/m
    return {
        "grad.f": (
            sequencewise.gradient_f,
            _fixed({"f": S.gradient_f, "ov": S.gradient_ov}, "pi - h(y); (pi - h(y)) g^T"),
        ),
        "grad.softmax": (sequencewise.softmax_chain, _fixed(S.softmax_chain, "alpha_j (r_j - rbar)")),
        "eq11": (
            sequencewise.eq11,
            _fixed(
                S.gradient_kq,
                "sum_j alpha_j (r_j - rbar)(x_j + p_j) h(sep)^T, without the factor beta: lambda is linear in W_KQ, which already "
                "contains beta. With the factor it is the gradient with respect to W_KQ / beta.",
                r"\nabla_{\bm W_{KQ}}\mathcal L=\sum_j\alpha_j(r_j-\bar r)(\bm x_j+\bm p_j)\bm h([\text{sep}])^\top",
            ),
        ),
        "beta.bookkeeping": (
            conventions.bookkeeping,
            _fixed(
                conventions.PARAMETRISATIONS,
                "beta(... + c alpha h(p)) with c = 1/beta if W_KQ is trained with step eta, beta if W_KQ/beta is, and c = 1, as "
                "printed, for instance if W_KQ is trained with step eta * beta (equivalently W_KQ/beta with step eta/beta) or W_KQ/sqrt(beta) with "
                "step eta",
            ),
        ),
        "index": (
            conventions.positions,
            _fixed(
                S.positions,
                "query p_{-1}, context subjects p_{-1-3i}, attributes p_{1-3i}, i = 1..N_ft; with the appendix's p_i = h(p_{i-T+1}), which counts "
                "from 0, the context subjects are p_{3(k-1)}, the attributes p_{3i-1}, all m subjects p_{3(i-1)}, i = 1..m (as printed the last is "
                "h(p_2), which does not exist), all positions p_0 .. p_{T-1} (as printed p_T = h(p_1) does not exist and p_0 is missing), and "
                "x_j, counted from 1, goes with p_{j-1}",
                r"\sum_{k=1}^{m-1}\bm p_{3(k-1)},\quad\sum_{i=1}^{m-1}\bm p_{3i-1},\quad\sum_{i=1}^m\bm p_{3(i-1)},\quad\sum_{i=0}^{\mathrm T-1}\bm p_i",
            ),
        ),
        "eq12": (
            sequencewise.eq12,
            _fixed(
                S.subject_hat_gradient,
                "as printed with p_{3(k-1)} for p_{3k} (context subject k), and without the factor beta",
                r"-\frac1m\Big(\sum_{k=1}^m(\mathds 1_k-\tfrac{C_y}m)\bm h(s_{j_k})+\sum_{k=1}^{m-1}(\mathds 1_k-\tfrac{C_y}m)\bm p_{3(k-1)}"
                r"+(1-\tfrac{C_y}m)\bm h(p_{-1})\Big)",
            ),
        ),
        "subj.rhat": (
            sequencewise.subject_rhat,
            _fixed(
                {
                    "softmax": S.subject_softmax_term,
                    "rhat": S.subject_rhat,
                    "bound": lambda p, C: E.subject_gap(p),
                },
                "on subject positions (0 elsewhere) the softmax term is minus the mass on all values (literal reading: each weighted by N_u, the "
                "number of subjects that have it), a constant that is not printed, plus the mass on the own ones; r-hat = 1 - 1[a_i = y] (literal reading: N_y - 1[a_i = y]); |r - r-hat| is the foreign mass, not small in general, but only its part that differs between "
                "subjects survives in r_i - rbar, and that is at most L max pi",
                r"\hat r_i=1-\mathds 1[a_{J(i)}=y],\quad r_i-\hat r_i=-\sum_{u\in\mathcal U}\pi_u+\sum_{u\in\mathcal A_{J(i)}}\pi_u\ \text{(set)}",
            ),
        ),
        "subj.E_Cy": (
            tables.expected_matches,
            _fixed(
                balanced_matches,
                f"E[C_y | y] = {sp.expand(balanced_matches)}: the query itself always matches; in general 1 + (m-1) f_y, f_y the share of the "
                "finetuning subjects that have y",
                r"\mathbb E[C_y\mid y]=1+\frac{m-1}{U_L}",
            ),
        ),
        "subj.true_vs_hat": (
            growth.subject_difference,
            lambda court: Derived(
                {
                    "bound": lambda p, C: E.subject_difference(p, court.reading),
                    "order in m of the hat norm": hat_norm_order,
                },
                "the softmax term cancels exactly on positions; on tokens it is at most sqrt 2 L / (V - A (1 - 1/e)) (literal reading: "
                "sqrt 2 L / (V - A)), A = sum_l U_l the number of values. Judged in expectation over sequences, as the argument uses it",
                r"\frac1\beta\lVert\mathbb E\nabla\mathcal L-\mathbb E\nabla\hat{\mathcal L}\rVert\le\frac{\sqrt2L}{V-LU_L(1-e^{-1})}",
            ),
        ),
        "rel.first_kq": (
            conventions.first_kq,
            _fixed({}, "zero on every coordinate, for the true and the hat loss, at any beta", "0"),
        ),
        "rel.ov.neglect": (
            B.softmax_mass,
            lambda court: Derived(
                {
                    "sum of pi": lambda p, C: 1.0,
                    "norm": lambda p, C: E.first_softmax_norm(p, court.reading),
                    "norm of pi": lambda p: E.first_softmax_norm(p, court.reading),
                },
                "sum_v pi_v = 1, so the middle term cannot be below 1; the norm is at most ||pi|| ||xbar|| <= (V - A (1 - 1/e))^(-1/2) (literal "
                "reading: (V - A)^(-1/2)), A = sum_l U_l the number of values, xbar the mean of the inputs x_i",
                r"\lVert\cdot\rVert\le\lVert\bm\pi\rVert_2\lVert\bar{\bm x}\rVert_2\le\big(V-LU_L(1-e^{-1})\big)^{-1/2}",
            ),
        ),
        "rel.ov.norm": (
            growth.ov_norm,
            _fixed(
                ov_orders,
                "Theta((U L)^(-1/2)), always below 1; order in (U, L, m): "
                + ", ".join(f"{k}: {v}" for k, v in ov_orders.items())
                + ". Of the expected gradient; that of a single sequence lies between m/T and 1 and does not depend on U and L",
                r"\lVert\mathbb E\nabla\hat{\mathcal L}\rVert=\Theta\big((U_LL)^{-1/2}\big)<1",
            ),
        ),
        "rel2.norm": (
            growth.relation_norm,
            _fixed(
                kq_orders,
                f"Theta(m^{kq_orders['m']}), of the expected gradient: the factor 1/T is lost in the printed order; {remarks.sep_share()}",
                r"\Theta(m)",
            ),
        ),
        "rel2.neglect": (
            second_step.relation_difference,
            _fixed(
                {
                    "factor": math.sqrt(2),
                    "middle": lambda p: math.sqrt(2) * E.relation_parts(p),
                    "words": "sqrt 2 max((m-1) U, L U^2/M_ft)",
                    "last": E.relation_chain,
                    "much smaller than m^2": False,
                    "range of Lemma C.2": True,
                },
                "for the printed W_OV^rel (not that of the exact hat step, rel.ov.update) and alpha_2 <= 1/(lambda_1 + m lambda_2), the range of Lemma C.2: sqrt 2 max |r - r_hat| / alpha_2 <= max pi sqrt 2 max((m-1) U, "
                "L U^2/M_ft) <= (e/M) sqrt 2 max((m-1) U, L U^2/M_ft); beyond that range pi gathers on the type's values and the bound fails. As "
                "printed, 2 sqrt 2 (m-1) is not below (m-1)^2 for small m, and m L U <= (2m-1) M_ft is needed for the last "
                "inequality; << m^2 holds as M/U grows, and with << read as a factor 4 from M >= 4 e U on (at the paper's sizes it is 0.34 m^2)",
                r"\sqrt2\,\frac eM\max\Big((m-1)U_L,\ L\frac{U_L^2}{M_{\text{ft}}}\Big),\quad\alpha_2\le(\lambda_1+m\lambda_2)^{-1}",
            ),
        ),
        "lemC1.logit": (
            sequencewise.first_logits,
            _fixed(
                {"logit": E.first_logit, "Z": E.first_normaliser},
                "k_j must count the subjects of the sequence that have the VALUE a_j^l (not subject j): logit -(1 - k_u/m), k_u how many "
                "of the m subjects have the value u, Z = sum over the values, each once (literal reading: -(N_u - k_u/m), N_u of all M subjects)",
                r"\bm h(u)^\top f=-\Big(1-\frac{k_u}m\Big),\quad Z=e^{-1}\sum_{u\in\mathcal U}e^{k_u/m}+(V-LU_L)",
            ),
        ),
        "lemC1": (
            B.lemma_c1,
            lambda court: Derived(
                lambda p, C: E.first_probability(p, court.reading),
                "the largest of V probabilities is at least 1/V, and the printed bound is below 1/V for every C > e; true is "
                "pi_v <= 1/(V - L U (1 - 1/e)) (literal reading: 1/(V - L U))",
                r"\frac1V\le\max_v\pi_v\le\frac1{V-LU_L(1-e^{-1})}",
            ),
        ),
        "lemC2.logit": (
            sequencewise.second_logits,
            _fixed(
                E.second_logit,
                "c counts the subjects of the sequence that have the value, and -1 applies to values that are not the query's own",
                r"\bm h(u)^\top f=\alpha_2(\lambda_1\mathds 1[u\in\mathcal U_{\ell_\star}]+\lambda_2c_u)-\mathds 1[u\notin\mathcal A_{j_q}]",
            ),
        ),
        "lemC2.middle": (
            B.lemma_c2_middle,
            lambda court: Derived(
                lambda p: E.second_probability(p, court.reading)[0],
                "pi_v <= exp(alpha_2 (lambda_1 + m lambda_2)) / (V - L U (1 - 1/e)) (literal reading: max(1, exp(alpha_2 (lambda_1 + m lambda_2) - "
                "(N_min - 1))) / (V - L U), N_min the least number of subjects that share a value, M/U if all are equal): the printed denominator counts lambda_2 for every value, also for those that no subject of the "
                "sequence has",
                r"\pi_v\le\frac{\exp(\alpha_2(\lambda_1+m\lambda_2))}{V-LU_L(1-e^{-1})}",
            ),
        ),
        "lemC2": (
            B.lemma_c2,
            lambda court: Derived(
                lambda p: math.e / p["M"],
                "the final bound pi_v <= e/M holds in both readings. The link before it, pi_v <= e/(V + L U (1/e - 1)), holds in the set reading: the "
                "numerator is at most e, every logit at least -1. In the literal reading values lie N_u - 1 lower, N_u the number of subjects "
                f"that have them, and are lost to Z, and it fails ({B.lemma_c2_link()}); true is pi_v <= max(1, exp(2 - N_min)) / (V - L U) <= e/M, "
                "N_min the least N_u",
                r"\pi_v\le\frac eM",
            ),
        ),
        "window": (
            conventions.window,
            _fixed(
                conventions.uniform_window,
                "uniform over the last min(T, S+2) positions. Under its own premise T <= S+2 the printed 1/T is exact; the paper's own run, S=10 and "
                "N_ft=5 (T=17), breaks the premise: 1/12 on the last 12 positions and 0 before. There the balanced conclusion (hat, set) holds for no "
                "M_ft <= M = 256",
                r"\alpha_i^{\text{rel}}=\frac{\mathds 1[i>\mathrm T-w]}{w},\ w=\min(\mathrm T,S+2)",
            ),
        ),
    }


def entries() -> dict[str, Entry]:
    """Every claim that can be tried here, in the order of the paper's argument. A transcribed claim without a check is an error."""
    parts = (docket_constructions, docket_conclusion, figures)
    checks = {**_coefficient_entries(), **_other_entries()}
    for part in parts:
        checks |= part.entries()
    claims = paper_claims()
    missing = set(claims) ^ set(checks)
    if missing:
        raise LookupError(f"claims without a check, or checks without a claim: {sorted(missing)}")
    return {name: Entry(claim, *checks[name]) for name, claim in claims.items()}


def theorem_entries() -> dict[str, Entry]:
    """The claims of Theorem 1/2, its lemmas and its proof: what the main job tries."""
    others = {*docket_constructions.entries(), *figures.entries()}
    return {name: entry for name, entry in entries().items() if name not in others}


def tried(entry: Entry, court: Court, mutants: bool = True) -> Outcome:
    """The trial of one claim."""
    begun = time.perf_counter()
    derived = entry.derive(court)
    of_printed = entry.check(entry.claim.printed, court)
    of_derived = entry.check(derived.statement, court)
    found = verdict(entry.claim.kind, of_printed, of_derived, bool(entry.claim.regime))
    accepted = derived.statement
    results: list[tuple[Mutation, Finding]] = []
    if mutants:
        results = [(mutation, entry.check(mutation.apply(accepted), court)) for mutation in entry.claim.mutations]
    return Outcome(entry, of_printed, of_derived, derived, found, tuple(results), time.perf_counter() - begun)
