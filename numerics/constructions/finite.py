"""The construction at finite beta: through the literal network in float64, and as Arb balls.

The literal network is numerics.models.attention_only with the same dense matrices.  The ball of a logit is computed from
the definition: softmax of beta times the integer scores, W_OV times the mean, in ball arithmetic.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import torch
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from numerics.arguments import checked_integer, checked_real
from numerics.constructions.evaluate import scores
from numerics.constructions.heads import Construction
from numerics.models.attention_only import AttentionOnly

IntArray = NDArray[np.int64]


class Batch(Protocol):
    """What both populations yield: tokens (B, T) and targets (B,)."""

    @property
    def tokens(self) -> IntArray: ...
    @property
    def targets(self) -> IntArray: ...


def network(construction: Construction, beta: float = math.inf) -> AttentionOnly:
    """The literal network with the weights of the construction, float64.  Raises ValueError for beta that is no number."""
    beta = checked_real("beta", beta, infinite=True)
    kq = {name: torch.from_numpy(head.kq.astype(np.float64)) for name, head in construction.heads.items()}
    ov = {name: torch.from_numpy(head.ov / head.ov_denominator) for name, head in construction.heads.items()}
    return AttentionOnly(construction.world.V, construction.T, kq, ov, beta)


@dataclass(frozen=True)
class Accuracy:
    """Counts at one beta: right (target alone, by more than the tolerance), tie (within it of the best), total."""

    beta: float
    right: int
    tie: int
    total: int

    @property
    def value(self) -> Fraction:
        """right / total."""
        return Fraction(self.right, self.total)


def accuracy(
    construction: Construction,
    batches: Iterable[Batch],
    betas: Sequence[float],
    t: int | None = None,
    tolerance: float = 1e-12,
) -> list[Accuracy]:
    """Accuracy at every beta over all sequences of the batches, through the literal network at position t (default T).

    At t < T the target is the next token of the sequence.  tolerance: of float64 logits, relative to max(1, |logit|).
    Raises ValueError for no sequence or t outside 1..T.  Cost O(size (T d + d^2)) per head and beta.
    """
    t = construction.T if t is None else checked_integer("t", t, 1, construction.T)
    networks = [network(construction, beta) for beta in betas]
    right, tie, total = [0] * len(networks), [0] * len(networks), 0
    for batch in batches:
        tokens = torch.from_numpy(np.ascontiguousarray(batch.tokens))
        following = batch.targets if t == construction.T else batch.tokens[:, t]
        targets = torch.from_numpy(np.ascontiguousarray(following))[:, None]
        total += len(tokens)
        for k, model in enumerate(networks):
            with torch.no_grad():
                logits = model(tokens, t)
            own = logits.gather(1, targets)[:, 0]
            other = logits.scatter(1, targets, -torch.inf).amax(1)
            slack = tolerance * torch.clamp(own.abs(), min=1.0)
            right[k] += int((own - other > slack).sum())
            tie[k] += int(((own - other).abs() <= slack).sum())
    if total == 0:
        raise ValueError("batches must hold at least one sequence, got none")
    return [Accuracy(float(b), r, e, total) for b, r, e in zip(betas, right, tie, strict=True)]


def logit_balls(
    construction: Construction, tokens: Sequence[int], beta: Fraction | int, t: int | None = None, bits: int = 128
) -> list[arb]:
    """(V,) balls that contain the logits at position t (default T) of one sequence, at an exact finite beta.

    Raises ValueError for t outside 1..T, too few tokens, bits < 2.  Cost O(t V) ball operations per head.
    """
    t = construction.T if t is None else checked_integer("t", t, 1, construction.T)
    row = np.asarray([tokens], dtype=np.int64)
    if row.shape[1] < t:
        raise ValueError(f"tokens must be at least t = {t}, got {row.shape[1]}")
    V, exact = construction.world.V, Fraction(beta)
    with ctx.workprec(checked_integer("bits", bits, 2)):
        out = [arb(0)] * V
        rate = arb(fmpq(exact.numerator, exact.denominator))
        for head in construction.heads.values():
            level = scores(head, V, row, t)[0]
            weights = [(rate * int(s - level.max())).exp() for s in level]
            total = sum(weights, arb(0)) * head.ov_denominator
            for weight, token in zip(weights, row[0, :t], strict=True):
                for v in np.flatnonzero(head.ov[:, token]):
                    out[v] = out[v] + weight * int(head.ov[v, token]) / total
        return out


def margin_ball(
    construction: Construction,
    tokens: Sequence[int],
    target: int,
    beta: Fraction | int,
    t: int | None = None,
    bits: int = 128,
) -> arb:
    """A ball that contains logit(target) - best other logit.  > 0 proves the argmax, < 0 refutes it.  Raises as above."""
    balls = logit_balls(construction, tokens, beta, t, bits)
    with ctx.workprec(bits):
        others = [ball for v, ball in enumerate(balls) if v != target]
        best = others[0]
        for ball in others[1:]:
            best = best.max(ball)
        return balls[target] - best
