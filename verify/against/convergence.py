"""(a) Plain steps of the network on drawn batches against the exact gradients of the population.

The network starts at Prop. 1's weights with hard attention, takes one projected step of W_OV^rel on a batch of N sequences, puts the
subject head on the query, and takes the gradient of W_KQ^rel on another batch of N.  Its gradients are means of N independent terms
(kq_rel: a product of two such means), so they come as near to the population's as c N^(-1/2), if the latter are right; an
error of the exact gradients, or of the network, would flatten the line at its size.

Rule, fixed before the runs: for each of the three gradients the slope of log |error| in log N, by least squares over
independent batches, has -1/2 in its interval, and the interval is no wider than WIDEST.  All intervals of a run together are at 95 %
(Bonferroni).  Also the network's gradients must be those of the literal network to SAME of the largest entry on one batch:
float64, a few thousand additions.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t

from numerics.descent import Network, after_first, gradients, initial
from numerics.models.attention_only import prop1
from numerics.models.population_gradient import loss_sum
from numerics.population import certified_gradients, finetuning_gradients, population_size
from numerics.sampling import IclSampler
from numerics.world import World
from verify.against.settings import Convergence

NAMES = ("kq_subj", "ov_rel", "kq_rel")
ETA_OV = 1.0
#: Narrow enough to tell -1/2 from the -0.4 of a line that begins to flatten and from the -1 of a quadratic error.
WIDEST = 0.2
SAME = 1e-12
#: Largest population that is enumerated; above it the gradients are certified.
ENUMERATED = 100_000
Count = Callable[[int, int], None]


def exact(world: World, n_demos: int) -> tuple[dict[str, NDArray[np.float64]], dict[str, float], str]:
    """The population's gradients, their largest proven relative errors, and how they were obtained."""
    if population_size(world, n_demos) <= ENUMERATED:
        found = finetuning_gradients(world, n_demos, "true", ETA_OV)
        return {name: getattr(found, name) for name in NAMES}, dict.fromkeys(NAMES, 0.0), "enumerated"
    proven = certified_gradients(world, n_demos, ETA_OV)
    return {name: getattr(proven, name) for name in NAMES}, proven.relative, "certified"


def literal_difference(world: World, n_demos: int, size: int = 16) -> float:
    """Largest difference of the first gradients from those of the literal network on one batch, over the largest entry."""
    batch = IclSampler(world, n_demos, seed=7).draw(size)
    model = prop1(world, n_demos)
    (loss_sum(model, batch.tokens, batch.targets, "true") / size).backward()
    column, matrix = model.kq["subj"].grad, model.ov["rel"].grad
    assert column is not None and matrix is not None
    mine = gradients(initial(world, n_demos), batch.tokens, batch.targets)
    pairs = ((mine.kq_subj, column[:, world.sep_token]), (mine.ov_rel, matrix))
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def fitted(sizes: list[int], errors: list[float], intervals: int) -> dict[str, Any]:
    """Slope of log error in log size with its interval, at 95 % for `intervals` of them together.

    An interval of the least-squares slope with normal residuals.  Raises ValueError for fewer than 3 points.
    """
    if len(sizes) != len(errors) or len(sizes) < 3:
        raise ValueError(f"sizes, errors must be as many as each other and at least 3, got {len(sizes)}, {len(errors)}")
    x, y = np.log(sizes), np.log(errors)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - slope * centred
    freedom = len(x) - 2
    error = math.sqrt(float(rest @ rest) / freedom / float(centred @ centred))
    half = float(t.ppf(1 - 0.025 / intervals, freedom)) * error
    low, high = slope - half, slope + half
    agrees = low <= -0.5 <= high and high - low <= WIDEST
    return {"slope": slope, "interval": [low, high], "agrees": agrees}


def one_world(part: Convergence, intervals: int, progress: Callable[[], None]) -> dict[str, Any]:
    """Errors at every size and stream, and the slopes."""
    size = part.world
    world = size.config().build()
    wanted, proven, method = exact(world, size.n_demos)
    network = initial(world, size.n_demos)
    streams = [IclSampler(world, size.n_demos, seed=1000 + k) for k in range(part.streams)]
    errors: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    for N in part.sizes:
        at: dict[str, list[float]] = {name: [] for name in NAMES}
        for sampler in streams:
            found = _batched(network, sampler, N)
            for name in NAMES:
                gap = np.linalg.norm(found[name] - wanted[name])
                at[name].append(float(gap / np.linalg.norm(wanted[name])))
            progress()
        for name in NAMES:
            errors[name].append(at[name])
    sizes = [N for N in part.sizes for _ in streams]
    return {
        "world": vars(size),
        "method": method,
        "proven_error": proven,
        "sizes": list(part.sizes),
        "streams": part.streams,
        "errors": errors,
        "slopes": {name: fitted(sizes, [e for at in errors[name] for e in at], intervals) for name in NAMES},
        "literal_difference": literal_difference(world, size.n_demos),
    }


def _batched(network: Network, sampler: IclSampler, N: int, chunk: int = 1024) -> dict[str, NDArray[np.float64]]:
    """Both steps on fresh batches of N; a batch is the mean over its chunks, which are of equal size."""
    parts = max(1, N // chunk)
    size = N // parts
    drawn = [sampler.draw(size) for _ in range(2 * parts)]
    firsts = [gradients(network, b.tokens, b.targets) for b in drawn[:parts]]
    ov = torch.stack([g.ov_rel for g in firsts]).mean(0)
    kq = torch.stack([g.kq_subj for g in firsts]).mean(0)

    here = after_first(network, ov, ETA_OV)
    rel = torch.stack([gradients(here, b.tokens, b.targets).kq_rel for b in drawn[parts:]]).mean(0)
    return {"kq_subj": kq.numpy(), "ov_rel": ov.numpy(), "kq_rel": rel.numpy()}


def convergence(parts: tuple[Convergence, ...], progress: Count | None = None) -> dict[str, Any]:
    """The part's record.  Cost O(sum of sizes streams V^2)."""
    done, total = 0, sum(len(part.sizes) * part.streams for part in parts)

    def one() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    worlds = [one_world(part, len(NAMES) * len(parts), one) for part in parts]
    same = all(w["literal_difference"] <= SAME for w in worlds)
    agrees = same and all(slope["agrees"] for w in worlds for slope in w["slopes"].values())
    slopes = [
        f"{name} {s['slope']:.3f} [{s['interval'][0]:.3f}, {s['interval'][1]:.3f}]"
        for w in worlds
        for name, s in w["slopes"].items()
    ]
    least = [
        f"M = {w['world']['M']}: " + ", ".join(f"{name} {min(e[-1]):.1e}" for name, e in w["errors"].items())
        for w in worlds
    ]
    said = (
        "come to the population's gradients at the Monte-Carlo rate" if agrees else "do not keep to the rate N^(-1/2)"
    )
    return {
        "worlds": worlds,
        "rule": f"slope of log error in log N has -1/2 in an interval no wider than {WIDEST} (95 % together);"
        f" literal network the same to {SAME:g}",
        "verdict": "agrees" if agrees else "disagrees",
        "finding": f"Plain steps on batches {said}: slopes {'; '.join(slopes)};"
        f" least relative errors at the largest N: {'; '.join(least)}.",
    }
