"""Finetuning subjects that show a wanted number of different attribute values, chosen from a table that stays as it is.

The table is the balanced one of the pretraining.  Subjects are added one at a time; each is drawn at random among those whose
number of new values is closest to what is still missing, divided by the subjects still to come.  Targets run in equal steps
from the least to the most that the greedy choice itself reaches: fewest (most) new values every time.
"""

from fractions import Fraction

import numpy as np

from numerics.world import World


def unique_values(world: World, subjects: list[int]) -> int:
    """Number of different attribute tokens that the subjects have, over all types."""
    return len(np.unique(world.attribute_token[subjects]))


def chosen(world: World, count: int, target: int | None, seed: int, most: bool = False) -> list[int]:
    """`count` subjects, ascending, that together have about `target` values; None: as few, or as `most`, as greed finds.

    Raises ValueError for a count outside 1..M.  Cost O(count M L).
    """
    if not 1 <= count <= world.M:
        raise ValueError(f"count must be a whole number in 1..M = {world.M}, got {count!r}")
    draw = np.random.default_rng((seed, count, 0 if target is None else target))
    seen = np.zeros(world.V, dtype=bool)
    left = np.arange(world.M)
    found: list[int] = []
    for at in range(count):
        gain = (~seen[world.attribute_token[left]]).sum(axis=1)
        if target is None:
            distance = [Fraction(int(-g if most else g)) for g in gain]
        else:
            wanted = Fraction(target - int(seen.sum()), count - at)
            distance = [abs(int(g) - wanted) for g in gain]
        best = min(distance)
        j = int(draw.choice(left[[d == best for d in distance]]))
        found.append(j)
        left = left[left != j]
        seen[world.attribute_token[j]] = True
    return sorted(found)


def levels(world: World, count: int, number: int, seed: int) -> list[list[int]]:
    """`number` >= 2 sets of `count` subjects, from the fewest values to the most in equal steps.  Raises ValueError."""
    if number < 2:
        raise ValueError(f"number must be at least 2, got {number!r}")
    ends = [chosen(world, count, None, seed, most) for most in (False, True)]
    low, high = (unique_values(world, subjects) for subjects in ends)
    between = [round(low + (high - low) * k / (number - 1)) for k in range(1, number - 1)]
    return [ends[0], *(chosen(world, count, target, seed) for target in between), ends[1]]
