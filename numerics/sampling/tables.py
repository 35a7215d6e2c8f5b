"""What the samplers need of a world, on the device: the attribute tokens and where every kind of token begins."""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.world import World


@dataclass(frozen=True, eq=False)
class Tables:
    """attribute_token (M, L) ids; type_of_token (V,) type of an attribute token, -1 for others; finetune, heldout ids."""

    M: int
    L: int
    G: int
    V: int
    attribute_token: Tensor
    type_of_token: Tensor
    finetune: Tensor
    heldout: Tensor
    first_relation: int
    first_grammar: int
    sep: int

    @staticmethod
    def of(world: World, device: str | torch.device = "cpu") -> "Tables":
        """The tables of a world on a device."""
        types = torch.full((world.V,), -1)
        for l in range(world.L):
            values = world.attribute_range(l)
            types[values.start : values.stop] = l
        return Tables(
            M=world.M,
            L=world.L,
            G=world.G,
            V=world.V,
            attribute_token=torch.tensor(world.attribute_token, device=device),
            type_of_token=types.to(device),
            finetune=torch.tensor(world.finetune_array, device=device),
            heldout=torch.tensor(world.heldout, device=device),
            first_relation=world.relation_token(0),
            first_grammar=world.sep_token - world.G,
            sep=world.sep_token,
        )

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.attribute_token.device

    def pool(self, name: str) -> Tensor:
        """Subjects of 'finetune', 'heldout' or 'all'.  Raises ValueError for another name or an empty pool."""
        if name == "all":
            return torch.arange(self.M, device=self.device)
        if name not in ("finetune", "heldout"):
            raise ValueError(f"pool must be one of 'finetune', 'heldout', 'all', got {name!r}")
        found = self.finetune if name == "finetune" else self.heldout
        if not len(found):
            raise ValueError(f"pool must have a subject, got {name!r}, which has none")
        return found


def seeded(seed: int, device: torch.device) -> torch.Generator:
    """A generator on the device."""
    return torch.Generator(device=device).manual_seed(seed)
