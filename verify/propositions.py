"""What Propositions 1-4 and Lemmas C.1, C.2 come to at a setting of the user's: decided by the derivation over all sequences.

The numeric witness counts beside it where it can: Prop. 2 by count patterns at any size, PT populations where they can be
enumerated, the lemmas on the extremal sequences through the literal network.
"""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import torch

from numerics.conclusion import decide
from numerics.constructions import heads as built
from numerics.models.attention_only import prop1 as initial_network
from numerics.population.probabilities import largest_probabilities
from numerics.pretraining.enumerate import population_size
from numerics.world import World
from paper_checks.contextual_recall import lemmas
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from theory.constructions import (
    Situation,
    Threshold,
    icl_parameters,
    icl_statement,
    icl_threshold,
    pretraining_statement,
    pretraining_threshold,
)
from theory.statements import bounds
from verify.entry import Point, Row
from verify.judges import constructions as judged
from verify.judges.construction_worlds import Pretraining
from verify.judges.sequencewise import second_step_model
from verify.position_rows import position_rows
from verify.setting import Setting, parameters
from verify.weights import initial_ov_subj, printed_weights
from verify.worlds import Case, frequencies

#: PT sequences that are enumerated beside the derivation, ICL thresholds by an O(M^2 L) comparison of subjects.
ENUMERATE = 20_000
COMPARE = 3_000
#: Sequences over which the lemmas' probabilities are computed beside the extremal ones: a second.
EVERY, EVERY_V = 2_000, 300


def _counts(world: World) -> list[list[int]]:
    return [[int(n) for n in np.bincount(world.value_index[:, l])] for l in range(world.L)]


NONE = "no such sequence"


def _beta(threshold: Threshold) -> str:
    if threshold.beta is None:
        return "no beta suffices"
    if threshold.always:
        return "every beta"
    return f"beta > {threshold.beta:.6g} (e^beta > {math.exp(threshold.beta):.6g})"


def _rival(threshold: Threshold) -> str:
    return f"binding rival: {threshold.binding}" if threshold.binding else "no rival at any beta > 0"


def _pretraining(proposition: int):
    heads = 2 if proposition == 1 else 3

    def here(setting: Setting, world: World, N_tr: int) -> list[Row]:
        S = setting.grammar_length
        p = {"S": S, "N_tr": N_tr, "N_max": int(world.value_counts.max())}
        right = pretraining_statement(Situation.SEP, heads, setting.reading).holds(p)
        size = population_size(world, S, N_tr)
        measured, agrees, how = None, True, f"by cases over all {size:.6g} PT sequences"
        if size <= ENUMERATE:
            case = Pretraining("here", world, S, N_tr)
            made = (built.prop1 if proposition == 1 else built.prop3)(world, S, N_tr, setting.reading)
            found = judged.outcomes(judged.pt_sights(case, made, made.T, setting.reading))
            measured = f"{found.right} of {found.total} right, {found.ties} ties"
            measured += f"; {found.failing}" if found.failing else ""
            agrees = (found.right == found.total) == right
            how += "; and every one of them through the construction"
        rows = [
            Row("right at t = T on every sequence, beta -> inf", "yes", "yes" if right else "no", measured, how, agrees)
        ]
        threshold = pretraining_threshold(proposition, S, world.L, N_tr, _counts(world), setting.reading)
        rows.append(
            Row(
                '"sufficiently large beta", t = T',
                "not said",
                _beta(threshold),
                None,
                _rival(threshold),
            )
        )
        if proposition == 3:
            rows += position_rows(world, S, N_tr, setting.reading, size)
        return rows

    return here


def _in_context(proposition: int):
    def here(setting: Setting, world: World, N_tr: int) -> list[Row]:
        facts, rows = frequencies(world), []
        weights = None
        if proposition == 2 and world.V <= 3000:
            made = built.prop2(world, setting.N_ft, setting.reading)
            sep = world.sep_token
            weights = SimpleNamespace(
                kq_subj=made.heads["subj"].kq[:, sep],
                kq_rel=made.heads["rel"].kq[:, sep],
                ov_subj=made.heads["subj"].ov[: world.V, : world.V],
                ov_rel=made.heads["rel"].ov[: world.V, : world.V],
            )
        for queries in ("seen", "heldout"):
            empty = queries == "heldout" and not len(world.heldout)
            for contexts in ("finetune", "all"):
                name = f"right on every sequence: {queries} queries, contexts from {contexts}"
                if empty:
                    rows.append(Row(name, "yes", NONE, NONE if weights else None, "M_ft = M: vacuous here"))
                    continue
                p = icl_parameters(facts, setting.m, queries)
                right = icl_statement(proposition, setting.reading, contexts).holds(p)
                measured, agrees, how = None, True, "by cases over all sequences"
                if weights is not None:
                    d = decide(world, setting.N_ft, weights, queries, contexts)
                    measured = f"{d.right} of {d.total} right, {d.ties} ties"
                    agrees = d.holds == right
                    how += "; counted by count patterns"
                rows.append(Row(name, "yes", "yes" if right else "no", measured, how, agrees))
            if world.M > COMPARE:
                continue
            name = f'"sufficiently large beta", {queries} queries, contexts from finetune'
            if empty:
                rows.append(Row(name, "not said", NONE, None, "M_ft = M: vacuous here"))
                continue
            threshold = icl_threshold(proposition, facts, setting.m, queries, "finetune", setting.reading)
            rows.append(Row(name, "not said", _beta(threshold), None, _rival(threshold)))
        return rows

    return here


def _case(setting: Setting, world: World) -> Case:
    return Case("here", world, setting.N_ft, setting.window, setting.eta_ov, setting.reading)


def _extremal(world: World, setting: Setting) -> dict[str, np.ndarray]:
    """Token rows (1, T) of two sequences: one subject m times, and m different subjects (as far as there are).

    Their query and type are a finetuning subject and a type of whose value it has the fewest others: in the literal reading
    the one that is lowered least; the first of each where all are alike.
    """
    F, chosen = world.finetune_array, {}
    shared = world.value_counts[world.attribute_token[F] - world.M]
    ell = int(shared.min(axis=0).argmin())
    rarest = int(shared[:, ell].argmin())
    # The query stands last.
    spread = [int(F[(rarest + 1 - setting.m + i) % len(F)]) for i in range(setting.m)]
    for name, subjects in (("one subject m times", [int(F[rarest])] * setting.m), ("m subjects", spread)):
        tokens = []
        for k, s in enumerate(subjects):
            tokens += [s, world.sep_token] + ([int(world.attribute_token[s, ell])] if k < setting.m - 1 else [])
        chosen[name] = np.array([tokens])
    return chosen


def _over_all(world: World, setting: Setting, ov_rel: np.ndarray, query_only: bool) -> float | None:
    """max pi over every sequence, an upper bound within rounding; None where there are too many of them, or the window cuts them."""
    if setting.population > EVERY or world.V > EVERY_V or setting.window is not None:
        return None
    weights = initial_ov_subj(world, setting.reading)
    found = largest_probabilities(world, setting.N_ft, weights, ov_rel, query_only)
    try:
        return max(float(one.probability.upper()) for one in found)
    except OverflowError:
        # Hundreds of demonstrations: the common denominator of the logits is beyond 62 bits.
        return None


def _lemma_c1(setting: Setting, world: World, N_tr: int) -> list[Row]:
    p = parameters(world, setting.N_ft, setting.grammar_length)
    # The bound falls with C, so the largest C that M >= C U allows is the strongest one; the lemma wants C > e as well.
    C = p["M"] / p["U"]
    met = math.e < C
    printed = lemmas.lemma_c1_bound(p, C) if met else math.nan
    derived = bounds.first_probability(p, setting.reading)
    unmet = f"hypotheses not met: C > e and M >= C U need M/U > e, here {C:.6g}"
    rows = [
        Row(
            "bound of max pi",
            f"{printed:.9g} (C = M/U = {C:.6g})" if met else unmet,
            f"{derived:.9g}",
            f"at least 1/V = {1 / p['V']:.9g}",
            "the printed bound must not be below 1/V" if met else "nothing is printed for this setting",
        )
    ]
    model = initial_network(world, setting.N_ft, setting.window, setting.reading)
    for name, tokens in _extremal(world, setting).items():
        with torch.no_grad():
            measured = float(torch.softmax(model(torch.as_tensor(tokens)), -1).max())
        rows.append(
            Row(
                f"max pi on {name}",
                f"<= {printed:.9g}: {'yes' if measured <= printed else 'NO'}" if met else "hypotheses not met",
                f"<= {derived:.9g}",
                f"{measured:.9g}",
                "literal network, float64",
                measured <= derived * (1 + 1e-9),
            )
        )
    found = _over_all(world, setting, np.zeros((world.V, world.V), dtype=object), False)
    if found is not None:
        said = f"<= {printed:.9g}: {'yes' if found <= printed else 'NO'}" if met else "hypotheses not met"
        rows.append(_every(setting, found, said, derived))
    return rows


def _every(setting: Setting, found: float, said: str, derived: float) -> Row:
    return Row(
        f"max pi over all {setting.population} sequences",
        said,
        f"<= {derived:.9g}",
        f"{found:.9g}",
        "exact logits, Arb",
        found <= derived * (1 + 1e-9),
    )


def _lemma_c2(setting: Setting, world: World, N_tr: int) -> list[Row]:
    p = parameters(world, setting.N_ft, setting.grammar_length)
    p["alpha_2"] = alpha_2_limit({**p, "T": Fraction(p["T"]), "M_ft": Fraction(p["M_ft"])})
    printed = (lemmas.lemma_c2_middle(p), *lemmas.lemma_c2_bounds(p))
    exact, most = bounds.second_probability(p, setting.reading)
    # Relation head over a part of the sequence: neither the lemma nor the derived bound, both with 1/T, is about that.
    met = setting.window is None
    unmet = f"hypotheses not met: T = {setting.T} <= S + 2 = {setting.grammar_length + 2}"

    def said(measured: float) -> str:
        return ", ".join(f"<= {b:.6g}: {'yes' if measured <= b else 'NO'}" for b in printed) if met else unmet

    rows = [
        Row(
            "bound of max pi at the largest alpha_2",
            f"{printed[0]:.9g}, {printed[1]:.9g}, e/M = {printed[2]:.9g}" if met else unmet,
            f"{exact:.9g}, {most:.9g}" if met else None,
            None,
            "middle and final bounds" if met else "nothing is said of a window that cuts sequences",
        )
    ]
    case = _case(setting, world)
    model = second_step_model(case, p["alpha_2"])
    for name, tokens in _extremal(world, setting).items():
        with torch.no_grad():
            measured = float(torch.softmax(model(torch.as_tensor(tokens)), -1).max())
        rows.append(
            Row(
                f"max pi on {name}",
                said(measured),
                f"<= {exact:.9g}" if met else None,
                f"{measured:.9g}",
                "literal network, float64",
                not met or measured <= exact * (1 + 1e-9),
            )
        )
    weights = printed_weights(world, case.m, 1, p["alpha_2"], 0, reading=setting.reading)
    found = _over_all(world, setting, weights.ov_rel, True)
    return rows if found is None else [*rows, _every(setting, found, said(found), exact)]


def points() -> dict[str, Point]:
    """Every entry point by name."""
    made = (
        Point(
            "prop1",
            "Proposition 1: last-token prediction on PT sequences",
            ("prop1.f_subj", "prop1.logits", "prop1.last", "beta.prop1"),
            _pretraining(1),
            True,
        ),
        Point(
            "prop2",
            "Proposition 2: last-token prediction on ICL sequences",
            ("prop2.last", "prop4.coverage", "prop2_vs_4.rel", "beta.prop2"),
            _in_context(2),
        ),
        Point(
            "prop3",
            "Proposition 3: the three-head model at every position",
            (
                "prop3.t=T",
                "prop3.f_grm.T",
                "prop3.t=T-1",
                "prop3.t=T-S-1",
                "prop3.t=T-S-2",
                "prop3.window",
                "prop3.t<T.rel_subj",
                "prop3.earlier",
                "prop3.always",
                "beta.3head",
            ),
            _pretraining(3),
            True,
        ),
        Point(
            "prop4",
            "Proposition 4: the three-head model on ICL sequences",
            ("prop4.last", "prop4.f", "prop4.coverage", "prop2_vs_4.rel", "beta.3head"),
            _in_context(4),
        ),
        Point(
            "lemma_c1",
            "Lemma C.1: prediction probabilities at the first step",
            ("lemC1", "lemC1.logit"),
            _lemma_c1,
            dense=True,
        ),
        Point(
            "lemma_c2",
            "Lemma C.2: prediction probabilities at the second step",
            ("lemC2.logit", "lemC2.middle", "lemC2"),
            _lemma_c2,
            dense=True,
        ),
    )
    return {point.name: point for point in made}
