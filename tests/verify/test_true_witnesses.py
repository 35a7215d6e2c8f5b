"""Product tables, where five routes give the true gradients: derived to 30 digits, certified, by halves, enumerated, autograd."""

from __future__ import annotations

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from numerics.models.population_gradient import population_gradients
from numerics.population import finetuning_gradients
from numerics.population.certified import certified_gradients, gradients
from numerics.population.halves import first as halves_first
from numerics.population.halves import halves_gradients
from numerics.world import World
from theory.finetuning.product import ProductTable, product_gradients
from theory.finetuning.product import first as product_first
from theory.finetuning.window import position_class
from theory.onehot.classes import DirectionClass
from verify.evidence import Route
from verify.tolerances import tolerance

NAMES = ("kq_subj", "ov_rel", "kq_rel")
UNIT = 2.0**-53
ROUTES = ("certified", "halves", "enumerated", "autograd")
# Values per type, times that F is repeated in the table, demonstrations, window, reading.
CASES = [
    ((2, 3), 1, 2, None, "set"),
    ((2, 3), 2, 2, 6, "literal"),  # the window holds an attribute without its subject
    ((2, 2, 2), 2, 2, None, "literal"),
    ((2, 2, 2), 1, 1, 3, "set"),
    ((3, 4), 2, 2, 4, "set"),
    ((3, 4), 1, 1, None, "literal"),
]
ETA = Fraction(5, 2)


def made(values, copies):
    """F holds every combination of values once; held-out subjects repeat them."""
    rows = list(itertools.product(*(range(U) for U in values)))
    return World(rows * copies, range(len(rows)), 2)


def derived(world, values, n_demos, window, reading):
    """{name: {index: (class, value)}}: the derived value and the name of its class for every entry."""
    m = n_demos + 1
    found = product_gradients(ProductTable(values, world.M, world.V, reading), m, window, ETA)
    first, second, length = found.first, found.second, 3 * m - 1
    w = min(window or length, length)
    kind = {j: ("heldout", None, None) for j in range(world.M)} | {j: ("seen", None, None) for j in world.finetune}
    for ell in range(world.L):
        kind |= {v: ("attribute", ell, u) for u, v in enumerate(world.attribute_range(ell))}
    kind[world.sep_token] = ("sep", None, None)

    def entry(output, source):
        what, ell, u = kind.get(source, ("other", None, None))
        column = {"seen": first.subject, "sep": first.sep}.get(what)
        if what == "attribute":
            column = first.attributes[ell]
        if column is None:
            return f"no gradient from {what}", 0
        out, out_type, out_value = kind.get(output, ("other", None, None))
        if out != "attribute":
            return f"no value from {what} {ell}", column.none
        if what == "attribute" and ell != out_type:
            return f"value of type {out_type} from a value of type {ell}", column.cross[out_type]
        own = u == out_value if what == "attribute" else what == "seen" and world.table[source, out_type] == out_value
        side = column.own if own else column.other
        return f"{'own' if own else 'other'} value of type {out_type} from {what}", side[out_type]

    kq_subj = {k: (kind.get(k, ("other",))[0], 0) for k in range(world.V)}
    kq_rel = dict(kq_subj)
    named = {"seen": DirectionClass.SUBJECT_SEEN, "sep": DirectionClass.SEP}
    for k in range(world.V):
        what, ell, _ = kind.get(k, ("other", None, None))
        if what == "attribute":
            kq_rel[k] = f"value of type {ell}", second.attributes[ell]
        elif what in named:
            kq_rel[k] = what, second.classes[named[what]]
    step_one = {DirectionClass.P_QUERY: first.kq_query, DirectionClass.P_CONTEXT: first.kq_context}
    for offset in range(length):
        role = position_class(offset, m)
        value = step_one.get(role, Fraction(0))
        kq_subj[world.V + offset] = role, mpmath.mpf(value.numerator) / value.denominator
        alone = second.lone is not None and offset == 3 * (w // 3) - 1
        inside = second.lone if alone else second.classes[role]
        kq_rel[world.V + offset] = ("lone attribute", inside) if alone else (role, inside if offset < w else 0)
    ov_rel = {(i, j): entry(i, j) for i in range(world.V) for j in range(world.V)}
    return {"kq_subj": kq_subj, "ov_rel": ov_rel, "kq_rel": kq_rel}


def measured(world, n_demos, window, reading, routes=ROUTES):
    """Gradients by route."""
    given = (float(ETA), window, reading)
    ask = {
        "certified": lambda: certified_gradients(world, n_demos, *given),
        "halves": lambda: halves_gradients(world, n_demos, *given),
        "enumerated": lambda: finetuning_gradients(world, n_demos, "true", *given),
        "autograd": lambda: population_gradients(world, n_demos, "true", *given),
    }
    return {route: ask[route]() for route in routes}


def apart(expected, found):
    """{(route, name, class)} where a route is not what was derived: beyond its radius, or 1e-12 where it has none."""
    wrong, seen = set(), 0
    for route, g in found.items():
        for name in NAMES:
            value = getattr(g, name)
            entries = expected[name]
            index = tuple(np.array(list(entries)).T) if value.ndim == 2 else np.array(list(entries))
            target = np.array([float(v) for _, v in entries.values()])
            if hasattr(g, "kq_rel_radius"):
                room = getattr(g, f"{name}_radius")[index] + UNIT * np.abs(target)
            else:
                scale = np.abs(value).max() if name != "kq_rel" else max(1.0, float(ETA)) * np.abs(g.ov_rel).max()
                room = np.full(len(target), tolerance(Route.AUTOGRAD).value * scale)
            off = np.abs(value[index] - target) > room
            wrong |= {(route, name, str(c)) for (c, _), bad in zip(entries.values(), off, strict=True) if bad}
            seen += len(target)
            assert len(target) == value.size
    return wrong, seen


@pytest.mark.parametrize(("values", "copies", "n_demos", "window", "reading"), CASES)
def test_five_routes_agree_on_every_entry(values, copies, n_demos, window, reading):
    world = made(values, copies)
    expected = derived(world, values, n_demos, window, reading)
    assert len({c for name in NAMES for c, _ in expected[name].values()}) > 10
    found = measured(world, n_demos, window, reading)
    wrong, seen = apart(expected, found)
    assert not wrong and seen == len(ROUTES) * (world.V**2 + 2 * (world.V + 3 * n_demos + 2))


def draws_less(patch):
    """m - 1 draws for m in the softmax of the derivation."""
    true = product_first.softmax_means
    patch.setattr(product_first, "softmax_means", lambda table, m: true(table, m - 1))


def patterns_less(patch):
    """m - 1 draws for m in the softmax of the certified first step."""
    true = gradients.patterns_of
    patch.setattr(gradients, "patterns_of", lambda world, n, reading: true(world, n - 1, reading))


def moments_less(patch):
    """m - 1 draws for m in the sum by halves of the first step."""
    true = halves_first.moments
    patch.setattr(halves_first, "moments", lambda classes, m, device, done: true(classes, m - 1, device, done))


@pytest.mark.parametrize(
    ("mutate", "caught"),
    [(draws_less, set(ROUTES)), (patterns_less, {"certified"}), (moments_less, {"halves"})],
)
def test_one_draw_less_is_rejected(mutate, caught, monkeypatch):
    world = made((2, 3), 2)
    mutate(monkeypatch)
    wrong, _ = apart(derived(world, (2, 3), 2, None, "set"), measured(world, 2, None, "set"))
    assert {route for route, _, _ in wrong} == caught
    assert {name for _, name, _ in wrong} >= {"ov_rel", "kq_rel"}


@pytest.mark.parametrize("route", ROUTES)
def test_a_window_of_one_position_less_is_rejected(route):
    world = made((2, 3), 1)
    expected = derived(world, (2, 3), 2, 6, "set")
    assert not apart(expected, measured(world, 2, 6, "set", [route]))[0]
    wrong, _ = apart(expected, measured(world, 2, 5, "set", [route]))
    assert {name for _, name, _ in wrong} == {"ov_rel", "kq_rel"}


@pytest.mark.parametrize("route", ROUTES)
def test_the_other_reading_is_rejected(route):
    world = made((2, 3), 2)
    expected = derived(world, (2, 3), 2, None, "set")
    wrong, _ = apart(expected, measured(world, 2, None, "literal", [route]))
    assert {name for _, name, _ in wrong} == {"ov_rel", "kq_rel"}
