"""True gradients of a small population in ball arithmetic, at any step size: every sequence, as many bits as the steps need.

The certified gradients of numerics.population are float64: at a large eta_ov the softmax saturates, and they give up. Here
every number is a ball of Arb (python-flint), which encloses what it stands for, exponents of any size included. Nothing is
approximated but by balls, so the result has proven radii whatever the steps are.

A sequence counts once for all orders of the context subjects that the heads cannot tell apart. With p = softmax(f) - h(y),
r_x = p^T (column of W_OV of token x), rbar the mean of r over what the head attends, the entries per unit beta are (step 1,
both heads at the initial weights; step 2, the subject head on the query alone)
    kq_subj = E[(r_x - rbar) / m], x the m subjects;  ov_rel[:, x] = E[p / width];  kq_rel = E[(r_x - rbar) / width],
x in the last `width` positions, f = mean of W_OV^subj over the subjects in step 1, W_OV^subj[:, query] + mean of W_OV^rel
over those positions in step 2. The entry of the target, p_y, is minus the sum of the others: it keeps its digits where the
softmax is saturated. Differences of integer columns are taken before anything is rounded, so what is 0 is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import comb, factorial, prod
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from numerics.conclusion.symmetry import Equal, equal_entries, tightened
from numerics.population.construction import initial_ov_subj
from numerics.population.layout import Layout
from numerics.updates import UpdatedWeights, initial_weights
from numerics.world import World

#: Exponentials, 5 to 10 microseconds each with what is done to them: 10 to 20 s.
WORK = 2_000_000
#: Bits beyond those that the step sizes take; entries are rounded outwards to multiples of 2^-GRID (e^-1e60 has no digits).
BITS, GRID = 256, 2048

Vector = list[Any]


@dataclass(frozen=True)
class Shape:
    """What the window leaves of a sequence. full: context slots wholly inside; partial (0 or 1): with their attribute alone;
    out: the other slots; query: is its subject inside; width: positions inside; seps: of them seps."""

    full: tuple[int, ...]
    partial: tuple[int, ...]
    out: tuple[int, ...]
    query: bool
    width: int
    seps: tuple[int, ...]

    @staticmethod
    def of(layout: Layout, window: int | None) -> Shape:
        inside = layout.relation_scores(window)
        slots = range(layout.n_demos)
        full = tuple(k for k in slots if inside[layout.subjects[k]])
        partial = tuple(k for k in slots if k not in full and inside[layout.attributes[k]])
        out = tuple(k for k in slots if k not in full and k not in partial)
        seps = tuple(int(i) for i in layout.seps if inside[i])
        return Shape(full, partial, out, bool(inside[layout.subjects[-1]]), layout.width(window), seps)


@dataclass(frozen=True)
class Draw:
    """Sequences that count as one: `times` of them. full, out: subject number -> how often; partial: () or (subject,)."""

    query: int
    full: dict[int, int]
    partial: tuple[int, ...]
    out: dict[int, int]
    times: int


def _multisets(Q: int, size: int) -> list[tuple[dict[int, int], int]]:
    """Multisets of so many of Q subjects, each with its number of orders."""
    found = []
    for chosen in combinations_with_replacement(range(Q), size):
        counts = {j: chosen.count(j) for j in set(chosen)}
        found.append((counts, factorial(size) // prod(factorial(c) for c in counts.values())))
    return found


def _draws(Q: int, shape: Shape, out: bool) -> Iterator[Draw]:
    """All sequences of one type; without the slots outside the window if not `out`."""
    fulls, outs = _multisets(Q, len(shape.full)), _multisets(Q, len(shape.out)) if out else [({}, 1)]
    for query, partial in product(range(Q), product(range(Q), repeat=len(shape.partial))):
        for (full, a), (rest, b) in product(fulls, outs):
            yield Draw(query, full, partial, rest, a * b)


def work(world: World, n_demos: int, window: int | None) -> int:
    """Exponentials that `ball_gradients` takes, at most."""
    shape, Q, A = Shape.of(Layout(n_demos), window), world.M_ft, world.n_attributes + 1
    second = Q ** (1 + len(shape.partial)) * comb(Q + len(shape.full) - 1, len(shape.full))
    first = second * comb(Q + len(shape.out) - 1, len(shape.out)) if shape.out else second
    return A * (first + world.L * second)


@dataclass(frozen=True)
class BallGradients:
    """kq_subj, kq_rel (V+T,) and ov_rel[output][input] (V, V), lists of balls; the [sep] column of ov_rel is left 0."""

    kq_subj: Vector
    ov_rel: list[Vector]
    kq_rel: Vector


class _Population:
    """The sequences and the sums over them. Rows 0..A-1 stand for the attributes, row A for each of the other tokens."""

    def __init__(self, world: World, n_demos: int, window: int | None, reading: str) -> None:
        self.world, self.layout = world, Layout(n_demos)
        self.shape, self.m, self.A = Shape.of(self.layout, window), n_demos + 1, world.n_attributes
        self.rest = world.V - self.A
        self.F = [int(j) for j in np.sort(world.finetune_array)]
        self.Q = len(self.F)
        values = initial_ov_subj(world, reading)[world.M : world.M + self.A]
        self.column = [[int(x) for x in values[:, j]] for j in self.F]
        self.attribute = [[int(u) - world.M for u in world.attribute_token[j]] for j in self.F]

    def place(self, index: int) -> int:
        """Entry of the position of index 0..T-1."""
        return self.world.V + self.layout.T - 1 - index

    def _softmax(self, counts: dict[int, int], memo: dict[int, Any]) -> Vector:
        """Step 1: (A+1,) probabilities where each of the m subjects has its share of the attention."""
        made = []
        for v in range(self.A):
            total = sum(c * self.column[j][v] for j, c in counts.items())
            if total not in memo:
                memo[total] = (arb(total) / self.m).exp()
            made.append(memo[total])
        inverse = 1 / (sum(made, arb(self.rest)))
        return [x * inverse for x in made] + [inverse]

    def first(self) -> tuple[Vector, list[Vector], list[Vector]]:
        """kq_subj (V+T,); ov_rel on the finetuning subjects (Q, A+1) and on the attributes (A, A+1), per step."""
        world, shape, Q, A, L, m = self.world, self.shape, self.Q, self.A, self.world.L, self.m
        kq: Vector = [arb(0)] * (world.V + self.layout.T)
        on_subject, on_value = ([[arb(0)] * (A + 1) for _ in range(Q)] for _ in range(2))
        own_subject, own_value = np.zeros((Q, A + 1), dtype=object), np.zeros((A, A + 1), dtype=object)
        memo: dict[int, Any] = {}
        known: dict[tuple[tuple[int, int], ...], Vector] = {}
        for d in _draws(Q, shape, True):
            context = dict(d.full)
            for j, c in [*d.out.items(), *((j, 1) for j in d.partial)]:
                context[j] = context.get(j, 0) + c
            counts = dict(context)
            counts[d.query] = counts.get(d.query, 0) + 1
            key = tuple(sorted(counts.items()))
            if key not in known:
                known[key] = self._softmax(counts, memo)
            p = known[key]
            self._head(kq, d, context, counts, p)
            inside = dict(d.full)
            if shape.query:
                inside[d.query] = inside.get(d.query, 0) + 1
            shown = dict(d.full)
            for j in d.partial:
                shown[j] = shown.get(j, 0) + 1
            for sums, own, some in ((on_subject, own_subject, inside), (on_value, None, shown)):
                for j, c in some.items():
                    times = c * d.times
                    sums[j] = [a + times * x for a, x in zip(sums[j], p, strict=True)]
                    for ell in range(L):
                        y = self.attribute[d.query][ell]
                        if own is not None:
                            own[j, y] += times
                        else:
                            own_value[self.attribute[j][ell], y] += times
        scale = Q**m * L
        unit = arb(fmpq(1, scale * shape.width))
        subjects = [
            [(L * x - int(h)) * unit for x, h in zip(row, own, strict=True)]
            for row, own in zip(on_subject, own_subject, strict=True)
        ]
        columns = []
        for u in range(A):
            total = [arb(0)] * (A + 1)
            for j in range(Q):
                if u in self.attribute[j]:
                    total = [a + x for a, x in zip(total, on_value[j], strict=True)]
            columns.append([(x - int(h)) * unit for x, h in zip(total, own_value[u], strict=True)])
        return [x * arb(fmpq(1, scale * m * m)) for x in kq], subjects, columns

    def _head(self, kq: Vector, d: Draw, context: dict[int, int], counts: dict[int, int], p: Vector) -> None:
        """Adds m^2 L (r_x - rbar) / m of the subject head, for the subjects of one draw."""
        targets = self.attribute[d.query]
        total = [sum(c * self.column[j][v] for j, c in counts.items()) for v in range(self.A)]
        share: dict[int, Any] = {}
        for j in counts:
            moved = [self.m * x - t for x, t in zip(self.column[j], total, strict=True)]
            value = sum((self.world.L * x * b for x, b in zip(p, moved, strict=False) if b), arb(0))
            share[j] = d.times * (value - sum(moved[y] for y in targets))
            kq[self.F[j]] += counts[j] * share[j]
        kq[self.place(int(self.layout.subjects[-1]))] += share[d.query]
        mean = sum((c * share[j] for j, c in context.items()), arb(0)) / (self.m - 1)
        for index in self.layout.subjects[:-1]:
            kq[self.place(int(index))] += mean

    def second(self, subjects: list[Vector], values: list[Vector]) -> Vector:
        """kq_rel (V+T,) after the first step: columns of W_OV^rel (Q, A+1), (A, A+1)."""
        kq: Vector = [arb(0)] * (self.world.V + self.layout.T)
        draws = list(_draws(self.Q, self.shape, False))
        for ell in range(self.world.L):
            shown = [values[self.attribute[j][ell]] for j in range(self.Q)]
            columns = arb_mat([list(row) for row in zip(*subjects, *shown, strict=True)])  # (A+1, 2Q)
            errors = arb_mat([self._error(d, ell, subjects, shown) for d in draws])
            r = (errors * columns).entries()
            for k, d in enumerate(draws):
                at = 2 * self.Q * k
                self._add(kq, d, ell, r[at : at + self.Q], r[at + self.Q : at + 2 * self.Q])
        inside = 1 + len(self.shape.full) + len(self.shape.partial)
        unit = arb(fmpq(1, self.Q**inside * self.world.L * self.shape.width))
        return [x * unit for x in kq]

    def _error(self, d: Draw, ell: int, subjects: list[Vector], shown: list[Vector]) -> Vector:
        """softmax(f) - h(y) in step 2, (A+1,); the last entry for all tokens that are no attribute together."""
        total: Vector = [arb(0)] * (self.A + 1)
        for j, c in d.full.items():
            total = [a + c * (x + z) for a, x, z in zip(total, subjects[j], shown[j], strict=True)]
        for j in d.partial:
            total = [a + z for a, z in zip(total, shown[j], strict=True)]
        if self.shape.query:
            total = [a + x for a, x in zip(total, subjects[d.query], strict=True)]
        f = [x / self.shape.width + b for x, b in zip(total, [*self.column[d.query], 0], strict=True)]
        made = [x.exp() for x in f]
        made[-1] = made[-1] * self.rest
        inverse = 1 / sum(made, arb(0))
        p = [x * inverse for x in made]
        y = self.attribute[d.query][ell]
        p[y] = -sum((x for v, x in enumerate(p) if v != y), arb(0))
        return p

    def _add(self, kq: Vector, d: Draw, ell: int, subject: Vector, shown: Vector) -> None:
        """Adds width (r_x - rbar) of one draw to its tokens and positions."""
        world, layout, shape = self.world, self.layout, self.shape
        full = [c * (subject[j] + shown[j]) for j, c in d.full.items()]
        rest = [shown[j] for j in d.partial] + ([subject[d.query]] if shape.query else [])
        bar = sum(full + rest, arb(0)) / shape.width

        def put(token: int, places: tuple[int, ...], value: Any, times: int) -> None:
            kq[token] += d.times * times * value
            for index in places:
                kq[self.place(int(index))] += d.times * times * value / len(places)

        for j, c in d.full.items():
            put(self.F[j], tuple(layout.subjects[list(shape.full)]), subject[j] - bar, c)
            put(world.M + self.attribute[j][ell], tuple(layout.attributes[list(shape.full)]), shown[j] - bar, c)
        for j in d.partial:
            put(world.M + self.attribute[j][ell], tuple(layout.attributes[list(shape.partial)]), shown[j] - bar, 1)
        if shape.query:
            put(self.F[d.query], (layout.subjects[-1],), subject[d.query] - bar, 1)
        put(world.sep_token, shape.seps, -bar, len(shape.seps))


def _at_precision(bits: int, ask: Callable[[], Any]) -> Any:
    """The answer with so many bits in every ball; the precision of the process is put back."""
    before = ctx.prec
    ctx.prec = bits
    try:
        return ask()
    finally:
        ctx.prec = before


def ball_gradients(
    world: World, n_demos: int, eta_ov: Fraction, window: int | None = None, reading: str = "set", bits: int = BITS
) -> BallGradients:
    """The three true gradients at beta = inf, every entry enclosed. Raises ValueError where `work` exceeds WORK.

    Cost 5 to 10 microseconds for each of the `work` exponentials, more with many bits.
    """
    needed = work(world, n_demos, window)
    if needed > WORK:
        raise ValueError(
            f"world: {needed} exponentials, valid: at most {WORK} (fewer finetuning subjects or demonstrations)"
        )

    def made() -> BallGradients:
        population = _Population(world, n_demos, window, reading)
        kq_subj, subjects, values = population.first()
        step = -arb(fmpq(eta_ov.numerator, eta_ov.denominator))
        kq_rel = population.second(
            [[step * x for x in row] for row in subjects], [[step * x for x in row] for row in values]
        )
        V, M, A = world.V, world.M, population.A
        matrix: list[Vector] = [[arb(0)] * V for _ in range(V)]
        columns = dict(zip(population.F, subjects, strict=True)) | {M + u: row for u, row in enumerate(values)}
        for token, column in columns.items():
            for v in range(V):
                matrix[v][token] = column[v - M if M <= v < M + A else A]
        return BallGradients(kq_subj, matrix, kq_rel)

    return _at_precision(bits, made)


def _ends(ball: Any) -> tuple[Fraction, Fraction]:
    """Rationals, multiples of 2^-GRID or of the ball's own last bit, between which the ball lies."""
    if not ball.is_finite():
        raise ValueError("a ball without bounds: more bits are needed")
    ends = []
    for side, end in ((-1, ball.lower()), (1, ball.upper())):
        mantissa, exponent = (int(x) for x in end.man_exp())
        if exponent >= -GRID:
            ends.append(Fraction(mantissa) * Fraction(2) ** exponent)
            continue
        shift = min(-exponent - GRID, 1 + abs(mantissa).bit_length())
        whole = mantissa >> shift if side < 0 else -(-mantissa >> shift)
        ends.append(Fraction(whole, 2**GRID))
    return ends[0], ends[1]


def _digits(*steps: Fraction) -> int:
    """Bits that steps of this size take from the gradients they multiply, or put them below the initial entries."""
    return sum(abs(s.numerator.bit_length() - s.denominator.bit_length()) + 1 for s in steps)


def enclosed_weights(
    world: World,
    n_demos: int,
    steps: tuple[Fraction, Fraction, Fraction],
    window: int | None = None,
    reading: str = "set",
) -> tuple[UpdatedWeights, UpdatedWeights, Fraction, Equal]:
    """(lower, upper, unit, equal): Fractions between which the weights after the true steps lie, and which are equal.

    steps: (eta_kq_subj, eta_ov, eta_kq_rel). Entries that symmetries prove equal have the same bounds, so the weights half
    way between the bounds have the same equalities.

    The argmax does not change if the scores of a head, or all logits, are divided by a positive number: scores of the subject
    head are divided by eta_kq_subj, those of the relation head by eta_kq_rel * unit, logits by the unit, a power of 2 near
    eta_ov. Fractions lose nothing by it, and shares stay within the range of float64. Raises ValueError as ball_gradients.
    """
    eta_subj, eta_ov, eta_rel = steps
    g = ball_gradients(world, n_demos, eta_ov, window, reading, BITS + 2 * _digits(*steps))
    unit = Fraction(2) ** (eta_ov.numerator.bit_length() - eta_ov.denominator.bit_length())
    start = initial_weights(world, n_demos, window, reading)

    def moved(initial: np.ndarray, gradient: Vector, step: Fraction, size: Fraction) -> tuple[np.ndarray, np.ndarray]:
        pairs = [(Fraction(i) / size, step / size, *_ends(x)) for i, x in zip(initial.tolist(), gradient, strict=True)]
        low = np.array([i - s * b for i, s, _, b in pairs], dtype=object)
        return low, np.array([i - s * a for i, s, a, _ in pairs], dtype=object)

    equal = equal_entries(world, n_demos, window, reading)
    square = (world.V, world.V)
    flat = moved(start.ov_rel.ravel(), [x for row in g.ov_rel for x in row], eta_ov, unit)
    subj = tightened(*moved(start.kq_subj, g.kq_subj, eta_subj, eta_subj), equal.kq_subj)
    rel = tightened(*moved(start.kq_rel, g.kq_rel, eta_rel, eta_rel * unit), equal.kq_rel)
    ov = tightened(flat[0].reshape(square), flat[1].reshape(square), equal.ov_rel)
    fixed = np.array([Fraction(x) / unit for x in start.ov_subj.ravel().tolist()], dtype=object).reshape(square)
    sides = [UpdatedWeights(subj[i], rel[i], fixed, ov[i]) for i in (0, 1)]
    return sides[0], sides[1], unit, equal
