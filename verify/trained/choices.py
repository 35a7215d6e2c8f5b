"""A table and an initialisation that the trainer's own configurations do not have."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from numerics.models.factored import Factored
from numerics.training import ModelConfig, WorldConfig
from numerics.world import World


@dataclass(frozen=True)
class UniqueFirst(WorldConfig):
    """A balanced world whose first type has a value of its own for every subject (M_1 = M, App. C)."""

    def build(self) -> World:
        """The world.  Raises ValueError unless U is (M, U_2, .., U_L)."""
        if isinstance(self.U, int) or self.U[0] != self.M:
            raise ValueError(f"U must be (M, U_2, .., U_L) with M = {self.M}, got {self.U!r}")
        rest = World.balanced(self.M, self.L - 1, self.U[1:], self.M_ft, self.n_grammar, self.seed)
        first = np.random.default_rng((self.seed, self.M)).permutation(self.M)
        return World(np.column_stack([first, rest.table]), rest.finetune, self.n_grammar)


@dataclass(frozen=True)
class LinearDefault(ModelConfig):
    """nn.Linear's default in place of N(0, std): uniform on +-1 / sqrt(inputs) for W_K, W_Q, W_V (d -> d_h) and W_O (d_h -> d)."""

    initial: str = "nn.Linear"

    def build(self, V: int, T: int, dtype: str, device: str | torch.device) -> Factored:
        """The network at these weights."""
        model = super().build(V, T, dtype, device)
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                bound = 1 / math.sqrt(self.d_h if name == "output" else V + T)
                drawn = torch.rand(weight.shape, generator=generator, dtype=torch.float64) * 2 - 1
                weight.copy_(drawn * bound)
        return model
