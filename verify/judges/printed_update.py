"""Checks of the weights that Eq. (6)-(7) print: right at beta = inf, and beyond which finite beta."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import torch

from numerics.conclusion import Weights
from numerics.models.attention_only import AttentionOnly
from numerics.population.enumerate import sequences
from numerics.world import World
from paper_checks.contextual_recall.conclusions import PrintedUpdate
from theory.constructions import ClassWeights, Scores, icl_contrast
from verify.court import Court
from verify.evidence import Finding, Route, finding
from verify.judges.compare import fact
from verify.judges.decided import both, counterexample_of, says
from verify.weights import printed_weights
from verify.worlds import Case, frequencies


def last_step(statement: PrintedUpdate, court: Court) -> Finding:
    """Eq. (6)-(7) as printed, alpha_1 = alpha_3 = 1, at worlds that meet the hypotheses; every sequence, seen and held-out."""
    evidence, failing = [], {}
    for case in court.theorem_bench:
        weights = printed_weights(
            case.world, case.m, 1, statement.alpha_2(case.p), 1, case.reading, mutation=statement.mutation
        )
        decided = both(case.world, case.n_demos, weights)
        evidence.append(says(case, True, decided, exact=True))
        failing[case.name] = decided.failing
    return finding(evidence, counterexample=counterexample_of(evidence, failing))


def network(world: World, n_demos: int, weights: Weights, beta: float) -> AttentionOnly:
    """The literal network with given [sep] columns."""
    T = 3 * (n_demos + 1) - 1
    d = world.V + T
    kq = {head: torch.zeros((d, d), dtype=torch.float64) for head in ("subj", "rel")}
    for head, column in (("subj", weights.kq_subj), ("rel", weights.kq_rel)):
        kq[head][:, world.sep_token] = torch.as_tensor(column.astype(float))
    ov = {"subj": torch.as_tensor(weights.ov_subj.astype(float)), "rel": torch.as_tensor(weights.ov_rel.astype(float))}
    return AttentionOnly(world.V, T, kq, ov, beta)


def counts(
    model: AttentionOnly, world: World, n_demos: int, query: str, kinds: set[int] | None = None
) -> tuple[int, int, int]:
    """(sequences on which the target is strictly first, on which it ties for that, sequences), by a plain forward pass over all.

    A tie is one of the logits as they are computed.
    """
    right = ties = total = 0
    for block in sequences(world, n_demos, query=query):
        keep = np.ones(len(block.types), dtype=bool) if kinds is None else np.isin(block.types, list(kinds))
        if not keep.any():
            continue
        with torch.no_grad():
            logits = model(torch.as_tensor(block.tokens[keep]))
        targets = torch.as_tensor(block.targets[keep])[:, None]
        own = logits.gather(1, targets)
        others = logits.scatter(1, targets, -torch.inf).amax(1, keepdim=True)
        right += int((own > others).sum())
        ties += int((own == others).sum())
        total += int(keep.sum())
    return right, ties, total


def errors(
    model: AttentionOnly, world: World, n_demos: int, query: str, kinds: set[int] | None = None
) -> tuple[int, int]:
    """(sequences on which the target is not strictly first, sequences)."""
    right, _, total = counts(model, world, n_demos, query, kinds)
    return total - right, total


#: Beyond this the softmax of the bench's smallest gap is 1 to double precision, so no larger beta can help.
LARGEST_BETA = 2.0**20


SMALLEST_BETA = 2.0**-6


def printed_threshold(case: Case, alpha_2: Fraction, queries: str) -> float | None:
    """The derivation's sharp beta for Eq. (6)-(7) with alpha_1 = alpha_3 = 1 ("set"), contexts from the finetuning subjects.

    The printed scores depend on the class of a position only; the relation head maps an attribute to alpha_2 (m-1) on its
    type's values and a finetuning subject to alpha_2 U^2/M_ft on its own values, a held-out query to nothing.
    """
    p, m, T = case.p, case.m, Fraction(case.T)
    attribute = Fraction(2, 3 * p["L"] * p["U"]) + Fraction(1, m - 1) - 1 / T
    subject = -1 / T - Fraction(1, 3 * p["M"])
    own = alpha_2 * Fraction(p["U"] ** 2, p["M_ft"])
    weights = ClassWeights(
        m,
        subject=Scores(query=2, context=1, attribute=0, sep=0),
        relation=Scores(query=subject, context=subject, attribute=attribute, sep=-1 / T),
        kappa_attribute=alpha_2 * (m - 1),
        kappa_context=own,
        kappa_query=own if queries == "seen" else Fraction(0),
    )
    return weights.threshold(*icl_contrast(frequencies(case.world), queries, "finetune")).beta


def finite_beta(statement: PrintedUpdate, court: Court) -> Finding:
    """Is there a finite beta beyond which every sequence is right? And, in the set reading, is it the derived one, to 1e-6?"""
    evidence = []
    for case in court.theorem_bench[:3]:
        alpha_2 = statement.alpha_2(case.p)
        for queries, pool in (("seen", "finetune"), ("heldout", "heldout")):
            found = _smallest_beta(case, alpha_2, statement.mutation, pool)
            label = f"{case.name}, {queries} queries"
            measured = (
                "wrong in the limit beta -> inf" if found is None else f"every sequence right beyond beta = {found:.9g}"
            )
            why = "forward pass of the literal network over every sequence, bisection"
            evidence.append(
                fact(Route.ENUMERATED, label, "finite beta that suffices", measured, "exists", found is not None, why)
            )
            if court.reading == "set" and found is not None:
                derived = printed_threshold(case, alpha_2, queries)
                agrees = derived is not None and abs(derived - found) <= 1e-6 * max(1.0, found)
                how = "bisection against the derived root, 1e-6"
                evidence.append(
                    fact(Route.ENUMERATED, label, "the sharp beta", f"{found:.9g}", f"{derived:.9g}", agrees, how)
                )
    return finding(evidence, counterexample=next((f"{e.setting}: {e.measured}" for e in evidence if not e.agrees), ""))


@cache
def _smallest_beta(case: Case, alpha_2: Fraction, mutation: str, pool: str) -> float | None:
    """The infimum of the beta beyond which every sequence of a pool is right, by doubling and bisection; None if there is none."""
    weights = printed_weights(case.world, case.m, 1, alpha_2, 1, case.reading, mutation=mutation)

    def wrong(beta: float) -> int:
        return errors(network(case.world, case.n_demos, weights, beta), case.world, case.n_demos, pool)[0]

    if wrong(math.inf):
        return None
    high = SMALLEST_BETA
    while wrong(high) or wrong(1.5 * high) or wrong(2 * high):
        high *= 2
        if high > LARGEST_BETA:
            return None
    low = 0.0 if high == SMALLEST_BETA else high / 2
    while high - low > 1e-8 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (low, middle) if wrong(middle) == 0 else (middle, high)
    return high
