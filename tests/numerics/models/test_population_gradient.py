import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.models import attention_only, population_gradient
from numerics.models.population_gradient import population_gradients
from numerics.population import finetuning_gradients, gradients_at
from numerics.world import World

NAMES = ("kq_subj", "ov_rel", "kq_rel")


def _agree(found, autograd):
    for name in NAMES:
        expected = getattr(autograd, name)
        # Where a gradient vanishes identically, autograd leaves rounding of quantities of order 1.
        scale = max(np.abs(expected).max(), 1e-3)
        assert np.abs(getattr(found, name) - expected).max() <= 1e-12 * scale, name


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_contract_equals_autograd(small_worlds, windows, data):
    world, n_demos, window = data.draw(small_worlds), data.draw(st.integers(1, 2)), data.draw(windows)
    objective, reading = data.draw(st.sampled_from(["true", "hat"])), data.draw(st.sampled_from(["set", "literal"]))
    eta_ov = data.draw(st.sampled_from([1.0, -0.4, 20.0]))
    autograd = population_gradients(world, n_demos, objective, eta_ov, window, reading)
    _agree(finetuning_gradients(world, n_demos, objective, eta_ov, window, reading), autograd)
    # Only the [sep] column of W_KQ has a gradient, and W_KQ^rel none in the first step.
    others = np.delete(autograd.full_kq_subj, world.sep_token, axis=1)
    assert not others.any()
    assert not autograd.full_kq_rel_first.any()
    assert not np.delete(autograd.full_kq_rel, world.sep_token, axis=1).any()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_beta_equals_autograd(small_worlds, windows, data):
    world, n_demos, window = data.draw(small_worlds), data.draw(st.integers(1, 2)), data.draw(windows)
    objective, reading = data.draw(st.sampled_from(["true", "hat"])), data.draw(st.sampled_from(["set", "literal"]))
    beta = data.draw(st.sampled_from([0.3, 2.0, 15.0, math.inf]))
    eta_kq_subj = data.draw(st.sampled_from([1.0, 0.1, -3.0, 8.0]))
    autograd = population_gradients(world, n_demos, objective, 0.7, window, reading, beta, eta_kq_subj)
    _agree(gradients_at(world, n_demos, beta, objective, 0.7, eta_kq_subj, window, reading), autograd)


@pytest.mark.parametrize("window", [None, 4, 10])
def test_three_demonstrations(window):
    world = World.random(5, 2, [3, 2], 3, 0, seed=4)
    for objective in ("true", "hat"):
        autograd = population_gradients(world, 3, objective, 1.0, window)
        _agree(finetuning_gradients(world, 3, objective, 1.0, window), autograd)


def test_uses_of_the_populations_only_the_enumerator():
    for module in (attention_only, population_gradient):
        tree = ast.parse(Path(module.__file__).read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        ours = {name for name in imported if name.startswith("numerics.population")}
        assert ours <= {"numerics.population.enumerate"}


def test_errors():
    world = World([[0], [1]], [0])
    with pytest.raises(ValueError, match="objective must be one of"):
        population_gradients(world, 1, "x")
    with pytest.raises(ValueError, match="eta_ov must be a finite number"):
        population_gradients(world, 1, eta_ov=math.nan)
    with pytest.raises(ValueError, match="eta_kq_subj must be a number at finite beta"):
        population_gradients(world, 1, beta=2.0)
