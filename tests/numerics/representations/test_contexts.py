"""The sequences: nested, cut where they should be, drawn from their pools, halves without a shared value; trivial points."""

import pytest
import torch

from numerics.representations import TRIVIAL, bag_of, draw_contexts, mean_cosines, silhouette, trivial

M, L, U = 24, 3, 8
SEP = M + L * U
FACTS = M + U * torch.arange(L) + torch.stack([(torch.arange(M) * k + torch.arange(M) // U) % U for k in (1, 3, 5)], 1)
POOL, ASKED = torch.arange(16), torch.arange(16, M)


def drawn(**given):
    return draw_contexts(FACTS, SEP, given.pop("per_type", 6), given.pop("N", 4), ASKED, POOL, **given)


def test_sequences_are_the_printed_ones_cut_after_t_pairs():
    contexts = drawn(seed=3)
    longest = contexts.tokens(4)
    assert longest.shape == (6 * L, 13)
    for row, l, query in zip(longest.tolist(), contexts.types.tolist(), contexts.queries.tolist(), strict=True):
        assert row[12] == query and query >= 16
        for subject, attribute, sep in zip(row[0:12:3], row[1:12:3], row[2:12:3], strict=True):
            assert subject < 16 and sep == SEP and attribute == FACTS[subject, l]
    for t in range(5):
        tokens = contexts.tokens(t)
        assert torch.equal(tokens[:, : 3 * t], longest[:, : 3 * t]) and torch.equal(tokens[:, -1], contexts.queries)
    assert torch.equal(contexts.answers(), FACTS[contexts.queries, contexts.types])
    assert torch.equal(contexts.answers(0 * contexts.types), FACTS[contexts.queries, 0])
    assert contexts.types.tolist() == [l for l in range(L) for _ in range(6)] and contexts.comparable is None


def test_seed_decides_and_pools_are_used_up():
    contexts = drawn(per_type=200, seed=1)
    assert torch.equal(contexts.tokens(4), drawn(per_type=200, seed=1).tokens(4))
    assert not torch.equal(contexts.tokens(4), drawn(per_type=200, seed=2).tokens(4))
    assert set(contexts.subjects.flatten().tolist()) == set(range(16))
    assert set(contexts.queries.tolist()) == set(range(16, M))


def test_halves_share_no_value():
    contexts = drawn(per_type=40, halved=True)
    for l in range(L):
        rows = contexts.types == l
        sides = [set(contexts.attributes[rows & (contexts.half == side)].flatten().tolist()) for side in (0, 1)]
        assert not sides[0] & sides[1] and sides[0] | sides[1] == set(FACTS[POOL, l].tolist())
        assert abs(len(sides[0]) - len(sides[1])) <= 1
    comparable = contexts.comparable
    assert comparable is not None and bool((comparable == (contexts.half[:, None] != contexts.half)).all())
    assert torch.equal(FACTS[contexts.subjects, contexts.types[:, None]], contexts.attributes)


def test_errors():
    with pytest.raises(ValueError, match="per_type must be an integer >= 2, got 1"):
        drawn(per_type=1)
    with pytest.raises(ValueError, match=r"t must be an integer in 0\.\.4, got 5"):
        drawn().tokens(5)
    with pytest.raises(ValueError, match="queries, pool must have a subject each, got 0, 16"):
        draw_contexts(FACTS, SEP, 2, 1, ASKED[:0], POOL)
    with pytest.raises(ValueError, match="pool must have two values or more of every type, got 1 of type 0"):
        draw_contexts(FACTS, SEP, 2, 1, ASKED, POOL[:1], halved=True)


def test_a_bag_of_values_clusters_by_type_until_values_are_not_shared():
    all_, halved = (drawn(per_type=30, N=8, halved=halved) for halved in (False, True))
    points = trivial(all_, 8, SEP + 1)
    assert tuple(points) == TRIVIAL
    scores = {name: silhouette(x, all_.types) for name, x in points.items()}
    # Two bags have a cosine of about 8 / 15 within a type and 0 otherwise; the last value is shared by one pair in 8.
    assert scores["bag"] > 0.4 and scores["last"] > 0.05
    assert scores["random"] < 0.02 and scores["query"] < 0.02
    apart = {name: silhouette(x, halved.types, halved.comparable) for name, x in trivial(halved, 8, SEP + 1).items()}
    assert apart["bag"] == apart["last"] == 0 and apart["random"] < 0.02 and apart["query"] < 0.02
    nothing = trivial(all_, 0, SEP + 1)
    assert not nothing["bag"].any() and not nothing["last"].any()


def test_the_bag_is_the_sum_of_embeddings():
    contexts, embedding = drawn(), torch.randn(SEP + 1, 5)
    expected = sum(embedding[contexts.attributes[:, i]] for i in range(3))
    assert torch.allclose(bag_of(embedding, contexts, 3), expected)
    first, second = trivial(contexts, 1, SEP + 1), trivial(contexts, 2, SEP + 1)
    assert torch.equal(second["bag"], first["bag"] + second["last"]) and torch.equal(first["bag"], first["last"])


def test_the_bag_has_the_cosine_that_is_said():
    """t / (U + t - 1) within a type up to a share of 1 / t, for uniform values."""
    t = 8
    contexts = draw_contexts(FACTS, SEP, 60, t, ASKED, torch.arange(M))
    cosines = mean_cosines(bag_of(torch.eye(SEP + 1), contexts, t), contexts.types, L).without_self
    assert float(cosines.diagonal().mean()) == pytest.approx(t / (U + t - 1), rel=1 / t)
    assert float((cosines - torch.diag(cosines.diagonal())).abs().max()) < 1e-12
