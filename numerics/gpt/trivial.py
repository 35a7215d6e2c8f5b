"""What predictors that know no fact score, metric by metric, on the very sequences that a network is evaluated on.

    vocabulary     a token at random
    chance         an attribute token at random
    majority       the constant that is right most often on these sequences, for every metric the best one
    type           knows the right type: one of its values at random
    type_majority  knows the right type: for every type the value that is right most often on these sequences
    copy           the last attribute of the context; no prediction where the context has none
    copy_of_type   knows the right type: the last attribute of that type in the context; no prediction where there is none
    lookup         the very fact that is asked for where the context states it, else as type_majority

Expectations over what is random are exact; sequences are sampled.  copy scores 1 on `subject` for PT sequences and 1 on `type` for
ICL sequences: alone, neither is evidence of recall.
"""

from dataclasses import fields

import torch
from torch import Tensor

from numerics.arguments import checked_integer
from numerics.corpus import Batch, Corpus
from numerics.gpt.config import RunConfig
from numerics.gpt.evaluate import METRICS, Tables, batches, populations, sampler

PREDICTORS = ("vocabulary", "chance", "majority", "type", "type_majority", "copy", "copy_of_type", "lookup")


def _joined(parts: list[Batch]) -> Batch:
    named = {field.name: torch.cat([getattr(part, field.name) for part in parts]) for field in fields(parts[0])}
    return type(parts[0])(**named)


def _chances(tables: Tables, batch: Batch, weights: Tensor) -> dict[str, float]:
    """Expected accuracies of a token drawn with probabilities weights (B, V)."""
    B, V = weights.shape
    own = torch.zeros((B, V), dtype=torch.bool, device=weights.device)
    own.scatter_(1, tables.attributes[batch.subjects], True)
    right = {
        "exact": weights.gather(1, batch.targets[:, None])[:, 0],
        "type": (weights * (tables.types == batch.types[:, None])).sum(1),
        "subject": (weights * own).sum(1),
        "attribute": (weights * (tables.types >= 0)).sum(1),
    }
    return {name: float(right[name].double().mean()) for name in METRICS}


def _counts(tables: Tables, batch: Batch, predictions: Tensor) -> dict[str, float]:
    found = tables.judged(batch, predictions)
    return {name: float(found[name].double().mean()) for name in METRICS}


def _majority(tables: Tables, batch: Batch) -> dict[str, float]:
    """The best constant of every metric."""
    V, B = len(tables.types), len(batch.targets)
    exact = torch.bincount(batch.targets, minlength=V).max()
    # A subject's attributes are distinct tokens, one of each type.
    subject = torch.bincount(tables.attributes[batch.subjects].flatten(), minlength=V).max()
    kind = torch.bincount(batch.types).max()
    return {"exact": int(exact) / B, "type": int(kind) / B, "subject": int(subject) / B, "attribute": 1.0}


def _of_type(tables: Tables, batch: Batch) -> Tensor:
    """(B,) the most frequent target of each one's type."""
    frequency = torch.bincount(batch.targets, minlength=len(tables.types))
    best = torch.stack(
        [(frequency + 1).where(tables.types == kind, 0).argmax() for kind in range(tables.attributes.shape[1])]
    )
    return best[batch.types]


def _copied(tables: Tables, batch: Batch, typed: bool) -> Tensor:
    """(B,) the last attribute before the target, of the right type if `typed`; -1 for none."""
    kinds = tables.types[batch.tokens]
    place = torch.arange(batch.tokens.shape[1], device=kinds.device)
    fits = (kinds == batch.types[:, None]) if typed else (kinds >= 0)
    at = place.expand_as(kinds).where(fits & (place <= batch.last[:, None]), -1).amax(1)
    return batch.tokens.gather(1, at.clamp(min=0)[:, None])[:, 0].where(at >= 0, -1)


def _stated(tables: Tables, batch: Batch) -> Tensor:
    """(B,) bool: an attribute of the right type stands after the query subject before the target does."""
    M = len(tables.attributes)
    place = torch.arange(batch.tokens.shape[1], device=batch.tokens.device).expand_as(batch.tokens)
    owner = batch.tokens.gather(1, place.where(batch.tokens < M, -1).cummax(1).values.clamp(min=0))
    right = (tables.types[batch.tokens] == batch.types[:, None]) & (owner == batch.subjects[:, None])
    return (right & (place <= batch.last[:, None])).any(1)


def scored(tables: Tables, batch: Batch) -> dict[str, dict[str, float]]:
    """{predictor: {metric: accuracy, "total": B}} on one batch.  Cost O(B (V + T))."""
    V, B = len(tables.types), len(batch.targets)
    weights = torch.ones((B, V), dtype=torch.float64, device=tables.types.device)
    attribute = (tables.types >= 0).to(weights).expand_as(weights)
    of_type = (tables.types == batch.types[:, None]).to(weights)
    majority = _of_type(tables, batch)
    found = {
        "vocabulary": _chances(tables, batch, weights / V),
        "chance": _chances(tables, batch, attribute / attribute.sum(1, keepdim=True)),
        "majority": _majority(tables, batch),
        "type": _chances(tables, batch, of_type / of_type.sum(1, keepdim=True)),
        "type_majority": _counts(tables, batch, majority),
        "copy": _counts(tables, batch, _copied(tables, batch, False)),
        "copy_of_type": _counts(tables, batch, _copied(tables, batch, True)),
        "lookup": _counts(tables, batch, batch.targets.where(_stated(tables, batch), majority)),
    }
    return {name: values | {"total": B} for name, values in found.items()}


@torch.no_grad()
def trivial(
    corpus: Corpus, config: RunConfig, size: int, seed: int, device: str | torch.device = "cpu"
) -> dict[str, dict[str, dict[str, float]]]:
    """{population: {predictor: {metric: accuracy, "total": size}}} on the sequences that `accuracies` has for the same size and seed.

    Raises ValueError for size < 1.
    """
    tables, size = Tables.of(corpus, device), checked_integer("size", size, 1)
    out = {}
    for name in populations(corpus, config):
        drawn = batches(sampler(name, corpus, config, seed, device), size, 256)
        out[name] = scored(tables, _joined(drawn))
    return out
