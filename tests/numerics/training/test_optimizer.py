"""The steps that the loop takes, against AdamW written out."""

import math

import pytest
import torch
from torch import nn

from numerics.models.fast_loss import Loss
from numerics.training import PhaseConfig
from numerics.training.loop import train

N, LR, DECAY, BETAS, EPS = 7, 0.03, 0.4, (0.8, 0.95), 1e-8


class Points:
    """Batches of numbers, drawn."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(5)

    def batch(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(size, 4, generator=self.generator, dtype=torch.float64)
        return x, x.sum(1).sin()


def network() -> nn.Linear:
    model = nn.Linear(4, 1, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -2.0, 0.5, 3.0]]))
        model.bias.fill_(-1.5)
    return model


def squares(model: nn.Linear, x: torch.Tensor, y: torch.Tensor, predict: bool) -> Loss:
    found = model(x)[:, 0]
    return Loss(((found - y) ** 2).mean(), found.detach() if predict else None)


def written_out(schedule: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Decoupled decay: theta <- theta (1 - lr decay), then minus lr m^ / (sqrt v^ + eps), on gradients written by hand."""
    source, before = Points(), network()
    w, b = before.weight.detach()[0].clone(), before.bias.detach().clone()
    moments = [[torch.zeros_like(w), torch.zeros_like(w)], [torch.zeros_like(b), torch.zeros_like(b)]]
    for step in range(N):
        lr = LR if schedule == "constant" else LR * (1 + math.cos(math.pi * step / N)) / 2
        x, y = source.batch(6)
        wrong = x @ w + b - y
        for theta, (m, v), gradient in zip(
            (w, b), moments, (2 * (wrong[:, None] * x).mean(0), 2 * wrong.mean(0, keepdim=True)), strict=True
        ):
            m.mul_(BETAS[0]).add_((1 - BETAS[0]) * gradient)
            v.mul_(BETAS[1]).add_((1 - BETAS[1]) * gradient**2)
            theta.mul_(1 - lr * DECAY)
            fair_m, fair_v = m / (1 - BETAS[0] ** (step + 1)), v / (1 - BETAS[1] ** (step + 1))
            theta.sub_(lr * fair_m / (fair_v.sqrt() + EPS))
    return w, b


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_the_loop_takes_the_steps_of_adamw(tmp_path, schedule):
    phase = PhaseConfig(N, batch=6, lr=LR, weight_decay=DECAY, betas=BETAS, schedule=schedule, checkpoint_every=3)
    model = network()
    train("any", model, Points(), squares, phase, tmp_path, {"run": schedule})
    w, b = written_out(schedule)
    torch.testing.assert_close(model.weight.detach()[0], w, rtol=0, atol=1e-12)
    torch.testing.assert_close(model.bias.detach(), b, rtol=0, atol=1e-12)
