"""What Div greedy selection reaches in each reading of the norm, and the Bayes accuracy of the type at that Div.

Two ranges of Div are asked of a pool: the least is that of the selection asked for Div = 0 (every next matrix the nearest to
those chosen), the largest that of the selection asked for none (every next matrix the farthest), each the best of the starts
tried.  Both are what greedy selection finds: the largest Div of any L matrices of the pool may be larger, the least smaller.

A requested Div is `reached` if what is selected for it is nearer than half a unit of its printed decimal ("Div ≈ 0.1") for
every seed: it rounds to what is printed. The claim on Div is judged by the same selection and the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numerics.corpus.bayes import Accuracy, bayes_accuracies
from numerics.corpus.config import STARTS, selected
from numerics.pretraining.chains import NORMS, FloatArray, divergence, greedy_selection, transition_pool

PRINTED = 0.05  # half a unit of the one decimal that the paper prints of Div
Count = Callable[[int, int], None]


@dataclass(frozen=True)
class Sizes:
    """What is asked: G tokens, L types, Dirichlet parameters, size of the pool, lengths S, requested Div, seeds, paths drawn."""

    G: int = 4
    L: int = 8
    alpha: tuple[float, ...] = (1.0,)
    pool: int = 1000
    S: tuple[int, ...] = (20, 40, 80)
    div: tuple[float, ...] = (0.1, 0.3, 0.5)
    seeds: tuple[int, ...] = (0, 1, 2)
    paths: int = 40_000


@dataclass(frozen=True)
class Selected:
    """One requested Div with one seed: the Div selected, its row-mean total variation, the Bayes accuracy at each S."""

    seed: int
    reached: float
    variation: float
    accuracies: tuple[Accuracy, ...]


@dataclass(frozen=True)
class Request:
    """One requested Div in one reading, for every seed."""

    div: float
    by_seed: tuple[Selected, ...]

    @property
    def reached(self) -> bool:
        """Nearer than PRINTED for every seed."""
        return is_reached(self.div, (one.reached for one in self.by_seed))

    def mean(self, place: int) -> float:
        """Mean over seeds of the Bayes accuracy at the S of this place."""
        return sum(one.accuracies[place].value for one in self.by_seed) / len(self.by_seed)


@dataclass(frozen=True)
class Reading:
    """A reading of the norm with a Dirichlet parameter: least and largest Div found for every seed, and the requests."""

    norm: str
    alpha: float
    least: tuple[float, ...]
    largest: tuple[float, ...]
    requests: tuple[Request, ...]

    @property
    def reaches_all(self) -> bool:
        """Every requested Div is reached."""
        return all(request.reached for request in self.requests)


def is_reached(div: float, values: Iterable[float]) -> bool:
    """Nearer than PRINTED for every seed."""
    return all(abs(value - div) < PRINTED for value in values)


@dataclass(frozen=True)
class Search:
    """How chains are looked for: size of the pool, how many starts of the greedy selection are tried, seeds of the pools."""

    pool: int = 1000
    starts: int = STARTS
    seeds: tuple[int, ...] = (0, 1, 2)

    def values(self, G: int, L: int, alpha: float, norm: str, div: float) -> tuple[float, ...]:
        """Div of what is selected for a request, for every seed.  Cost O(starts pool L G^2) a seed at most."""
        pools = (transition_pool(self.pool, G, alpha, seed) for seed in self.seeds)
        return tuple(divergence(selected(pool, L, norm, div, self.starts), norm) for pool in pools)


def farthest(pool: FloatArray, L: int, norm: str) -> float:
    """The largest Div of greedy selections from pool (n, G, G), over the starts tried.  Cost O(STARTS n L G^2)."""
    return max(greedy_selection(pool, L, norm, None, start).div for start in range(min(STARTS, len(pool))))


def _selected(pool: FloatArray, sizes: Sizes, norm: str, div: float, seed: int) -> Selected:
    chains = selected(pool, sizes.L, norm, div)
    accuracies = bayes_accuracies(chains, sizes.S, sizes.paths, seed)
    return Selected(seed, divergence(chains, norm), divergence(chains, "variation"), accuracies)


def readings(sizes: Sizes, progress: Count | None = None, norms: Sequence[str] = NORMS) -> tuple[Reading, ...]:
    """Every norm with every Dirichlet parameter; pools are the same for all norms.  Raises ValueError as its parts do."""
    found: list[Reading] = []
    total = len(norms) * len(sizes.alpha)
    for alpha in sizes.alpha:
        pools = [transition_pool(sizes.pool, sizes.G, alpha, seed) for seed in sizes.seeds]
        for norm in norms:
            if progress:
                progress(len(found), total)
            requests = tuple(
                Request(div, tuple(_selected(p, sizes, norm, div, s) for p, s in zip(pools, sizes.seeds, strict=True)))
                for div in sizes.div
            )
            least = tuple(divergence(selected(pool, sizes.L, norm, 0.0), norm) for pool in pools)
            largest = tuple(farthest(pool, sizes.L, norm) for pool in pools)
            found.append(Reading(norm, alpha, least, largest, requests))
    if progress:
        progress(total, total)
    return tuple(found)


def as_json(sizes: Sizes, found: Sequence[Reading]) -> dict[str, Any]:
    """The settings, every reading and what follows of them, as plain values."""
    return {
        "setting": {**asdict(sizes), "starts": min(STARTS, sizes.pool), "printed": PRINTED, "confidence": 0.95},
        "readings": [
            {
                "norm": one.norm,
                "alpha": one.alpha,
                "least": list(one.least),
                "largest": list(one.largest),
                "reaches_all": one.reaches_all,
                "requests": [
                    {
                        "div": request.div,
                        "reached": request.reached,
                        "mean": [
                            {"S": S, "bayes": request.mean(place), "chance": 1 / sizes.L}
                            for place, S in enumerate(sizes.S)
                        ],
                        "by_seed": [asdict(chosen) for chosen in request.by_seed],
                    }
                    for request in one.requests
                ],
            }
            for one in found
        ],
        "reach_all": [{"norm": one.norm, "alpha": one.alpha} for one in found if one.reaches_all],
    }
