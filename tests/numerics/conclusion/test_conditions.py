"""The sharp conditions against every sequence of small worlds."""

from __future__ import annotations

import itertools
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide
from numerics.conclusion.conditions import conditions
from numerics.conclusion.failing import largest_margin, surely_fails
from numerics.conclusion.setting import make_setting
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World


def brute(world, n, w, query):
    """Smallest gaps over all sequences, by their definition: {(head, against): gap}, and the smallest output margin."""
    setting = make_setting(world, n, query, "finetune")
    kind = {0: "query"}
    gaps: dict[tuple[str, str], float] = {}
    T, V = setting.T, world.V
    for ell in range(world.L):
        for q in setting.queries:
            for context in itertools.product(setting.contexts, repeat=n):
                tokens = np.array(setting.tokens(ell, [*context, q]))
                for head, kq in (("subj", w.kq_subj), ("rel", w.kq_rel)):
                    score = kq[tokens] + kq[V + np.arange(T - 1, -1, -1)]
                    by = {"query": [], "context subjects": [], "attributes": [], "sep": []}
                    for i in range(T):
                        kind = (
                            "sep"
                            if i % 3 == 1
                            else ("attributes" if i % 3 == 2 else ("query" if i == T - 2 else "context subjects"))
                        )
                        by[kind].append(score[i])
                    top = {k: max(v) for k, v in by.items()}
                    best = top["query"] if head == "subj" else top["attributes"]
                    for k, v in top.items():
                        if k != ("query" if head == "subj" else "attributes"):
                            gaps[head, k] = min(gaps.get((head, k), np.inf), best - v)
                y = world.attribute_token[q, ell]
                for u in set(world.attribute_token[list(context), ell]):
                    logits = w.ov_subj[:, q] + w.ov_rel[:, u]
                    gap = logits[y] - np.delete(logits, y).max()
                    gaps["output", "other tokens"] = min(gaps.get(("output", "other tokens"), np.inf), gap)
    return gaps


worlds = st.builds(
    lambda M, L, U, M_ft, seed: World.random(M, L, U, min(M, M_ft), n_grammar=1, seed=seed),
    st.integers(2, 5),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 10**6),
)


def floats(w):
    return SimpleNamespace(
        **{k: np.asarray(getattr(w, k), dtype=np.float64) for k in ("kq_subj", "kq_rel", "ov_subj", "ov_rel")}
    )


@settings(max_examples=60, deadline=None)
@given(worlds, st.integers(1, 3), st.sampled_from(["seen", "heldout"]), st.integers(0, 10**6), st.booleans())
def test_gaps_are_those_of_the_worst_sequence(world, n, query, seed, hat):
    if query == "heldout" and world.M_ft == world.M:
        return
    if hat:
        w = floats(updated_weights(world, hat_gradients(world, n)))
    else:
        rng = np.random.default_rng(seed)
        size = world.V + 3 * n + 2
        w = SimpleNamespace(
            kq_subj=rng.normal(size=size),
            kq_rel=rng.normal(size=size),
            ov_subj=rng.normal(size=(world.V,) * 2),
            ov_rel=rng.normal(size=(world.V,) * 2),
        )
    found = conditions(world, n, w, w, query)
    for key, gap in brute(world, n, w, query).items():
        c = next(c for c in found if (c.head, c.against) == key)
        assert c.low <= gap <= c.high
        assert c.high - c.low < 1e-13
    verdict = decide(world, n, w, query, method="enumerate", tie_tolerance=Fraction(1, 10**12))
    heads = [c.holds for c in found if c.head != "output"]
    if all(heads) and found[-1].holds is not None:
        assert verdict.holds is found[-1].holds
    for c in found:
        if c.holds is False:
            failing = surely_fails(world, n, w, w, query, "finetune", c)
            assert failing is None or verdict.holds is False


def test_the_worst_sequence_is_named():
    world = World.balanced(8, 2, 2, 4)
    w = floats(updated_weights(world, hat_gradients(world, 2)))
    found = {(c.head, c.against): c for c in conditions(world, 2, w, w)}
    c = found["rel", "query"]
    setting = make_setting(world, 2, "seen", "finetune")
    tokens = np.array(setting.tokens(c.relation_type, c.subjects))
    score = w.kq_rel[tokens] + w.kq_rel[world.V + np.arange(setting.T - 1, -1, -1)]
    assert score[2::3].max() - score[-2] == pytest.approx(c.low, abs=1e-13)


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 2), st.integers(0, 10**6), st.floats(0, 0.5))
def test_bounds_hold_for_every_weights_between(world, n, seed, radius):
    rng = np.random.default_rng(seed)
    size = world.V + 3 * n + 2
    shapes = {"kq_subj": (size,), "kq_rel": (size,), "ov_subj": (world.V,) * 2, "ov_rel": (world.V,) * 2}
    middle = {k: rng.normal(size=s) for k, s in shapes.items()}
    width = {k: radius * rng.random(size=s) for k, s in shapes.items()}
    lower = SimpleNamespace(**{k: middle[k] - width[k] for k in shapes})
    upper = SimpleNamespace(**{k: middle[k] + width[k] for k in shapes})
    inside = SimpleNamespace(**{k: middle[k] + width[k] * rng.uniform(-1, 1, size=s) for k, s in shapes.items()})
    wide, sharp = conditions(world, n, lower, upper), conditions(world, n, inside, inside)
    for a, b in zip(wide, sharp, strict=True):
        assert a.low <= b.high and b.low <= a.high
        assert a.low <= b.low + 1e-13 and b.high <= a.high + 1e-13
    setting = make_setting(world, n, "seen", "finetune")
    for c in sharp:
        own = largest_margin(setting, inside, inside, c.relation_type, c.subjects)
        assert own <= largest_margin(setting, lower, upper, c.relation_type, c.subjects) + 1e-12


def test_a_failing_sequence_is_found_where_the_paper_fails():
    world = World.balanced(32, 4, 8, 16)
    w = floats(updated_weights(world, hat_gradients(world, 3)))
    for query in ("seen", "heldout"):
        broken = [c for c in conditions(world, 3, w, w, query) if c.holds is False]
        assert [(c.head, c.against) for c in broken] == [("rel", "query")]
        # Exact ties: half a unit of rounding keeps them from being sure in float64 where there is one answer per type.
        assert decide(world, 3, w, query, tie_tolerance=1e-12).holds is False


def test_an_empty_pool_is_refused():
    world = World.balanced(4, 2, 2, 4)
    w = floats(updated_weights(world, hat_gradients(world, 1)))
    with pytest.raises(ValueError, match="query = 'heldout': the pool must hold at least one subject"):
        conditions(world, 1, w, w, "heldout")


@settings(max_examples=60, deadline=None)
@given(worlds, st.integers(1, 2), st.integers(0, 10**6))
def test_rounding_is_covered_whatever_the_magnitudes(world, n, seed):
    """Scores of positions and tokens from 1e-25 to 1e25 that are no float64 numbers, some nearly cancelling: exact gaps
    lie within the bounds."""
    rng = np.random.default_rng(seed)

    def numbers(shape, spread):
        size = 10.0 ** rng.uniform(-spread, spread)
        drawn = [Fraction(float(x) * size) / 3 for x in rng.integers(-3, 4, size=shape).ravel() + rng.random() * 1e-16]
        return np.array(drawn, dtype=object).reshape(shape)

    V, T = world.V, 3 * n + 2
    spread = rng.choice([0, 3, 25])
    w = SimpleNamespace(
        kq_subj=np.concatenate([numbers(V, spread), numbers(T, spread)]),
        kq_rel=np.concatenate([numbers(V, spread), numbers(T, spread)]),
        ov_subj=numbers((V, V), spread),
        ov_rel=numbers((V, V), spread),
    )
    found = {(c.head, c.against): c for c in conditions(world, n, w, w)}
    for key, gap in brute(world, n, w, "seen").items():
        assert Fraction(found[key].low) <= gap <= Fraction(found[key].high)


@pytest.mark.parametrize("seed", range(8))
def test_rounding_of_a_lower_bound_far_below_the_upper_is_covered(seed):
    """W_OV^subj between -1e8 and 0: the smallest gap is -1e8 and odd fractions, which float64 rounds by more than the upper bound's size
    would allow for."""
    world = World.balanced(4, 2, 2, 4)
    rng = np.random.default_rng(seed)
    size = world.V + 5
    scores = np.zeros(size)
    rel = np.array(
        [Fraction(int(k), 2 * seed + 3) for k in rng.integers(-5, 6, size=world.V**2)], dtype=object
    ).reshape((world.V,) * 2)
    zeros = np.zeros((world.V,) * 2)
    lower = SimpleNamespace(kq_subj=scores, kq_rel=scores, ov_subj=zeros - 1e8 - rng.random(), ov_rel=rel)
    upper = SimpleNamespace(kq_subj=scores, kq_rel=scores, ov_subj=zeros, ov_rel=rel)
    found = conditions(world, 1, lower, upper)[-1]
    smallest = min(
        Fraction(lower.ov_subj[0, 0]) + rel[y, u] - max(x for v, x in enumerate(rel[:, u]) if v != y)
        for q in range(world.M)
        for ell in range(world.L)
        for y in [int(world.attribute_token[q, ell])]
        for u in {int(world.attribute_token[j, ell]) for j in range(world.M)}
    )
    assert Fraction(found.low) <= smallest
