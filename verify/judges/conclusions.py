"""Checks of what the theorem concludes: accuracy over all sequences, the hypotheses, the step sizes, the window, the readings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import torch

from numerics.conclusion import Weights, decide
from numerics.conclusion.decision import Decision
from numerics.models.attention_only import AttentionOnly, prop1
from numerics.models.population_gradient import backpropagate, population_gradients
from numerics.population import finetuning_gradients
from numerics.population import hat_gradients as marginal_hat_gradients
from numerics.population.enumerate import sequences
from numerics.updates import updated_weights
from numerics.world import World
from paper_checks.contextual_recall.assumptions import THEOREM_2, alpha_2_limit
from paper_checks.contextual_recall.conclusions import PrintedUpdate
from theory.constructions import ClassWeights, Scores, icl_contrast
from theory.finetuning.conclusion import balanced_conclusion, sharp_M_ft
from verify.bench import Case, directions, frequencies, theorem_cases
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import arrays, fact
from verify.setting import parameters
from verify.weights import printed_weights

# --- deciding worlds ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """Both populations of one world after the actual hat steps."""

    seen: Decision
    heldout: Decision

    @property
    def holds(self) -> bool:
        """Right on every sequence of both populations; an empty population (M_ft = M) asks for nothing."""
        return all(d.vacuous or d.holds is True for d in (self.seen, self.heldout))

    @property
    def words(self) -> str:
        def one(d: Decision) -> str:
            return "none" if d.vacuous else f"{d.right}/{d.total} right, {d.ties} ties"

        return f"seen {one(self.seen)}; held-out {one(self.heldout)}"

    @property
    def failing(self) -> str:
        for name, d in (("seen", self.seen), ("held-out", self.heldout)):
            if d.counterexample is not None:
                return f"{name} query: {d.counterexample.sentence}"
        return ""


def both(world: World, n_demos: int, weights, tie_tolerance: float = 0) -> Decided:
    return Decided(
        decide(world, n_demos, weights, "seen", tie_tolerance=tie_tolerance),
        decide(world, n_demos, weights, "heldout", tie_tolerance=tie_tolerance),
    )


def after_hat_steps(world: World, n_demos: int, reading: str, window: int | None = None, eta=(1, 1, 1)) -> Decided:
    """The decision at the weights after the actual hat steps, exact rationals; eta = (kq_subj, ov, kq_rel)."""
    gradients = marginal_hat_gradients(world, n_demos, Fraction(eta[1]), window, reading)
    return both(world, n_demos, updated_weights(world, gradients, Fraction(eta[0]), Fraction(eta[2])))


@dataclass(frozen=True, eq=False)
class Boundary:
    """A balanced world next to the boundary of the sharp condition, and what was decided there."""

    name: str
    world: World
    n_demos: int
    p: dict
    decided: Decided


SHAPES = ((1, 2, 1), (2, 2, 1), (2, 3, 1), (3, 2, 1), (2, 4, 1), (2, 2, 2), (2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4, 4))


def ov_step(reading: str) -> int:
    """eta_OV^rel of the decisions: 1, or in the literal reading large enough for every bench world (it has a lower bound there).

    With T <= S + 2 the attention after the hat steps does not depend on it.
    """
    return 1 if reading == "set" else 10**6


@cache
def boundary(reading: str) -> tuple[Boundary, ...]:
    """For ten shapes (L, U, N_ft): the last multiple of U below the sharp M_ft, and the first one from it on."""
    found = []
    for L, U, n in SHAPES:
        sharp = sharp_M_ft(10**6 * U, L, U, n + 1)
        assert sharp is not None
        above = -(-sharp // U) * U
        for M_ft in sorted({max(above - U, U), above, above + U}):
            world = World.balanced(2 * M_ft, L, U, M_ft, n_grammar=1, seed=2)
            name = f"balanced M={2 * M_ft} L={L} U={U} M_ft={M_ft} N_ft={n}"
            step = ov_step(reading)
            p = parameters(world, n, eta_ov=step, reading=reading)
            found.append(Boundary(name, world, n, p, after_hat_steps(world, n, reading, eta=(1, step, 1))))
    return tuple(sorted(found, key=lambda b: b.p["L"] * b.p["M_ft"] ** b.p["m"]))


def _says(b: Boundary | Case, predicted: bool, decided: Decided, exact: bool) -> Evidence:
    """The statement's prediction against the decision; `exact` asks for both directions, else only "it suffices"."""
    agrees = decided.holds == predicted if exact else (decided.holds or not predicted)
    return fact(
        Route.ENUMERATED,
        b.name,
        "right on every sequence",
        f"{decided.holds} ({decided.words})",
        predicted,
        agrees,
        "decided over all sequences by count patterns, exact rationals",
    )


def _counterexample(evidence: list[Evidence], failing: dict[str, str]) -> str:
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {e.quantity}: {e.measured}, the statement says {e.printed}. {failing.get(e.setting, '')}".strip()
    return ""


def hypotheses(statement: Callable[[dict], bool], court: Court, exact: bool) -> Finding:
    """A condition on the setting against decisions on both sides of the boundary, and at worlds that meet Theorem 2's hypotheses."""
    evidence, failing = [], {}
    for b in (*_inside_hypotheses(court.reading), *boundary(court.reading)):
        evidence.append(_says(b, bool(statement(b.p)), b.decided, exact))
        failing[b.name] = b.decided.failing
    if not exact and court.reading == "set":
        # The theorem is about the actual loss: the same worlds after the true steps, softmax term kept.
        for b in (*_inside_hypotheses("set"), *boundary("set")[:8]):
            decided = _after_steps(b, "true", None, Fraction(1), Fraction(1), Fraction(1), "set")
            name = f"{b.name}, true steps"
            predicted = bool(statement(b.p))
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    name,
                    "right on every sequence",
                    f"{decided.holds} ({decided.words})",
                    predicted,
                    decided.holds or not predicted,
                    "float64 gradients over every sequence, decided over all sequences by count patterns",
                )
            )
            failing[name] = decided.failing
    evidence.sort(key=lambda e: e.agrees)
    return finding(evidence, counterexample=_counterexample(evidence, failing))


def sharp_condition(p: dict) -> bool:
    """What the derivation says, as a predicate of a balanced setting, at the reading and eta_OV^rel of the decision."""
    eta = None if p["reading"] == "set" else Fraction(p["eta_ov"])
    return balanced_conclusion(p["M"], p["L"], p["U"], p["M_ft"], p["m"], eta_ov=eta, reading=p["reading"]).holds


@cache
def _inside_hypotheses(reading: str) -> tuple[Boundary, ...]:
    """The smallest balanced settings that meet every hypothesis of Theorem 2: four that fail and four that hold.

    All (L, U, N_ft, M_ft = kU, M) with L <= 3, U <= 6, N_ft <= 2, k <= 12 and the least M that the hypotheses allow are
    ordered by their number of sequences, so the first failing one is the smallest counterexample in that range.
    """
    found = []
    for L, U, n, k in itertools.product(range(1, 4), range(1, 7), (1, 2), range(2, 13)):
        m, M_ft = n + 1, k * U
        M = max(M_ft + 1, 4 * m * L)
        M = -(-M // U) * U
        T = 3 * m - 1
        p: dict[str, Any] = {
            "M": M,
            "L": L,
            "U": U,
            "M_ft": M_ft,
            "m": m,
            "N_ft": n,
            "T": T,
            "S": T - 2,
            "all_values_seen": True,
            "balanced_all": True,
            "eta_ov": ov_step(reading),
            "reading": reading,
        }
        if all(a.holds(p) for a in THEOREM_2):
            found.append((L * M_ft**m + L * (M - M_ft) * M_ft**n, M, p))
    found.sort(key=lambda item: item[:2])
    chosen = [p for _, _, p in found if not sharp_condition(p)][:4] + [p for _, _, p in found if sharp_condition(p)][:4]
    made = []
    for p in chosen:
        world = World.balanced(p["M"], p["L"], p["U"], p["M_ft"], n_grammar=1, seed=2)
        name = f"balanced M={p['M']} L={p['L']} U={p['U']} M_ft={p['M_ft']} N_ft={p['N_ft']}"
        full = parameters(world, p["N_ft"], eta_ov=p["eta_ov"], reading=reading)
        made.append(
            Boundary(name, world, p["N_ft"], full, after_hat_steps(world, p["N_ft"], reading, eta=(1, p["eta_ov"], 1)))
        )
    return tuple(made)


# --- the printed weights -----------------------------------------------------------------------------------------------


def last_step(statement: PrintedUpdate, court: Court) -> Finding:
    """Eq. (6)-(7) as printed, alpha_1 = alpha_3 = 1, at worlds that meet the hypotheses; every sequence, seen and held-out."""
    evidence, failing = [], {}
    for case in court.theorem_bench:
        weights = printed_weights(
            case.world, case.m, 1, statement.alpha_2(case.p), 1, case.reading, mutation=statement.mutation
        )
        decided = both(case.world, case.n_demos, weights)
        evidence.append(_says(case, True, decided, exact=True))
        failing[case.name] = decided.failing
    return finding(evidence, counterexample=_counterexample(evidence, failing))


def network(world: World, n_demos: int, weights: Weights, beta: float) -> AttentionOnly:
    """The literal network with given [sep] columns."""
    T = 3 * (n_demos + 1) - 1
    d = world.V + T
    kq = {head: torch.zeros((d, d), dtype=torch.float64) for head in ("subj", "rel")}
    for head, column in (("subj", weights.kq_subj), ("rel", weights.kq_rel)):
        kq[head][:, world.sep_token] = torch.as_tensor(column.astype(float))
    ov = {"subj": torch.as_tensor(weights.ov_subj.astype(float)), "rel": torch.as_tensor(weights.ov_rel.astype(float))}
    return AttentionOnly(world.V, T, kq, ov, beta)


def errors(
    model: AttentionOnly, world: World, n_demos: int, query: str, kinds: set[int] | None = None
) -> tuple[int, int]:
    """(sequences on which the target is not strictly first, sequences), by a plain forward pass over all of them."""
    wrong = total = 0
    for block in sequences(world, n_demos, query=query):
        keep = np.ones(len(block.types), dtype=bool) if kinds is None else np.isin(block.types, list(kinds))
        if not keep.any():
            continue
        with torch.no_grad():
            logits = model(torch.as_tensor(block.tokens[keep]))
        targets = torch.as_tensor(block.targets[keep])[:, None]
        own = logits.gather(1, targets)
        others = logits.scatter(1, targets, -torch.inf).amax(1, keepdim=True)
        wrong += int((own <= others).sum())
        total += int(keep.sum())
    return wrong, total


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


# --- step sizes --------------------------------------------------------------------------------------------------------

STEPS = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1), Fraction(100), Fraction(10**6))


def step_sizes(statement: Callable[[dict], bool], court: Court) -> Finding:
    """Worlds inside the sharp condition; one step size at a time varied over twelve decades, the others 1.

    Hat steps at the full window and at windows that cut the sequence, exact rationals; true steps at the full window,
    float64 over every sequence. Where the statement allows the steps, every sequence must be right.
    """
    evidence, failing = [], {}
    for b in _step_worlds():
        for p in _step_settings(b, court.reading):
            decided = _after_steps(
                b, p["objective"], p["window"], p["eta_kq_subj"], p["eta_ov"], p["eta_kq_rel"], court.reading
            )
            eta = ", ".join(str(p[k]) for k in ("eta_kq_subj", "eta_ov", "eta_kq_rel"))
            label = f"{b.name}, S={p['S']}, {p['objective']} steps, eta=({eta})"
            allowed = bool(statement(p))
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    label,
                    "right on every sequence",
                    f"{decided.holds} ({decided.words})",
                    "allowed" if allowed else "not claimed",
                    decided.holds or not allowed,
                    "decided over all sequences by count patterns; hat exact, true float64",
                )
            )
            failing[label] = decided.failing
    evidence.sort(key=lambda e: e.agrees)
    return finding(evidence, counterexample=_counterexample(evidence, failing))


@cache
def _step_worlds() -> tuple[Boundary, ...]:
    """Two worlds that meet every hypothesis of Theorem 2 and lie inside the sharp condition."""
    made = []
    for case in theorem_cases("set"):
        if case.p["L"] > 1 and sharp_condition({**case.p, "reading": "set"}):
            made.append(
                Boundary(case.name, case.world, case.n_demos, case.p, after_hat_steps(case.world, case.n_demos, "set"))
            )
    return tuple(made[:2])


def _step_settings(b: Boundary, reading: str) -> list[dict]:
    T = b.p["T"]
    found = []
    for objective, windows in (("hat", (None, T - 1, T - 3)), ("true", (None,))):
        for window in windows:
            for which in ("eta_kq_subj", "eta_ov", "eta_kq_rel"):
                for step in STEPS:
                    steps = {"eta_kq_subj": Fraction(1), "eta_ov": Fraction(1), "eta_kq_rel": Fraction(1), which: step}
                    alpha_2 = float(steps["eta_ov"]) / (b.p["L"] * T * b.p["U"] ** 2)
                    found.append(
                        {
                            **b.p,
                            **steps,
                            "S": T - 2 if window is None else window - 2,
                            "window": window,
                            "reading": reading,
                            "objective": objective,
                            "alpha_2": alpha_2,
                        }
                    )
    return found


@cache
def _after_steps(
    b: Boundary, objective: str, window: int | None, subj: Fraction, ov: Fraction, rel: Fraction, reading: str
) -> Decided:
    if objective == "hat":
        return after_hat_steps(b.world, b.n_demos, reading, window, (subj, ov, rel))
    gradients = finetuning_gradients(b.world, b.n_demos, "true", float(ov), window, reading)
    # Exchangeable positions tie exactly; in float64 they may differ by roundings of 1e-16 times the largest score.
    weights = updated_weights(b.world, gradients, float(subj), float(rel))
    scale = max(float(np.abs(weights.kq_rel).max()), float(np.abs(weights.kq_subj).max()), 1.0)
    return both(b.world, b.n_demos, weights, tie_tolerance=1e-13 * scale)


def allowed_steps(p: dict) -> bool:
    """Hat steps: exactly what the derivation allows. True steps: those within Lemma C.2's own limit of alpha_2."""
    if p["objective"] == "true":
        return p["reading"] == "set" and p["alpha_2"] <= alpha_2_limit(p)
    return balanced_conclusion(
        p["M"],
        p["L"],
        p["U"],
        p["M_ft"],
        p["m"],
        window=p["window"],
        eta_kq_subj=p["eta_kq_subj"],
        eta_ov=p["eta_ov"],
        eta_kq_rel=p["eta_kq_rel"],
        reading=p["reading"],
    ).holds


# --- frequencies -------------------------------------------------------------------------------------------------------


def unbalanced(statement: str, court: Court) -> Finding:
    """The derivation at the frequencies that the statement names, against enumeration, on tables that are not balanced."""
    from theory.finetuning import hat_gradients

    evidence = []
    for case in [c for c in court.bench if not c.p["balanced_ft"]]:
        values = _frequencies(statement, case.world)
        derived = case.derived
        if values is not None:
            derived = hat_gradients(_unchecked(case, values), case.m, window=case.window, eta_ov=case.eta_ov)
        keys = directions(case.world, case.T)
        for which in ("kq_subj", "kq_rel"):
            said = [getattr(derived, which)(key) for key in keys]
            measured = getattr(case.enumerated, which).fractions.tolist()
            apart = [i for i in range(len(keys)) if said[i] != measured[i]]
            i = apart[0] if apart else 0
            evidence.append(
                fact(
                    Route.ENUMERATED,
                    case.name,
                    f"{which}, {len(apart)} of {len(keys)} coordinates apart, {keys[i]}",
                    measured[i],
                    said[i],
                    not apart,
                    "exact rationals over every sequence: equality",
                )
            )
    return finding(
        evidence,
        counterexample=next(
            (
                f"{e.setting}: {e.quantity} {e.measured}, the statement says {e.printed}"
                for e in evidence
                if not e.agrees
            ),
            "",
        ),
    )


def _frequencies(statement: str, world: World) -> tuple[tuple[Fraction, ...], ...] | None:
    """f_u by type as a statement would have it; None for the actual ones among the finetuning subjects."""
    if statement == "frequencies among the finetuning subjects":
        return None
    columns = []
    for l in range(world.L):
        tokens = world.attribute_range(l)
        everyone = [Fraction(int(world.value_counts[u - world.M]), world.M) for u in tokens]
        finetune = [Fraction(int(world.finetune_value_counts[u - world.M]), world.M_ft) for u in tokens]
        by_name = {
            "balanced formulas": [Fraction(1, len(tokens))] * len(tokens),
            "frequencies over all subjects": everyone,
            "frequencies squared": [f * f for f in finetune],
        }
        columns.append(tuple(by_name[statement]))
    return tuple(columns)


def _unchecked(case: Case, values):
    """Frequencies that a table does not have: what a wrong statement would feed the formulas."""
    actual = frequencies(case.world)
    wrong = object.__new__(type(actual))
    for name in ("subjects", "seen"):
        object.__setattr__(wrong, name, getattr(actual, name))
    object.__setattr__(wrong, "values", values)
    return wrong


def unique_world() -> tuple[World, int]:
    """Type 1 has one value per subject, type 2 two values; M_ft = 24 of M = 48, N_ft = 1: well inside the sharp condition for U = 2."""
    M = 48
    return World(np.stack([np.arange(M), np.arange(M) % 2], axis=1), range(M // 2), n_grammar=1), 1


@cache
def _unique_decided(reading: str) -> tuple[dict[tuple[str, int], tuple[int, int]], Decided]:
    """Errors by query pool and type (a plain forward pass over every sequence), and the decision by count patterns."""
    world, n = unique_world()
    weights = updated_weights(
        world, marginal_hat_gradients(world, n, Fraction(1), None, reading), Fraction(1), Fraction(1)
    )
    model = network(world, n, weights, math.inf)
    wrong = {
        (query, kind): errors(model, world, n, query, {kind}) for query in ("finetune", "heldout") for kind in range(2)
    }
    return wrong, both(world, n, weights)


def unique_attributes(statement: str, court: Court) -> Finding:
    """Accuracy by type after the actual hat steps, by a plain forward pass over every sequence."""
    wrong, decided = _unique_decided(court.reading)
    held, seen = [wrong["heldout", k] for k in range(2)], [wrong["finetune", k] for k in range(2)]
    facts = {
        "held-out queries right": (all(w == 0 for w, _ in held), "every held-out sequence right"),
        "type-1 held-out queries right": (held[0][0] == 0, "every held-out sequence of type 1 right"),
        "no type-1 held-out query right": (held[0][0] == held[0][1], "every held-out sequence of type 1 wrong or tied"),
        "seen queries wrong too": (all(w > 0 for w, _ in seen), "some seen sequences of each type wrong"),
    }
    holds, meaning = facts[statement]
    measured = ", ".join(f"{q} type {k + 1}: {t - w}/{t} right" for (q, k), (w, t) in wrong.items())
    evidence = [
        fact(
            Route.ENUMERATED,
            "M=48, M_ft=24, L=2, U=(48, 2), N_ft=1",
            statement,
            measured,
            meaning,
            holds,
            "forward pass of the literal network over every sequence",
        )
    ]
    total = sum(w for w, _ in held)
    evidence.append(
        fact(
            Route.CERTIFIED,
            "the same world",
            "held-out sequences not right, by count patterns",
            decided.heldout.total - (decided.heldout.right or 0),
            total,
            decided.heldout.right is not None and decided.heldout.total - decided.heldout.right == total,
            "two methods count the same sequences",
        )
    )
    return finding(evidence, counterexample=f"{measured}. {decided.failing}")


# --- conventions -------------------------------------------------------------------------------------------------------


def positions(statement: Callable[[int], dict[str, list[int]]], court: Court) -> Finding:
    """Where subjects and attributes stand in actual sequences, for m = 2..5."""
    evidence = []
    for m in range(2, 6):
        world = World.balanced(4, 1, 2, 2, n_grammar=1)
        tokens = next(sequences(world, m - 1)).tokens[0]
        T = len(tokens)
        subjects = [i - T + 1 for i, t in enumerate(tokens) if t < world.M]
        attributes = [i - T + 1 for i, t in enumerate(tokens) if world.type_of_token(int(t)) is not None]
        measured = {"query": subjects[-1:], "context subjects": subjects[:-1], "attributes": attributes}
        said = {k: sorted(v) for k, v in statement(m).items()}
        agrees = all(said[k] == sorted(measured[k]) for k in said)
        evidence.append(
            fact(
                Route.ENUMERATED,
                f"m={m}, T={T}",
                "relative positions",
                measured,
                said,
                agrees,
                "read off the sequences",
            )
        )
    return finding(
        evidence,
        counterexample=next((f"{e.setting}: {e.measured}, printed {e.printed}" for e in evidence if not e.agrees), ""),
    )


PARAMETRISATIONS: dict[str, Callable[[float], float]] = {
    "W_KQ trained, step eta": lambda beta: 1 / beta,
    "W_KQ / beta trained, step eta": lambda beta: beta,
    "W_KQ trained, step eta * beta": lambda beta: 1.0,
}


def bookkeeping(statement: dict[str, Callable[[float], float]], court: Court) -> Finding:
    """One autograd step on W_KQ^subj at finite beta in three parametrisations: what stands beside alpha in beta(... + alpha h(p)).

    alpha h(p) is the step of size 1 in the gradient per unit beta. W_KQ is trained in a network whose score matrix is W_KQ
    itself, W_KQ / beta in one that multiplies its score matrix by beta: two networks, two backward passes.
    """
    case = court.theorem_bench[1]
    evidence = []
    for beta in (2.0, 5.0):
        g = population_gradients(
            case.world, case.n_demos, "hat", 1.0, None, case.reading, beta=beta, eta_kq_subj=1.0
        ).kq_subj
        whole = prop1(case.world, case.n_demos, None, case.reading, 1.0)
        with torch.no_grad():
            for matrix in whole.kq.values():
                matrix *= beta
        scaled = prop1(case.world, case.n_demos, None, case.reading, beta)
        sep = case.world.sep_token
        of_whole, of_scaled = (_backward(model, case)[:, sep] for model in (whole, scaled))
        # What is added to W_KQ, divided by beta.
        measured = {
            "W_KQ trained, step eta": of_whole / beta,
            "W_KQ / beta trained, step eta": beta * of_scaled / beta,
            "W_KQ trained, step eta * beta": beta * of_whole / beta,
        }
        for name, factor in statement.items():
            literal = "W_KQ trained, step eta" if name not in measured else name
            evidence.append(
                arrays(
                    Route.AUTOGRAD, f"{case.name}, beta={beta:g}: {literal}", name, measured[literal], factor(beta) * g
                )
            )
    return finding(evidence, counterexample=_apart(evidence, "measured {}, printed {}"))


def _backward(model: AttentionOnly, case: Case) -> np.ndarray:
    """(d, d) gradient of the mean hat loss with respect to the subject head's score matrix."""
    backpropagate(model, case.world, case.n_demos, "hat")
    gradient = model.kq["subj"].grad
    assert gradient is not None
    return gradient.numpy()


def _apart(evidence: list[Evidence], words: str) -> str:
    """The first disagreement in words; the two places take what was measured and what the statement says."""
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {words.format(e.measured, e.printed)}"
    return ""


def window(statement: Callable[[dict], float], court: Court) -> Finding:
    """Attention of the initial relation head on ICL sequences, where S + 2 >= T and where it is not."""
    evidence = []
    for case in court.bench:
        model = prop1(case.world, case.n_demos, case.window, case.reading)
        block = next(sequences(case.world, case.n_demos))
        alpha = model.attention("rel", torch.as_tensor(block.tokens)).detach().numpy()
        measured, T = alpha[0], case.T
        evidence.append(
            arrays(
                Route.AUTOGRAD,
                f"{case.name}, T={T}, S={case.p['S']}",
                "relation head's attention on p_0 … p_-(T-1)",
                measured[::-1],
                _on_positions(statement(case.p), case.p, T),
            )
        )
    return finding(
        evidence,
        counterexample=next(
            (f"{e.setting}: attention {e.measured}, printed {e.printed}" for e in evidence if not e.agrees), ""
        ),
    )


def _on_positions(value, p: dict, T: int) -> np.ndarray:
    """A statement gives one number for all positions, or a number per position."""
    return np.full(T, value) if np.isscalar(value) else np.asarray(value, dtype=float)


def uniform_window(p: dict) -> np.ndarray:
    """Derived: uniform over the last min(T, S+2) positions, 0 before."""
    w = min(p["T"], p["S"] + 2)
    return np.array([1 / w if i < w else 0.0 for i in range(p["T"])])


def statements_agree(statement: dict, court: Court) -> Finding:
    """Theorem 1 against Theorem 2: coefficients after lambda_2 = alpha_3, lambda_3 = alpha_2; positions; hypotheses."""
    import sympy as sp

    from paper_checks.contextual_recall.symbols import alpha_2, eta_ov
    from paper_checks.contextual_recall.symbols import m as m_symbol
    from verify.judges.coefficients import settled

    names = {"lambda_2": (m_symbol - 1) ** 2 * alpha_2, "lambda_3": alpha_2}
    evidence = []
    for part in ("kq", "ov"):
        first, second = statement[part]
        apart = []
        for key in {*first, *second}:
            one = sp.sympify(first.get(key, 0))
            one = one.subs({s: names[s.name] for s in one.free_symbols if s.name in names})
            # Theorem 2's coefficients are transcribed per unit of eta_OV^rel, which lambda_3 = alpha_2 contains.
            per_step = 1 if part == "kq" else eta_ov
            if settled(one - per_step * second.get(key, 0)) != 0:
                apart.append(key.value)
        evidence.append(
            fact(
                Route.SYMBOLIC,
                "symbolic",
                f"coefficients of W_{part.upper()}^rel",
                apart or "equal",
                "equal",
                not apart,
                "differences cancel to 0",
            )
        )
    first, second = statement["positions"]
    for m in (2, 6):
        a, b = first(m)["attributes"], second(m)["attributes"]
        evidence.append(
            fact(
                Route.SYMBOLIC,
                f"m={m}",
                "attribute positions",
                sorted(a),
                sorted(b),
                sorted(a) == sorted(b),
                "index sets",
            )
        )
    first, second = statement["hypotheses"]
    evidence.append(
        fact(
            Route.SYMBOLIC,
            "wording",
            "hypotheses only in one of the two",
            sorted(first ^ second),
            "none",
            first == second,
            "sets of hypotheses as worded",
        )
    )
    return finding(
        evidence,
        counterexample=next((f"{e.quantity}: {e.measured} against {e.printed}" for e in evidence if not e.agrees), ""),
    )


def first_kq(statement: dict, court: Court) -> Finding:
    """The first-step gradient of W_KQ^rel, by autograd of both objectives, on every coordinate of every column."""
    from verify.classes import kq_classes
    from verify.judges.coefficients import at, settled

    evidence = []
    for case in (*court.bench[:4], *court.bench[-5:]):
        labels = kq_classes(case.world, case.T)
        said = [
            float(at(settled(statement.get(k, 0)), case.p)) if statement.get(k) is not None else 0.0 for k in labels
        ]
        for name in ("hat", "true"):
            measured = getattr(case, f"autograd_{name}").full_kq_rel_first
            column = measured[:, case.world.sep_token]
            others = np.delete(measured, case.world.sep_token, axis=1)
            evidence.append(arrays(Route.AUTOGRAD, case.name, f"first-step gradient of W_KQ^rel, {name}", column, said))
            evidence.append(
                fact(
                    Route.AUTOGRAD,
                    case.name,
                    "its other columns",
                    float(np.abs(others).max()),
                    0.0,
                    float(np.abs(others).max()) == 0.0,
                    "no query token but [sep]: exact zeros",
                )
            )
    return finding(
        evidence, counterexample=next((f"{e.setting}: {e.quantity} {e.measured}" for e in evidence if not e.agrees), "")
    )


def expected_matches(statement, court: Court) -> Finding:
    """E[C_y | y] over every sequence, for every value y."""
    from numerics.population.matches import matches
    from verify.judges.coefficients import at

    evidence = []
    for case in court.balanced_bench:
        said = at(statement, case.p)
        measured = matches(case.world, case.n_demos).given_y
        worst = max(measured.items(), key=lambda item: abs(item[1] - said))
        evidence.append(
            fact(
                Route.ENUMERATED,
                case.name,
                f"E[C_y | y = {case.world.token_name(worst[0])}]",
                worst[1],
                said,
                all(v == said for v in measured.values()),
                "exact rationals over every sequence: equality",
            )
        )
    return finding(
        evidence,
        counterexample=next(
            (f"{e.setting}: {e.quantity} = {e.measured}, printed {e.printed}" for e in evidence if not e.agrees), ""
        ),
    )
