"""The exact and certified gradients on the device: the numbers of the CPU."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from numerics.population import (
    certified_gradients,
    finetuning_gradients,
    gradients_at,
    halves_first_step,
    halves_gradients,
    sampled_gradients,
)
from numerics.world import World


def arrays(found):
    """Every array of a result, in order."""
    if isinstance(found, np.ndarray):
        yield found
    elif is_dataclass(found):
        for one in fields(found):
            yield from arrays(getattr(found, one.name))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (certified_gradients, {}),
        (certified_gradients, {"_orders": (3, 2)}),
        (certified_gradients, {"window": 2, "reading": "literal"}),
        (halves_gradients, {}),
        (halves_first_step, {}),
        (finetuning_gradients, {}),
        (finetuning_gradients, {"objective": "hat"}),
        (gradients_at, {"beta": 3.0}),
        (sampled_gradients, {"n": 64, "replicates": 8}),
    ],
)
def test_on_the_device(cuda, method, options):
    world = World.random(5, 2, 3, 4, 2, 7)
    one, two = (list(arrays(method(world, 3, device=device, **options))) for device in ("cpu", "cuda"))
    assert one and len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
