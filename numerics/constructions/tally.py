"""Counts over a population: outcomes, argmax sets by family, distance from the next-token law, smallest failures.

A law is held by what it gives to each relation token (p_R), to each grammar token (p_G), and to a determined token (the
next one of the sequence, probability 1, then p_R = p_G = 0).  For an argmax set A of n tokens, with n_R relation and n_G
grammar tokens and `hit` if it holds the determined one, the total variation distance to the uniform law on A is

    1/2 sum_v | 1[v in A]/n - law(v) |.

What an argmax set can be asked, from weak to strong:

    possible    every token in it has positive probability
    mode        it is the set of the most likely tokens
    support     it is the set of all tokens with positive probability
    law         the uniform law on it is the next-token law

Where the next token is determined all four say that the target alone is the argmax.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from numerics.constructions.evaluate import Evaluation
from numerics.constructions.families import in_words
from numerics.world import World

IntArray = NDArray[np.int64]
NOTIONS = ("possible", "mode", "support", "law")


@dataclass(frozen=True)
class Law:
    """p_R for each of L relation tokens, p_G for each of G grammar tokens; determined: all on the next token."""

    L: int
    G: int
    p_R: Fraction = Fraction(0)
    p_G: Fraction = Fraction(0)
    determined: bool = True

    def distance(self, n: int, n_R: int, n_G: int, hit: bool) -> Fraction:
        """Total variation distance to the uniform law on a set of n tokens."""
        u = Fraction(1, n)
        if self.determined:
            return 1 - u if hit else Fraction(1)
        R = n_R * abs(u - self.p_R) + (self.L - n_R) * self.p_R
        G = n_G * abs(u - self.p_G) + (self.G - n_G) * self.p_G
        return (R + G + (n - n_R - n_G) * u) / 2

    def agreement(self, n: int, n_R: int, n_G: int, hit: bool) -> dict[str, bool]:
        """Which of NOTIONS hold for a set of n tokens."""
        if self.determined:
            return dict.fromkeys(NOTIONS, hit and n == 1)
        R, G = self.p_R > 0, self.p_G > 0
        top = max(self.p_R, self.p_G)
        return {
            "possible": n == n_R * R + n_G * G,
            "mode": n == n_R + n_G and n_R == self.L * (self.p_R == top) and n_G == self.G * (self.p_G == top),
            "support": n == n_R + n_G and n_R == self.L * R and n_G == self.G * G,
            "law": self.distance(n, n_R, n_G, hit) == 0,
        }


@dataclass(frozen=True, order=True)
class Failure:
    """A prefix x_1..x_t (ordered by length, then lexicographically), its argmax set and its next token."""

    length: int
    prefix: tuple[int, ...]
    argmax: tuple[int, ...]
    target: int

    def words(self, world: World) -> str:
        """'s0 g0 r1 -> g0, [sep]; next: g0'."""
        name = world.token_name
        best = ", ".join(name(v) for v in self.argmax)
        return f"{' '.join(name(v) for v in self.prefix)} -> {best}; next: {name(self.target)}"


@dataclass(frozen=True)
class Tally:
    """Exact counts of sequences: right + tie + wrong = count, against the next token of each sequence.

    argmax: how often which set of families is the argmax set; distance: how often which total variation distance;
    agrees: for each of NOTIONS the number of sequences of which it holds; failures: the smallest prefix where it does
    not (None: it always holds); least_margin: the smallest of logit(next token) - best other logit.
    """

    count: int
    right: int
    tie: int
    wrong: int
    least_margin: Fraction
    argmax: dict[frozenset[str], int]
    distance: dict[Fraction, int]
    agrees: dict[str, int]
    failures: dict[str, Failure | None]

    @property
    def always_right(self) -> bool:
        """Whether the next token alone is the argmax for every sequence."""
        return self.right == self.count

    def holds(self, notion: str) -> bool:
        """Whether one of NOTIONS holds for every sequence.  Raises KeyError for another name."""
        return self.agrees[notion] == self.count

    @property
    def mean_distance(self) -> Fraction:
        """The mean total variation distance over the sequences."""
        return sum((d * n for d, n in self.distance.items()), Fraction(0)) / self.count


@dataclass
class Accumulator:
    """Collects one Tally in batches."""

    outcomes: Counter[int] = field(default_factory=Counter)
    argmax: Counter[frozenset[str]] = field(default_factory=Counter)
    distance: Counter[Fraction] = field(default_factory=Counter)
    agrees: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Failure] = field(default_factory=dict)
    least_margin: Fraction | None = None

    def add(
        self,
        world: World,
        law: Law,
        evaluation: Evaluation,
        rows: IntArray,
        tokens: IntArray,
        targets: IntArray,
        signatures: IntArray,
    ) -> None:
        """Rows (n,) of a batch: tokens (B, >= t), targets (B,), signatures (B,) of the argmax sets."""
        top, outcome = evaluation.argmax, evaluation.outcome(targets)[rows]
        self.outcomes.update(Counter(outcome.tolist()))
        for code, n in zip(*np.unique(signatures[rows], return_counts=True), strict=True):
            self.argmax[in_words(int(code))] += int(n)
        margins = evaluation.margin_numerator(targets)[rows]
        pairs = np.unique(np.stack([margins, evaluation.denominator[rows]], axis=1), axis=0).tolist()
        least = min(Fraction(a, b) for a, b in pairs)
        self.least_margin = least if self.least_margin is None else min(least, self.least_margin)
        relation, chosen = world.relation_token(0), top[rows]
        shape = np.stack(
            [
                chosen.sum(axis=1),
                chosen[:, relation : relation + world.L].sum(axis=1),
                chosen[:, relation + world.L : world.sep_token].sum(axis=1),
                chosen[np.arange(len(rows)), targets[rows]],
            ],
            axis=1,
        )
        kinds, which = np.unique(shape, axis=0, return_inverse=True)
        for k, (n, n_R, n_G, hit) in enumerate(kinds.tolist()):
            of_kind = rows[which.ravel() == k]
            self.distance[law.distance(n, n_R, n_G, bool(hit))] += len(of_kind)
            for notion, holds in law.agreement(n, n_R, n_G, bool(hit)).items():
                if holds:
                    self.agrees[notion] += len(of_kind)
                    continue
                prefixes = tokens[of_kind, : evaluation.t]
                first = of_kind[np.lexsort(prefixes.T[::-1])[0]]
                best = tuple(np.flatnonzero(top[first]).tolist())
                prefix = tuple(tokens[first, : evaluation.t].tolist())
                found = Failure(evaluation.t, prefix, best, int(targets[first]))
                self.failures[notion] = min(found, self.failures.get(notion, found))

    def tally(self) -> Tally:
        """What was collected.  Raises ValueError if nothing was."""
        if self.least_margin is None:
            raise ValueError("rows must be at least one, got none")
        right, tie, wrong = (self.outcomes[k] for k in range(3))
        return Tally(
            right + tie + wrong,
            right,
            tie,
            wrong,
            self.least_margin,
            dict(self.argmax),
            dict(self.distance),
            {notion: self.agrees[notion] for notion in NOTIONS},
            {notion: self.failures.get(notion) for notion in NOTIONS},
        )


def merged(tallies: list[Tally]) -> Tally:
    """The tally of several groups together.  Raises ValueError for an empty list."""
    if not tallies:
        raise ValueError("tallies must be at least one, got none")
    argmax: Counter[frozenset[str]] = Counter()
    distance: Counter[Fraction] = Counter()
    for tally in tallies:
        argmax.update(tally.argmax)
        distance.update(tally.distance)
    failures = {
        notion: min((f for t in tallies if (f := t.failures[notion]) is not None), default=None) for notion in NOTIONS
    }
    return Tally(
        sum(t.count for t in tallies),
        sum(t.right for t in tallies),
        sum(t.tie for t in tallies),
        sum(t.wrong for t in tallies),
        min(t.least_margin for t in tallies),
        dict(argmax),
        dict(distance),
        {notion: sum(t.agrees[notion] for t in tallies) for notion in NOTIONS},
        failures,
    )
