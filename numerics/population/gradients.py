"""The gradients of the two-step procedure: the entry points that other code relies on."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.population.construction import READINGS
from numerics.population.exact import projected
from numerics.population.layout import Layout
from numerics.population.marginal import hat_gradients
from numerics.population.true import Progress, Setting, hat_first_step, hat_second_step, true_gradients
from numerics.world import World

FloatArray = NDArray[np.float64]
OBJECTIVES = ("true", "hat")
LIMIT = 20_000_000


@dataclass(frozen=True, eq=False)
class Gradients:
    """Float64 gradients over the finetuning population, per unit beta, and the setting they were taken at.

    kq_subj (V+T,): first step, [sep] column of W_KQ^subj; tokens in vocabulary order, then positions p_0, ...,
    p_-(T-1). ov_rel (V, V): first step, W_OV^rel, [output, input], before projection. kq_rel (V+T,): second step,
    [sep] column of W_KQ^rel, after W_OV^rel took one projected step of size eta_ov.
    """

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_rel: FloatArray
    n_demos: int
    objective: str
    eta_ov: float
    window: int | None
    reading: str
    beta: float = math.inf
    eta_kq_subj: float | None = None


def checked_setting(
    world: World,
    n_demos: int,
    beta: float,
    objective: str,
    eta_ov: float,
    eta_kq_subj: float | None,
    window: int | None,
    reading: str,
) -> Setting:
    """The arguments as a Setting.  Raises ValueError naming the parameter, its value and what would be valid."""
    if not isinstance(world, World):
        raise ValueError(f"world must be a World, got {type(world).__name__}")
    layout = Layout(n_demos)
    layout.width(window)
    return Setting(
        world,
        layout.n_demos,
        checked_real("beta", beta, infinite=True, positive=True),
        checked_choice("objective", objective, OBJECTIVES),
        checked_real("eta_ov", eta_ov),
        None if eta_kq_subj is None else checked_real("eta_kq_subj", eta_kq_subj),
        window,
        checked_choice("reading", reading, READINGS),
    )


def _gradients(setting: Setting, limit: int, progress: Progress | None, device: str) -> Gradients:
    if setting.objective == "true":
        kq_subj, ov_rel, kq_rel = true_gradients(setting, limit, progress, device)
    elif math.isinf(setting.beta):
        exact = hat_gradients(setting.world, setting.n_demos, setting.eta_ov, setting.window, setting.reading)
        kq_subj, ov_rel, kq_rel = exact.kq_subj.floats, exact.ov_rel.floats, exact.kq_rel.floats
    else:
        # The hat residual does not contain the logits, so the subject head of the second step does not matter.
        kq_subj, ov_rel = hat_first_step(setting)
        kq_rel = hat_second_step(setting, -setting.eta_ov * projected(ov_rel, setting.world))
    return Gradients(
        kq_subj,
        ov_rel,
        kq_rel,
        setting.n_demos,
        setting.objective,
        setting.eta_ov,
        setting.window,
        setting.reading,
        setting.beta,
        setting.eta_kq_subj,
    )


def finetuning_gradients(
    world: World,
    n_demos: int,
    objective: str = "true",
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    limit: int = LIMIT,
    progress: Progress | None = None,
    device: str = "cpu",
) -> Gradients:
    """Gradients of the two-step procedure over the whole finetuning population at the initial weights, beta = inf.

    objective "true" keeps the softmax term, by plain enumeration; "hat" drops it, exactly and at any size.  window
    None: the relation head is uniform over all T positions; an int w: over the last min(w, T).  The second step has
    the subject head on the query and the relation head still uniform over the window.  progress(done, total) counts
    the sequences of both steps.  Raises ValueError for n_demos < 1, an unknown objective or reading, a non-finite
    eta_ov, window < 1; PopulationTooLarge (a ValueError) for "true" above `limit` sequences.
    Cost: true O(L M_ft^m m A) with A = sum U_l; hat O(V^2 + sum_l U_l (M_ft + U_l) + m L M_ft).
    """
    setting = checked_setting(world, n_demos, math.inf, objective, eta_ov, None, window, reading)
    return _gradients(setting, checked_integer("limit", limit, 1), progress, device)


def gradients_at(
    world: World,
    n_demos: int,
    beta: float,
    objective: str = "true",
    eta_ov: float = 1.0,
    eta_kq_subj: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    limit: int = LIMIT,
    progress: Progress | None = None,
    device: str = "cpu",
) -> Gradients:
    """As finetuning_gradients, at any beta > 0 or inf and with the subject head of the second step actually updated.

    Step 1: softmax attention at beta at the initial weights.  Step 2: the [sep] column of W_KQ^subj is beta times
    (initial - eta_kq_subj kq_subj), W_OV^rel is updated, W_KQ^rel is as it was (its gradient in step 1 is 0).  At
    beta = inf attention is uniform over the largest scores; scores of the updated column within 1e-12 of the largest
    are ties. Raises and costs as finetuning_gradients; also ValueError for beta not positive and a non-finite
    eta_kq_subj.
    """
    step = checked_real("eta_kq_subj", eta_kq_subj)
    setting = checked_setting(world, n_demos, beta, objective, eta_ov, step, window, reading)
    return _gradients(setting, checked_integer("limit", limit, 1), progress, device)
