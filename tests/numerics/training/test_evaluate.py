import math

import pytest
import torch

from numerics.constructions import prop1, prop2
from numerics.models.factored import Factored
from numerics.sampling import IclSampler, PretrainingSampler
from numerics.training.attention import attention_map, attention_roles
from numerics.training.evaluate import Counts, baselines, icl_counts, pretraining_counts
from numerics.world import World

torch.set_num_threads(1)
WORLD = World.balanced(8, 2, 4, M_ft=4, n_grammar=2)


def loaded(construction, beta: float) -> Factored:
    """A factored network with the weights of a construction: W_K^T W_Q = beta W_KQ and W_O^T W_V = W_OV, exactly."""
    V, T, heads = construction.world.V, construction.T, list(construction.heads.values())
    model = Factored(V, T, len(heads), V + T, dtype=torch.float64)
    with torch.no_grad():
        for h, head in enumerate(heads):
            model.key[h] = torch.eye(V + T, dtype=torch.float64)
            model.query[h] = beta * torch.tensor(head.kq[:, :V].T, dtype=torch.float64)
            model.value[h] = torch.eye(V, V + T, dtype=torch.float64)
            model.output[h] = 0
            model.output[h, :, :V] = torch.tensor(head.ov / head.ov_denominator)
    return model


def test_the_finetuned_construction_is_right_on_every_sequence():
    construction = prop2(WORLD, 2)
    model = loaded(construction, 40.0)
    for pool in ("finetune", "heldout"):
        sampler = IclSampler(WORLD, 2, pool, "finetune")
        counts = icl_counts(model, sampler)
        assert counts.total == sampler.population_size == 2 * 4 * 4**2
        assert counts.right == dict.fromkeys(("exact", "type", "subject", "attribute"), counts.total)
        assert counts.interval() == (1.0, 1.0)
        shares = attention_roles(model, sampler.draw(200), sampler.tables)
        assert shares.strongest() == ("query", "attributes")
        assert shares.by_role["query"][0] > 0.99
        assert shares.by_role["attributes"][1] > 0.99


def test_the_pretrained_construction_is_right_and_its_roles_are_known():
    # S + 2 >= T makes the window of the relation head cover the sequence; with two subsequences it takes the last relation.
    S, n_tr = 3, 2
    construction = prop1(WORLD, S, n_tr)
    model = loaded(construction, 40.0)
    sampler = PretrainingSampler(WORLD, S, n_tr)
    counts = pretraining_counts(model, sampler, 500)
    assert counts.sampled and counts.right["exact"] == counts.total == 500
    shares = attention_roles(model, sampler.draw(200), sampler.tables)
    assert shares.strongest()[1] == "own_relation"
    torch.testing.assert_close(shares.by_role["subject_token"][0], torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(shares.by_role["own_subject"][0], shares.by_role["earlier_subject"][0])


def test_shares_of_uniform_attention_are_the_uniform_ones():
    model = Factored(WORLD.V, 13, 2, 4, dtype=torch.float64)
    with torch.no_grad():
        model.query.zero_()
    pt, icl = PretrainingSampler(WORLD, 3, 2), IclSampler(WORLD, 3)
    for batch, tables in ((pt.draw(50), pt.tables), (icl.draw(50), icl.tables)):
        shares = attention_roles(model, batch, tables)
        for name, share in shares.by_role.items():
            torch.testing.assert_close(share, torch.full((2,), shares.uniform[name], dtype=torch.float64))
        assert math.isclose(sum(value for name, value in shares.uniform.items() if name != "subject_token"), 1.0)
    assert set(shares.uniform) == {"query", "context_subjects", "attributes", "context_seps", "sep"}
    assert shares.uniform["attributes"] == pytest.approx(3 / 11)
    alpha = attention_map(model, batch.tokens[0])
    assert alpha.shape == (2, 11, 11)
    assert alpha[0, 3].tolist() == pytest.approx([0.25] * 4 + [0.0] * 7)


def test_a_constant_predictor_scores_its_share_and_all_ties_count_for_nothing():
    sampler = IclSampler(WORLD, 1)
    model = Factored(WORLD.V, 8, 1, 1, dtype=torch.float64)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    counts = icl_counts(model, sampler)
    assert (counts.ties, counts.right["attribute"]) == (counts.total, 0)
    token = int(WORLD.attribute_token[0, 1])
    with torch.no_grad():
        model.value.fill_(1.0)
        model.output[0, token] = 1.0
    counts = icl_counts(model, sampler)
    # Type 1 is half of the sequences; among the 4 finetuning subjects every one of 4 values occurs once.
    assert counts.accuracy("exact") == 1 / 8
    assert counts.accuracy("type") == 1 / 2
    assert counts.accuracy("attribute") == 1
    assert icl_counts(model, sampler, chunk=3) == counts


def test_baselines():
    sampler = IclSampler(WORLD, 2, seed=1)
    batch = sampler.draw(4000)
    found = baselines(sampler.tables, batch)
    assert found.chance == 1 / 8
    assert 1 / 8 <= found.majority < 0.16
    # The value of the last demonstration is the query's own where the subjects are the same: one in four.
    assert abs(found.copy - 1 / 4) < 0.03
    pt = PretrainingSampler(WORLD, 3, 2)
    assert baselines(pt.tables, pt.draw(50)).copy is None


def test_intervals_are_clopper_pearson():
    counts = Counts({"exact": 0, "type": 10, "subject": 3, "attribute": 10}, 0, 10, True)
    low, high = counts.interval("exact")
    assert low == 0
    assert math.isclose(high, 1 - 0.025 ** (1 / 10))
    assert math.isclose(counts.interval("type")[0], 0.025 ** (1 / 10))
    low, high = counts.interval("subject")

    # By their definition: at the ends the tail has probability 2.5 %.
    def tail(p, ks):
        return sum(math.comb(10, k) * p**k * (1 - p) ** (10 - k) for k in ks)

    assert math.isclose(tail(low, range(3, 11)), 0.025, rel_tol=1e-9)
    assert math.isclose(tail(high, range(0, 4)), 0.025, rel_tol=1e-9)
    with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\), got 1"):
        counts.interval("exact", 1)


def test_errors():
    model = Factored(WORLD.V, 13)
    with pytest.raises(ValueError, match="p_G must be < 1"):
        pretraining_counts(model, PretrainingSampler(WORLD, 3, 2, 1.0), 5)
    with pytest.raises(ValueError, match="size must be an integer >= 1, got 0"):
        icl_counts(model, IclSampler(WORLD, 2), 0)
