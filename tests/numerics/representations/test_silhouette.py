"""The silhouette against the printed formulas in plain loops and against scikit-learn; what is an error."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.representations import cosine_distances, cosine_matrix, silhouette, silhouettes


def plain(points, labels, comparable=None):
    """App. B.3, one sum after another."""

    def cos(v, w):
        norms = math.sqrt(sum(x * x for x in v)) * math.sqrt(sum(y * y for y in w))
        return sum(x * y for x, y in zip(v, w, strict=True)) / norms if norms else 0.0

    n, values = len(points), []
    for k in range(n):
        means = {}
        for l in set(labels):
            others = [j for j in range(n) if labels[j] == l and j != k and (comparable is None or comparable[k][j])]
            if others:
                means[l] = sum(1 - cos(points[k], points[j]) for j in others) / len(others)
        a = means.pop(labels[k])
        b = min(means.values())
        values.append((b - a) / max(a, b) if max(a, b) > 0 else 0.0)
    return values


@st.composite
def clouds(draw):
    """Points of 2 to 4 types, 2 to 5 of each."""
    labels = [l for l in range(draw(st.integers(2, 4))) for _ in range(draw(st.integers(2, 5)))]
    d = draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    points = torch.randn((len(labels), d), generator=generator, dtype=torch.float64)
    points += draw(st.sampled_from([0.0, 1.0, 3.0])) * torch.randn((5, d), generator=generator)[torch.tensor(labels)]
    order = torch.randperm(len(labels), generator=generator)
    return points, torch.tensor(labels)[order]


@settings(deadline=None, max_examples=60)
@given(clouds())
def test_equals_the_printed_formulas(cloud):
    points, labels = cloud
    found = silhouettes(cosine_distances(points), labels)
    assert found.tolist() == pytest.approx(plain(points.tolist(), labels.tolist()), abs=1e-9)
    assert silhouette(points, labels) == pytest.approx(float(found.mean()))
    assert bool((found.abs() <= 1).all())


@settings(deadline=None, max_examples=60)
@given(clouds(), st.floats(1e-160, 1e160))
def test_equals_scikit_learn_and_no_scale(cloud, scale):
    metrics = pytest.importorskip("sklearn.metrics")
    points, labels = cloud
    distances = cosine_distances(points)
    found = silhouettes(distances, labels)
    expected = metrics.silhouette_samples(distances.numpy(), labels.numpy(), metric="precomputed")
    assert found.numpy() == pytest.approx(expected, abs=1e-12)
    score = metrics.silhouette_score(distances.numpy(), labels.numpy(), metric="precomputed")
    assert silhouette(points, labels) == pytest.approx(score, abs=1e-12)
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")
    assert distances.numpy() == pytest.approx(pairwise.cosine_distances(points.numpy()), abs=1e-12)
    assert silhouette(scale * points, labels) == pytest.approx(score, abs=1e-9)


def test_perfect_and_mixed_types():
    labels = torch.tensor([0, 0, 1, 1])
    apart = torch.tensor([[1.0, 0], [2, 0], [0, 1], [0, 5]])
    assert silhouette(apart, labels) == pytest.approx(1)
    assert silhouette(apart, labels[[0, 2, 1, 3]]) == pytest.approx(-0.5)
    # All the same: a = b = 0, s = 0.
    assert silhouette(torch.ones(4, 3), labels) == pytest.approx(0, abs=1e-12)
    # Zero vectors are at distance 1 from everything.
    assert silhouette(torch.zeros(4, 3), labels) == 0


@settings(deadline=None, max_examples=30)
@given(clouds(), st.integers(0, 2**31))
def test_only_comparable_pairs(cloud, seed):
    points, labels = cloud
    half = torch.randint(2, (len(labels),), generator=torch.Generator().manual_seed(seed))
    comparable = half[:, None] != half[None, :]
    of_label = [set(half[labels == l].tolist()) for l in labels.unique().tolist()]
    if any(len(sides) < 2 for sides in of_label):
        with pytest.raises(ValueError, match="got a point alone in its type"):
            silhouette(points, labels, comparable)
        return
    found = silhouettes(cosine_distances(points), labels, comparable)
    assert found.tolist() == pytest.approx(plain(points.tolist(), labels.tolist(), comparable.tolist()), abs=1e-9)


def test_errors():
    points, labels = torch.randn(4, 2), torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match=r"K = 1"):
        silhouette(points, torch.tensor([0, 0, 1, 2]))
    with pytest.raises(ValueError, match="labels must be of two types or more, got 1"):
        silhouette(points, torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ValueError, match="points must be finite, got nan or inf"):
        silhouette(torch.full((4, 2), math.nan), labels)
    with pytest.raises(ValueError, match=r"points must be \(n, d\) with n >= 1, got \(4,\)"):
        cosine_matrix(torch.zeros(4))
    with pytest.raises(ValueError, match=r"distances, labels must be \(n, n\), \(n,\), got \(3, 4\), \(4,\)"):
        silhouettes(torch.zeros(3, 4), labels)
    with pytest.raises(ValueError, match="distances must be numbers >= 0"):
        silhouettes(torch.full((4, 4), -1.0), labels)
    with pytest.raises(ValueError, match="comparable must be a bool"):
        silhouettes(torch.zeros(4, 4), labels, torch.zeros(4, 4))
    with pytest.raises(ValueError, match="comparable one of another type"):
        silhouettes(torch.zeros(4, 4), labels, labels[:, None] == labels[None, :])
