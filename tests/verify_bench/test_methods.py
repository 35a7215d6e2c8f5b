"""Differences from the plain enumerator are seen, and judged by the tolerance and by the radii."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from numerics.population import finetuning_gradients, hat_gradients
from numerics.world import World
from verify.bench import methods as ways
from verify.bench.methods import MATRICES, PLAIN, difference, hat_difference, methods

WORLD = World.random(8, 2, 3, 4, seed=3)


@pytest.fixture(scope="module")
def plain():
    return finetuning_gradients(WORLD, 2, "true")


def test_the_plain_enumerator_is_first_and_names_are_distinct():
    found = methods()
    assert found[0].name == PLAIN
    assert [way.name for way in found] == ["plain", "autograd", "halves", "certified", "hat"]
    assert [way.name for way in found if way.sequencewise] == ["plain", "autograd"]


@pytest.mark.parametrize("way", [way for way in methods() if way.objective == "true"], ids=lambda way: way.name)
def test_every_way_to_the_true_gradients_agrees(way, plain):
    found = difference(way.call(WORLD, 2, "cpu"), plain)
    assert found.agrees
    assert (found.radius is None) == (way.name in ("plain", "autograd"))


def _with_radii(plain, radius):
    values = {name: getattr(plain, name) for name in MATRICES}
    return SimpleNamespace(**values, **{f"{name}_radius": np.full_like(values[name], radius) for name in MATRICES})


@pytest.mark.parametrize("name", MATRICES)
def test_one_wrong_entry_is_seen(plain, name):
    scale = np.abs(getattr(plain, name)).max()
    wrong = getattr(plain, name).copy()
    wrong.ravel()[5] += 1e-9 * scale
    found = difference(replace(plain, **{name: wrong}), plain)
    assert found.largest == pytest.approx(1e-9, rel=1e-3)
    assert not found.agrees
    for radius, agrees in ((1e-10 * scale, False), (1e-8 * scale, True)):
        proven = _with_radii(plain, radius)
        setattr(proven, name, wrong)
        assert difference(proven, plain).agrees == agrees


def test_the_hat_route_is_compared_exactly_where_that_is_feasible(monkeypatch):
    found = hat_gradients(WORLD, 2)
    assert hat_difference(found, WORLD, 2).agrees
    assert hat_difference(found, WORLD, 2).largest == 0
    other = hat_gradients(WORLD, 2, window=5)
    assert not hat_difference(other, WORLD, 2).agrees
    monkeypatch.setattr(ways, "HAT_REFERENCE", 127)
    assert hat_difference(found, WORLD, 2) is None
