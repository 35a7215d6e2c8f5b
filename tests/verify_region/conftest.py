"""Ground truth for small worlds: plain enumeration of the gradients, and of every sequence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numerics.conclusion import decide
from numerics.population import finetuning_gradients
from numerics.population.exact import enumerated_hat_gradients
from numerics.updates import UpdatedWeights, updated_weights
from numerics.world import World
from tests.one_thread import one_thread as one_thread
from verify.region.point import Steps, pools


def weights_of(world: World, n_demos: int, objective: str, steps: Steps) -> UpdatedWeights:
    """Weights after two steps with gradients from the plain enumeration of all finetuning sequences."""
    if objective == "hat":
        exact = enumerated_hat_gradients(world, n_demos, steps.eta_ov)
        return updated_weights(world, exact, steps.eta_kq_subj, steps.eta_kq_rel)
    g = finetuning_gradients(world, n_demos, "true", float(steps.eta_ov))
    return updated_weights(world, g, float(steps.eta_kq_subj), float(steps.eta_kq_rel))


@pytest.fixture(scope="session")
def enumerated_weights() -> Callable[..., UpdatedWeights]:
    return weights_of


@pytest.fixture(scope="session")
def holds() -> Callable[..., bool]:
    """Is every sequence right? float64 weights: what is closer than 1e-13 counts as a tie."""

    def answer(world: World, n_demos: int, objective: str, steps: Steps = Steps()) -> bool:  # noqa: B008
        weights = weights_of(world, n_demos, objective, steps)
        tie = 0 if objective == "hat" else 1e-13
        decisions = [decide(world, n_demos, weights, pool, tie_tolerance=tie) for pool in pools(world)]
        assert all(d.holds is not None for d in decisions)
        return all(bool(d.holds) for d in decisions)

    return answer
