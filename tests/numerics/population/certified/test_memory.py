"""Certified gradients stay under 4 GB: what would need more is refused, not tried."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from numerics.population.certified import NotCertified, certified_gradients, gradients, multisets
from numerics.population.certified.first import by_moments
from numerics.population.certified.patterns import patterns_of
from numerics.population.certified.problem import Slots, type_problem
from numerics.population.certified.second import second_fits, second_work
from numerics.population.certified.step_one import FirstStep
from numerics.population.certified.step_two import SecondStep
from numerics.world import World

LIMIT = 4 * 10**9
SCRIPT = """
import os
os.environ["OMP_NUM_THREADS"] = "1"
from numerics.population.certified import NotCertified, certified_gradients
from numerics.world import World
try:
    certified_gradients({world}, {n_demos}, tolerance=(1e-18, 1e-18))
except NotCertified as error:
    print("refused", error)
"""


def limited(world, n_demos):
    """Runs it in a process that may allocate LIMIT bytes; its output."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(world=world, n_demos=n_demos)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)),
    )


def test_many_demonstrations_of_few_subjects():
    """3.6 million multisets of 271 draws would be 8 GB of integers, and twice that while they are made."""
    found = limited("World.random(8, 1, 3, 4, seed=1)", 270)
    assert found.returncode == 0, found.stderr[-500:]
    assert found.stdout.startswith("refused")


def test_too_many_tokens_are_refused_at_once():
    world = World.random(gradients.MOST_TOKENS, 1, 2, 2, seed=1)
    with pytest.raises(NotCertified, match=rf"^world: its V = {world.V} tokens .*; valid: at most"):
        certified_gradients(world, 2)


def _problem(world, n_demos):
    one = next(iter(by_moments(patterns_of(world, n_demos, "set"), "cpu", 1e9)))
    first = FirstStep(world, n_demos, None, "set")
    step = SecondStep(world, n_demos, 1.0, None, "set", first.gradients(patterns_of(world, n_demos, "set"), one))
    return type_problem(world, "set", Slots.of(n_demos, None), step.b, 0, "cpu")


def test_levels_that_fit_the_work_but_not_the_memory():
    """30 values, 900 subjects: the sixth order is within the work budget, the level below it takes 6 GB and 6 more to make."""
    problem = _problem(World.random(950, 2, 15, 900, seed=1), 3)
    below = 3 * 8 * multisets.count(problem.A, 5) * problem.Q
    assert problem.A == 30 and below > LIMIT
    assert 0.9 * second_work(problem, 6) < gradients.BUDGET
    assert second_fits(problem, 3) and not second_fits(problem, 6)


def test_a_level_is_streamed_where_it_may_not_be_held(monkeypatch):
    patterns = patterns_of(World.random(12, 2, 3, 8, seed=1), 3, "set")
    held = [law.order for law in by_moments(patterns, "cpu", 1e9)]
    monkeypatch.setattr(multisets, "HELD", 8 * multisets.count(len(patterns.weights), 1) * patterns.Q)
    streamed = list(by_moments(patterns, "cpu", 1e9))
    # Level 1 is held, level 2 streamed, level 3 would need level 2.
    assert [law.order for law in streamed] == [0, 1, 2] and len(held) > 3
    again = next(law for law in by_moments(patterns, "cpu", 1e9) if law.order == 2)
    assert (again.P == streamed[2].P).all()


def test_more_draws_than_a_float_binomial_bears():
    """n_demos = 1500: C(1500, 750) is no float64 number."""
    certified = certified_gradients(World.random(8, 1, 2, 3, seed=1), 1500, tolerance=(1e-10, 1e-8))
    assert certified.relative["kq_subj"] <= 1e-10


@pytest.mark.parametrize("order", [0, 2])
def test_no_value_left_in_the_softmax(order):
    """Reading "literal" with 70 subjects of each value: all values are left out, and there is no class to expand in."""
    world = World([[0], [1]] * 70, [1, 5, 9, 10], 1)
    exact = certified_gradients(world, 2, reading="literal")
    expanded = certified_gradients(world, 2, reading="literal", tolerance=(1.0, 1.0), _orders=(0, order))
    for name in ("kq_subj", "ov_rel", "kq_rel"):
        gap = abs(getattr(exact, name) - getattr(expanded, name))
        assert (gap <= getattr(exact, f"{name}_radius") + getattr(expanded, f"{name}_radius")).all()
