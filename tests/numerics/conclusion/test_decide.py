"""Arguments, vacuous pools, score gaps."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide
from numerics.world import World


@pytest.fixture
def tiny():
    return World(np.array([[0], [1]]), [0, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_demos": 0}, "n_demos = 0: must be an integer >= 1"),
        ({"n_demos": 1.5}, "n_demos = 1.5: must be an integer >= 1"),
        ({"query": "all"}, "query = 'all': must be one of seen, heldout"),
        ({"context": "seen"}, "context = 'seen': must be one of finetune, all"),
        ({"method": "guess"}, "method = 'guess': must be one of auto, enumerate, patterns"),
        ({"tie_tolerance": -1}, "tie_tolerance = -1: must be a finite number >= 0"),
        ({"tie_tolerance": float("nan")}, "tie_tolerance = nan: must be a finite number >= 0"),
        ({"n_demos": 2}, r"kq_subj has shape \(15,\): must be \(18,\)"),
    ],
)
def test_bad_arguments(tiny, structured, change, message):
    arguments = {"world": tiny, "n_demos": 1, "weights": structured(tiny, 1), **change}
    with pytest.raises(ValueError, match=message):
        decide(**arguments)


def test_weights_must_be_finite_numbers(tiny, structured):
    weights = structured(tiny, 1)
    weights.ov_rel = weights.ov_rel.astype(float)
    weights.ov_rel[0, 0] = np.inf
    with pytest.raises(ValueError, match="ov_rel has an entry that is not finite: every entry must be a finite number"):
        decide(tiny, 1, weights)
    weights.ov_rel = np.full((tiny.V, tiny.V), "a", dtype=object)
    with pytest.raises(ValueError, match="ov_rel has the entry 'a': must be a finite rational number"):
        decide(tiny, 1, weights)
    weights.ov_rel = np.zeros((tiny.V, tiny.V), dtype=complex)
    with pytest.raises(ValueError, match="ov_rel has dtype complex128"):
        decide(tiny, 1, weights)


def test_vacuous_without_heldout(tiny, structured):
    for method in ("auto", "enumerate", "patterns"):
        out = decide(tiny, 1, structured(tiny, 1), "heldout", method=method)
        assert out.vacuous and out.total == 0 and out.holds is None and out.accuracy is None and out.method == "vacuous"
        assert "M = 2, M_ft = 2" in out.why


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_score_gap_is_below_every_distance_that_decided(data, instances):
    case = data.draw(instances(most_demos=2))
    setting, world = case.setting, case.world
    if not setting.total:
        return
    out = decide(world, case.n_demos, case.weights, case.query, case.context)
    for head, kq in (("subj", case.weights.kq_subj), ("rel", case.weights.kq_rel)):
        distances = []
        for ell in range(world.L):
            for subjects in product(*[setting.contexts.tolist()] * setting.n, setting.queries.tolist()):
                tokens = setting.tokens(ell, subjects)
                scores = sorted({kq[t] + kq[world.V + len(tokens) - 1 - x] for x, t in enumerate(tokens)})
                distances += [b - a for a, b in [scores[-2:]] if len(scores) > 1] if len(scores) > 1 else []
        gap = out.score_gap[head]
        if distances:
            assert gap is not None and Fraction(0) < gap <= min(distances)


def test_accuracy_is_exact(structured):
    """Three of four finetuning subjects have value 0; the relation head always votes for 0."""
    world = World(np.array([[0], [0], [0], [1]]), [0, 1, 2, 3])
    weights = structured(world, 1)
    weights.ov_rel[world.attribute_token[0, 0]] += Fraction(2)
    weights.kq_rel[world.V + 1] += 1
    out = decide(world, 1, weights)
    assert out.accuracy == Fraction(3, 4) and out.accuracy_bounds == (Fraction(3, 4), Fraction(3, 4))
    assert (out.right, out.ties, out.wrong, out.total) == (12, 0, 4, 16)
    assert out.counterexample.subjects == (3, 3) and out.counterexample.predicted == ("a^0=0",)
