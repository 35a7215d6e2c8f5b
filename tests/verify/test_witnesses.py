"""The witnesses agree: derivation, exact sums, plain enumeration, autograd, and the definitions in plain Python."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerics.models.population_gradient import population_gradients
from numerics.population.exact import enumerated_hat_gradients
from numerics.population.marginal import hat_gradients as marginal_hat_gradients
from numerics.world import World
from theory.finetuning import hat_gradients
from verify.agreement import agreement
from verify.setting import Setting
from verify.witnesses import Witnesses
from verify.worlds import Case, cases, directions, frequencies, theorem_cases

#: (world, demonstrations, window, reading, eta_ov)
WORLDS = {
    "smallest": (World([[0], [0]], [0], 0), 1, None, "set", 1),
    "one finetuning subject": (World([[0, 1], [1, 1], [2, 0]], [2], 1), 2, None, "set", 1),
    "all finetuned": (World([[0, 1], [1, 0]], [0, 1], 1), 2, None, "literal", 1),
    "value only outside": (World([[0, 0], [1, 0], [2, 1]], [0, 1], 1), 2, None, "set", 2),
    "unbalanced": (World([[0, 0], [0, 1], [0, 1], [1, 2]], [0, 1, 2, 3], 2), 2, None, "set", 1),
    "finetuning subjects last": (World([[0, 0], [0, 1], [1, 1], [1, 0]], [3, 2], 1), 2, None, "set", Fraction(1, 3)),
    "window 1": (World([[0, 0], [0, 1], [1, 1]], [0, 2], 1), 2, 1, "set", 1),
    "window 2": (World([[0, 0], [0, 1], [1, 1]], [0, 2], 1), 2, 2, "literal", 1),
    "window 3": (World([[0, 0], [0, 1], [1, 1]], [0, 1, 2], 1), 1, 3, "set", 1),
    "window 4": (World([[0, 0], [0, 1], [1, 1]], [0, 1, 2], 1), 2, 4, "set", 7),
    "window 7": (World([[0, 1, 2], [2, 1, 0], [1, 1, 1]], [0, 1, 2], 1), 2, 7, "set", 1),
    "window beyond T": (World([[0, 1], [1, 1], [0, 0]], [0, 2], 0), 1, 50, "set", 1),
    "U per type": (World.balanced(8, 2, (2, 4), 4, n_grammar=1), 2, None, "set", 1),
    "large step": (World.balanced(8, 2, 2, 4, n_grammar=1), 2, None, "literal", 10**6),
    "three demonstrations": (World([[0, 1], [1, 1], [1, 2], [0, 1]], [0, 1, 3], 1), 3, 8, "set", 1),
}


def equal(world: World, n: int, window, reading, eta) -> None:
    """Derivation = enumeration = sums over draws, as rationals, on every coordinate and every entry."""
    eta = Fraction(eta)
    derived = hat_gradients(frequencies(world), n + 1, window, eta)
    exact = enumerated_hat_gradients(world, n, eta, window, reading)
    sums = marginal_hat_gradients(world, n, eta, window, reading)
    keys = directions(world, 3 * n + 2)
    for which in ("kq_subj", "kq_rel"):
        said = [getattr(derived, which)(key) for key in keys]
        assert all(isinstance(value, Fraction) for value in said)
        assert said == getattr(exact, which).fractions.tolist(), which
        assert said == getattr(sums, which).fractions.tolist(), which
    tokens = keys[: world.V]
    said = [[derived.ov_rel(out, into) for into in tokens] for out in tokens]
    assert said == exact.ov_rel.fractions.tolist()
    assert said == sums.ov_rel.fractions.tolist()


@pytest.mark.parametrize("name", WORLDS)
def test_symbolic_is_enumerated(name):
    equal(*WORLDS[name])


def test_the_bench_is_enumerated():
    for reading in ("set", "literal"):
        for case in (*cases(reading), *theorem_cases(reading)):
            for which in ("kq_subj", "kq_rel"):
                assert (case.derived_kq(which) == getattr(case.enumerated, which).fractions).all(), (case.name, which)
            assert (case.derived_ov() == case.enumerated.ov_rel.fractions).all(), case.name


@st.composite
def worlds(draw) -> World:
    M, L = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    table = draw(st.lists(st.lists(st.integers(0, 2), min_size=L, max_size=L), min_size=M, max_size=M))
    finetune = draw(st.permutations(range(M)))[: draw(st.integers(1, min(M, 4)))]
    return World(np.array(table), finetune, draw(st.integers(0, 1)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    worlds(),
    st.integers(1, 2),
    st.one_of(st.none(), st.integers(1, 9)),
    st.sampled_from(["set", "literal"]),
    st.fractions(Fraction(1, 9), 9, max_denominator=9),
)
def test_symbolic_is_enumerated_on_random_tables(world, n, window, reading, eta):
    equal(world, n, window, reading, eta)


@pytest.mark.parametrize("name", WORLDS)
def test_enumerated_is_the_definition(name, plain_of):
    """Against loops over all sequences with dictionaries, which share no code with either witness."""
    world, n, window, reading, eta = WORLDS[name]
    eta = Fraction(eta)
    made = plain_of(world, n, window=window, reading=reading, eta=(Fraction(1), eta, Fraction(1)))
    exact = enumerated_hat_gradients(world, n, eta, window, reading)
    renamed = {"subject": "s", "attribute": "a", "relation": "r", "grammar": "g", "sep": "sep", "position": "p"}
    keys = [(renamed[key[0]], *key[1:]) for key in directions(world, 3 * n + 2)]
    subj, ov, rel = made.hat_gradients()
    assert [subj.get(key, 0) for key in keys] == exact.kq_subj.fractions.tolist()
    assert [rel.get(key, 0) for key in keys] == exact.kq_rel.fractions.tolist()
    tokens = keys[: world.V]
    assert [[ov.get((a, b), 0) for b in tokens] for a in tokens] == exact.ov_rel.fractions.tolist()


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "large step"])
def test_enumerated_is_autograd(name):
    world, n, window, reading, eta = WORLDS[name]
    exact = enumerated_hat_gradients(world, n, Fraction(eta), window, reading)
    autograd = population_gradients(world, n, "hat", float(eta), window, reading)
    for which in ("kq_subj", "ov_rel", "kq_rel"):
        a, b = getattr(exact, which).floats, getattr(autograd, which)
        assert np.abs(a - b).max() <= 1e-12 * max(np.abs(a).max(), 1e-3), which


def test_true_is_autograd():
    for case in cases()[:3]:
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            a, b = getattr(case.true, which), getattr(case.autograd_true, which)
            assert np.abs(a - b).max() <= 1e-12 * max(np.abs(a).max(), 1e-3), (case.name, which)


def test_the_bench_is_what_it_says():
    """Names are unique, balanced cases are balanced, a third is not; the theorem's worlds meet its hypotheses."""
    from paper_checks.contextual_recall.assumptions import PROOF_BALANCED

    bench: tuple[Case, ...] = cases()
    assert len({case.name for case in bench}) == len(bench) == 15
    assert sum(not case.p["balanced_ft"] for case in bench) >= len(bench) // 3
    assert all(case.p["balanced_ft"] == case.name.startswith("balanced") for case in bench)
    for case in theorem_cases():
        assert all(a.holds(case.p) is True for a in PROOF_BALANCED), case.name


@pytest.mark.parametrize(
    ("M", "L", "U", "M_ft", "eta_ov"),
    [(4, 1, 1, 2, "200"), (4, 1, 2, 2, "1e4"), (8, 2, 2, 4, "1e6"), (8, 2, 2, 4, "1e-20"), (8, 2, 2, 4, "1")],
)
def test_agreement_at_steps_of_any_size(M, L, U, M_ft, eta_ov):
    """A saturated softmax, where kq_rel cancels to roundings, is no disagreement; a wrong kq_rel is one at any step."""
    world = World.balanced(M, L, U, M_ft, n_grammar=1)
    setting = Setting(M=M, L=L, U=(U,) * L, M_ft=M_ft, N_ft=1, G=1, eta_ov=Fraction(eta_ov))
    assert all(e.agrees for e in agreement(Witnesses(setting, world)))
    wrong = Witnesses(setting, world)
    assert wrong.autograd_true is not None
    wrong.autograd_true.kq_rel[-1] += 1e-9 * float(setting.eta_ov)
    assert [e.quantity for e in agreement(wrong) if not e.agrees] == ["kq_rel, true: autograd = enumerated"]


ALIKE = [[[0], [0], [1]], [[0, 1], [1, 2], [2, 0]], [[0, 0], [0, 0], [0, 0], [1, 1], [0, 1]]]


@pytest.mark.parametrize(("rows", "M_ft"), list(zip(ALIKE, (2, 1, 3), strict=True)))
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_agreement_where_a_gradient_is_zero(rows, M_ft, n, reading):
    """All finetuning subjects have the same facts: kq_subj is exactly 0, and what float64 sums leave of it is rounding."""
    world = World(rows, finetune=range(M_ft), n_grammar=1)
    setting = Setting(M=world.M, L=world.L, U=world.U, M_ft=M_ft, N_ft=n, G=1, reading=reading)
    w = Witnesses(setting, world)
    assert w.plain is not None and w.certified is not None
    assert not w.certified.kq_subj.any() and np.abs(w.plain.kq_subj).max() < 1e-15
    assert [e.quantity for e in agreement(w) if not e.agrees] == []


@pytest.mark.parametrize(("reading", "M"), [("set", 3), ("literal", 3), ("literal", 60)])
def test_a_wrong_enumeration_is_outside(reading, M):
    """The room for roundings is not room for errors: 1e-10 is seen, in every gradient, also where 60 subjects share a value."""
    world = World([[0]] * (M - 1) + [[1]], finetune=range(2), n_grammar=1)
    setting = Setting(M=M, L=1, U=world.U, M_ft=2, N_ft=2, G=1, reading=reading)
    for which in ("kq_subj", "ov_rel", "kq_rel"):
        w = Witnesses(setting, world)
        wrong = getattr(w.plain, which).copy()
        wrong.flat[0] += 1e-10
        w.__dict__["plain"] = replace(w.plain, **{which: wrong})
        assert any(which in e.quantity and "enclosure" in e.quantity for e in agreement(w) if not e.agrees)


def test_the_literal_network_is_not_built_over_a_large_vocabulary():
    """Two finetuning subjects, four sequences, and 20 000 held-out subjects: a matrix of it would be 3 GB."""
    world = World([[j % 3] for j in range(20_000)], finetune=range(2), n_grammar=1)
    w = Witnesses(Setting(M=20_000, L=1, U=world.U, M_ft=2, N_ft=1, G=1), world)
    assert w.setting.population == 4 and not w.autograd_feasible()
    assert w.autograd_hat is None and w.autograd_true is None and w.autograd_sampled is None
