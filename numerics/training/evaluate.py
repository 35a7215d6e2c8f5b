"""Accuracy of a network on PT and ICL sequences: the four metrics of App. B.1, counted, beside what trivial predictors score.

    exact        the target alone is the argmax over the whole vocabulary
    type         the argmax is an attribute of the right type
    subject      the argmax is an attribute of the right subject
    attribute    the argmax is any attribute

Trivial predictors: `chance`, an attribute token at random; `majority`, the constant prediction that is right most often on
these very sequences; on ICL sequences `copy`, the attribute of the last demonstration.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from scipy.stats import beta
from torch import Tensor

from numerics.arguments import checked_integer, checked_real
from numerics.models.factored import Factored
from numerics.models.fast_loss import last_logits
from numerics.sampling.batch import IclBatch, PretrainingBatch
from numerics.sampling.icl import IclSampler
from numerics.sampling.pretraining import PretrainingSampler
from numerics.sampling.tables import Tables

METRICS = ("exact", "type", "subject", "attribute")


@dataclass(frozen=True)
class Counts:
    """How many of `total` sequences satisfy each metric; ties: sequences whose argmax is not alone; sampled or every one."""

    right: dict[str, int]
    ties: int
    total: int
    sampled: bool

    def accuracy(self, metric: str = "exact") -> float:
        """right / total."""
        return self.right[metric] / self.total

    def interval(self, metric: str = "exact", confidence: float = 0.95) -> tuple[float, float]:
        """Clopper-Pearson interval of a sampled accuracy; the accuracy twice where every sequence was counted.

        Raises ValueError for a confidence outside (0, 1).
        """
        if not 0 < checked_real("confidence", confidence) < 1:
            raise ValueError(f"confidence must be in (0, 1), got {confidence!r}")
        k, n, tail = self.right[metric], self.total, (1 - confidence) / 2
        if not self.sampled:
            return self.accuracy(metric), self.accuracy(metric)
        low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
        return low, 1.0 if k == n else float(beta.ppf(1 - tail, k + 1, n - k))

    def plus(self, other: "Counts") -> "Counts":
        """The counts of both sets of sequences."""
        right = {name: self.right[name] + other.right[name] for name in self.right}
        return Counts(right, self.ties + other.ties, self.total + other.total, self.sampled or other.sampled)


def judged(tables: Tables, predictions: Tensor, targets: Tensor, types: Tensor, subjects: Tensor) -> dict[str, Tensor]:
    """(B,) bool of every metric for predicted tokens (B,); types and subjects (B,) are the right ones."""
    kind = tables.type_of_token[predictions]
    return {
        "exact": predictions == targets,
        "type": kind == types,
        "subject": (tables.attribute_token[subjects] == predictions[:, None]).any(1),
        "attribute": kind >= 0,
    }


def outcome(tables: Tables, logits: Tensor, targets: Tensor, types: Tensor, subjects: Tensor, sampled: bool) -> Counts:
    """The counts of logits (B, V).  A tie for the largest logit counts for no metric."""
    best = logits.amax(1, keepdim=True)
    alone = (logits == best).sum(1) == 1
    found = judged(tables, logits.argmax(1), targets, types, subjects)
    right = {name: int((hit & alone).sum()) for name, hit in found.items()}
    return Counts(right, int((~alone).sum()), len(targets), sampled)


def _parts(size: int, chunk: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, chunk):
        yield start, min(start + chunk, size)


@torch.no_grad()
def icl_counts(
    model: Factored,
    sampler: IclSampler,
    size: int | None = None,
    chunk: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> Counts:
    """On `size` drawn sequences, or with None on every sequence of the population.  Cost O(size H d_h V).

    Raises ValueError for size < 1.  Sequences are as the sampler draws them, query and contexts from its pools.
    """
    full = size is None
    total = sampler.population_size if size is None else checked_integer("size", size, 1)
    counts = Counts(dict.fromkeys(METRICS, 0), 0, 0, not full)
    for start, stop in _parts(total, checked_integer("chunk", chunk, 1)):
        batch = sampler.every(start, stop) if full else sampler.draw(stop - start)
        logits = last_logits(model, batch.tokens)
        found = outcome(sampler.tables, logits, batch.targets, batch.types, batch.subjects[:, -1], not full)
        counts = counts.plus(found)
        if progress is not None:
            progress(stop, total)
    return counts


@torch.no_grad()
def pretraining_counts(
    model: Factored,
    sampler: PretrainingSampler,
    size: int,
    chunk: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> Counts:
    """At the last position of `size` drawn PT sequences whose last subsequence has an attribute.  Cost O(size H d_h V).

    Raises ValueError for size < 1, and for p_G = 1, where there is none.
    """
    if sampler.p_G == 1:
        raise ValueError("p_G must be < 1 for an attribute to predict, got 1.0")
    size = checked_integer("size", size, 1)
    counts = Counts(dict.fromkeys(METRICS, 0), 0, 0, True)
    while counts.total < size:
        batch = with_attribute(sampler.draw(min(checked_integer("chunk", chunk, 1), size - counts.total)))
        if len(batch.tokens):
            logits = last_logits(model, batch.tokens)
            found = outcome(sampler.tables, logits, batch.targets, batch.types[:, -1], batch.subjects, True)
            counts = counts.plus(found)
        if progress is not None:
            progress(counts.total, size)
    return counts


def with_attribute(batch: PretrainingBatch) -> PretrainingBatch:
    """The sequences whose last subsequence is not grammar-only (none may be left)."""
    keep = ~batch.grammar_only[:, -1]
    fields = ("tokens", "following", "subjects", "types", "slots", "grammar_only")
    return PretrainingBatch(*(getattr(batch, name)[keep] for name in fields))


@dataclass(frozen=True)
class Baselines:
    """Exact-match accuracy of the trivial predictors; copy is None where there is nothing to copy."""

    chance: float
    majority: float
    copy: float | None


def baselines(tables: Tables, batch: IclBatch | PretrainingBatch) -> Baselines:
    """Of the sequences of one batch."""
    attributes = int((tables.type_of_token >= 0).sum())
    majority = float(torch.bincount(batch.targets).max()) / len(batch.targets)
    copied = None
    if isinstance(batch, IclBatch) and batch.tokens.shape[1] > 2:
        copied = float((batch.tokens[:, -3] == batch.targets).double().mean())
    return Baselines(1 / attributes, majority, copied)
