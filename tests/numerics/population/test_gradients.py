import math

import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float64, jaxtyped

from numerics.population import finetuning_gradients, gradients_at
from numerics.world import World

WORLD = World([[0, 1], [1, 1], [0, 0]], [0, 1], 1)


Tokens, Positions = Float64[np.ndarray, "V"], Float64[np.ndarray, "T"]
Column, Matrix = Float64[np.ndarray, "V+T"], Float64[np.ndarray, "V V"]


@jaxtyped(typechecker=beartype)
def _shapes(tokens: Tokens, positions: Positions, kq_subj: Column, ov_rel: Matrix, kq_rel: Column) -> bool:
    return True


@pytest.mark.parametrize("objective", ["true", "hat"])
@pytest.mark.parametrize("beta", [0.5, math.inf])
def test_shapes_and_setting(objective, beta):
    g = gradients_at(WORLD, 2, beta, objective, 0.5, 2.0, 4, "literal")
    assert _shapes(np.zeros(WORLD.V), np.zeros(8), g.kq_subj, g.ov_rel, g.kq_rel)
    assert (g.n_demos, g.objective, g.eta_ov, g.eta_kq_subj) == (2, objective, 0.5, 2.0)
    assert (g.window, g.reading, g.beta) == (4, "literal", beta)
    assert finetuning_gradients(WORLD, 2).eta_kq_subj is None


def test_arguments_matter():
    base = finetuning_gradients(WORLD, 2)
    assert (finetuning_gradients(WORLD, 2, window=8).kq_rel == base.kq_rel).all()
    assert (finetuning_gradients(WORLD, 2, window=99).kq_rel == base.kq_rel).all()
    assert (finetuning_gradients(WORLD, 2, window=3).kq_rel != base.kq_rel).any()
    assert (finetuning_gradients(WORLD, 2, eta_ov=2).kq_rel != base.kq_rel).any()
    assert (finetuning_gradients(WORLD, 2, "hat").ov_rel != base.ov_rel).any()
    assert (finetuning_gradients(WORLD, 2, reading="literal").kq_subj != base.kq_subj).any()
    assert (finetuning_gradients(WORLD, 2, eta_ov=0).kq_rel == 0).all()


def test_hat_second_step_is_linear_in_the_step():
    one, three = (finetuning_gradients(WORLD, 2, "hat", eta).kq_rel for eta in (1.0, 3.0))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"world": "facts.csv"}, "world must be a World, got str"),
        ({"n_demos": 0}, "n_demos must be an integer >= 1, got 0"),
        ({"n_demos": 1.5}, "n_demos must be an integer >= 1, got 1.5"),
        ({"n_demos": True}, "n_demos must be an integer >= 1, got True"),
        ({"objective": "both"}, "objective must be one of 'true', 'hat', got 'both'"),
        ({"reading": "Set"}, "reading must be one of 'set', 'literal', got 'Set'"),
        ({"eta_ov": math.inf}, "eta_ov must be a finite number, got inf"),
        ({"eta_ov": math.nan}, "eta_ov must be a finite number, got nan"),
        ({"eta_ov": "1"}, "eta_ov must be a finite number, got '1'"),
        ({"window": 0}, "window must be an integer >= 1 .or None for all positions., got 0"),
        ({"window": 2.0}, "window must be an integer >= 1 .*got 2.0"),
        ({"limit": 0}, "limit must be an integer >= 1, got 0"),
        ({"device": "abacus"}, "device must be usable"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        finetuning_gradients(**({"world": WORLD, "n_demos": 1} | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": 0}, "beta must be a positive number or inf, got 0"),
        ({"beta": -math.inf}, "beta must be a positive number or inf, got -inf"),
        ({"beta": math.nan}, "beta must be a positive number or inf, got nan"),
        ({"eta_kq_subj": math.inf}, "eta_kq_subj must be a finite number, got inf"),
        ({"eta_kq_subj": None}, "eta_kq_subj must be a finite number, got None"),
    ],
)
def test_errors_at_beta(arguments, message):
    with pytest.raises(ValueError, match=message):
        gradients_at(**({"world": WORLD, "n_demos": 1, "beta": 1.0} | arguments))


def test_a_saturated_softmax_loses_no_digits():
    """One subject, one value, m = 2: the gradient in closed form, down to 1e-70 where softmax and hat part cancel.

    x = [s, sep, a, s, sep], target a, V = 4 with no grammar. Step 1: the residual is -q on a and +1/V on the others, q =
    1 - 1/V; one step moves a in the columns of s and a by eta g q, every other output by -eta g / V, with g the
    attention: 2/T on s, 1/T on a. So the logit of a is ahead by D = eta g.g, and at the second step p = 1 - pi_a is
    3 / (3 + exp(D)): r = -p eta g_token for s, a and 0 for sep.
    """
    world = World([[0]], [0], 0)
    T, V = 5, 4
    for eta in (1.0, 50.0, 200.0, 900.0):
        g = np.array([2 / T, 0.0, 1 / T, 2 / T, 0.0])
        ahead = eta * g.sum() / T
        p = (V - 1) / (V - 1 + np.exp(ahead))
        r = -p * eta * g
        by_index = (r - r.mean()) / T
        wanted = np.array([by_index[0] + by_index[3], by_index[2], 0.0, by_index[1] + by_index[4], *by_index[::-1]])
        found = finetuning_gradients(world, 1, "true", eta_ov=eta).kq_rel
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
