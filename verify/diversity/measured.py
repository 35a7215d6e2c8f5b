"""What one finetuned network answers on held-out queries, and what the pretrained one's heads put out, as JSON values."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from numerics.measures import attribute_mask, cosines, outputs, relation_target, seen_values, subject_target
from numerics.models.factored import Factored
from numerics.models.fast_loss import last_logits
from numerics.sampling import IclSampler, PretrainingSampler, Tables
from numerics.training.evaluate import METRICS, Counts, baselines, judged, outcome, pretraining_counts, with_attribute
from numerics.world import World
from verify.diversity.ceiling import ceiling
from verify.diversity.runs import Finetuned, Seed
from verify.diversity.subjects import unique_values

# The seed of everything that is drawn to measure; batches are drawn with seeds from 100 on.
MEASURING = 0
CHUNK = 1024
CONTEXTS = ("all", "heldout", "finetune")
COSINES = ("all", "attributes", "centred")


@torch.no_grad()
def accuracy(
    model: Factored, world: World, n_demos: int, query: str, context: str, size: int, device: str = "cpu"
) -> dict[str, Any]:
    """The four metrics on `size` drawn sequences with 95 % intervals; exact apart by whether the query's value was seen."""
    sampler = IclSampler(world, n_demos, query, context, MEASURING, device)
    seen = seen_values(sampler.tables)
    counts = Counts(dict.fromkeys(METRICS, 0), 0, 0, True)
    right: list[Tensor] = []
    inside: list[Tensor] = []
    trivial = baselines(sampler.tables, sampler.draw(size))
    for start in range(0, size, CHUNK):
        batch = sampler.draw(min(CHUNK, size - start))
        logits = last_logits(model, batch.tokens)
        subjects = batch.subjects[:, -1]
        counts = counts.plus(outcome(sampler.tables, logits, batch.targets, batch.types, subjects, True))
        right.append(judged(sampler.tables, logits.argmax(1), batch.targets, batch.types, subjects)["exact"])
        inside.append(seen[batch.targets])
    hit, covered = torch.cat(right), torch.cat(inside)
    return {
        "total": counts.total,
        "ties": counts.ties,
        "right": counts.right,
        "accuracy": {name: counts.accuracy(name) for name in METRICS},
        "interval": {name: list(counts.interval(name)) for name in METRICS},
        "covered": {"right": int((hit & covered).sum()), "total": int(covered.sum())},
        "uncovered": {"right": int((hit & ~covered).sum()), "total": int((~covered).sum())},
        "trivial": vars(trivial),
    }


def finetuned(seed: Seed, one: Finetuned, device: str = "cpu") -> dict[str, Any]:
    """One point of Fig. 13."""
    n, size, world = seed.config.n_demos, seed.size.sequences, one.world
    limits = {name: ceiling(world, n, name) for name in CONTEXTS}
    return {
        "M_ft": world.M_ft,
        "level": one.level,
        "unique": unique_values(world, list(world.finetune)),
        "attributes": world.n_attributes,
        "run": one.run,
        "ceiling": {
            name: {"covered": float(limit.covered), "constructed": float(limit.constructed)}
            for name, limit in limits.items()
        },
        "heldout": {name: accuracy(one.model, world, n, "heldout", name, size, device) for name in CONTEXTS},
        "seen": accuracy(one.model, world, n, "finetune", "finetune", size, device),
    }


def pair(subject: Tensor, relation: Tensor) -> tuple[int, int]:
    """The two different heads (subject, relation) with the largest sum of cosines (H,) each."""
    total = subject[:, None] + relation[None]
    total.fill_diagonal_(-torch.inf)
    at = int(total.argmax())
    return at // len(total), at % len(total)


@torch.no_grad()
def heads(seed: Seed, device: str = "cpu") -> dict[str, Any]:
    """Cosines of the pretrained network's heads with f_subj and f_rel of Prop. 1 on PT sequences, and of what knows nothing.

    Lists are over heads.  Baselines: the same constant vector for every sequence, the target of another subject or type, and the
    best head before training.  Cost O(size H (T d_h + d_h V)).
    """
    config, world = seed.config, seed.config.world.build()
    tables = Tables.of(world, device)
    sampler = PretrainingSampler(world, config.S, config.n_tr, seed=MEASURING, device=device)
    batch = with_attribute(sampler.draw(min(seed.size.sequences, CHUNK)))
    types, mask = batch.types[:, -1], attribute_mask(tables)
    make: dict[str, Callable[[int], Tensor]] = {
        "subject": lambda step: subject_target(tables, (batch.subjects + step) % tables.M),
        "relation": lambda step: relation_target(tables, (types + step) % tables.L),
    }
    after, before = outputs(seed.pretrained, batch.tokens), outputs(seed.initial, batch.tokens)
    found: dict[str, Any] = {"cosines": {}, "baselines": {}}
    centred: dict[str, Tensor] = {}
    for name, target in make.items():
        own = cosines(after, target(0), mask)
        centred[name] = own["centred"]
        sign = -1.0 if name == "subject" else 1.0
        constant = cosines((sign * mask.float()).expand_as(target(0)), target(0), mask)
        initial = cosines(before, target(0), mask)
        shuffled = cosines(target(1), target(0), mask)
        found["cosines"][name] = {score: own[score].tolist() for score in COSINES}
        found["baselines"][name] = {
            "constant": {score: float(constant[score]) for score in COSINES},
            "shuffled": {score: float(shuffled[score]) for score in COSINES},
            "initial": {score: float(initial[score].max()) for score in COSINES},
        }
    s, r = pair(centred["subject"], centred["relation"])
    counts = pretraining_counts(seed.pretrained, sampler, seed.size.sequences)
    return found | {
        "subject_head": s,
        "relation_head": r,
        "pt_accuracy": {"right": counts.right["exact"], "total": counts.total},
    }


def seed_json(seed: Seed, device: str = "cpu", progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Everything measured of one size and seed."""
    points = []
    for k, one in enumerate(seed.finetuned):
        points.append(finetuned(seed, one, device))
        if progress is not None:
            progress(k + 1, len(seed.finetuned))
    return {
        "M": seed.size.M,
        "d_h": seed.size.d_h,
        "seed": seed.seed,
        "run": seed.run,
        "revision": seed.revision,
        "seconds": round(seed.seconds, 1),
        "pretrained": heads(seed, device),
        "points": points,
    }
