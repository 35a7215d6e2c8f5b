"""One fact table explained: the sharp conditions with their worst sequences, the exact answers, the network on those sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from numerics.conclusion.conditions import Condition as Measured
from numerics.conclusion.conditions import conditions
from numerics.conclusion.decision import Decision
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import make_setting
from numerics.population.certified import CertifiedGradients
from numerics.population.exact import ExactGradients
from numerics.updates import UpdatedWeights
from numerics.world import World
from theory.finetuning.tables import Diagnosis, diagnose
from verify.conclude import POOLS, Conclusion
from verify.failures import CENTRE
from verify.judges.printed_update import network
from verify.region.finite import FiniteBeta
from verify.region.point import Steps, between
from verify.witnesses import Witnesses
from verify.worlds import frequencies

#: Two logits of the network closer than this part of their size (or of 1) are printed as a tie: float64 sums of a few entries.
SAME = 1e-13


@dataclass(frozen=True)
class Column:
    """One attribute type: values in the table, values that finetuning subjects have, their least and largest frequency there."""

    name: str
    values: int
    seen: int
    least: tuple[str, int]
    most: tuple[str, int]


@dataclass(frozen=True)
class Run:
    """The literal network, hard attention, on one sequence after the steps of one objective."""

    objective: str
    why: str
    tokens: tuple[str, ...]
    target: str
    predicted: tuple[str, ...]
    margin: float
    attended: dict[str, tuple[str, ...]]

    @property
    def outcome(self) -> str:
        if self.predicted == (self.target,):
            return "right"
        return "tied" if self.target in self.predicted else "wrong"


@dataclass(frozen=True)
class Explanation:
    """diagnoses: by pool; None where the derivation does not apply (`missing` says why). measured: by (objective, pool).
    any_beta: by objective, at which finite beta every sequence is right."""

    world: World
    columns: list[Column]
    diagnoses: dict[str, Diagnosis]
    missing: str
    measured: dict[tuple[str, str], list[Measured]]
    conclusions: dict[str, Conclusion]
    any_beta: Mapping[str, FiniteBeta]
    runs: list[Run]

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": [
                {"name": c.name, "values": c.values, "seen": c.seen, "least": list(c.least), "most": list(c.most)}
                for c in self.columns
            ],
            "missing": self.missing or None,
            "theorem": {pool: _diagnosis_json(self.world, d) for pool, d in self.diagnoses.items()},
            "measured": [
                {
                    "objective": o,
                    "pool": p,
                    "head": c.head,
                    "against": c.against,
                    "low": c.low,
                    "high": c.high,
                    "holds": c.holds,
                }
                for (o, p), found in self.measured.items()
                for c in found
            ],
            "network": [
                {
                    "objective": r.objective,
                    "sequence": r.why,
                    "tokens": list(r.tokens),
                    "target": r.target,
                    "predicted": list(r.predicted),
                    "margin": r.margin,
                    "outcome": r.outcome,
                    "attended": {head: list(names) for head, names in r.attended.items()},
                }
                for r in self.runs
            ],
        }


def _diagnosis_json(world: World, d: Diagnosis) -> dict[str, Any]:
    return {
        "holds": d.holds,
        "first": d.first.name,
        "conditions": [
            {
                "name": c.name,
                "head": c.head,
                "statement": c.statement,
                "left": str(c.left),
                "right": str(c.right),
                "slack": float(c.slack),
                "holds": c.holds,
                "critical_M_ft": c.critical_M_ft,
                "worst": {"type": c.sequence.kind, "contexts": list(c.sequence.contexts), "query": c.sequence.query},
                "outcome": str(c.prediction.outcome),
            }
            for c in d.conditions
        ],
    }


def columns(world: World) -> list[Column]:
    """One line for every attribute type."""
    found = []
    for ell in range(world.L):
        span = world.attribute_range(ell)
        counts = world.finetune_value_counts[span.start - world.M : span.stop - world.M]
        seen = np.flatnonzero(counts)
        least, most = seen[np.argmin(counts[seen])], seen[np.argmax(counts[seen])]
        names = [world.token_name(span.start + int(u)) for u in (least, most)]
        type_name = world.type_names[ell] if world.type_names else f"type {ell}"
        found.append(
            Column(type_name, world.U[ell], len(seen), (names[0], int(counts[least])), (names[1], int(counts[most])))
        )
    return found


@dataclass(frozen=True)
class _Weights:
    """Bounds for the comparisons, in the units of verify.region.point.between; for the network the middle in float64, whose
    logits are to be multiplied by `unit`."""

    lower: Weights
    upper: Weights
    middle: UpdatedWeights
    unit: float


def _run(
    world: World, n_demos: int, weights: _Weights, objective: str, why: str, kind: int, subjects: tuple[int, ...]
) -> Run:
    setting = make_setting(world, n_demos, "seen", "finetune")
    ids = setting.tokens(kind, subjects)
    target = int(world.attribute_token[subjects[-1], kind])
    model = network(world, n_demos, weights.middle, float("inf"))
    tokens = torch.tensor([ids])
    with torch.no_grad():
        logits = model(tokens)[0]
        attended = {}
        for head in ("subj", "rel"):
            share = model.attention(head, tokens)[0]
            places = [f"{world.token_name(ids[i])} at p_{i - setting.T + 1}" for i in range(setting.T) if share[i] > 0]
            attended[head] = tuple(places)
    best = float(logits.max())
    others = logits.clone()
    others[target] = -torch.inf
    margin, same = float(logits[target] - others.max()), SAME * max(1.0, abs(best), abs(float(logits[target])))
    predicted = [v for v in range(world.V) if float(logits[v]) >= best - same]
    return Run(
        objective,
        why,
        tuple(world.token_name(i) for i in ids),
        world.token_name(target),
        tuple(world.token_name(v) for v in predicted),
        0.0 if abs(margin) <= same else margin * weights.unit,
        attended,
    )


def _weights(w: Witnesses) -> dict[str, _Weights]:
    """By objective, as far as there are gradients with proven radii."""
    s = w.setting
    found: dict[str, _Weights] = {}
    for objective, g in (("hat", w.exact), ("true", w.true)):
        if not isinstance(g, (ExactGradients, CertifiedGradients)):
            continue
        lower, upper, _, rel = between(w.world, g, Steps(s.eta_ov, s.eta_kq_subj, s.eta_kq_rel))
        pairs = zip(vars(lower).values(), vars(upper).values(), strict=True)
        middle = UpdatedWeights(*((a if a is b else (a + b) / 2).astype(np.float64) for a, b in pairs))
        found[objective] = _Weights(lower, upper, middle, float(rel / s.eta_kq_rel))
    return found


def _runs(
    w: Witnesses, weights: _Weights, objective: str, pool: str, diagnosis: Diagnosis | None, decision: Decision | None
) -> list[Run]:
    """The network on the sequences that the inequalities name, and on the decision's own where none of these fails but one does."""

    def run(why: str, kind: int, subjects: tuple[int, ...]) -> Run:
        return _run(w.world, w.setting.N_ft, weights, objective, f"{why}, {POOLS[pool]} queries", kind, subjects)

    made: list[Run] = []
    if diagnosis is not None:
        # The inequalities are about hat steps: what is tightest, or fails, there need not after true ones.
        worst, failing = f"worst for “{diagnosis.first.name}”", "a failing sequence"
        if objective != "hat":
            worst, failing = f"{worst} after hat steps", "a sequence that fails after hat steps"
        one = diagnosis.first.sequence
        made.append(run(worst, one.kind, (*one.contexts, one.query)))
        if diagnosis.counterexample is not None and diagnosis.counterexample.sequence != one:
            one = diagnosis.counterexample.sequence
            made.append(run(failing, one.kind, (*one.contexts, one.query)))
    if decision is None or decision.holds is not False or any(r.outcome != "right" for r in made):
        return made
    example = decision.counterexample
    if example is None:
        return made
    which = "the smallest failing sequence" if example.smallest else "a failing sequence"
    centre = "" if decision.exact else f" {CENTRE}"
    return [*made, run(f"{which}{centre}", example.relation_type, example.subjects)]


def explained(w: Witnesses, conclusions: dict[str, Conclusion], any_beta: Mapping[str, FiniteBeta]) -> Explanation:
    """Everything about the table of `w`, with what is decided of it. Cost: the sharp conditions, O(M L + sum U_l^2), and a
    forward pass for each worst sequence."""
    s, world = w.setting, w.world
    pools = ("seen", "heldout") if world.M_ft < world.M else ("seen",)
    diagnoses: dict[str, Diagnosis] = {}
    missing = ""
    if s.window is None and s.reading == "set":
        for pool in pools:
            progress = w.progress(f"diagnosis, {pool}")
            diagnoses[pool] = diagnose(frequencies(world), s.m, s.eta_ov, s.eta_kq_subj, s.eta_kq_rel, pool, progress)
    else:
        missing = "the inequalities are derived for T <= S + 2 (the relation head sees the whole sequence) and the reading set"
    measured: dict[tuple[str, str], list[Measured]] = {}
    runs: list[Run] = []
    for objective, weights in _weights(w).items():
        for pool in pools:
            measured[objective, pool] = conditions(world, s.N_ft, weights.lower, weights.upper, pool)
        for pool in pools:
            runs += _runs(w, weights, objective, pool, diagnoses.get(pool), conclusions[objective].decisions.get(pool))
    return Explanation(world, columns(world), diagnoses, missing, measured, conclusions, any_beta, runs)
