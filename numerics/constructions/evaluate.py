"""The construction at one position of every sequence, in exact arithmetic, at beta = inf.

Hard attention: head h attends uniformly the n_h positions i <= t with the largest score, so

    g_h^t = (1/n_h) sum of h(x_i) over them,     f_h^t = (1/n_h) sum of W_OV h(x_i),     logits = sum_h f_h^t.

Everything is an integer over n_h ov_denominator_h; logits are integers over the product over the heads.  The integers
stay below max |ov| T (2 T)^(H-1), far inside int64 for every world that can be enumerated.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_integer
from numerics.constructions.heads import Construction, Head

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
OUTCOMES = ("right", "tie", "wrong")


def scores(head: Head, V: int, tokens: IntArray, t: int) -> IntArray:
    """(B, t) scores (x_i + p_{i-t})^T W_KQ x_t per unit beta of the positions i = 1..t.  Cost O(B t)."""
    query = tokens[:, t - 1]
    of_token = head.kq[tokens[:, :t], query[:, None]]
    back = t - 1 - np.arange(t)
    return of_token + head.kq[V + back[None, :], query[:, None]]


@dataclass(frozen=True, eq=False)
class HeadOutput:
    """attended (B, t) positions; f_numerator (B, V) over f_denominator (B,)."""

    attended: BoolArray
    f_numerator: IntArray
    f_denominator: IntArray

    def attention(self, row: int) -> tuple[Fraction, ...]:
        """(t,) attention of one sequence."""
        n = int(self.attended[row].sum())
        return tuple(Fraction(int(a), n) for a in self.attended[row])

    def f(self, row: int) -> tuple[Fraction, ...]:
        """(V,) f_h^t of one sequence."""
        return tuple(Fraction(int(x), int(self.f_denominator[row])) for x in self.f_numerator[row])

    def g(self, row: int, tokens: IntArray) -> dict[int, Fraction]:
        """g_h^t of one sequence: token -> coefficient, zero coefficients left out.  tokens (B, >= t)."""
        attended = np.flatnonzero(self.attended[row])
        out: dict[int, Fraction] = {}
        for i in attended:
            token = int(tokens[row, i])
            out[token] = out.get(token, Fraction(0)) + Fraction(1, len(attended))
        return out


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Heads by name; logits numerator (B, V) over denominator (B,), all denominators positive."""

    t: int
    heads: dict[str, HeadOutput]
    numerator: IntArray
    denominator: IntArray

    @property
    def argmax(self) -> BoolArray:
        """(B, V) whether the token has the largest logit; more than one in a row is a tie."""
        return self.numerator == self.numerator.max(axis=1, keepdims=True)

    def logits(self, row: int) -> tuple[Fraction, ...]:
        """(V,) exact logits of one sequence."""
        return tuple(Fraction(int(x), int(self.denominator[row])) for x in self.numerator[row])

    def margin_numerator(self, targets: IntArray) -> IntArray:
        """(B,) logit of the target minus the largest other logit, times the denominator."""
        rows = np.arange(len(targets))
        others = self.numerator.copy()
        others[rows, targets] = np.iinfo(np.int64).min
        return self.numerator[rows, targets] - others.max(axis=1)

    def outcome(self, targets: IntArray) -> IntArray:
        """(B,) indices into OUTCOMES: the target alone is the argmax, is among several, or is not."""
        return 1 - np.sign(self.margin_numerator(targets))


def counts(tokens: IntArray, chosen: BoolArray, V: int) -> IntArray:
    """(B, V) how often each token stands at the chosen positions (B, t).  Cost O(B (t + V))."""
    rows = np.broadcast_to(np.arange(len(tokens))[:, None], tokens.shape)
    return np.bincount((rows * V + tokens)[chosen], minlength=len(tokens) * V).reshape(len(tokens), V).astype(np.int64)


def products(counted: IntArray, ov: IntArray) -> IntArray:
    """(B, V) sum of the columns of ov, as often as counted.  Float products of small integers are exact."""
    return np.rint(counted.astype(np.float64) @ ov.T.astype(np.float64)).astype(np.int64)


def evaluate(construction: Construction, tokens: IntArray, t: int | None = None) -> Evaluation:
    """The heads and logits at position t (from 1; default T) of tokens (B, >= t), at beta = inf.

    Raises ValueError for t outside 1..T or tokens that do not reach t.  Cost O(B (t + V^2)) per head.
    """
    t = construction.T if t is None else checked_integer("t", t, 1, construction.T)
    tokens = np.asarray(tokens, dtype=np.int64)
    if tokens.ndim != 2 or tokens.shape[1] < t:
        raise ValueError(f"tokens must be (B, T) with T >= t = {t}, got shape {tokens.shape}")
    V = construction.world.V
    heads: dict[str, HeadOutput] = {}
    for name, head in construction.heads.items():
        score = scores(head, V, tokens, t)
        attended = score == score.max(axis=1, keepdims=True)
        f = products(counts(tokens[:, :t], attended, V), head.ov)
        heads[name] = HeadOutput(attended, f, attended.sum(axis=1, dtype=np.int64) * head.ov_denominator)
    denominator = np.ones(len(tokens), dtype=np.int64)
    for output in heads.values():
        denominator *= output.f_denominator
    numerator = np.zeros((len(tokens), V), dtype=np.int64)
    for output in heads.values():
        numerator += output.f_numerator * (denominator // output.f_denominator)[:, None]
    return Evaluation(t, heads, numerator, denominator)
