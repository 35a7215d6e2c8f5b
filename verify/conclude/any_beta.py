"""At which finite beta every sequence is right, at the user's setting: what hard attention, beta = inf, does not say."""

from __future__ import annotations

from numerics.conclusion.conditions import conditions
from numerics.population.certified import CertifiedGradients
from numerics.population.exact import ExactGradients
from verify.region.finite import FiniteBeta, finite_beta
from verify.region.point import Steps, between, pools
from verify.region.tempered import Tempered
from verify.witnesses import Witnesses


def any_beta(w: Witnesses, objective: str) -> FiniteBeta:
    """Proven for the weights of the steps at beta = inf, from exact (hat) or certified (true) gradients; `why` where there are none.

    Cost: verify.region.sufficient, some seconds at M = 256.
    """
    s, world = w.setting, w.world
    if s.window is not None:
        return FiniteBeta(objective, None, why="T > S + 2: the relation head starts from a window")
    g = w.exact if objective == "hat" else w.true
    if not isinstance(g, ExactGradients | CertifiedGradients):
        return FiniteBeta(objective, None, why="the gradients are neither exact nor certified here")
    lower, upper, *units = between(world, g, Steps(s.eta_ov, s.eta_kq_subj, s.eta_kq_rel))
    found = {pool: conditions(world, s.N_ft, lower, upper, pool) for pool in pools(world)}
    return finite_beta(world, s.N_ft, objective, Tempered(lower, upper, (units[0], units[1])), found)
