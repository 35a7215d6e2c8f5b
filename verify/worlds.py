"""The witness bench: worlds on which every route can be run, and what each witness says there.

Each case is a world small enough to enumerate, a number of demonstrations and a window. Witnesses are asked once per
case and remembered for the run. The cases are fixed here, before anything is compared; about a third are unbalanced.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.models.population_gradient import AutogradGradients, population_gradients
from numerics.population import finetuning_gradients
from numerics.population.exact import ExactGradients, enumerated_hat_gradients
from numerics.world import World
from theory.finetuning import HatGradients, hat_gradients
from theory.frequencies import Frequencies
from verify.setting import parameters


def frequencies(world: World) -> Frequencies:
    """The value frequencies of a world, as the derivation wants them."""
    counts = [np.bincount(world.value_index[world.seen, l], minlength=world.U[l]) for l in range(world.L)]
    return Frequencies(
        values=tuple(tuple(Fraction(int(c), world.M_ft) for c in column) for column in counts),
        subjects=tuple(tuple(int(v) for v in row) for row in world.value_index),
        seen=tuple(bool(s) for s in world.seen),
    )


def directions(world: World, T: int) -> list[tuple]:
    """The derivation's key of every coordinate of a KQ column: tokens in vocabulary order, then p_0, p_-1, …"""
    keys: list[tuple] = [("subject", j) for j in range(world.M)]
    keys += [("attribute", l, u) for l in range(world.L) for u in range(world.U[l])]
    keys += [("relation", l) for l in range(world.L)]
    keys += [("grammar", g) for g in range(world.G)]
    keys += [("sep",)]
    return keys + [("position", -i) for i in range(T)]


@dataclass(frozen=True, eq=False)
class Case:
    """One world with everything that the witnesses say about it."""

    name: str
    world: World
    n_demos: int
    window: int | None = None
    eta_ov: Fraction = Fraction(1)
    reading: str = "set"

    @property
    def m(self) -> int:
        return self.n_demos + 1

    @property
    def T(self) -> int:
        return 3 * self.m - 1

    @cached_property
    def p(self) -> dict:
        return parameters(self.world, self.n_demos, None if self.window is None else self.window - 2)

    @property
    def balanced(self) -> bool:
        """Each value equally often among the finetuning subjects, and the same number of values for every type."""
        return self.p["balanced_ft"] and len(set(self.world.U)) == 1

    @cached_property
    def derived(self) -> HatGradients:
        return hat_gradients(frequencies(self.world), self.m, window=self.window, eta_ov=self.eta_ov)

    @cached_property
    def enumerated(self) -> ExactGradients:
        return enumerated_hat_gradients(self.world, self.n_demos, self.eta_ov, self.window, self.reading)

    @cached_property
    def true(self):
        return finetuning_gradients(
            self.world,
            self.n_demos,
            objective="true",
            eta_ov=float(self.eta_ov),
            window=self.window,
            reading=self.reading,
        )

    @cached_property
    def autograd_hat(self) -> AutogradGradients:
        return self._autograd("hat")

    @cached_property
    def autograd_true(self) -> AutogradGradients:
        return self._autograd("true")

    def _autograd(self, objective: str) -> AutogradGradients:
        """The literal network's autograd over the whole population, float64, beta = inf."""
        return population_gradients(self.world, self.n_demos, objective, float(self.eta_ov), self.window, self.reading)

    def derived_kq(self, which: str) -> NDArray[np.object_]:
        """(V+T,) the derivation's value of every coordinate of kq_subj or kq_rel."""
        value = getattr(self.derived, which)
        return np.array([value(key) for key in directions(self.world, self.T)], dtype=object)

    def derived_ov(self) -> NDArray[np.object_]:
        """(V, V) the derivation's value of every entry of ov_rel."""
        keys = directions(self.world, 0)
        value = self.derived.ov_rel
        return np.array([[value(out, into) for into in keys] for out in keys], dtype=object)


def cases(reading: str = "set") -> tuple[Case, ...]:
    """The fixed cases: balanced ones around the paper's shape, unbalanced ones, and windows that cut a sequence."""

    def balanced(M: int, L: int, U: int | tuple[int, ...], M_ft: int, n: int, w: int | None = None) -> Case:
        world = World.balanced(M, L, U, M_ft, n_grammar=2, seed=1)
        cut = "" if w is None else f", window {w}"
        return Case(f"balanced M={M} L={L} U={U} M_ft={M_ft} N_ft={n}{cut}", world, n, w, reading=reading)

    def unbalanced(M: int, L: int, U: int, M_ft: int, n: int, seed: int, w: int | None = None) -> Case:
        world = World.random(M, L, U, M_ft, n_grammar=1, seed=seed)
        cut = "" if w is None else f", window {w}"
        return Case(f"random M={M} L={L} U={U} M_ft={M_ft} N_ft={n} seed={seed}{cut}", world, n, w, reading=reading)

    return (
        balanced(8, 2, 2, 4, 1),
        balanced(8, 2, 2, 4, 2),
        balanced(8, 2, 4, 4, 2),
        balanced(12, 2, 3, 6, 2),
        balanced(12, 3, 2, 6, 2),
        balanced(16, 2, 2, 8, 2),
        balanced(6, 1, 2, 4, 3),
        balanced(8, 2, 2, 4, 4),
        balanced(8, 2, (2, 4), 4, 2),
        balanced(8, 2, 2, 4, 3, w=6),
        unbalanced(6, 2, 3, 4, 2, seed=3),
        unbalanced(7, 2, 3, 5, 2, seed=4),
        unbalanced(6, 3, 2, 4, 2, seed=5),
        unbalanced(8, 2, 4, 5, 3, seed=6),
        unbalanced(6, 2, 3, 4, 3, seed=7, w=7),
    )


def theorem_cases(reading: str = "set") -> tuple[Case, ...]:
    """Small worlds that meet every hypothesis of Theorem 2, ">>" read as the paper's own factor 4; smallest first."""
    shapes = ((10, 1, 2, 8, 1), (16, 2, 2, 8, 1), (20, 2, 4, 16, 1), (24, 2, 2, 8, 2))
    made = []
    for M, L, U, M_ft, n in shapes:
        world = World.balanced(M, L, U, M_ft, n_grammar=2, seed=1)
        made.append(Case(f"balanced M={M} L={L} U={U} M_ft={M_ft} N_ft={n}", world, n, reading=reading))
    return tuple(made)


@cache
def paper_case() -> Case:
    """The paper's setting of Section 4: M=256 L=8 U=32 M_ft=128 N_ft=5, a balanced table."""
    return Case("balanced M=256 L=8 U=32 M_ft=128 N_ft=5", World.balanced(256, 8, 32, 128, n_grammar=2, seed=1), 5)
