"""The ways to the gradients of the finetuning population that are timed, and how far each is from the plain enumerator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.models.population_gradient import population_gradients
from numerics.population import (
    certified_gradients,
    enumerated_hat_gradients,
    finetuning_gradients,
    halves_gradients,
    hat_gradients,
    population_size,
)
from numerics.world import World
from verify.evidence import Route
from verify.tolerances import tolerance

MATRICES = ("kq_subj", "ov_rel", "kq_rel")
PLAIN = "plain"
#: The hat route is compared with the enumeration of every sequence in exact rationals up to so many sequences.
HAT_REFERENCE = 10_000


@dataclass(frozen=True)
class Method:
    """One way. call(world, n_demos, device) -> an object with kq_subj, ov_rel, kq_rel (and radii, where it proves some).

    sequencewise: it looks at every sequence, so its time grows at least as their number does.
    """

    name: str
    title: str
    call: Callable[[World, int, str], Any]
    sequencewise: bool = False
    objective: str = "true"


def methods() -> tuple[Method, ...]:
    """All ways, the plain enumerator first: the others are compared with it."""
    return (
        Method(
            PLAIN,
            "plain enumerator",
            lambda world, n, device: finetuning_gradients(world, n, "true", device=device),
            sequencewise=True,
        ),
        Method(
            "autograd",
            "autograd, literal network",
            lambda world, n, device: population_gradients(world, n, "true", device=device),
            sequencewise=True,
        ),
        Method("halves", "halves", lambda world, n, device: halves_gradients(world, n, device=device)),
        Method(
            "certified", "certified expansion", lambda world, n, device: certified_gradients(world, n, device=device)
        ),
        Method("hat", "exact hat route", lambda world, n, device: hat_gradients(world, n), objective="hat"),
    )


@dataclass(frozen=True)
class Difference:
    """Between a method and the plain enumeration of the same objective.

    largest         largest difference over the largest entry, the worst of the three matrices
    radius          largest proven radius over the largest entry, likewise; None where the method proves none
    agrees          float64 route: largest within the tolerance of verify.tolerances for float64 gradients; a method with radii:
                    every entry within its radius and that tolerance (the plain sums are float64 themselves); exact: equal
    """

    largest: float
    radius: float | None
    agrees: bool


def _floats(value: Any) -> NDArray[np.float64]:
    return np.asarray(value.floats if hasattr(value, "floats") else value, dtype=np.float64)


def difference(found: Any, plain: Any) -> Difference:
    """Of two results over the same population.  Cost O(V^2)."""
    worst, radius, agrees = 0.0, None, True
    allowed = tolerance(Route.AUTOGRAD).value
    for name in MATRICES:
        ours, theirs = _floats(getattr(found, name)), _floats(getattr(plain, name))
        scale = float(np.abs(theirs).max()) or 1.0
        apart = np.abs(ours - theirs)
        worst = max(worst, float(apart.max()) / scale)
        proven = getattr(found, f"{name}_radius", None)
        if proven is None:
            agrees &= bool(np.all(apart <= allowed * scale))
        else:
            radius = max(radius or 0.0, float(np.max(proven)) / scale)
            agrees &= bool(np.all(apart <= proven + allowed * scale))
    return Difference(worst, radius, agrees)


def hat_difference(found: Any, world: World, n_demos: int) -> Difference | None:
    """Of the exact hat route from the sum over every sequence in rationals; None above HAT_REFERENCE sequences."""
    if population_size(world, n_demos) > HAT_REFERENCE:
        return None
    plain = enumerated_hat_gradients(world, n_demos)
    equal = all(np.array_equal(getattr(found, name).fractions, getattr(plain, name).fractions) for name in MATRICES)
    return Difference(difference(found, plain).largest, None, equal)
