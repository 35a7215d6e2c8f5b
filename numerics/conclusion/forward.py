"""The model on one sequence, in plain rational arithmetic: the definition that every faster method has to reproduce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.conclusion.decision import Counterexample
from numerics.conclusion.rational import Weights
from numerics.conclusion.setting import Setting


@dataclass(frozen=True)
class Forward:
    """attended_*: indices into the sequence (0-based from the left); logits (V,)."""

    attended_subj: tuple[int, ...]
    attended_rel: tuple[int, ...]
    logits: tuple[Fraction, ...]


def forward(
    setting: Setting,
    tokens: list[int],
    weights: Weights,
    tie_tolerance: Fraction = Fraction(0),
    attended: Sequence[tuple[int, ...]] | None = None,
) -> Forward:
    """logits = ov_subj g_subj + ov_rel g_rel, g the mean of the tokens at the positions whose score is maximal.

    Cost O(T V) rational operations. Positions within tie_tolerance of the maximum are attended too. attended: per head the
    indices that it attends, where they are known for certain while the scores are not.
    """
    V, T = setting.world.V, len(tokens)
    logits = [Fraction(0)] * V
    places = []
    for head, (kq, ov) in enumerate(((weights.kq_subj, weights.ov_subj), (weights.kq_rel, weights.ov_rel))):
        score = [Fraction(kq[t]) + Fraction(kq[V + T - 1 - x]) for x, t in enumerate(tokens)]
        top = max(score)
        found = tuple(x for x in range(T) if top - score[x] <= tie_tolerance)
        where = found if attended is None else attended[head]
        column = np.asarray(ov)[:, [tokens[x] for x in where]]
        for v in range(V):
            logits[v] += sum((Fraction(entry) for entry in column[v].tolist()), Fraction(0)) / len(where)
        places.append(where)
    return Forward(places[0], places[1], tuple(logits))


def describe(
    setting: Setting,
    weights: Weights,
    relation_type: int,
    subjects: tuple[int, ...],
    tie_tolerance: Fraction,
    smallest: bool,
    attended: Sequence[tuple[int, ...]] | None = None,
    certain: bool = True,
) -> Counterexample:
    """The failing sequence in names, logits, attended positions and one sentence; attended as in `forward`."""
    name = setting.world.token_name
    tokens = setting.tokens(relation_type, subjects)
    out = forward(setting, tokens, weights, tie_tolerance, attended)
    target = int(setting.world.attribute_token[subjects[-1], relation_type])
    best = max(out.logits)
    predicted = [v for v, x in enumerate(out.logits) if x == best or best - x <= tie_tolerance]
    verdict = "tie" if target in predicted else "wrong"

    def places(where: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(f"p_{x + 1 - len(tokens)} {name(tokens[x])}" for x in where)

    subj, rel = places(out.attended_subj), places(out.attended_rel)
    named = tuple(name(v) for v in predicted)
    return Counterexample(
        relation_type=int(relation_type),
        subjects=tuple(int(j) for j in subjects),
        token_ids=tuple(tokens),
        tokens=tuple(name(t) for t in tokens),
        target=name(target),
        predicted=named,
        logits={name(v): out.logits[v] for v in [target, *predicted]},
        attended_subj=subj,
        attended_rel=rel,
        verdict=verdict,
        smallest=smallest,
        certain=certain,
    )
