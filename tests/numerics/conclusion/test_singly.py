"""Exact ties for weights between bounds, sequence by sequence."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide, decide_interval
from numerics.conclusion.singly import kind
from numerics.conclusion.symmetry import Equal
from numerics.world import World

NAMES = ("kq_subj", "kq_rel", "ov_subj", "ov_rel")


def alike(values: np.ndarray, V: int) -> np.ndarray:
    """Positions of one kind take the value of the first of it."""
    made, first = values.copy(), {}
    for i in range(len(values) - V):
        made[V + i] = made[V + first.setdefault(kind(i), i)]
    return made


def test_kinds():
    """p_0 and the query alone; subjects p_{-1-3i}, attributes p_{1-3i}, seps p_{-3i} for i >= 1."""
    assert [kind(i) for i in range(11)] == [0, 1, 2, 3, 4, 2, 3, 4, 2, 3, 4]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_contains_the_exchangeable_weights_in_the_box(data, instances):
    """Entries known exactly (half of them) among entries in an interval, as after a step that moves only some."""
    case = data.draw(instances(most_demos=2))
    V, rng = case.world.V, np.random.default_rng(data.draw(st.integers(0, 99)))
    low = {name: getattr(case.weights, name) for name in NAMES}
    width = {name: rng.integers(0, 2, low[name].shape).astype(object) * Fraction(1, 3) for name in NAMES}
    for name in NAMES[:2]:
        low[name], width[name] = alike(low[name], V), alike(width[name], V)
    lower, upper = SimpleNamespace(**low), SimpleNamespace(**{name: low[name] + width[name] for name in NAMES})
    out = decide_interval(case.world, case.n_demos, lower, upper, case.query, case.context, exchangeable=True)
    for _ in range(4):
        part = {name: rng.integers(0, 4, low[name].shape).astype(object) * Fraction(1, 3) for name in NAMES}
        for name in NAMES[:2]:
            part[name] = alike(part[name], V)
        inside = SimpleNamespace(**{name: low[name] + width[name] * part[name] for name in NAMES})
        truth = decide(case.world, case.n_demos, inside, case.query, case.context, "enumerate")
        if truth.vacuous:
            return
        for name in ("right", "ties", "wrong"):
            least, most = getattr(out, f"{name}_bounds")
            assert least <= getattr(truth, name) <= most
            assert getattr(out, name) in (None, getattr(truth, name))
        assert out.min_margin_bounds[0] <= truth.min_margin <= out.min_margin_bounds[1]
        assert out.min_margin in (None, truth.min_margin)
        assert out.holds in (None, truth.holds)


def zeros(V: int, T: int) -> dict[str, np.ndarray]:
    shapes = {"kq_subj": V + T, "kq_rel": V + T, "ov_subj": (V, V), "ov_rel": (V, V)}
    return {name: np.full(shape, Fraction(0), dtype=object) for name, shape in shapes.items()}


def pair(exact: dict[str, np.ndarray], radius: dict[str, np.ndarray]) -> list[SimpleNamespace]:
    return [SimpleNamespace(**{n: exact[n] + sign * radius.get(n, 0) for n in NAMES}) for sign in (-1, 1)]


@pytest.mark.parametrize("exchangeable", [False, True])
def test_a_tie_of_exact_scores_is_a_tie(exchangeable):
    """Every subject scores 1 exactly, and two of three heads' votes outweigh the query's: wrong, whatever the radii elsewhere."""
    world = World(np.array([[0], [1]]), [0])
    V, T = world.V, 8
    weights, radius = zeros(V, T), zeros(V, T)
    weights["kq_subj"][: world.M] = Fraction(1)
    for j in range(2):
        weights["ov_subj"][world.attribute_token[j, 0], j] = Fraction(1)
    radius["ov_rel"][:] = Fraction(1, 10**9)
    lower, upper = pair(weights, radius)
    out = decide_interval(world, 2, lower, upper, "heldout", exchangeable=exchangeable)
    assert out.exact and (out.wrong, out.holds) == (1, False)
    # With only the query known to score 1, nobody knows who is attended.
    radius["kq_subj"][0] = Fraction(1, 10**9)
    assert decide_interval(world, 2, *pair(weights, radius), "heldout", exchangeable=exchangeable).holds is None


def test_equal_positions_are_attended_together():
    """Context subjects preferred by position: two different ones share the attention, known only if positions are alike."""
    world = World(np.array([[0], [1], [2]]), [0, 1, 2])
    V, T = world.V, 8
    weights, radius = zeros(V, T), zeros(V, T)
    weights["kq_subj"][[V + 4, V + 7]] = Fraction(1)
    radius["kq_subj"][[V + 4, V + 7]] = Fraction(1, 10**9)
    for j in range(3):
        weights["ov_subj"][world.attribute_token[j, 0], j] = Fraction(1)
    known = decide_interval(world, 2, *pair(weights, radius), exchangeable=True)
    # Right: both contexts are the query; tied: one is; wrong: none.
    assert known.exact and (known.right, known.ties, known.wrong) == (3, 12, 12)
    assert not decide_interval(world, 2, *pair(weights, radius)).exact


def test_one_output_is_right_for_one_type_at_most():
    """One subject, two types: the same output for both, in which their targets tie within the radii."""
    world = World(np.array([[0, 0]]), [0])
    weights, radius = zeros(world.V, 5), zeros(world.V, 5)
    weights["kq_subj"][0] = weights["kq_rel"][0] = Fraction(1)
    weights["ov_subj"][list(world.attribute_token[0])] = Fraction(1)
    radius["ov_rel"][:] = Fraction(1, 10**9)
    out = decide_interval(world, 1, *pair(weights, radius))
    assert out.right_bounds == (0, 1) and out.holds is False and "1 cannot be right" in out.why


def test_the_example_is_the_smallest_and_the_attention_the_one_of_all_weights():
    """Context subjects preferred by position: the first failing sequence shows the wrong one alone, known for all weights."""
    world = World(np.array([[0], [1], [2]]), [0, 1, 2])
    V, T = world.V, 8
    weights, radius = zeros(V, T), zeros(V, T)
    weights["kq_subj"][[V + 4, V + 7]] = Fraction(1)
    radius["kq_subj"][[V + 4, V + 7]] = Fraction(1, 10**9)
    for j in range(3):
        weights["ov_subj"][world.attribute_token[j, 0], j] = Fraction(1)
    lower, upper = pair(weights, radius)
    # The bounds of the two positions are not alike, though what lies between them is: half way they would not tie.
    upper.kq_subj = upper.kq_subj.copy()
    upper.kq_subj[V + 7] += Fraction(1, 10**9)
    found = decide_interval(world, 2, lower, upper, exchangeable=True)
    truth = decide(world, 2, SimpleNamespace(**weights), method="enumerate")
    assert found.exact and found.attention == {"subj": {"context subjects": 27}, "rel": truth.attention["rel"]}
    for name in ("token_ids", "smallest", "attended_subj", "attended_rel", "predicted", "verdict", "certain"):
        assert getattr(found.counterexample, name) == getattr(truth.counterexample, name), name
    # Not known to be alike, one or the other is attended, so a context of two subjects is shown for the weights half way.
    unknown = decide_interval(world, 2, lower, upper)
    assert unknown.attention["subj"] == {"context subjects": 27} and not unknown.exact


def test_entries_that_are_equal_cancel():
    """The two values of one type tie wherever their two entries are one number, whatever it is."""
    world = World(np.array([[0], [1]]), [0])
    V = world.V
    weights, radius = zeros(V, 5), zeros(V, 5)
    weights["kq_rel"][V + 1] = Fraction(1)
    weights["ov_rel"][list(world.attribute_range(0))] = Fraction(1)
    radius["ov_rel"][:] = Fraction(1, 10**9)
    lower, upper = pair(weights, radius)
    assert decide_interval(world, 1, lower, upper).holds is None
    numbers = np.arange(V * V).reshape(V, V)
    numbers[world.attribute_range(0)[1]] = numbers[world.attribute_range(0)[0]]
    equal = Equal(np.arange(V + 5), np.arange(V + 5), numbers)
    out = decide_interval(world, 1, lower, upper, equal=equal)
    assert out.exact and (out.ties, out.holds, out.min_margin) == (1, False, 0) and out.counterexample.certain
