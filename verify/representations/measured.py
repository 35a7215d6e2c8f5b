"""What is measured on one finetuned network: clustering, mean cosines, accuracy by demonstrations, steering; JSON values.

t = 0 .. t_max = n_demos - 1 demonstrations (0 .. 15 of 16, as in Fig. 17).  Query subjects held out unless "seen" is said; contexts from the
pool that the configuration's evaluations take them from (numerics.gpt.config).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numerics.corpus import Corpus
from numerics.gpt import GPT, RunConfig
from numerics.representations import (
    LAST_ATTENTION,
    TRIVIAL,
    Contexts,
    Steered,
    bag_of,
    cosine_distances,
    crossing,
    draw_contexts,
    logits,
    mean_cosines,
    off_diagonal,
    points,
    ranks,
    replacing,
    silhouettes,
    steered,
    task_vectors,
    trivial,
    untyped,
)
from verify.findings import baselines

GUESSES = ("type_known", "lookup", "type_guessed")
POOLS = ("seen", "heldout")
KINDS = ("silhouettes", "disjoint")
BETAS = tuple(i / 20 for i in range(21))
# Representations beside those of TRIVIAL in which no task was learnt.
CONTROLS = (*TRIVIAL, "embeddings", "shuffled", "initial", "before")


@dataclass(frozen=True)
class Sizes:
    """Sequences per type: of the silhouettes and task vectors (the paper's 50), of those that are steered, of accuracies."""

    clustered: int = 50
    steered: int = 32
    counted: int = 256


@dataclass(frozen=True, eq=False)
class Network:
    """A finetuned network, the one before finetuning and its initial weights, with what it was trained on."""

    config: RunConfig
    corpus: Corpus
    finetuned: GPT
    before: GPT
    initial: GPT

    def subjects(self, pool: str) -> list[int]:
        """Of 'seen' (or 'finetune'), 'heldout', 'all'."""
        world = self.corpus.world
        return [int(j) for j in {"heldout": world.heldout, "all": np.arange(world.M)}.get(pool, world.finetune_array)]

    def context(self, pool: str) -> str:
        """Where the demonstrations come from, with queries of the pool."""
        return pool if self.config.context == "query" else self.config.context

    def contexts(
        self, pool: str, per_type: int, seed: int, halved: bool = False, same_queries: bool = False
    ) -> Contexts:
        """Sequences of every type with queries of the pool."""
        device = self.finetuned.device
        queries, context = (torch.as_tensor(self.subjects(name)) for name in (pool, self.context(pool)))
        facts = torch.tensor(self.corpus.attribute_token, device=device)
        N = max(self.config.n_demos - 1, 0)
        return draw_contexts(facts, self.corpus.sep, per_type, N, queries, context, seed, halved, same_queries)


def _shuffled(contexts: Contexts, seed: int) -> Tensor:
    """Labels permuted among the sequences of either half, so that both halves keep some of every label."""
    generator, labels = torch.Generator().manual_seed(seed), contexts.types.clone()
    for side in (0, 1):
        rows = (contexts.half == side).nonzero()[:, 0]
        labels[rows] = labels[rows[torch.randperm(len(rows), generator=generator).to(rows.device)]]
    return labels


def clustering(network: Network, contexts: Contexts) -> dict[str, dict[str, list[float]]]:
    """{"network": {representation: [S(t)]}, "trivial": {one of CONTROLS: [S(t)]}} over the comparable pairs."""
    found: dict[str, dict[str, list[float]]] = {"network": {}, "trivial": {name: [] for name in CONTROLS}}
    shuffled = _shuffled(contexts, seed=1)

    def score(values: Tensor, labels: Tensor) -> float:
        return float(silhouettes(cosine_distances(values), labels, contexts.comparable).mean())

    for t in range(contexts.N + 1):
        own = points(network.finetuned, contexts, t)
        for name, values in own.items():
            found["network"].setdefault(name, []).append(score(values, contexts.types))
        others = trivial(contexts, t, network.corpus.V)
        others["embeddings"] = bag_of(network.finetuned.token.detach(), contexts, t)
        others["initial"] = points(network.initial, contexts, t)[LAST_ATTENTION]
        others["before"] = points(network.before, contexts, t)[LAST_ATTENTION]
        for name, values in others.items():
            found["trivial"][name].append(score(values, contexts.types))
        found["trivial"]["shuffled"].append(score(own[LAST_ATTENTION], shuffled))
    return found


def matrices(network: Network, contexts: Contexts) -> list[list[list[float]]]:
    """[t][l][l']: mean cosines of the task representation, as printed."""
    L = network.corpus.L
    by_t = (points(network.finetuned, contexts, t)[LAST_ATTENTION] for t in range(contexts.N + 1))
    return [mean_cosines(values, contexts.types, L).printed.tolist() for values in by_t]


def accuracy(network: Network, contexts: Contexts) -> list[float]:
    """[t]: share of the sequences whose largest logit is that of the answer alone (a tie is no answer)."""
    by_t = (logits(network.finetuned, contexts, t) for t in range(contexts.N + 1))
    return [float((ranks(found, contexts.answers()) == 1).double().mean()) for found in by_t]


def guesses(network: Network, pool: str) -> dict[str, list[float]]:
    """{predictor: [t]}: exact match of the best trivial predictors on these sequences (verify.findings.baselines)."""
    queries, context = network.subjects(pool), network.subjects(network.context(pool))
    facts, V = network.corpus.attribute_token, network.corpus.V
    by_t = [baselines.trivial(facts, V, queries, context, t) for t in range(max(network.config.n_demos, 1))]
    return {name: [found[name] for found in by_t] for name in GUESSES}


def _curves(found: Steered) -> dict[str, Any]:
    source, target = off_diagonal(found.source), off_diagonal(found.target)
    return {
        "source": source.tolist(),
        "target": target.tolist(),
        "crossing": crossing(found.betas, source.tolist(), target.tolist()),
        "target_first": off_diagonal(found.target_first).tolist(),
        "target_best": off_diagonal(found.target_best).tolist(),
    }


def _of_target(found: Steered, l: int) -> dict[str, Any]:
    """Mean over the source types, for one target type."""
    source, target = (values[:, l].nanmean(0).tolist() for values in (found.source, found.target))
    return {"source": source, "target": target, "crossing": crossing(found.betas, source, target)}


def steering(network: Network, pool: str, sizes: Sizes, seed: int) -> dict[str, Any]:
    """Mean ranks by beta, all pairs and for every target; with vectors of mixed types; without a replacement.

    The vectors are means over other sequences than those that are steered, in which every type is asked of the same queries.
    """
    L = network.corpus.L
    known = network.contexts(pool, sizes.clustered, seed)
    values = points(network.finetuned, known, known.N)[LAST_ATTENTION]
    contexts = network.contexts(pool, sizes.steered, seed + 1, same_queries=True)
    replaced = replacing(network.finetuned, contexts)
    found = steered(replaced, contexts, task_vectors(values, known.types, L), BETAS)
    mixed = steered(replaced, contexts, untyped(values, known.types, L, seed), BETAS)
    plain = ranks(logits(network.finetuned, contexts, contexts.N), contexts.answers())
    return {
        "betas": list(BETAS),
        **_curves(found),
        "by_target": [_of_target(found, l) for l in range(L)],
        "untyped": _curves(mixed),
        "unreplaced": float(plain.mean()),
    }


def measured(network: Network, sizes: Sizes, seed: int = 0) -> dict[str, Any]:
    """Everything rules.py and the pictures use.  seed: of the sequences.  Cost: some 40 (t_max + 1) L passes per sequence of a type.

    Raises ValueError for a corpus of one type, without held-out subjects, or a pool with a single value of a type.
    """
    if network.corpus.L < 2 or not len(network.corpus.world.heldout):
        raise ValueError("corpus must have two types or more and held-out subjects, got one without")
    draws = {name: network.contexts("heldout", sizes.clustered, 1000 + seed, name == "disjoint") for name in KINDS}
    found = {name: clustering(network, contexts) for name, contexts in draws.items()}
    counted = {pool: network.contexts(pool, sizes.counted, 2000 + seed) for pool in POOLS}
    return {
        "div": network.corpus.div(network.config.corpus.norm),
        "demonstrations": list(range(draws["silhouettes"].N + 1)),
        "sizes": {"clustered": sizes.clustered, "steered": sizes.steered, "counted": sizes.counted},
        **{name: found[name]["network"] for name in KINDS},
        "trivial": {name: {kind: found[kind]["trivial"][name] for kind in KINDS} for name in CONTROLS},
        "cosines": matrices(network, draws["silhouettes"]),
        "accuracy": {pool: accuracy(network, contexts) for pool, contexts in counted.items()},
        "guesses": {pool: guesses(network, pool) for pool in POOLS},
        "steering": {pool: steering(network, pool, sizes, 3000 + seed) for pool in POOLS},
    }
