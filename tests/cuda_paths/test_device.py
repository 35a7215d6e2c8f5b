"""The pretended device itself: it notices what a real one would refuse."""

import pytest
import torch


def test_it_computes_what_the_cpu_computes(cuda):
    x = torch.arange(6.0).reshape(2, 3).to("cuda").requires_grad_()
    (x.sin() @ torch.ones(3, 1, device="cuda")).sum().backward()
    assert x.device.type == x.grad.device.type == "cuda"
    torch.testing.assert_close(x.grad.cpu(), x.detach().cpu().cos(), rtol=0, atol=0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + torch.ones(3),
        lambda x: torch.ones(3) @ x,
        lambda x: torch.cat([x, torch.zeros(1)]),
        lambda x: torch.where(torch.ones(3, dtype=torch.bool), x, x),
        lambda x: torch.ones(3)[x.long()] + x,
        lambda x: torch.nn.Linear(3, 3)(x),
        lambda x: torch.nn.functional.cross_entropy(x[None], torch.tensor([1])),
        lambda x: torch.randint(3, (2,), generator=torch.Generator(), device="cuda"),
        lambda x: torch.randint(3, (2,), generator=torch.Generator("cuda")),
        lambda x: x.uniform_(generator=torch.Generator()),
    ],
)
def test_it_refuses_two_devices(cuda, wrong):
    with pytest.raises(RuntimeError, match="cuda"):
        wrong(torch.zeros(3, device="cuda"))


def test_it_refuses_numpy(cuda):
    with pytest.raises(TypeError, match="cuda"):
        torch.zeros(3, device="cuda").numpy()


def test_it_counts_waits(cuda):
    x = torch.ones(3, device="cuda")
    y = (x * 2 + 1).sum()
    assert cuda == []
    assert (y.item(), x.cpu().tolist(), x.tolist()) == (9.0, [1.0] * 3, [1.0] * 3)
    assert cuda == ["item", "cpu", "cpu"]


def test_scalars_copies_and_indices_may_be_of_the_cpu(cuda):
    x = torch.zeros(3, device="cuda")
    x.copy_(torch.ones(3))
    x[torch.tensor([0, 2])] = 5.0
    assert (x * torch.tensor(2.0)).tolist() == [10.0, 2.0, 10.0]
