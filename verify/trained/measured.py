"""What one trained network shows: its heads on PT and ICL sequences, its W_OV, its accuracy on held-out subjects over training.

Held-out accuracy has three readings of the context, printed apart: subjects of the context from `all` M (the ICL sequences of
Section 2 whose query is held out: the primary one), from the held-out subjects alone, from the finetuning subjects alone.
`covered` counts the sequences whose answer is among the values seen in finetuning, all that Prop. 2 speaks of.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.measures import relation_separation, seen_values, value_separation
from numerics.models.factored import Factored
from numerics.models.fast_loss import last_logits
from numerics.sampling import IclSampler, PretrainingSampler, Tables
from numerics.training.checkpoint import read_checkpoint, restore_model
from numerics.training.evaluate import pretraining_counts, with_attribute
from numerics.world import World
from verify.trained.heads import Sequences, heads
from verify.trained.trained import Trained

# The seed of everything that is drawn to measure; batches are drawn with seeds from 100 on.
MEASURING = 0
CHUNK = 1024
CONTEXTS = ("all", "heldout", "finetune")


@dataclass(frozen=True, eq=False)
class Network:
    """A finished run in memory: the world and the weights before training, after pretraining and after finetuning."""

    trained: Trained
    world: World
    tables: Tables
    initial: Factored
    pretrained: Factored
    finetuned: Factored

    def at(self, path: Path) -> Factored:
        """The network with the weights of a file."""
        config = self.trained.job.config
        model = config.model.build(self.world.V, config.T, config.dtype, "cpu")
        restore_model(model, read_checkpoint(path))
        return model

    @staticmethod
    def of(trained: Trained) -> "Network":
        """Reads a finished run."""
        config, folder = trained.job.config, trained.folder
        world = config.world.build()
        initial = config.model.build(world.V, config.T, config.dtype, "cpu")
        blank = Network(trained, world, Tables.of(world), initial, initial, initial)
        pretrained, finetuned = (
            blank.at(folder / phase / "checkpoint.safetensors") for phase in ("pretraining", "finetuning")
        )
        return Network(trained, world, blank.tables, initial, pretrained, finetuned)

    def pt_sequences(self, size: int) -> Sequences:
        """PT sequences whose last subsequence has an attribute to predict."""
        config = self.trained.job.config
        sampler = PretrainingSampler(self.world, config.S, config.n_tr, seed=MEASURING)
        return Sequences.of(with_attribute(sampler.draw(size)), self.tables)

    def icl_sequences(self, size: int) -> Sequences:
        """ICL sequences of Section 2: every subject from all M."""
        sampler = IclSampler(self.world, self.trained.job.config.n_demos, "all", "all", MEASURING)
        return Sequences.of(sampler.draw(size), self.tables)


@torch.no_grad()
def icl_accuracy(model: Factored, network: Network, query: str, context: str, size: int) -> dict[str, Any]:
    """Counts of exact answers on drawn ICL sequences: right/total over all, the covered ones, and by type."""
    tables = network.tables
    sampler = IclSampler(network.world, network.trained.job.config.n_demos, query, context, MEASURING)
    seen = seen_values(tables)
    right: list[Tensor] = []
    covered: list[Tensor] = []
    types: list[Tensor] = []
    left = size
    while left > 0:
        batch = sampler.draw(min(CHUNK, left))
        left -= CHUNK
        right.append(last_logits(model, batch.tokens).argmax(-1) == batch.targets)
        covered.append(seen[batch.targets])
        types.append(batch.types)
    hit, inside, kind = torch.cat(right), torch.cat(covered), torch.cat(types)
    return {
        "right": int(hit.sum()),
        "total": len(hit),
        "covered_right": int((hit & inside).sum()),
        "covered_total": int(inside.sum()),
        "by_type": [float(hit[kind == ell].double().mean()) for ell in range(tables.L) if (kind == ell).any()],
    }


def curve(network: Network, size: int) -> list[dict[str, float]]:
    """Exact accuracy of seen and held-out queries (contexts from all) at the kept steps of finetuning, first and last included."""
    folder, phase = network.trained.folder / "finetuning", network.trained.job.config.finetuning
    points = [(0, network.pretrained)]
    points += [(step, network.at(folder / f"weights_{step:06d}.safetensors")) for step in phase.snapshots]
    points.append((phase.iterations, network.finetuned))
    out = []
    for step, model in points:
        record: dict[str, float] = {"step": step}
        for pool, name in (("finetune", "seen"), ("heldout", "heldout")):
            found = icl_accuracy(model, network, pool, "all", size)
            record[name] = found["right"] / found["total"]
        out.append(record)
    return out


def ov(network: Network, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """W_OV of the two heads (as pretraining gave them their roles) before and after finetuning.

    kept: cosine of a head's subject columns before and after, on attribute tokens; changed: relative change of its whole
    matrix; value_separation over the values seen in finetuning.
    """
    s, r = before["mechanism"]["subject_head"], before["mechanism"]["relation_head"]
    old, new = network.pretrained.ov().detach(), network.finetuned.ov().detach()
    tables = network.tables
    values, seen = tables.type_of_token >= 0, seen_values(tables)
    facts = [matrix[s][values][:, : tables.M].flatten().double() for matrix in (old, new)]
    kept = torch.nn.functional.cosine_similarity(facts[0], facts[1], dim=0)
    return {
        "subject_head": s,
        "relation_head": r,
        "same_heads_after": (after["mechanism"]["subject_head"], after["mechanism"]["relation_head"]) == (s, r),
        "subject_before": before["patterns"][s],
        "subject_after": after["patterns"][s],
        "subject_columns_kept": float(kept),
        "changed": {
            name: float((new[h] - old[h]).norm() / old[h].norm()) for name, h in (("subject", s), ("relation", r))
        },
        "relation_separation": [relation_separation(matrix[r], tables) for matrix in (old, new)],
        "value_separation": [value_separation(matrix[r], tables, seen) for matrix in (old, new)],
    }


@torch.no_grad()
def measured(network: Network, size: int, with_curve: bool = True) -> dict[str, Any]:
    """Everything that the figures and rules use, as JSON values.  size: sequences of an accuracy (a fourth of it for heads)."""
    config = network.trained.job.config
    pt, icl = network.pt_sequences(max(1, size // 4)), network.icl_sequences(max(1, size // 4))
    before = heads(network.pretrained, pt, {"initial": network.initial})
    after = heads(network.finetuned, icl, {"initial": network.initial, "before": network.pretrained})
    sampler = PretrainingSampler(network.world, config.S, config.n_tr, seed=MEASURING)
    counts = pretraining_counts(network.pretrained, sampler, size)
    accuracy: dict[str, Any] = {
        "pt": {"right": counts.right["exact"], "total": counts.total},
        "seen": icl_accuracy(network.finetuned, network, "finetune", "finetune", size),
        "before_finetuning": icl_accuracy(network.pretrained, network, "heldout", "all", size),
    }
    for context in CONTEXTS:
        accuracy[f"heldout_{context}"] = icl_accuracy(network.finetuned, network, "heldout", context, size)
    return network.trained.as_json() | {
        "pt": before,
        "icl": after,
        "ov": ov(network, before, after),
        "accuracy": accuracy,
        "curve": curve(network, max(1, size // 4)) if with_curve else [],
    }
