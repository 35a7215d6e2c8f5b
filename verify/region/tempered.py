"""Weights between bounds at an inverse temperature: per unit beta, a head's attention is softmax(beta * step * score)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.population.layout import Layout
from numerics.updates import UpdatedWeights
from numerics.world import World

#: A float64 difference of two sums of two entries is right to this part of their sizes.
ROUNDING = 1e-15

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Tempered:
    """Bounds of the weights; a head's scores are times beta * step (verify.region.point.between)."""

    lower: UpdatedWeights
    upper: UpdatedWeights
    steps: tuple[Fraction, Fraction]

    def floats(self) -> UpdatedWeights:
        """The middle, in float64."""
        pairs = (
            (getattr(self.lower, name), getattr(self.upper, name))
            for name in ("kq_subj", "kq_rel", "ov_subj", "ov_rel")
        )
        return UpdatedWeights(
            *((np.asarray(a, np.float64) if a is b else np.asarray((a + b) / 2, np.float64)) for a, b in pairs)
        )


def _gap(least: tuple[float, ...], most: tuple[float, ...]) -> float:
    """sum(least) - sum(most), rounded down."""
    return sum(least) - sum(most) - ROUNDING * sum(map(abs, (*least, *most)))


def _scores(w: UpdatedWeights, name: str) -> tuple[FloatArray, FloatArray]:
    """Scores of tokens (V,) and of the positions of a sequence from the left (T,)."""
    kq = np.asarray(getattr(w, name), dtype=np.float64)
    V = len(w.ov_subj)
    return kq[:V], kq[V:][::-1]


def gaps(world: World, n_demos: int, between: Tempered) -> tuple[dict[str, float], dict[str, float]]:
    """Lower bounds, in units of the steps, of what holds on every sequence: in the subject head the lead of the query over each other
    kind of position, in the relation head the lead of any attribute of a context ("query", "context", "attribute", "sep")."""
    layout = Layout(n_demos)
    F, tokens = world.finetune_array, np.unique(world.attribute_token[world.finetune_array])

    def kinds(kq: FloatArray, place: FloatArray, most: bool) -> dict[str, tuple[float, float]]:
        end = np.max if most else np.min
        return {
            "query": (float(end(kq[: world.M])), float(place[layout.subjects[-1]])),
            "context": (float(end(kq[F])), float(end(place[layout.subjects[:-1]]))),
            "attribute": (float(end(kq[tokens])), float(end(place[layout.attributes]))),
            "sep": (float(kq[world.sep_token]), float(end(place[layout.seps]))),
        }

    def leads(name: str, wanted: str) -> dict[str, float]:
        least = kinds(*_scores(between.lower, name), most=False)[wanted]
        most = kinds(*_scores(between.upper, name), most=True)
        return {kind: _gap(least, rival) for kind, rival in most.items() if kind != wanted}

    return leads("kq_subj", "query"), leads("kq_rel", "attribute")
