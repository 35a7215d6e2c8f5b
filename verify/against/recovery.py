"""(c) Many plain steps from Prop. 1's weights, in worlds where the conclusion of the two-step theorem fails.

The theorem moves each matrix once (W_KQ^rel twice) and then lets beta grow.  Here gradient descent goes on at a finite beta, as hard
attention gives no gradient between its ties: both KQ columns with step size kq per unit beta, W_OV^rel (projected) with step
size ov, W_OV^subj fixed as in the theorem.  In the small world every step is on the whole population and every accuracy over
all sequences; in the paper's, batches and accuracies are drawn.

Rule, fixed before the runs.  A network is perfect if it answers every sequence, seen and held-out queries, contexts from all
subjects; drawn: if the 95 % Clopper-Pearson interval of both accuracies reaches up from at least .99.  Step sizes
    recover   if the network is perfect at the last step, and still after PROLONGED times as many
    pass      if it is perfect at a step looked at, but not then
    fail      otherwise
and the world recovers if some step sizes do.  Small steps could be on their way through a perfect network when they are stopped:
hence the prolongation, which runs that are not perfect at the last step do not get.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from scipy.stats import beta as beta_law
from torch import Tensor

from numerics.descent import (
    Accuracy,
    Network,
    Point,
    Rates,
    after_first,
    descend,
    exact_accuracy,
    gradients,
    initial,
    sampled_accuracy,
)
from numerics.models.attention_only import attended
from numerics.population import certified_gradients, finetuning_gradients
from numerics.sampling import IclSampler
from numerics.training.attention import icl_roles
from numerics.world import World
from verify.against.settings import Recovery

PERFECT = 0.99
PROLONGED = 5
#: Points looked at in the prolongation.
PAUSES = 4
POOLS = {"seen": "finetune", "heldout": "heldout"}
OUTCOMES = ("recover", "pass", "fail")
LOOKED = 2048
Source = Callable[[], tuple[Tensor, Tensor]]
Count = Callable[[int, int], None]


def lower(found: Accuracy) -> float:
    """Lower end of the interval of an accuracy; the accuracy itself where every sequence was visited."""
    if not found.sampled:
        return found.share
    return 0.0 if found.right == 0 else float(beta_law.ppf(0.025, found.right, found.total - found.right + 1))


def accuracies(network: Network, world: World, part: Recovery) -> dict[str, Accuracy]:
    """Of both pools, the same sequences every time."""
    found = {}
    for name, pool in POOLS.items():
        sampler = IclSampler(world, part.world.n_demos, pool, "all", seed=2000)
        exact = part.batch is None
        found[name] = exact_accuracy(network, sampler) if exact else sampled_accuracy(network, sampler, part.sequences)
    return found


def perfect(found: dict[str, Accuracy]) -> bool:
    """By the rule of the module."""
    return all(a.right == a.total if not a.sampled else lower(a) >= PERFECT for a in found.values())


def relation_shares(network: Network, world: World, n_demos: int) -> dict[str, float]:
    """Mean attention of the relation head by role, over drawn sequences with seen queries and contexts."""
    tokens = IclSampler(world, n_demos, seed=3000).draw(LOOKED).tokens
    T = tokens.shape[1]
    alpha: Tensor = attended(network.kq_rel[tokens] + network.kq_rel[network.V :][:T].flip(0), network.beta)
    return {role: float((alpha * mask).sum(1).mean()) for role, mask in icl_roles(tokens).items()}


def theorem(world: World, part: Recovery) -> dict[str, Any]:
    """Accuracy after the theorem's own two true steps, all step sizes 1, at beta = inf."""
    n = part.world.n_demos
    found = finetuning_gradients(world, n) if part.batch is None else certified_gradients(world, n)
    start = initial(world, n)
    kq_subj, ov_rel, kq_rel = (torch.as_tensor(getattr(found, name)) for name in ("kq_subj", "ov_rel", "kq_rel"))
    there = replace(after_first(start, ov_rel, 1.0), kq_subj=start.kq_subj - kq_subj, kq_rel=start.kq_rel - kq_rel)
    got = accuracies(there, world, part)
    return {"accuracy": {name: a.share for name, a in got.items()}, "perfect": perfect(got)}


def _source(world: World, part: Recovery) -> Source:
    sampler = IclSampler(world, part.world.n_demos, seed=4000)
    if part.batch is None:
        everything = sampler.every(0, sampler.population_size)
        return lambda: (everything.tokens, everything.targets)

    def drawn() -> tuple[Tensor, Tensor]:
        assert part.batch is not None
        batch = sampler.draw(part.batch)
        return batch.tokens, batch.targets

    return drawn


def _look(point: Point, world: World, part: Recovery, source: Source) -> dict[str, Any]:
    """Loss and accuracies of a point of a course."""
    got = accuracies(point.network, world, part)
    loss = gradients(point.network, *source()).loss if point.loss is None else point.loss
    return {
        "step": point.step,
        "loss": loss if math.isfinite(loss) else None,
        "seen": got["seen"].share,
        "heldout": got["heldout"].share,
        "perfect": perfect(got),
    }


def prolonged(
    network: Network, world: World, part: Recovery, source: Source, rates: Rates
) -> tuple[Network, list[dict[str, Any]]]:
    """From a network that is perfect at the last step on to PROLONGED times as many steps."""
    looked, done = [], part.steps
    more = (PROLONGED - 1) * part.steps
    for pause in range(1, PAUSES + 1):
        until = part.steps + more * pause // PAUSES
        for point in descend(network, source, rates, until - done):
            network = point.network
        looked.append(_look(Point(until, network, None), world, part, source))
        done = until
    return network, looked


def course(world: World, part: Recovery, beta: float, rates: Rates, done: Callable[[], None]) -> dict[str, Any]:
    """One run: losses at the steps looked at, accuracies there, the outcome, where the relation head looks in the end."""
    # Whole populations in double precision: their gradients are exact.  Drawn batches have errors far above single.
    dtype = torch.float64 if part.batch is None else torch.float32
    network, source = initial(world, part.world.n_demos, beta=beta, dtype=dtype), _source(world, part)
    looked: list[dict[str, Any]] = []
    for point in descend(network, source, rates, part.steps):
        network = point.network
        if point.step in part.at or point.step == part.steps:
            looked.append(_look(point, world, part, source))
        if point.loss is not None:
            done()
    first = next((one["step"] for one in looked if one["perfect"]), None)
    further = None
    if looked[-1]["perfect"]:
        network, further = prolonged(network, world, part, source, rates)
    kept = further is not None and further[-1]["perfect"]
    return {
        "beta": beta,
        "kq": rates.kq,
        "ov": rates.ov,
        "course": looked,
        "prolonged": further,
        "first_perfect": first,
        "outcome": "recover" if kept else "fail" if first is None else "pass",
        "relation_shares": relation_shares(network, world, part.world.n_demos),
    }


def grid(part: Recovery) -> Iterator[tuple[float, Rates]]:
    """Every beta with every pair of step sizes."""
    return ((beta, Rates(kq, ov)) for beta in part.betas for kq in part.kq for ov in part.ov)


def one_world(part: Recovery, done: Callable[[], None]) -> dict[str, Any]:
    """Every run of a world."""
    world = part.world.config().build()
    courses = [course(world, part, beta, rates, done) for beta, rates in grid(part)]
    counts = {name: sum(one["outcome"] == name for one in courses) for name in OUTCOMES}
    return {
        "world": vars(part.world),
        "batch": part.batch,
        "steps": part.steps,
        "accuracies": "exact" if part.batch is None else f"sampled, {part.sequences} sequences",
        "theorem": theorem(world, part),
        "courses": courses,
        "outcomes": counts,
        "verdict": "recovers" if counts["recover"] else "does not recover",
        "log_L": math.log(part.world.L),
    }


def _said(found: dict[str, Any]) -> str:
    after, counts, courses = found["theorem"]["accuracy"], found["outcomes"], found["courses"]
    best = min((c for c in courses if c["outcome"] == "recover"), key=lambda c: c["first_perfect"], default=None)
    early = min((c["first_perfect"] for c in courses if c["first_perfect"] is not None), default=None)
    lost = [c for c in courses if c["outcome"] != "recover"]
    late = sum(c["prolonged"] is not None for c in courses)
    text = (
        f"M = {found['world']['M']}: two steps answer {after['seen']:.3f} (seen) and {after['heldout']:.3f} (held-out); {found['steps']}"
        f" plain steps are perfect at the end for {late} of {len(courses)} step sizes, and for {counts['recover']} still after"
        f" {PROLONGED} times as many; {counts['pass']} are perfect only on the way"
    )
    text += "" if early is None else f" (first after {early} steps)"
    if best is not None:
        rates = f"beta {best['beta']:g}, eta_KQ {best['kq']:g}, eta_OV {best['ov']:g}"
        text += f"; soonest of those that stay: {rates}, first perfect after {best['first_perfect']} steps"
    if lost:
        query = sum(c["relation_shares"]["query"] for c in lost) / len(lost)
        attributes = sum(c["relation_shares"]["attributes"] for c in lost) / len(lost)
        text += (
            f"; where it is not, the relation head ends with {query:.2f} of its attention on the query and {attributes:.2f} on"
            f" the attributes on average, the least loss being {min((c['prolonged'] or c['course'])[-1]['loss'] or math.inf for c in lost):.2f}"
            f" (log L = {found['log_L']:.2f}: the subject's own values, all types alike)"
        )
    return text


def recovery(parts: tuple[Recovery, ...], progress: Count | None = None) -> dict[str, Any]:
    """The part's record.  Cost O(steps B V^2) per run, and the accuracies."""
    done, total = 0, sum(part.steps * len(list(grid(part))) for part in parts)

    def one() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    worlds = [one_world(part, one) for part in parts]
    recovers = all(w["verdict"] == "recovers" for w in worlds)
    return {
        "worlds": worlds,
        "rule": f"perfect at the last step and after {PROLONGED} times as many, for some step sizes (drawn: lower ends of both"
        f" intervals >= {PERFECT})",
        "verdict": "recovers" if recovers else "does not recover",
        "finding": ". ".join(_said(w) for w in worlds) + ".",
    }
