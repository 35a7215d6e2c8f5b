"""Held-out exact match by format: how many grammar tokens stand before the attribute, how many demonstrations before the query.

Finetuning on ICL+Grm shows lengths S_ft of a range and one number of demonstrations.  "Using variable grammar lengths prevents the
model from overfitting to a fixed positional offset" (Section 3.2): then lengths that finetuning never had, 0 (ICL) and those
beyond its longest, are answered too, as far as the network has positions.
"""

from typing import Any

import torch
from torch import Tensor

from numerics.corpus import Batch, Corpus, ICLSampler
from numerics.gpt import GPT, RunConfig
from numerics.gpt.evaluate import EVALUATION, Tables, counted

# Lengths beyond the longest of finetuning.
BEYOND = 2


def grid(config: RunConfig) -> tuple[list[int], list[int]]:
    """Grammar lengths 0 .. max S_ft + BEYOND; numbers of demonstrations: the powers of 2 below config.n_demos, and it."""
    powers = [1 << k for k in range(config.n_demos.bit_length()) if 1 << k < config.n_demos]
    return list(range(max(config.S_ft) + BEYOND + 1)), [*powers, config.n_demos]


def fits(config: RunConfig, S_ft: int, n_demos: int) -> bool:
    """Whether the network has positions for such a sequence without its final attribute."""
    return (S_ft + 3) * (n_demos + 1) - 2 <= config.T


def formats(model: GPT, corpus: Corpus, config: RunConfig, size: int, seed: int, device: str) -> dict[str, Any]:
    """{S_ft: [..], n_demos: [..], trained: [S_ft of finetuning], exact: [[share]], attribute: [[share]]}, rows by S_ft; None
    where the sequence has more positions than the network.  `size` sequences a cell, contexts of finetuning subjects.

    Cost: GPT.logits_at of `size` sequences a cell.
    """
    tables, (lengths, counts) = Tables.of(corpus, device), grid(config)

    def predict(batch: Batch) -> tuple[Tensor, Tensor]:
        logits = model.logits_at(batch.tokens, batch.last)
        best = logits.amax(1, keepdim=True)
        return logits.argmax(1), (logits == best).sum(1) == 1

    def cell(S_ft: int, n_demos: int) -> dict[str, float] | None:
        if not fits(config, S_ft, n_demos):
            return None
        drawn = ICLSampler(corpus, n_demos, S_ft, "heldout", "finetune", seed=EVALUATION + seed, device=device)
        with torch.no_grad():
            return counted(predict, drawn, tables, size)

    cells = [[cell(S_ft, n_demos) for n_demos in counts] for S_ft in lengths]
    shares = {
        metric: [[None if one is None else one[metric] for one in row] for row in cells]
        for metric in ("exact", "attribute")
    }
    return {"S_ft": lengths, "n_demos": counts, "trained": sorted(config.S_ft)} | shares
