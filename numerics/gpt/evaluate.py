"""The four metrics of App. B.1 at the final attribute, on PT, ICL and ICL+Grm sequences with seen and held-out queries.

    exact        the argmax over the whole vocabulary is the target
    type         the argmax is an attribute of the right type
    subject      the argmax is an attribute of the query subject
    attribute    the argmax is any attribute

Always in the precision of the weights.  A tie for the largest logit counts for no metric and is reported.
Sequences are sampled, the same ones for the same seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from numerics.arguments import checked_integer
from numerics.corpus import Batch, Corpus, ICLSampler, PTSampler
from numerics.gpt.config import RunConfig
from numerics.gpt.model import GPT

METRICS = ("exact", "type", "subject", "attribute")
POPULATIONS = ("pt", "icl_seen", "icl_heldout", "grm_seen", "grm_heldout")
#: Streams of random numbers that must not meet: the seed of a phase draws its data, seed + this its evaluations.
#: Below 2^32: generators of the CPU keep the low 32 bits of a seed.
EVALUATION = 1 << 31
#: Grammar length of the ICL+Grm evaluation (Fig. 15).
GRM = 1


class Sampler(Protocol):
    """What draws a population."""

    def draw(self, size: int) -> Batch: ...


@dataclass(frozen=True, eq=False)
class Tables:
    """Of a corpus on a device: types (V,) with -1 for a token that is no attribute, attributes (M, L) tokens of each subject."""

    types: Tensor
    attributes: Tensor

    @classmethod
    def of(cls, corpus: Corpus, device: str | torch.device) -> "Tables":
        """Tables of the corpus."""
        types, attributes = torch.tensor(corpus.type_of_token), torch.tensor(corpus.attribute_token)
        return cls(types.to(device), attributes.to(device))

    def judged(self, batch: Batch, predictions: Tensor) -> dict[str, Tensor]:
        """(B,) bool of every metric for predicted tokens (B,); -1 is no prediction."""
        kind = torch.where(predictions < 0, -1, self.types[predictions.clamp(min=0)])
        return {
            "exact": predictions == batch.targets,
            "type": kind == batch.types,
            "subject": (self.attributes[batch.subjects] == predictions[:, None]).any(1),
            "attribute": kind >= 0,
        }


def populations(corpus: Corpus, config: RunConfig) -> tuple[str, ...]:
    """Those that exist: without held-out subjects there are no sequences with held-out queries."""
    return tuple(name for name in POPULATIONS if len(corpus.world.heldout) or not name.endswith("heldout"))


def sampler(name: str, corpus: Corpus, config: RunConfig, seed: int, device: str | torch.device) -> Sampler:
    """The population: "pt" as trained on, ICL and ICL+Grm (one grammar token) with config.n_demos and config.context."""
    if name == "pt":
        return PTSampler(corpus, config.S, config.n_tr, config.p_G, seed=EVALUATION + seed, device=device)
    kind, pool = name.split("_")
    query = "finetune" if pool == "seen" else "heldout"
    context = query if config.context == "query" else config.context
    S_ft = GRM if kind == "grm" else 0
    return ICLSampler(corpus, config.n_demos, S_ft, query, context, seed=EVALUATION + seed, device=device)


def chosen(batch: Batch, keep: Tensor) -> Batch:
    """The sequences where keep (B,) is true."""
    fields = ("tokens", "following", "last", "targets", "types", "subjects", "grammar_only")
    return type(batch)(**{name: getattr(batch, name)[keep] for name in fields})


def batches(drawn: Sampler, size: int, chunk: int) -> list[Batch]:
    """Batches of at most `chunk` with `size` sequences in all whose final token is an attribute."""
    out: list[Batch] = []
    missing = size
    while missing:
        batch = drawn.draw(min(chunk, missing))
        batch = chosen(batch, ~batch.grammar_only)
        if len(batch.tokens):
            out.append(batch)
        missing -= len(batch.tokens)
    return out


@torch.no_grad()
def counted(
    predict: Callable[[Batch], tuple[Tensor, Tensor]], drawn: Sampler, tables: Tables, size: int, chunk: int = 256
) -> dict[str, float]:
    """Accuracies of predict(batch) -> (tokens (B,), alone (B,) bool) on `size` sequences, with "ties" and "total" counts."""
    totals = torch.zeros(len(METRICS) + 1, dtype=torch.int64, device=tables.types.device)
    for batch in batches(drawn, checked_integer("size", size, 1), checked_integer("chunk", chunk, 1)):
        predictions, alone = predict(batch)
        found = tables.judged(batch, predictions)
        totals += torch.stack([*((found[name] & alone).sum() for name in METRICS), (~alone).sum()])
    right = totals.tolist()
    return {name: right[k] / size for k, name in enumerate(METRICS)} | {"ties": right[-1], "total": size}


@torch.no_grad()
def accuracies(
    model: GPT,
    corpus: Corpus,
    config: RunConfig,
    size: int,
    seed: int,
    device: str | torch.device = "cpu",
    only: tuple[str, ...] | None = None,
) -> dict[str, dict[str, float]]:
    """{population: {metric: accuracy, "ties": .., "total": size}} on `size` sequences of each (or of `only` those).

    PT: the last of n_tr subsequences has an attribute, the earlier ones may be grammar-only.  The context of ICL sequences is
    config.context.  Raises ValueError for size < 1 or an unknown population.  Cost: GPT.logits_at of each.
    """
    names = populations(corpus, config) if only is None else only
    unknown = [name for name in names if name not in populations(corpus, config)]
    if unknown:
        raise ValueError(f"only must be among {', '.join(populations(corpus, config))}, got {', '.join(unknown)}")
    tables = Tables.of(corpus, device)

    def predict(batch: Batch) -> tuple[Tensor, Tensor]:
        logits = model.logits_at(batch.tokens, batch.last)
        best = logits.amax(1, keepdim=True)
        return logits.argmax(1), (logits == best).sum(1) == 1

    return {name: counted(predict, sampler(name, corpus, config, seed, device), tables, size) for name in names}


def flat(found: dict[str, Any]) -> dict[str, Any]:
    """{"pt_exact": .., ..}: the metrics alone, one level deep, for a progress line; what is no population stays."""
    out: dict[str, Any] = {}
    for name, value in found.items():
        out |= {f"{name}_{metric}": value[metric] for metric in METRICS} if isinstance(value, dict) else {name: value}
    return out
