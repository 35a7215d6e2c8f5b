"""(d) Small networks trained as the paper's are: accuracy over ALL sequences beside that of a sample.

Rule, fixed before the runs: the exact accuracies lie in the samples' 95 % Clopper-Pearson intervals, but for no more misses
than the 99 % quantile of as many tosses with chance .05.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scipy.stats import binom

from numerics.sampling import IclSampler
from numerics.training import Progress, pretrain_and_finetune, to_json
from numerics.training.evaluate import baselines, icl_counts
from verify.against.settings import Enumeration

Count = Callable[[int, int], None]
#: (queries, contexts)
POOLS = (("finetune", "finetune"), ("finetune", "all"), ("heldout", "all"), ("heldout", "heldout"))
# Batches are drawn with seed 0 and the next.
SAMPLING = 1 << 31


def enumeration(part: Enumeration, progress: Count | None = None) -> dict[str, Any]:
    """The part's record; networks are trained in a scratch folder.  Cost: numerics.training, O(L M^m H d_h V) to count."""
    phases = part.run.pretraining.iterations + part.run.finetuning.iterations
    rows: list[dict[str, Any]] = []
    for seed in range(part.seeds):
        config = replace(
            part.run,
            world=replace(part.run.world, seed=seed),
            model=replace(part.run.model, seed=seed),
            pretraining=replace(part.run.pretraining, seed=500 + seed),
            finetuning=replace(part.run.finetuning, seed=600 + seed),
        )

        def shown(state: Progress, seed: int = seed) -> None:
            if progress is not None:
                earlier = part.run.pretraining.iterations if state.phase == "finetuning" else 0
                progress(seed * phases + earlier + state.step, part.seeds * phases)

        with tempfile.TemporaryDirectory() as folder:
            run = pretrain_and_finetune(config, folder, progress=shown, final_size=64)
        for query, context in POOLS:
            sampler = IclSampler(run.world, config.n_demos, query, context, SAMPLING + seed)
            drawn = icl_counts(run.model, sampler, part.sequences)
            every = icl_counts(run.model, sampler)
            low, high = drawn.interval()
            rows.append(
                {
                    "seed": seed,
                    "query": query,
                    "context": context,
                    "right": every.right["exact"],
                    "ties": every.ties,
                    "total": every.total,
                    "accuracy": every.accuracy(),
                    "sampled": drawn.accuracy(),
                    "interval": [low, high],
                    "inside": low <= every.accuracy() <= high,
                    "trivial": vars(baselines(sampler.tables, sampler.draw(part.sequences))),
                }
            )
    misses, allowed = sum(not row["inside"] for row in rows), int(binom.ppf(0.99, len(rows), 0.05))
    hidden = [r for r in rows if r["sampled"] == 1.0 and r["right"] < r["total"]]
    means = {
        f"{q}/{c}": sum(r["accuracy"] for r in rows if (r["query"], r["context"]) == (q, c)) / part.seeds
        for q, c in POOLS
    }
    agrees = misses <= allowed
    worst = max((r["total"] - r["right"] for r in hidden), default=0)
    finding = (
        f"Exact accuracy over all sequences (queries/contexts, mean of {part.seeds} networks): "
        + ", ".join(f"{name} {mean:.4f}" for name, mean in means.items())
        + f"; {misses} of {len(rows)} intervals of {part.sequences} sequences miss it (allowed {allowed}); in {len(hidden)} cases the sample"
        f" was all right and the population not (up to {worst} wrong)."
    )
    return {
        "config": to_json(part.run),
        "sequences": part.sequences,
        "rows": rows,
        "misses": misses,
        "allowed": allowed,
        "rule": "misses of the 95 % intervals within the 99 % quantile of as many tosses with chance .05",
        "verdict": "agrees" if agrees else "disagrees",
        "finding": finding,
    }
