"""Mean cosines against a plain loop; what the diagonal's own terms add."""

import pytest
import torch

from numerics.representations import cosine_matrix, mean_cosines


def test_against_a_loop_and_the_diagonal():
    points = torch.randn((15, 3), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(3).repeat(5)
    found, cosines = mean_cosines(points, labels, 3), cosine_matrix(points)
    for l in range(3):
        for other in range(3):
            block = cosines[labels == l][:, labels == other]
            assert float(found.printed[l, other]) == pytest.approx(float(block.mean()))
            if l == other:
                c = float(found.without_self[l, l])
                assert c == pytest.approx(float((block.sum() - 5) / 20))
                assert float(found.printed[l, l]) == pytest.approx(c + (1 - c) / 5)
            else:
                assert found.without_self[l, other] == found.printed[l, other]


def test_errors():
    with pytest.raises(ValueError, match=r"two points or more each, got \[2, 1\]"):
        mean_cosines(torch.ones(3, 2), torch.tensor([0, 0, 1]), 2)
    with pytest.raises(ValueError, match=r"labels must be in 0..1, got 0..2"):
        mean_cosines(torch.ones(3, 2), torch.tensor([0, 0, 2]), 2)
    with pytest.raises(ValueError, match=r"labels must be \(n,\)"):
        mean_cosines(torch.ones(3, 2), torch.tensor([0, 0]), 2)
