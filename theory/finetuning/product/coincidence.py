"""How the values of independent uniform draws coincide, within a type and summed over the types of one size.

Within a type of U values, n draws fall into blocks of equal value. Block sizes lambda (b parts, c_k of them equal to k) have
probability

    n! / prod lambda_j!  *  U! / ((U - b)! prod c_k!)  /  U^n .

What a sequence's logits depend on is, for every "kind" of value (how often it was drawn, whether the query has it), the number of
values of that kind, summed over the types of one size. Those totals are convolved over the types: the number of distinct
totals depends on n and L, not on U, M or M_ft.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod
from typing import TypeVar

Kind = TypeVar("Kind", bound=Hashable)
Profile = tuple[tuple[Kind, int], ...]
Totals = Mapping[tuple[int, ...], Fraction]


@dataclass(frozen=True)
class Placing:
    """A value of a sequence as the second step sees it: is it the query's, and how many contexts have it as subjects / attributes."""

    own: bool
    subjects: int
    attributes: int


def partitions(n: int, parts: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Partitions of n into at most `parts` parts, decreasing."""
    if n == 0:
        yield ()
        return
    for first in range(min(n, n if largest is None else largest), 0, -1):
        if parts >= 1:
            for rest in partitions(n - first, parts - 1, first):
                yield (first, *rest)


def blocks(n: int, U: int) -> dict[tuple[int, ...], Fraction]:
    """Probability of every tuple of block sizes of n draws from U values (U = 0 with n = 0: the empty tuple)."""
    found = {}
    for sizes in partitions(n, U):
        ways = factorial(n) // prod(factorial(k) for k in sizes)
        labels = prod(range(U - len(sizes) + 1, U + 1))
        repeats = prod(factorial(c) for c in Counter(sizes).values())
        found[sizes] = Fraction(ways * labels, repeats * U**n if n else repeats)
    return found


def draws(m: int, U: int) -> dict[Profile[int], Fraction]:
    """First step: m interchangeable draws; the kind of a value is how often it was drawn, 0 included."""
    return {_profile(list(sizes), (0, U - len(sizes))): p for sizes, p in blocks(m, U).items()}


def placings(contexts: int, extra: bool, U: int) -> dict[Profile[Placing], Fraction]:
    """Second step: a query and `contexts` context draws, of which each stands as subject and as attribute; `extra`: one more
    that stands as attribute only (its subject is just outside the window). Kinds are Placing."""
    found: dict[Profile[Placing], Fraction] = defaultdict(Fraction)
    for shared in range(contexts + 1):
        rest = contexts - shared
        if U == 1 and rest:
            continue
        binomial = factorial(contexts) // (factorial(shared) * factorial(rest))
        chance = Fraction(binomial * (U - 1) ** rest, U**contexts)
        for sizes, p in blocks(rest, U - 1).items():
            counted = [Placing(True, shared, shared), *(Placing(False, k, k) for k in sizes)]
            empty = Placing(False, 0, 0)
            free = U - len(counted)
            if not extra:
                found[_profile(counted, (empty, free))] += chance * p
                continue
            for i, value in enumerate(counted):
                moved = [*counted[:i], _with_attribute(value), *counted[i + 1 :]]
                found[_profile(moved, (empty, free))] += chance * p / U
            if free:
                found[_profile([*counted, _with_attribute(empty)], (empty, free - 1))] += chance * p * Fraction(free, U)
    return dict(found)


def totals(profiles: Mapping[Profile[Kind], Fraction], kinds: list[Kind], types: int) -> Totals:
    """Distribution of the number of values of every kind, summed over `types` independent types of one size.

    Cost: the number of distinct totals times the number of profiles, times `types`.
    """
    index = {kind: i for i, kind in enumerate(kinds)}
    single: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    for profile, p in profiles.items():
        counts = [0] * len(kinds)
        for kind, number in profile:
            counts[index[kind]] += number
        single[tuple(counts)] += p
    reached: dict[tuple[int, ...], Fraction] = {(0,) * len(kinds): Fraction(1)}
    for _ in range(types):
        following: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
        for before, p in reached.items():
            for added, q in single.items():
                following[tuple(a + b for a, b in zip(before, added, strict=True))] += p * q
        reached = following
    return dict(reached)


def _with_attribute(value: Placing) -> Placing:
    return Placing(value.own, value.subjects, value.attributes + 1)


def _profile(values: list[Kind], rest: tuple[Kind, int]) -> Profile[Kind]:
    """The kinds that occur with their numbers, in a fixed order."""
    counted: Counter[Kind] = Counter(values)
    counted[rest[0]] += rest[1]
    return tuple(sorted(((k, n) for k, n in counted.items() if n), key=repr))
