"""Laws of growth come back from times that follow them, with honest standard errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.bench.fit import exponential_law, power_law

SIZES = (8, 12, 16, 24, 32, 48)


@given(c=st.floats(1e-9, 1e3), p=st.floats(-1, 6))
def test_powers_are_recovered(c, p):
    found = power_law(SIZES, [c * n**p for n in SIZES])
    assert found.value == pytest.approx(p, abs=1e-9)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert found.points == len(SIZES)


def test_squares_are_recovered():
    assert power_law(SIZES, [3e-6 * n**2 for n in SIZES]).value == pytest.approx(2, abs=1e-12)


@given(c=st.floats(1e-9, 1e3), b=st.floats(0.5, 200))
def test_bases_are_recovered(c, b):
    found = exponential_law(range(2, 9), [c * b**m for m in range(2, 9)])
    assert found.value == pytest.approx(b, rel=1e-9)
    assert found.error == pytest.approx(0, abs=1e-7 * b)


def test_standard_error_is_what_repeated_noise_shows():
    """The mean of the reported errors is the spread of the exponents over many noisy draws of the same law."""
    generator = np.random.default_rng(0)
    found = [power_law(SIZES, [n**2 * math.exp(0.1 * generator.normal()) for n in SIZES]) for _ in range(2000)]
    spread = np.std([law.value for law in found])
    # With 4 degrees of freedom the root of the mean square is the unbiased one.
    assert math.sqrt(np.mean([law.error**2 for law in found])) == pytest.approx(spread, rel=0.08)
    assert np.mean([law.value for law in found]) == pytest.approx(2, abs=4 * spread / math.sqrt(2000))


def test_a_power_is_not_an_exponential():
    times = [n**2 for n in SIZES]
    assert exponential_law(SIZES, times).error > 0.001 and power_law(SIZES, times).error < 1e-12


@pytest.mark.parametrize("law", [power_law, exponential_law])
def test_too_few_points(law):
    assert law([], []) is None
    assert law([3], [1.0]) is None
    assert law([3, 3], [1.0, 2.0]) is None
    assert law([3, 4], [1.0, 2.0]).error is None


@pytest.mark.parametrize("law", [power_law, exponential_law])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_times_must_be_positive(law, bad):
    with pytest.raises(ValueError, match="x and t must be positive numbers, got"):
        law([1, 2], [1.0, bad])


def test_lengths_must_match():
    with pytest.raises(ValueError, match=r"t must have as many values as x \(2\), got 1"):
        power_law([1, 2], [1.0])
