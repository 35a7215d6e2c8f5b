"""What a network would answer if it could answer attributes alone: whether it is the format that it lacks, or the fact.

A network that continues every subject with grammar is wrong on every ICL sequence, whatever it knows of the attribute. Among the logits
of attributes the habit has no part: the likeliest of them is the right one if the type was inferred from the context and the fact
recalled.  Added after a tied network and the first one with an unembedding of its own had been looked at in this way (at paper-short,
seed 0: right in 0.00 and 0.01): no verdict rests on it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from numerics.corpus import Batch, Corpus
from numerics.gpt import GPT, RunConfig
from numerics.gpt.evaluate import Tables, counted, sampler

# The metrics that are not 1 by the choice of the tokens.
METRICS = ("exact", "type", "subject")


def among_attributes(
    models: Mapping[str, GPT], corpus: Corpus, config: RunConfig, size: int, seed: int, device: str
) -> dict[str, dict[str, float]]:
    """{network: {exact, type, subject}} of the likeliest attribute on `size` ICL sequences with held-out queries, the same for
    every network and those of numerics.gpt.accuracies at this seed.  A tie counts for none.  Cost: GPT.logits_at of each.
    """
    tables = Tables.of(corpus, device)
    other = tables.types < 0

    def shares(model: GPT) -> dict[str, float]:
        def predict(batch: Batch) -> tuple[Tensor, Tensor]:
            logits = model.logits_at(batch.tokens, batch.last).masked_fill(other, -torch.inf)
            best = logits.amax(1, keepdim=True)
            return logits.argmax(1), (logits == best).sum(1) == 1

        found = counted(predict, sampler("icl_heldout", corpus, config, seed, device), tables, size)
        return {metric: found[metric] for metric in METRICS}

    return {name: shares(model) for name, model in models.items()}
