"""What any reader can infer of the attribute type from grammar tokens, the chains known: an upper bound for every network.

Posterior.  The type l is uniform on L, the first token uniform, so after g_1 .. g_S

    p(l | g) = p_l(g) / sum_l' p_l'(g),       p_l(g) = (1 / G) prod_t P_l[g_t, g_{t+1}].

Accuracy.  The best guess is a largest p(l | g); it is right with probability

    E max_l p(l | g) = (1 / L) sum_g max_l p_l(g)         in [1 / L, 1],     1 / L at S = 0 and S = 1.

Up to LIMIT paths the sum is taken, over all G^S.  Beyond it, n paths are drawn and max_l p(l | g) is averaged: its
variance is below that of counting right guesses, and it lies in [1 / L, 1], so by Hoeffding the mean is off by more than
(1 - 1 / L) sqrt(log(2 / 0.05) / (2 n)) with probability at most 5 %, whatever the chains.

PT sequences.  A reader of a whole PT sequence that knows all facts and chains sees at the last subsequence a subject
and S grammar tokens; the subsequences before it have types of their own, independent of the last one.  The attributes of
one subject are L different tokens, one per type, so the attribute is right exactly when the type is: E max p(l | g) bounds
exact match and type match alike, subject match and attribute match are bounded by 1.  A grammar-only last subsequence is
told from others by its first token; its final token is predicted at best by the largest entry of the row of the token before.

ICL+Grm.  Without the context, S_ft tokens allow E max p(l | g) at S = S_ft.  With it, one demonstration gives the type
away: an attribute token belongs to one type only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.arguments import checked_integer, checked_real
from numerics.corpus.corpus import Corpus

LIMIT = 10**6  # paths that are enumerated
MISS = 0.05  # probability that the interval misses
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Accuracy:
    """Bayes accuracy of the type after S tokens, within [low, high]; exact, or the mean over `paths` drawn."""

    S: int
    value: float
    low: float
    high: float
    exact: bool
    paths: int


def _checked_transitions(transitions: ArrayLike) -> FloatArray:
    given = np.asarray(transitions, dtype=np.float64)
    if given.ndim != 3 or given.shape[1] != given.shape[2] or 0 in given.shape:
        raise ValueError(f"transitions must be (L, G, G), got shape {given.shape}")
    return given


def posterior(transitions: ArrayLike, paths: ArrayLike) -> FloatArray:
    """(N, L) p(l | g) of paths (N, S) of states 0..G-1, given chains (L, G, G).  Cost O(N S L).

    A path that no chain can make has rows of nan.  Raises ValueError for other shapes or states.
    """
    chains, given = _checked_transitions(transitions), np.asarray(paths)
    L, G, _ = chains.shape
    if given.ndim != 2 or given.dtype.kind not in "iu" or (given.size and not 0 <= given.min() <= given.max() < G):
        raise ValueError(f"paths must be (N, S) integers in 0..{G - 1}, got shape {given.shape}, dtype {given.dtype}")
    # Logarithms are summed a step at a time: a product of many steps would leave the range of float64.
    with np.errstate(divide="ignore", invalid="ignore"):
        steps, total = np.log(chains), np.zeros((len(given), L))
        for t in range(1, given.shape[1]):
            total += steps[:, given[:, t - 1], given[:, t]].T
        likelihood = np.exp(total - total.max(axis=1, keepdims=True))
        return likelihood / likelihood.sum(axis=1, keepdims=True)


def enumerated(transitions: ArrayLike, S: int) -> float:
    """(1 / L) sum over all G^S paths of max_l p_l(g).  Cost and memory O(L G^S)."""
    chains, S = _checked_transitions(transitions), checked_integer("S", S, 0)
    L, G, _ = chains.shape
    likelihood = np.full((L, 1, G), 1 / G)  # paths by all but the last state, last state
    for _ in range(S - 1):
        likelihood = (likelihood[:, :, :, None] * chains[:, None]).reshape(L, -1, G)
    return float(likelihood.max(axis=0).sum() / L) if S else 1 / L


def drawn_paths(transitions: ArrayLike, S: int, size: int, seed: int) -> NDArray[np.int64]:
    """(size, S) paths, path i of type i mod L, the first token uniform.  Cost O(size S G)."""
    chains = _checked_transitions(transitions)
    generator = np.random.default_rng(checked_integer("seed", seed, 0))
    L, G, _ = chains.shape
    thresholds, types = chains.cumsum(axis=2)[:, :, :-1], np.arange(size) % L
    paths = np.empty((size, S), dtype=np.int64)
    if S:
        paths[:, 0] = generator.integers(G, size=size)
    for t in range(1, S):
        paths[:, t] = (generator.random(size)[:, None] >= thresholds[types, paths[:, t - 1]]).sum(axis=1)
    return paths


def bayes_accuracies(
    transitions: ArrayLike, lengths: Sequence[int], size: int = 40_000, seed: int = 0, limit: int = LIMIT
) -> tuple[Accuracy, ...]:
    """E max_l p(l | g) after each of these numbers of grammar tokens, exact where G^S <= limit, or else sampled.

    One sample of paths serves all lengths; its size is rounded up to a multiple of L, so that types are drawn equally
    often (Hoeffding's bound holds for such a stratified mean).  Raises ValueError for a negative length, size < 1.
    Cost O(L G^S) or O(size S (G + L)).
    """
    chains = _checked_transitions(transitions)
    L, G, _ = chains.shape
    wanted = [checked_integer("lengths", S, 0) for S in lengths]
    n = -(-checked_integer("size", size, 1) // L) * L
    # 0 and 1 tokens: uniform under every type, nothing to enumerate.
    sampled = [S for S in wanted if S > 1 and S * math.log(G) > math.log(limit) + 1e-12]
    paths = drawn_paths(chains, max(sampled), n, seed) if sampled else None
    half = (1 - 1 / L) * math.sqrt(math.log(2 / MISS) / (2 * n))
    found = []
    for S in wanted:
        if S not in sampled or paths is None:
            value = min(enumerated(chains, S), 1.0) if S > 1 else 1 / L  # 1 + rounding
            found.append(Accuracy(S, value, value, value, True, G**S))
            continue
        value = min(float(posterior(chains, paths[:, :S]).max(axis=1).mean()), 1.0)
        found.append(Accuracy(S, value, max(1 / L, value - half), min(1.0, value + half), False, n))
    return tuple(found)


def bayes_accuracy(transitions: ArrayLike, S: int, size: int = 40_000, seed: int = 0, limit: int = LIMIT) -> Accuracy:
    """The same for one length."""
    return bayes_accuracies(transitions, (S,), size, seed, limit)[0]


def generic_accuracy(corpus: Corpus, S: int) -> float:
    """Best prediction of the last of S + 2 tokens of generic text: sum_g p(g_{S+1} = g) max_h P[g, h].  Exact."""
    law = np.full(corpus.G, 1 / corpus.G) @ np.linalg.matrix_power(corpus.grammar_only, checked_integer("S", S, 0))
    return float(law @ corpus.grammar_only.max(axis=1))


@dataclass(frozen=True)
class Bounds:
    """Upper bounds of the metrics on the final token of PT sequences, for any reader.

    With p_G > 0 the sequences include those that end in generic text, where only exact match can be had.
    """

    exact: Accuracy
    type: Accuracy
    subject: float
    attribute: float


def pt_bounds(corpus: Corpus, S: int, p_G: float = 0.0, size: int = 40_000, seed: int = 0) -> Bounds:
    """The bounds, over all PT sequences; p_G = 0: over those that end in an attribute.  Raises ValueError for p_G."""
    if not 0 <= checked_real("p_G", p_G) <= 1:
        raise ValueError(f"p_G must be a probability, got {p_G!r}")
    one = bayes_accuracy(corpus.transitions, S, size, seed)
    facts, generic = 1 - p_G, p_G * generic_accuracy(corpus, S)

    def mixed(add: float) -> Accuracy:
        value, low, high = (facts * part + add for part in (one.value, one.low, one.high))
        return Accuracy(S, value, low, high, one.exact, one.paths)

    return Bounds(mixed(generic), mixed(0.0), facts, facts)


def without_context(corpus: Corpus, S_ft: int | Sequence[int]) -> float:
    """Best exact match on ICL+Grm sequences from the last subsequence alone, S_ft uniform on a tuple; S_ft = 0: 1 / L.

    Exact where G^S_ft <= LIMIT.  Raises ValueError for an empty or longer S_ft.
    """
    lengths = tuple(S_ft) if isinstance(S_ft, Sequence) else (S_ft,)
    if not lengths or corpus.G ** max(lengths) > LIMIT:
        raise ValueError(f"S_ft must be at least one length with G^S_ft <= {LIMIT}, got {S_ft!r}")
    return math.fsum(one.value for one in bayes_accuracies(corpus.transitions, lengths)) / len(lengths)
