"""(a) Plain steps of the network on drawn batches against the exact gradients of the population.

The network starts at Prop. 1's weights with hard attention.  kq_subj and ov_rel are its first gradients on a batch of N sequences.
kq_rel is the gradient on another batch of N after the exact first step (one projected step of W_OV^rel, subject head on the query).
All three are means of N independent terms: as near to the population's as c N^(-1/2), if the latter are right.  An error of the
exact gradients, or of the network, would flatten the line at its size.

two_steps is kq_rel after a first step that was itself taken on N sequences.  It is a product of two means: its squared error
is a / N + b / N^2 + .., so its slope lies between -1 and -1/2 and is no test of the rate as long as b / N is not small against a,
which in the paper's world it is not at any N here (the first step's error is a large part of the step).

Rule: by least squares over independent batches of log |error| in log N, the slopes of the first three have -1/2 in their interval,
that of two_steps meets [-1, -1/2], and no interval is wider than WIDEST.  All intervals of a run together are at 95 % (Bonferroni).
Also the network's gradients must be those of the literal network to SAME of the largest entry on one batch: float64, a few
thousand additions.

Shown beside the rule, a sharper look for a floor: the error of the mean over all streams at the largest N, over what independent
errors of the single streams give, their root mean square over sqrt(streams).  1 without a floor.
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

EXACT = ("kq_subj", "ov_rel", "kq_rel")
NAMES = (*EXACT, "two_steps")
#: Where the slope has to be.
SLOPES = {"kq_subj": (-0.5, -0.5), "ov_rel": (-0.5, -0.5), "kq_rel": (-0.5, -0.5), "two_steps": (-1.0, -0.5)}
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
        return {name: getattr(found, name) for name in EXACT}, dict.fromkeys(EXACT, 0.0), "enumerated"
    proven = certified_gradients(world, n_demos, ETA_OV)
    return {name: getattr(proven, name) for name in EXACT}, proven.relative, "certified"


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


def fitted(
    sizes: list[int], errors: list[float], intervals: int, within: tuple[float, float] = (-0.5, -0.5)
) -> dict[str, Any]:
    """Slope of log error in log size with its interval, at 95 % for `intervals` of them together; agrees: with `within`.

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
    agrees = low <= within[1] and high >= within[0] and high - low <= WIDEST
    return {"slope": slope, "interval": [low, high], "agrees": agrees}


def one_world(part: Convergence, intervals: int, progress: Callable[[], None]) -> dict[str, Any]:
    """Errors at every size and stream, the slopes, and the mean over the streams at the largest size."""
    size = part.world
    world = size.config().build()
    wanted, proven, method = exact(world, size.n_demos)
    network = initial(world, size.n_demos)
    there = after_first(network, torch.as_tensor(wanted["ov_rel"]), ETA_OV)
    targets = wanted | {"two_steps": wanted["kq_rel"]}
    streams = [IclSampler(world, size.n_demos, seed=1000 + k) for k in range(part.streams)]
    errors: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    pooled: dict[str, float] = {}
    for N in part.sizes:
        at: dict[str, list[float]] = {name: [] for name in NAMES}
        total: dict[str, Any] = dict.fromkeys(NAMES, 0.0)
        for sampler in streams:
            found = batched(network, there, sampler, N)
            for name in NAMES:
                at[name].append(_relative(found[name], targets[name]))
                total[name] = total[name] + found[name]
            progress()
        for name in NAMES:
            errors[name].append(at[name])
            alone = math.sqrt(sum(e * e for e in at[name])) / part.streams
            pooled[name] = _relative(total[name] / part.streams, targets[name]) / alone
    sizes = [N for N in part.sizes for _ in streams]
    return {
        "world": vars(size),
        "method": method,
        "proven_error": proven,
        "sizes": list(part.sizes),
        "streams": part.streams,
        "errors": errors,
        "slopes": {
            name: fitted(sizes, [e for at in errors[name] for e in at], intervals, SLOPES[name]) for name in NAMES
        },
        "pooled": pooled,
        "literal_difference": literal_difference(world, size.n_demos),
    }


def _relative(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def batched(
    network: Network, there: Network, sampler: IclSampler, N: int, chunk: int = 1024
) -> dict[str, NDArray[np.float64]]:
    """The gradients on fresh batches of N, a mean over chunks of equal size; there: the network after the exact first step."""
    parts = max(1, N // chunk)
    first, second, third = ([sampler.draw(N // parts) for _ in range(parts)] for _ in range(3))
    found = [gradients(network, b.tokens, b.targets) for b in first]
    ov = torch.stack([g.ov_rel for g in found]).mean(0)
    after = after_first(network, ov, ETA_OV)
    out = {
        "kq_subj": torch.stack([g.kq_subj for g in found]).mean(0),
        "ov_rel": ov,
        "kq_rel": torch.stack([gradients(there, b.tokens, b.targets).kq_rel for b in second]).mean(0),
        "two_steps": torch.stack([gradients(after, b.tokens, b.targets).kq_rel for b in third]).mean(0),
    }
    return {name: value.numpy() for name, value in out.items()}


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
    floors = [f"M = {w['world']['M']}: " + ", ".join(f"{n} {w['pooled'][n]:.2f}" for n in NAMES) for w in worlds]
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
        "come to the population's gradients at the Monte-Carlo rate"
        if agrees
        else "do not all keep to the rate N^(-1/2)"
    )
    return {
        "worlds": worlds,
        "rule": f"slope of log error in log N has -1/2 in an interval no wider than {WIDEST} (two_steps: meets [-1, -1/2]; 95 %"
        " together);"
        f" literal network the same to {SAME:g}",
        "verdict": "agrees" if agrees else "disagrees",
        "finding": f"Plain steps on batches {said}: slopes {'; '.join(slopes)};"
        f" least relative errors at the largest N: {'; '.join(least)}; mean over all streams against independent"
        f" errors: {'; '.join(floors)}.",
    }
