"""Checks of formulas that hold sequence by sequence: every sequence of small worlds through the literal network."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

import numpy as np
import torch

from numerics.models.attention_only import AttentionOnly, prop1
from numerics.population.enumerate import sequences
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import arrays, fact
from verify.observe import Observation, observe
from verify.weights import printed_weights
from verify.worlds import Case

BETAS = (math.inf, 1.5)
MOST = 48


@cache
def _observed(case: Case, beta: float) -> tuple[Observation, ...]:
    model = prop1(case.world, case.n_demos, case.window, case.reading, beta)
    return tuple(observe(model, case.world, case.n_demos, MOST))


def _some(court: Court) -> list[Case]:
    """A case that meets every hypothesis of Theorem 2, a balanced one with two demonstrations, and an unbalanced one."""
    unbalanced = next(case for case in court.bench if not case.balanced and case.window is None and case.m == 3)
    return [court.theorem_bench[1], court.bench[1], unbalanced]


def _worst(evidence: Iterable[Evidence]) -> Evidence:
    """The least convincing piece of many alike: one that disagrees, or the largest discrepancy."""
    return max(evidence, key=lambda e: (not e.agrees, e.discrepancy))


def _per_sequence(court: Court, name: str, pair, betas=BETAS) -> Finding:
    """pair(observation, beta, case) -> (measured, said); the worst sequence of each case and beta is reported."""
    evidence = []
    for case in _some(court):
        for beta in betas:
            label = f"{case.name}, beta={beta:g}, {len(_observed(case, beta))} sequences"
            found = [
                arrays(Route.AUTOGRAD, f"{label}, worst: {_words(case, o)}", name, *pair(o, beta, case))
                for o in _observed(case, beta)
            ]
            evidence.append(_worst(found))
    return finding(evidence, counterexample=_first(evidence))


def _first(evidence: list[Evidence]) -> str:
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {e.quantity} is {e.measured}, the statement says {e.printed}"
    return ""


def _words(case: Case, o: Observation) -> str:
    return " ".join(case.world.token_name(int(t)) for t in o.tokens) + f" -> {case.world.token_name(o.target)}"


def gradient_f(statement, court: Court) -> Finding:
    f = _per_sequence(court, "dL/df", lambda o, beta, case: (o.grad_f, statement["f"](o.pi, o.y)))
    ov = _per_sequence(
        court, "dL/dW_OV^subj", lambda o, beta, case: (o.grad_ov["subj"], statement["ov"](o.pi - o.y, o.g["subj"]))
    )
    return finding([*f.evidence, *ov.evidence], f.counterexample or ov.counterexample)


def softmax_chain(statement, court: Court) -> Finding:
    def pair(o: Observation, beta: float, case: Case):
        return o.grad_lambda["subj"], statement(o.alpha["subj"], o.r["subj"])

    return _per_sequence(court, "dL/dlambda^subj", pair)


def eq11(statement, court: Court) -> Finding:
    """At two finite beta, where a factor beta shows; the gradient is the one with respect to W_KQ itself."""

    def pair(o: Observation, beta: float, case: Case):
        return o.grad_kq["subj"], statement(beta, o.alpha["subj"], o.r["subj"], o.keys)

    return _per_sequence(court, "dL/dW_KQ^subj h(sep)", pair, betas=(1.5, 3.0))


def _match(o: Observation, case: Case) -> list[int]:
    return [int(case.world.attribute_token[s, o.kind] == o.target) for s in o.subjects]


def _position_index(case: Case, relative: int) -> int | None:
    """Index of a relative position in the positional half, None if it lies outside the sequence."""
    return -relative if 0 <= -relative < case.T else None


@cache
def _hat_columns(case: Case) -> tuple[np.ndarray, ...]:
    """[sep] column of the hat gradient of W_KQ^subj of each observed sequence, by autograd of -h(y)^T f."""
    model = prop1(case.world, case.n_demos, case.window, case.reading)
    columns = []
    for o in _observed(case, math.inf):
        model.zero_grad()
        (-model(torch.as_tensor(o.tokens[None]))[0, o.target]).backward()
        gradient = model.kq["subj"].grad
        assert gradient is not None
        columns.append(gradient.numpy()[:, case.world.sep_token].copy())
    return tuple(columns)


def eq12(statement, court: Court) -> Finding:
    """The hat gradient of single sequences against the coefficients of Eq. (12)."""
    evidence = []
    name = "hat gradient of W_KQ^subj"
    for case in _some(court):
        found = []
        for o, measured in zip(_observed(case, math.inf), _hat_columns(case), strict=True):
            label = f"{case.name}, worst: {_words(case, o)}"
            tokens, positions = statement(_match(o, case), case.m)
            said = np.zeros_like(measured)
            outside = 0.0
            for k, subject in enumerate(o.subjects):
                said[subject] += tokens[k]
            for relative, value in positions.items():
                index = _position_index(case, relative)
                if index is None:
                    outside += abs(value)
                else:
                    said[case.world.V + index] += value
            if outside:
                found.append(
                    fact(Route.AUTOGRAD, label, name, "no such position", f"{outside} outside", False, "outside")
                )
            else:
                found.append(arrays(Route.AUTOGRAD, label, name, measured, said))
        evidence.append(_worst(found))
    return finding(evidence, counterexample=_first(evidence))


def _weights(case: Case) -> np.ndarray:
    """(V,) how often a value is suppressed by a foreign subject: 1 (set) or N_u (literal); 0 off the attributes."""
    w = np.zeros(case.world.V)
    w[case.world.M : case.world.M + case.world.n_attributes] = 1 if case.reading == "set" else case.world.value_counts
    return w


def subject_rhat(statement, court: Court) -> Finding:
    """The softmax term, r-hat, and the printed bound of |r - r-hat|, subject by subject."""
    evidence = []
    # With U = 2 a subject has one value of each pair, and the missing constant looks like a sign: a world with U = 4 first.
    for case in (court.theorem_bench[2], *_some(court)):
        w = _weights(case)
        term, rhat, bound = [], [], []
        for o in _observed(case, math.inf):
            label = f"{case.name}: {_words(case, o)}"
            ov = -(w[:, None] - _own(case))
            for k, s in enumerate(o.subjects):
                own = float(o.pi[case.world.attribute_token[s]].sum())
                said = statement["softmax"](own, float(w @ o.pi))
                term.append(arrays(Route.AUTOGRAD, label, "sum_v pi_v h(v)^T W_OV h(s)", [o.pi @ ov[:, s]], [said]))
                said_rhat = statement["rhat"](_match(o, case)[k], float(w[o.target]))
                rhat.append(arrays(Route.AUTOGRAD, label, "-h(y)^T W_OV h(s)", [-ov[o.target, s]], [said_rhat]))
                at = 3 * k
                gap = abs(o.r["subj"][at] - -ov[o.target, s])
                limit = statement["bound"](case.p, max(case.p["M"] / case.p["U"], math.e))
                bound.append(
                    Evidence(
                        Route.AUTOGRAD,
                        label,
                        "|r - r-hat| <= bound",
                        f"{gap:.6g}",
                        f"{limit:.6g}",
                        max(gap - limit, 0.0),
                        1e-12,
                        "an inequality, up to rounding",
                        gap <= limit + 1e-12,
                    )
                )
        evidence += [_worst(term), _worst(rhat), _worst(bound)]
    wrong = [e for e in evidence if not e.agrees]
    same = [e for e in wrong if e.setting.split(":")[0] == wrong[0].setting.split(":")[0]]
    texts = (f"{e.setting}: {e.quantity} is {e.measured}, the statement says {e.printed}" for e in same)
    return finding(evidence, counterexample="; ".join(texts))


def _own(case: Case) -> np.ndarray:
    """(V, M) 1 where the value is the subject's own."""
    own = np.zeros((case.world.V, case.world.M))
    for j in range(case.world.M):
        own[case.world.attribute_token[j], j] = 1.0
    return own


def first_logits(statement, court: Court) -> Finding:
    """Lemma C.1's logit of every attribute of every subject, and its Z, on every sequence."""
    evidence = []
    for case in _some(court):
        w = _weights(case)
        logits, normalisers = [], []
        for o in _observed(case, math.inf):
            label = f"{case.name}: {_words(case, o)}"
            k_subject = np.bincount(o.subjects, minlength=case.world.M)
            k_value = _value_counts(case, o)
            attribute = case.world.attribute_token
            said = [
                statement["logit"](int(k_subject[j]), int(k_value[u]), case.m, int(w[u]))
                for j in range(case.world.M)
                for u in attribute[j]
            ]
            logits.append(arrays(Route.AUTOGRAD, label, "logit of a_j^l", o.logits[attribute.ravel()], said))
            values = slice(case.world.M, case.world.M + case.world.n_attributes)
            Z = statement["Z"]([int(k) for k in k_subject], [int(k) for k in k_value[values]], case.p, list(w[values]))
            normalisers.append(arrays(Route.AUTOGRAD, label, "Z", [np.exp(o.logits).sum()], [Z]))
        evidence += [_worst(logits), _worst(normalisers)]
    return finding(evidence, counterexample=_first(evidence))


def _value_counts(case: Case, o: Observation) -> np.ndarray:
    """(V,) how many of the m subjects have the value."""
    return np.bincount(case.world.attribute_token[list(o.subjects)].ravel(), minlength=case.world.V)


def second_logits(statement, court: Court) -> Finding:
    """Lemma C.2's logit, with the weights that the lemma prints, on every sequence of balanced worlds."""
    evidence = []
    for case in court.theorem_bench[:2]:
        p = {**case.p, "alpha_2": alpha_2_limit(case.p)}
        w, attribute = _weights(case), case.world.attribute_token
        model = second_step_model(case, p["alpha_2"])
        found = []
        for block in sequences(case.world, case.n_demos):
            with torch.no_grad():
                logits = model(torch.as_tensor(block.tokens)).numpy()
            for i in range(len(block.types)):
                subjects = block.subjects[i]
                c_subject = np.bincount(subjects, minlength=case.world.M)
                c_value = np.bincount(attribute[subjects].ravel(), minlength=case.world.V)
                query = int(subjects[-1])
                said = [
                    statement(
                        l == int(block.types[i]),
                        int(c_subject[j]),
                        int(c_value[attribute[j, l]]),
                        j == query,
                        attribute[j, l] == attribute[query, l],
                        p,
                        int(w[attribute[j, l]]),
                    )
                    for j in range(case.world.M)
                    for l in range(case.world.L)
                ]
                words = " ".join(case.world.token_name(int(t)) for t in block.tokens[i])
                found.append(
                    arrays(
                        Route.AUTOGRAD, f"{case.name}: {words}", "logit of a_j^l", logits[i][attribute.ravel()], said
                    )
                )
        evidence.append(_worst(found))
    return finding(evidence, counterexample=_first(evidence))


def second_step_model(case: Case, alpha_2: float) -> AttentionOnly:
    """The network at the weights of Lemma C.2: subject head on the query, relation head uniform over the window, W_OV^rel as printed."""
    world, T = case.world, case.T
    weights = printed_weights(world, case.m, alpha_1=1, alpha_2=alpha_2, alpha_3=0, reading=case.reading)
    d = world.V + T
    kq = {head: torch.zeros((d, d), dtype=torch.float64) for head in ("subj", "rel")}
    kq["subj"][:, world.sep_token] = torch.as_tensor(weights.kq_subj.astype(float))
    if case.window is not None:
        kq["rel"][world.V : world.V + case.window, world.sep_token] = 1
    return AttentionOnly(
        world.V,
        T,
        kq,
        {"subj": torch.as_tensor(weights.ov_subj.astype(float)), "rel": torch.as_tensor(weights.ov_rel.astype(float))},
    )
