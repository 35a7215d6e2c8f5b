"""The two-step procedure by autograd of the literal network on drawn sequences: SAMPLED, for populations too large to enumerate."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.arguments import checked_choice, checked_integer
from numerics.models.attention_only import AttentionOnly, prop1
from numerics.models.population_gradient import loss_sum
from numerics.population.enumerate import assembled
from numerics.population.layout import Layout
from numerics.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SampledAutograd:
    """Every replicate of kq_subj (R, V+T), ov_rel (R, V, V), kq_rel (R, V+T), from `sequences` drawn sequences a replicate and step."""

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_rel: FloatArray
    sequences: int

    @property
    def replicates(self) -> int:
        return len(self.kq_subj)


def _backpropagate(
    model: AttentionOnly, world: World, n_demos: int, objective: str, size: int, draw: np.random.Generator
) -> None:
    """Sets every .grad to the gradient of the mean loss over `size` drawn sequences."""
    layout, device = Layout(n_demos), next(model.parameters()).device
    model.zero_grad()
    types = draw.integers(world.L, size=size)
    subjects = world.finetune_array[draw.integers(world.M_ft, size=(size, layout.m))]
    drawn = assembled(world, layout, types, subjects)
    for start in range(0, size, 512):
        part = slice(start, start + 512)
        tokens, targets = (
            torch.as_tensor(drawn.tokens[part], device=device),
            torch.as_tensor(drawn.targets[part], device=device),
        )
        (loss_sum(model, tokens, targets, objective) / size).backward()


def sampled_population_gradients(
    world: World,
    n_demos: int,
    objective: str = "hat",
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    size: int = 512,
    replicates: int = 8,
    seed: int = 0,
    device: str = "cpu",
) -> SampledAutograd:
    """Independent replicates of both steps; each step draws its own sequences, so for the hat loss, whose second step is
    linear in W_OV^rel, every entry is unbiased. Second step: subject head on the query, as in population_gradients.

    Raises ValueError for bad arguments. Cost O(replicates size (T d + d^2)).
    """
    checked_choice("objective", objective, ("true", "hat"))
    checked_integer("size", size, 1)
    checked_integer("replicates", replicates, 2)
    V, sep = world.V, world.sep_token
    found: tuple[list[FloatArray], list[FloatArray], list[FloatArray]] = ([], [], [])
    for stream in np.random.SeedSequence(seed).spawn(replicates):
        draw = np.random.default_rng(stream)
        model = prop1(world, n_demos, window, reading, device=device)
        _backpropagate(model, world, n_demos, objective, size, draw)
        first, second = model.kq["subj"].grad, model.ov["rel"].grad
        assert first is not None and second is not None
        found[0].append(first[:, sep].cpu().numpy().copy())
        found[1].append(second.cpu().numpy().copy())
        with torch.no_grad():
            step = second.clone()
            step[:, sep] = 0.0
            model.ov["rel"] -= eta_ov * step
            model.kq["subj"].zero_()
            model.kq["subj"][V + 1, sep] = 1.0
        _backpropagate(model, world, n_demos, objective, size, draw)
        third = model.kq["rel"].grad
        assert third is not None
        found[2].append(third[:, sep].cpu().numpy().copy())
    return SampledAutograd(np.stack(found[0]), np.stack(found[1]), np.stack(found[2]), size)
