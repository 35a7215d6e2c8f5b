"""Small worlds and weights in which ties, repeated levels and equal columns are common."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.conclusion import Decision
from numerics.conclusion.decision import label
from numerics.conclusion.forward import forward
from numerics.conclusion.setting import Setting, make_setting
from numerics.world import World


@dataclass
class Weights:
    kq_subj: np.ndarray
    kq_rel: np.ndarray
    ov_subj: np.ndarray
    ov_rel: np.ndarray


@dataclass
class Instance:
    world: World
    n_demos: int
    weights: Weights
    query: str
    context: str

    @property
    def setting(self) -> Setting:
        return make_setting(self.world, self.n_demos, self.query, self.context)


def array(draw: st.DrawFn, shape: tuple[int, ...], entries: st.SearchStrategy[Fraction]) -> np.ndarray:
    """Object array drawn from one seed of hypothesis and a small set of entries, so that ties are common."""
    values = draw(st.lists(entries, min_size=1, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    picks = np.random.default_rng(seed).integers(0, len(values), size=shape)
    return np.array(values, dtype=object)[picks]


@st.composite
def _instances(draw: st.DrawFn, most_demos: int = 3) -> Instance:
    M, L, n = draw(st.integers(1, 4)), draw(st.integers(1, 2)), draw(st.integers(1, most_demos))
    table = draw(st.lists(st.lists(st.integers(0, 2), min_size=L, max_size=L), min_size=M, max_size=M))
    finetune = draw(st.permutations(range(M)))[: draw(st.integers(1, M))]
    world = World(np.array(table), finetune, draw(st.integers(0, 1)))
    V, size = world.V, world.V + 3 * n + 2
    entries = st.fractions(-3, 3, max_denominator=3)
    weights = Weights(
        array(draw, (size,), entries), array(draw, (size,), entries),
        array(draw, (V, V), entries), array(draw, (V, V), entries),
    )  # fmt: skip
    for kq in (weights.kq_subj, weights.kq_rel):
        match draw(st.sampled_from(["as drawn", "level", "query", "no sep", "slots by position"])):
            case "level":
                kq[V:] = kq[V]
            case "query":
                kq[V + 1] += 9
            case "no sep":
                kq[V:] = kq[V]
                kq[world.sep_token] -= 9
            case "slots by position":
                kq[V + 4 :] += np.arange(len(kq) - V - 4) // 3
    for ell in range(L):
        tokens = list(world.attribute_range(ell))
        if draw(st.booleans()):  # equal columns within the type
            weights.ov_rel[:, tokens] = weights.ov_rel[:, tokens[:1]]
        if draw(st.booleans()):  # equal attribute levels within the type
            weights.kq_rel[tokens] = weights.kq_rel[tokens[0]]
    if draw(st.booleans()):  # subjects that know their values
        for j in range(M):
            weights.ov_subj[world.attribute_token[j], j] += draw(st.integers(1, 12))
    return Instance(
        world, n, weights, draw(st.sampled_from(["seen", "heldout"])), draw(st.sampled_from(["finetune", "all"]))
    )


@pytest.fixture(scope="session")
def instances() -> Callable[..., st.SearchStrategy[Instance]]:
    return _instances


def _by_forward(instance: Instance) -> dict:
    """The fields of the decision from the plain forward pass on every sequence."""
    setting, world = instance.setting, instance.world
    found: dict = {
        "right": 0,
        "ties": 0,
        "wrong": 0,
        "margins": [],
        "attention": {"subj": {}, "rel": {}},
        "failing": [],
    }
    for ell in range(world.L):
        for subjects in product(*[setting.contexts.tolist()] * setting.n, setting.queries.tolist()):
            tokens = setting.tokens(ell, subjects)
            out = forward(setting, tokens, instance.weights)
            target = int(world.attribute_token[subjects[-1], ell])
            margin = out.logits[target] - max(x for v, x in enumerate(out.logits) if v != target)
            found["right" if margin > 0 else "wrong" if margin < 0 else "ties"] += 1
            found["margins"].append(margin)
            for head, where in (("subj", out.attended_subj), ("rel", out.attended_rel)):
                mask = 0
                for x in where:
                    mask |= 1 if x == len(tokens) - 2 else (2, 8, 4)[x % 3]
                counts = found["attention"][head]
                counts[label(mask)] = counts.get(label(mask), 0) + 1
            if margin <= 0:
                found["failing"].append(((len(set(subjects)), tuple(tokens)), ell, tuple(subjects)))
    return found


@pytest.fixture(scope="session")
def by_forward() -> Callable[[Instance], dict]:
    return _by_forward


def _same(a: Decision, b: Decision) -> None:
    """Equal in everything but the method and the lower bound logit_gap."""
    for name in (
        "total", "right", "ties", "wrong", "right_bounds", "ties_bounds", "wrong_bounds", "exact", "holds", "accuracy",
        "min_margin", "min_margin_bounds", "attention", "counterexample", "score_gap", "tie_tolerance",
    ):  # fmt: skip
        assert getattr(a, name) == getattr(b, name), name


@pytest.fixture(scope="session")
def same() -> Callable[[Decision, Decision], None]:
    return _same


@pytest.fixture
def paper_world() -> World:
    """M = 256, L = 8, U = 32, M_ft = 128."""
    return World.balanced(256, 8, 32, 128)


def _structured(world: World, n_demos: int) -> Weights:
    """Subject head: the query alone, an own value 0 and every other value -1; relation head: all scores and columns
    0."""
    V = world.V
    size = V + 3 * n_demos + 2
    zero = Fraction(0)
    weights = Weights(*(np.full(shape, zero, dtype=object) for shape in ((size,), (size,), (V, V), (V, V))))
    weights.kq_subj[: world.M] += 1
    weights.kq_subj[V + 1] += 5
    values = [t for ell in range(world.L) for t in world.attribute_range(ell)]
    weights.ov_subj[np.ix_(values, range(world.M))] -= 1
    for j in range(world.M):
        weights.ov_subj[world.attribute_token[j], j] += 1
    return weights


@pytest.fixture(scope="session")
def structured() -> Callable[[World, int], Weights]:
    return _structured
