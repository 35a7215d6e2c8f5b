"""certified_gradients: true gradients of the whole population with proven entrywise radii, without enumerating it."""

import math
from collections.abc import Callable, Iterator

import torch

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.population.certified.contexts import context_law, contexts_stored, contexts_work
from numerics.population.certified.first import FirstLaw, by_enumeration, by_moments, enumeration_work
from numerics.population.certified.multisets import count
from numerics.population.certified.patterns import Patterns, patterns_of
from numerics.population.certified.problem import SecondLaw, TypeProblem
from numerics.population.certified.result import CertifiedGradients, NotCertified
from numerics.population.certified.rounding import FloatArray, relative
from numerics.population.certified.second import MOST_SECOND, moment_law, second_fits, second_work
from numerics.population.certified.step_one import FirstStep, StepOne
from numerics.population.certified.step_two import SecondStep
from numerics.population.construction import READINGS
from numerics.population.layout import Layout
from numerics.world import World

Progress = Callable[[int, int], None]
Expansion = tuple[int | None, int | None]

# Multiplications: an enumeration this cheap is done at once; no method beyond BUDGET is tried (some minutes of 2 cores).
CHEAP = 2e9
BUDGET = 4e11
# An order that leaves more than this of the error of the one before is at the floor of rounding, or diverges: no higher
# order is tried.
STALLED = 0.7
# Memory, 4 GB in all: multisets of draws that are held at a time, and integers in them (8 bytes, and twice that while they
# are made); tokens, for the (V, V) matrices (under ten at a time).  Levels of an expansion: multisets.HELD.
STORED, STORED_ENTRIES = 4_000_000, 50_000_000
MOST_TOKENS = 5000


class _Trend:
    """Whether going to a higher order still pays."""

    def __init__(self) -> None:
        self.last, self.stalled = math.inf, False

    def add(self, reached: float) -> None:
        """The error that the next order reached; one that is no number is no better than none."""
        self.stalled, self.last = not reached <= STALLED * self.last, reached


def _first_laws(patterns: Patterns, device: str, order: int | None, trend: _Trend) -> Iterator[FirstLaw]:
    """Laws of the first step, from the cheapest on; an enumeration where it is cheap at first, else as the last resort."""
    enumerable = enumeration_work(patterns) <= BUDGET and patterns.m * enumeration_work(patterns) <= BUDGET * 64
    small = _fits(count(patterns.Q, patterns.m), patterns.m)
    if order is None and small and enumeration_work(patterns) <= CHEAP:
        yield by_enumeration(patterns, device)
        return
    for law in by_moments(patterns, device, BUDGET):
        if order is None or law.order == order:
            yield law
        if law.order == order:
            return
        if trend.stalled:
            break
    if order is None and small and enumerable:
        yield by_enumeration(patterns, device)


def _fits(multisets: int, draws: int) -> bool:
    """Whether all multisets of so many draws can be held."""
    return multisets <= STORED and multisets * (draws + 2) <= STORED_ENTRIES


def _second_law(problem: TypeProblem, order: int | None) -> SecondLaw:
    return context_law(problem) if order is None else moment_law(problem, order)


def _second_orders(problem: TypeProblem, L: int, order: int | None, trend: _Trend) -> Iterator[int | None]:
    """Orders of the second step, from the cheapest on; None: enumeration of the contexts."""
    enumerable = _fits(contexts_stored(problem), problem.full) and L * contexts_work(problem) <= BUDGET
    if not problem.full or (order is None and enumerable and L * contexts_work(problem) <= CHEAP):
        yield None
        return
    # Without a class the denominator is constant: order 0 leaves nothing out.
    most = MOST_SECOND if problem.A else 0
    if order is not None:
        yield min(order, most)
        return
    for N in range(most + 1):
        if L * second_work(problem, N) > BUDGET or not second_fits(problem, N):
            break
        yield N
        if trend.stalled:
            break
    if enumerable:
        yield None


def _refused(name: str, reached: float, asked: float, how: str) -> NotCertified:
    what = "no finite bound" if not math.isfinite(reached) else f"relative error {reached:.2g}"
    return NotCertified(
        f"{name}: {what} was reached by {how}, tolerance asked for: {asked:.2g}; valid: a looser tolerance, a smaller"
        " |eta_ov|, or a world that another method can enumerate (smaller M_ft or n_demos)"
    )


def _step_one(first: FirstStep, patterns: Patterns, device: str, tolerance: float, order: int | None) -> StepOne:
    best, tried = {"kq_subj": math.inf, "ov_rel": math.inf}, "no method within the work budget"
    trend = _Trend()
    for law in _first_laws(patterns, device, order, trend):
        step = first.gradients(patterns, law)
        reached = step.relative
        tried = "enumeration of all draws" if law.order is None else f"a moment expansion up to order {law.order}"
        best = {name: min(best[name], value) for name, value in reached.items()}
        if order is not None or all(value <= tolerance for value in reached.values()):
            return step
        trend.add(max(reached.values()))
    name = max(best, key=lambda name: best[name])
    raise _refused(name, best[name], tolerance, tried)


def certified_gradients(
    world: World,
    n_demos: int,
    eta_ov: float = 1.0,
    window: int | None = None,
    reading: str = "set",
    tolerance: tuple[float, float] = (1e-12, 1e-9),
    device: str = "cpu",
    progress: Progress | None = None,
    _orders: Expansion = (None, None),
) -> CertifiedGradients:
    """The three true gradients at beta = inf, as numerics.population.finetuning_gradients defines them, with radii.

    The softmax is expanded in moments of its denominator, in the cheapest order whose PROVEN error meets the tolerance,
    or summed over all multisets of draws where there are few; the missing probability mass bounds the expansion, counted
    roundings the rest (numerics.population.certified.expansion, .rounding); exponentials come from exact rationals and a
    bounded series, no library function is trusted.  tolerance: largest radius over largest entry, for the matrices of
    step 1 and for kq_rel, whose radius includes the uncertainty of the ov_rel that it is taken after.
    progress(done, total) counts types: L for step 1, then each.  _orders forces the orders of the expansions, without
    regard to the tolerance (for tests).

    Raises NotCertified (a ValueError) if the tolerance is not met within the budgets of work and memory, also for more
    than MOST_TOKENS tokens; ValueError for n_demos < 1, a non-finite eta_ov, window < 1, an unknown reading, tolerances
    that are not positive, an unusable device.
    Cost at order N, A' distinct patterns of values over the M_ft = Q finetuning subjects: step 1 O(C(A'+N-1, N) A' Q), step
    2 L times as much at its own order (usually 1); by enumeration O(C(Q+m-1, m) A' Q), step 2 L C(Q+m-2, m-1) A' Q.
    Memory: under 4 GB; 8 C(A'+N-2, N-1) Q bytes, three times that in step 2, and O(V^2).
    """
    if not isinstance(world, World):
        raise ValueError(f"world must be a World, got {type(world).__name__}")
    n_demos = checked_integer("n_demos", n_demos, 1)
    eta_ov, reading = checked_real("eta_ov", eta_ov), checked_choice("reading", reading, READINGS)
    Layout(n_demos).width(window)
    asked = tuple(checked_real("tolerance", value, positive=True) for value in tolerance)
    if len(asked) != 2:
        raise ValueError(f"tolerance must be two positive numbers (step 1, step 2), got {tolerance!r}")
    _check_device(device)
    if world.V > MOST_TOKENS:
        raise NotCertified(
            f"world: its V = {world.V} tokens make (V, V) matrices too large for 4 GB; valid: at most {MOST_TOKENS} tokens"
        )
    total, patterns = 2 * world.L, patterns_of(world, n_demos, reading)
    one = _step_one(FirstStep(world, n_demos, window, reading), patterns, device, asked[0], _orders[0])
    if progress is not None:
        progress(world.L, total)
    kq_rel, radius, order = _step_two(
        world, n_demos, eta_ov, window, reading, one, device, asked[1], _orders[1], progress
    )
    method = f"{_named(one.order)} (step 1), {_named(order)} (step 2)"
    return CertifiedGradients(
        one.kq_subj, one.ov_rel, kq_rel, one.kq_subj_radius, one.ov_rel_radius, radius,
        n_demos, eta_ov, window, reading, method, (one.order, order),
    )  # fmt: skip


def _step_two(
    world: World,
    n_demos: int,
    eta_ov: float,
    window: int | None,
    reading: str,
    one: StepOne,
    device: str,
    tolerance: float,
    order: int | None,
    progress: Progress | None,
) -> tuple[FloatArray, FloatArray, int | None]:
    """kq_rel, its radius and the order.  Raises NotCertified."""
    best, tried, done = math.inf, "no method within the work budget", 0
    trend = _Trend()
    try:
        first = SecondStep(world, n_demos, eta_ov, window, reading, one)
        # The type with the most classes decides what is affordable.
        sizing = max((first.problem(ell, device) for ell in range(world.L)), key=lambda problem: problem.A)
        for N in _second_orders(sizing, world.L, order, trend):
            step = SecondStep(world, n_demos, eta_ov, window, reading, one)
            tried = "enumeration of the contexts" if N is None else f"a moment expansion up to order {N}"
            for ell in range(world.L):
                problem = step.problem(ell, device)
                step.add(ell, problem, _second_law(problem, N))
                # A higher order starts again with the first type; what was reported stays reported.
                if progress is not None and ell + 1 > done:
                    done = ell + 1
                    progress(world.L + done, 2 * world.L)
            kq_rel, radius = step.result()
            reached = relative(kq_rel, radius)
            if order is not None or reached <= tolerance:
                return kq_rel, radius, N
            best = min(best, reached)
            trend.add(reached)
    except OverflowError as error:
        raise NotCertified(
            f"kq_rel: {error} at eta_ov = {eta_ov:g}, where the softmax saturates; valid: a smaller |eta_ov|, or a world"
            " that another method can enumerate (smaller M_ft or n_demos)"
        ) from None
    raise _refused("kq_rel", best, tolerance, tried)


def _named(order: int | None) -> str:
    return "enumerated multisets of draws" if order is None else f"moments to order {order}"


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device, dtype=torch.float64)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device must be usable with float64, for instance 'cpu', got {device!r} ({reason})") from None
