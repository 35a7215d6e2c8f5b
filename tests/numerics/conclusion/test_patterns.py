"""Count patterns against enumeration, and at sizes that no enumeration reaches."""

from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide
from numerics.conclusion.cases import Cases
from numerics.conclusion.forward import forward
from numerics.conclusion.problem import prepare
from numerics.conclusion.search import growth_strings, splits, with_first
from numerics.conclusion.setting import make_setting
from numerics.world import World


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_equals_enumeration(data, instances, same):
    case = data.draw(instances())
    tolerance = data.draw(st.sampled_from([0, 0, Fraction(1, 3), Fraction(1)]))
    arguments = (case.world, case.n_demos, case.weights, case.query, case.context)
    truth = decide(*arguments, "enumerate", tolerance)
    out = decide(*arguments, "patterns", tolerance)
    same(out, truth)
    assert (out.logit_gap is None) == (truth.logit_gap is None)
    if out.logit_gap is not None:
        assert tolerance < out.logit_gap <= truth.logit_gap


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_without_budget_the_bounds_contain_the_truth(data, instances):
    case = data.draw(instances(most_demos=2))
    arguments = (case.world, case.n_demos, case.weights, case.query, case.context)
    truth = decide(*arguments, "enumerate")
    out = decide(*arguments, "patterns", budget=0)
    if truth.vacuous:
        return
    for name in ("right", "ties", "wrong"):
        low, high = getattr(out, f"{name}_bounds")
        assert low <= getattr(truth, name) <= high
        assert getattr(out, name) == (getattr(truth, name) if out.exact else None)
    assert out.min_margin_bounds[0] <= truth.min_margin <= out.min_margin_bounds[1]
    assert out.min_margin in (None, truth.min_margin)
    assert out.holds in (None, truth.holds)
    assert out.attention == truth.attention
    assert out.exact == (out.method == "count patterns") == (out.why == "")
    auto = decide(*arguments, "auto", budget=0)
    assert (auto.right, auto.min_margin) == (truth.right, truth.min_margin)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_counterexample_fails(data, instances):
    case = data.draw(instances())
    out = decide(case.world, case.n_demos, case.weights, case.query, case.context, "patterns")
    found = out.counterexample
    assert (found is None) == (out.vacuous or out.right == out.total)
    if found is None:
        return
    plain = forward(case.setting, list(found.token_ids), case.weights)
    target = int(case.world.attribute_token[found.subjects[-1], found.relation_type])
    best = max(plain.logits)
    assert found.predicted == tuple(case.world.token_name(v) for v, x in enumerate(plain.logits) if x == best)
    assert found.target == case.world.token_name(target)
    assert found.verdict == ("tie" if plain.logits[target] == best else "wrong")
    assert found.verdict == "wrong" or len(found.predicted) > 1
    assert found.tokens == tuple(case.world.token_name(t) for t in found.token_ids)
    assert found.target in found.sentence


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cases_partition_the_population(data, instances):
    case = data.draw(instances())
    setting = case.setting
    if setting.total:
        problem = prepare(setting, case.weights, Fraction(0))
        cases = Cases(setting, problem.ranks, problem.groups, problem.exact.column, problem.target, problem.attribute)
        assert sum(int(block.count.sum()) for block in cases) == setting.total
        assert all((block.count > 0).all() for block in cases)


def test_the_search_meets_every_sequence_once(structured):
    world = World(np.array([[0], [1], [0], [1]]), [0, 2, 3])
    for query, context in (("seen", "finetune"), ("heldout", "finetune"), ("heldout", "all"), ("seen", "all")):
        setting = make_setting(world, 2, query, context)
        problem = prepare(setting, structured(world, 2), Fraction(0))
        met = set()
        for d in (1, 2, 3):
            for first in setting.contexts:
                types, q, c = with_first(problem, int(first), d, 10**6)
                for row in zip(types.tolist(), q.tolist(), map(tuple, c.tolist()), strict=True):
                    assert row not in met
                    met.add(row)
        assert len(met) == setting.total


def test_ways_to_split(m: int = 7):
    """By the definition: blocks numbered by first appearance, all of them used; in order, and counted."""
    for d in range(1, m + 1):
        right = [
            t
            for t in product(range(d), repeat=m)
            if set(t) == set(range(d)) and all(x <= max((*t[:i], -1)) + 1 for i, x in enumerate(t))
        ]
        assert list(growth_strings(m, d)) == right and len(right) == splits(m, d)
    assert list(growth_strings(m, m + 1)) == [] and splits(m, m + 1) == 0
    assert next(growth_strings(1000, 3)) == (*(0,) * 998, 1, 2)


def test_the_search_with_many_demonstrations(structured):
    """40 demonstrations: 2^39 ways to share the places between two subjects are not tried one by one."""
    world = World(np.array([[0, 0], [1, 0], [0, 1], [1, 0], [2, 0]]), [0, 1])
    for query, sequences in (("seen", None), ("heldout", 2 * 3)):
        problem = prepare(make_setting(world, 40, query, "finetune"), structured(world, 40), Fraction(0))
        batch = with_first(problem, 0, 2, 10**5)
        assert (batch if batch is None else len(batch[0])) == sequences


def test_everything_attends_the_query(paper_world, structured):
    """An own value 0 and every other -1 leaves the L own values tied with each other and with all other tokens."""
    weights = structured(paper_world, 5)
    weights.kq_rel[paper_world.V + 1] += 1
    for query, context in (("seen", "finetune"), ("heldout", "all")):
        out = decide(paper_world, 5, weights, query, context)
        assert out.exact and out.ties == out.total and out.accuracy == 0 and out.min_margin == 0 and out.holds is False
        assert out.attention == {"subj": {"query": out.total}, "rel": {"query": out.total}}
        assert out.counterexample.verdict == "tie" and out.counterexample.smallest
    assert out.total == 8 * 128 * 256**5


def test_attributes_with_equal_columns_within_the_type(paper_world, structured):
    weights = structured(paper_world, 5)
    for ell in range(8):
        tokens = list(paper_world.attribute_range(ell))
        weights.kq_rel[tokens] += 3
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 32)
    out = decide(paper_world, 5, weights, "heldout", "all")
    assert out.holds is True and out.right == out.total and out.min_margin == Fraction(1, 32)
    assert out.attention["rel"] == {"attributes": out.total} and out.counterexample is None
    assert out.score_gap == {"subj": 5, "rel": 3} and out.logit_gap == Fraction(1, 32)


def test_one_attribute_wins_and_is_not_enough(paper_world, structured):
    """The highest attribute a of type 0 spoils the sequences in which it occurs: its column prefers another type."""
    weights = structured(paper_world, 5)
    for ell in range(8):
        tokens = list(paper_world.attribute_range(ell))
        weights.kq_rel[tokens] += 3
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 32)
    bad = paper_world.attribute_range(0)[0]
    weights.kq_rel[bad] += Fraction(1, 10**9)
    weights.ov_rel[:, bad] = 0
    weights.ov_rel[list(paper_world.attribute_range(1)), bad] = 1
    out = decide(paper_world, 5, weights)
    with_bad = int((paper_world.attribute_token[paper_world.finetune_array, 0] == bad).sum())
    assert out.wrong == 128 * (128**5 - (128 - with_bad) ** 5) and out.ties == 0 and out.exact
    assert out.min_margin == -1 and out.counterexample.smallest and bad in out.counterexample.token_ids


def test_context_subjects_win(paper_world, structured):
    """Without the bonus of the query position, a subject of higher score decides: right only if it shares the
    target."""
    weights = structured(paper_world, 5)
    V = paper_world.V
    weights.kq_subj[V + 1] -= 5
    weights.kq_subj[:256] += [Fraction(j, 1000) for j in range(256)]
    for ell in range(8):
        tokens = list(paper_world.attribute_range(ell))
        weights.kq_rel[tokens] += 3
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 32)
    out = decide(paper_world, 5, weights)
    pool = sorted(paper_world.finetune)
    right = 0
    for k, winner in enumerate(pool):  # the maximum of the six subjects is number k, as the query or in the context
        agree = (paper_world.value_index[pool[:k]] == paper_world.value_index[winner]).sum()
        right += 8 * (k + 1) ** 5 + int(agree) * ((k + 1) ** 5 - k**5)
    assert out.exact and out.right == right and out.attention["subj"].keys() == {
        "query", "context subjects", "query + context subjects"
    }  # fmt: skip


def test_ties_of_different_columns_are_composed(same):
    """All attributes tie and have different columns; right or wrong depends on how often each occurs."""
    world = World(np.array([[0], [1], [2], [0], [1], [1]]), [0, 1, 2, 3, 4])
    rng = np.random.default_rng(5)
    V, n = world.V, 4
    zero = np.zeros(V + 3 * n + 2, dtype=int)
    tokens = list(world.attribute_range(0))
    kq_rel, kq_subj = zero.copy(), zero.copy()
    kq_rel[tokens] = 1
    kq_subj[V + 1] = 1
    ov_rel, ov_subj = np.zeros((V, V), dtype=int), np.zeros((V, V), dtype=int)
    ov_rel[np.ix_(tokens, tokens)] = rng.integers(-6, 6, (3, 3))
    ov_subj[world.attribute_token[:, 0], np.arange(6)] = 4
    weights = SimpleNamespace(kq_subj=kq_subj, kq_rel=kq_rel, ov_subj=ov_subj, ov_rel=ov_rel)
    truth = decide(world, n, weights, method="enumerate")
    assert truth.right and truth.wrong
    same(decide(world, n, weights, method="patterns"), truth)
    short = decide(world, n, weights, method="patterns", budget=50)
    assert (
        not short.exact and short.method == "bounded" and "exceed the budget of 50" in short.why and short.right is None
    )
    assert short.right_bounds[0] <= truth.right <= short.right_bounds[1]
    same(decide(world, n, weights, method="auto", budget=50), truth)


def test_margins_below_rounding_are_decided_exactly(structured, same):
    """1/10 + 2/10 against 3/10 is a tie, and 10^-30 more is not; float64 says neither."""
    world = World(np.array([[0], [1]]), [0, 1])
    weights = structured(world, 1)
    V, rival = world.V, world.relation_token(0)
    weights.kq_rel[V + 1] += 1
    for j in range(2):
        target = world.attribute_token[j, 0]
        weights.ov_subj[:, j] = -1
        weights.ov_rel[:, j] = 0
        weights.ov_subj[[target, rival], j] = Fraction(1, 10), Fraction(3, 10)
        weights.ov_rel[target, j] = Fraction(2, 10) + j * Fraction(1, 10**30)
    out = decide(world, 1, weights, method="patterns")
    assert (out.right, out.ties, out.wrong, out.min_margin) == (2, 2, 0, 0) and out.logit_gap == Fraction(1, 10**30)
    same(out, decide(world, 1, weights, method="enumerate"))


def test_large_counts_need_no_64_bits(structured):
    world = World.balanced(64, 2, 8, 64)
    n = 14
    weights = structured(world, n)
    for ell in range(2):
        tokens = list(world.attribute_range(ell))
        weights.kq_rel[tokens] += 1
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 8)
    weights.kq_rel[world.attribute_range(0)[0]] += 1
    weights.ov_rel[:, world.attribute_range(0)[0]] = 0
    out = decide(world, n, weights)
    assert out.total == 2 * 64 * 64**14 and out.exact
    assert out.ties == 64 * (64**14 - 56**14) and out.wrong == 0


@pytest.mark.parametrize("noise", [0.0, 1e-15])
def test_float64_with_rounding_noise(paper_world, structured, noise):
    weights = structured(paper_world, 5)
    for ell in range(8):
        tokens = list(paper_world.attribute_range(ell))
        weights.kq_rel[tokens] += 3
        weights.ov_rel[np.ix_(tokens, tokens)] += Fraction(1, 3)
    rng = np.random.default_rng(0)
    for name in ("kq_subj", "kq_rel", "ov_subj", "ov_rel"):
        values = getattr(weights, name).astype(np.float64)
        setattr(weights, name, values + noise * rng.uniform(-1, 1, values.shape))
    out = decide(paper_world, 5, weights, "heldout", "all", tie_tolerance=1e-9)
    assert out.holds is True and out.attention["rel"] == {"attributes": out.total}
    assert abs(float(out.min_margin) - 1 / 3) < 1e-8 and out.logit_gap > Fraction(3, 10) and out.score_gap["rel"] > 2
