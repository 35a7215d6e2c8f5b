"""How many sequences a network answers: every one of a population, or drawn ones."""

from dataclasses import dataclass

import torch

from numerics.arguments import checked_integer
from numerics.descent.network import Network, logits, right
from numerics.sampling import IclSampler
from numerics.sampling.batch import IclBatch


@dataclass(frozen=True)
class Accuracy:
    """right of total sequences have the target alone at the top; sampled or every one."""

    right: int
    total: int
    sampled: bool

    @property
    def share(self) -> float:
        """right / total."""
        return self.right / self.total


def _right(network: Network, batch: IclBatch) -> int:
    with torch.no_grad():
        return int(right(logits(network, batch.tokens), batch.targets).sum())


def exact_accuracy(network: Network, sampler: IclSampler, chunk: int = 8192) -> Accuracy:
    """Over every sequence of the sampler's pools.  Cost O(L |Q| |C|^n_demos V^2)."""
    total = sampler.population_size
    parts = range(0, total, checked_integer("chunk", chunk, 1))
    found = sum(_right(network, sampler.every(start, min(start + chunk, total))) for start in parts)
    return Accuracy(found, total, False)


def sampled_accuracy(network: Network, sampler: IclSampler, size: int, chunk: int = 2048) -> Accuracy:
    """Over `size` drawn sequences.  Raises ValueError for size < 1.  Cost O(size V^2)."""
    size, found = checked_integer("size", size, 1), 0
    for start in range(0, size, checked_integer("chunk", chunk, 1)):
        found += _right(network, sampler.draw(min(chunk, size - start)))
    return Accuracy(found, size, True)
