"""Deciding worlds: both populations of a world after the actual steps, and worlds on both sides of the sharp condition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from numerics.conclusion import decide
from numerics.conclusion.decision import Decision
from numerics.population import finetuning_gradients
from numerics.population import hat_gradients as marginal_hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from theory.finetuning.conclusion import sharp_M_ft
from verify.evidence import Evidence, Route
from verify.judges.compare import fact
from verify.setting import parameters
from verify.worlds import Case, frequencies


@dataclass(frozen=True)
class Decided:
    """Both populations of one world after the actual hat steps."""

    seen: Decision
    heldout: Decision

    @property
    def holds(self) -> bool:
        """Right on every sequence of both populations; an empty population (M_ft = M) asks for nothing."""
        return all(d.vacuous or d.holds is True for d in (self.seen, self.heldout))

    @property
    def words(self) -> str:
        def one(d: Decision) -> str:
            return "none" if d.vacuous else f"{d.right}/{d.total} right, {d.ties} ties"

        return f"seen {one(self.seen)}; held-out {one(self.heldout)}"

    @property
    def failing(self) -> str:
        for name, d in (("seen", self.seen), ("held-out", self.heldout)):
            if d.counterexample is not None:
                return f"{name} query: {d.counterexample.sentence}"
        return ""


def both(world: World, n_demos: int, weights, tie_tolerance: float = 0) -> Decided:
    return Decided(
        decide(world, n_demos, weights, "seen", tie_tolerance=tie_tolerance),
        decide(world, n_demos, weights, "heldout", tie_tolerance=tie_tolerance),
    )


def after_hat_steps(world: World, n_demos: int, reading: str, window: int | None = None, eta=(1, 1, 1)) -> Decided:
    """The decision at the weights after the actual hat steps, exact rationals; eta = (kq_subj, ov, kq_rel)."""
    gradients = marginal_hat_gradients(world, n_demos, Fraction(eta[1]), window, reading)
    return both(world, n_demos, updated_weights(world, gradients, Fraction(eta[0]), Fraction(eta[2])))


@dataclass(frozen=True, eq=False)
class Boundary:
    """A world next to the boundary of the sharp condition, and what was decided there."""

    name: str
    world: World
    n_demos: int
    p: dict
    decided: Decided


SHAPES = ((1, 2, 1), (2, 2, 1), (2, 3, 1), (3, 2, 1), (2, 4, 1), (2, 2, 2), (2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4, 4))


def ov_step(reading: str) -> int:
    """eta_OV^rel of the decisions: 1, or in the literal reading large enough for every bench world (it has a lower bound there).

    With T <= S + 2 the attention after the hat steps does not depend on it.
    """
    return 1 if reading == "set" else 10**6


@cache
def boundary(reading: str) -> tuple[Boundary, ...]:
    """For ten shapes (L, U, N_ft): the last multiple of U below the sharp M_ft, and the first one from it on."""
    found = []
    for L, U, n in SHAPES:
        sharp = sharp_M_ft(10**6 * U, L, U, n + 1)
        assert sharp is not None
        above = -(-sharp // U) * U
        for M_ft in sorted({max(above - U, U), above, above + U}):
            world = World.balanced(2 * M_ft, L, U, M_ft, n_grammar=1, seed=2)
            name = f"balanced M={2 * M_ft} L={L} U={U} M_ft={M_ft} N_ft={n}"
            step = ov_step(reading)
            p = parameters(world, n, eta_ov=step, reading=reading)
            found.append(Boundary(name, world, n, p, after_hat_steps(world, n, reading, eta=(1, step, 1))))
    return tuple(sorted(found, key=lambda b: b.p["L"] * b.p["M_ft"] ** b.p["m"]))


#: Tables with every value on M/U of all subjects, but not on M_ft/U of the finetuning ones (which come first), with N_ft: what
#: a formula in 1/U says of them is wrong, in either direction. The first is the smallest such table with L = U = 2; the third
#: meets every hypothesis of Theorem 2, and the size of eta_OV^rel decides.
UNEVEN = (
    ("01 10 11 11 11 00 00 00", 5, 1),
    ("202 121 020 021 102 210 012 201 110", 6, 3),
    ("00 10 01 11 00 10 01 11 00 00 00 00 11 11 11 11", 9, 1),
)


@cache
def uneven(reading: str) -> tuple[Boundary, ...]:
    """The tables of UNEVEN, decided after the hat steps."""
    found = []
    for text, M_ft, n in UNEVEN:
        table = [[int(u) for u in row] for row in text.split()]
        world = World(np.array(table), range(M_ft), n_grammar=1)
        p = parameters(world, n, eta_ov=ov_step(reading), reading=reading, frequencies=frequencies(world))
        counts = [np.bincount(column).tolist() for column in world.value_index[:M_ft].T]
        among = " and ".join(":".join(map(str, c)) for c in counts)
        name = (
            f"M={world.M} L={world.L} U={p['U']} M_ft={M_ft} N_ft={n}, each value on {world.M // p['U']} subjects, "
            f"{among} among the finetuning ones"
        )
        decided = after_hat_steps(world, n, reading, eta=(1, ov_step(reading), 1))
        found.append(Boundary(name, world, n, p, decided))
    return tuple(found)


def says(b: Boundary | Case, predicted: bool, decided: Decided, exact: bool) -> Evidence:
    """The statement's prediction against the decision; `exact` asks for both directions, else only "it suffices"."""
    agrees = decided.holds == predicted if exact else (decided.holds or not predicted)
    return fact(
        Route.ENUMERATED,
        b.name,
        "right on every sequence",
        f"{decided.holds} ({decided.words})",
        predicted,
        agrees,
        "decided over all sequences by count patterns, exact rationals",
    )


def counterexample_of(evidence: list[Evidence], failing: dict[str, str]) -> str:
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {e.quantity}: {e.measured}, the statement says {e.printed}. {failing.get(e.setting, '')}".strip()
    return ""


@cache
def after_steps(
    b: Boundary, objective: str, window: int | None, subj: Fraction, ov: Fraction, rel: Fraction, reading: str
) -> Decided:
    if objective == "hat":
        return after_hat_steps(b.world, b.n_demos, reading, window, (subj, ov, rel))
    gradients = finetuning_gradients(b.world, b.n_demos, "true", float(ov), window, reading)
    # Exchangeable positions tie exactly; in float64 they may differ by roundings of 1e-16 times the largest score.
    weights = updated_weights(b.world, gradients, float(subj), float(rel))
    scale = max(float(np.abs(weights.kq_rel).max()), float(np.abs(weights.kq_subj).max()), 1.0)
    return both(b.world, b.n_demos, weights, tie_tolerance=1e-13 * scale)


def apart(evidence: list[Evidence], words: str) -> str:
    """The first disagreement in words; the two places take what was measured and what the statement says."""
    for e in evidence:
        if not e.agrees:
            return f"{e.setting}: {words.format(e.measured, e.printed)}"
    return ""
