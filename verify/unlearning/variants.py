"""The finetunings that are compared, all of the same pretrained network on the same batches of ICL sequences, and their measures.

all            the loss of every next token (Section 3.2)
no_subjects    of those that are no subjects
attributes     of the attribute values alone, one for every demonstration and the query's
last           of the final token alone (Section 4)
untied         every next token again, with an unembedding of its own that begins as a copy of the embedding
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from numerics.corpus import Corpus
from numerics.gpt import GPT, METRICS, RunConfig, accuracies, load
from verify.findings.measured import FINAL_SEED, Trained, baselines, curve_of
from verify.findings.networks import Network
from verify.findings.rules import GROUPS, Measured
from verify.findings.settings import Size, config

VARIANTS = ("all", "no_subjects", "attributes", "last", "untied")


def networks(size: Size, seed: int) -> list[Network]:
    """The pretrained network and its finetunings in the order of VARIANTS."""
    own = config(size, seed)
    objectives = [Network(own, "icl", objective=None if name == "all" else name) for name in VARIANTS[:-1]]
    return [Network(own), *objectives, Network(own, "icl", untied=True)]


def with_rows_of(model: GPT, start: GPT, subjects: Tensor) -> GPT:
    """The network with the embeddings of these subjects, as inputs, as they are in `start`; its unembedding stays as it is."""
    changed = deepcopy(model)
    if changed.unembedding is None:
        changed.unembedding = nn.Parameter(model.token.detach().clone())
    with torch.no_grad():
        changed.token[subjects] = start.token[subjects]
    return changed


@torch.no_grad()
def moved(model: GPT, start: GPT, subjects: Tensor) -> dict[str, float]:
    """length: root mean square displacement of the embeddings of these subjects, over the root mean square of what they were;
    common: the share of its square that is one and the same displacement for all of them.  (n, d) rows, n >= 1."""
    before = start.token[subjects].double()
    by = model.token[subjects].double() - before
    squares = by.square().sum(1).mean()
    common = by.mean(0).square().sum() / squares if squares > 0 else squares
    return {"length": float((squares / before.square().sum(1).mean()).sqrt()), "common": float(common)}


def _pools(corpus: Corpus, device: str) -> dict[str, Tensor]:
    pools = {"finetuning": corpus.world.finetune, "heldout": tuple(int(j) for j in corpus.world.heldout)}
    return {name: torch.tensor(pool, device=device) for name, pool in pools.items()}


def _answers(model: GPT, corpus: Corpus, own: RunConfig, size: int, device: str) -> dict[str, dict[str, float]]:
    found = accuracies(model, corpus, own, size, FINAL_SEED, device, GROUPS)
    return {group: {metric: found[group][metric] for metric in METRICS} for group in GROUPS}


def measured(trained: list[Trained], size: Size, device: str) -> Measured:
    """One seed: curves, accuracies with the rows put back, and how the rows moved.  trained: as `networks` orders them."""
    start, *others = trained
    own, corpus = start.network.config, start.corpus
    before, pools = load(start.folder, device), _pools(corpus, device)
    finals = {name: load(one.folder, device) for name, one in zip(VARIANTS, others, strict=True)}
    return {
        "seed": own.model.seed,
        "run": start.folder.name,
        "runs": {name: one.folder.name for name, one in zip(VARIANTS, others, strict=True)},
        "trivial": baselines(corpus, own),
        "pt": accuracies(before, corpus, own, size.final, FINAL_SEED, device, ("pt",))["pt"]["exact"],
        "curves": {name: curve_of(one, size.final, device, start) for name, one in zip(VARIANTS, others, strict=True)},
        "put_back": {
            name: _answers(with_rows_of(model, before, pools["heldout"]), corpus, own, size.final, device)
            for name, model in finals.items()
        },
        "moved": {
            name: {pool: moved(model, before, rows) for pool, rows in pools.items()} for name, model in finals.items()
        },
    }
