"""Boundaries in small worlds against brute force, to one subject."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.region import boundary as boundaries
from verify.region import point as points
from verify.region.boundary import Boundary, Sizes, boundary, closed_form
from verify.region.found import both_hold, first_words
from verify.region.point import OBJECTIVES, Steps
from verify.region.sweep import sweep

WORLDS = [Sizes(24, 2, 3, 1, 2, 1), Sizes(16, 2, 2, 2, 1, 0), Sizes(18, 2, 3, 2, 1, 4)]


def right(found: Boundary, sizes: Sizes, holds) -> bool:
    """Every decided M_ft as brute force says, and the first one where brute force says it is."""
    truth = {M_ft: holds(sizes.world(M_ft), sizes.N_ft, found.objective) for M_ft in found.decided}
    if found.first is None:
        return not any(truth.values()) and found.decided == truth
    near = {M_ft: holds(sizes.world(M_ft), sizes.N_ft, found.objective) for M_ft in (found.first - 1, found.first)}
    return found.decided == truth and list(near.values()) == [False, True]


@pytest.mark.parametrize("sizes", WORLDS, ids=str)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_boundary_is_that_of_brute_force(sizes, objective, holds):
    found = boundary(sizes, objective, Steps())
    assert found.first is not None and sizes.U < found.first < sizes.M
    assert right(found, sizes, holds) and found.monotone
    for moved in (found.first - 1, found.first + 1, None):
        assert not right(replace(found, first=moved), sizes, holds)
    flipped = {**found.decided, found.first: False}
    assert not right(replace(found, decided=flipped), sizes, holds)
    assert not replace(found, decided=flipped).monotone


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_dropped_condition_is_found_out(objective, holds, monkeypatch):
    """Without the condition that the attributes lead the query, the boundary is not where brute force has it."""
    whole = points.conditions

    def fewer(*arguments):
        return [c for c in whole(*arguments) if (c.head, c.against) != ("rel", "query")]

    monkeypatch.setattr(points, "conditions", fewer)
    assert not right(boundary(WORLDS[0], objective, Steps()), WORLDS[0], holds)


@pytest.mark.parametrize(
    ("sizes", "steps", "first"),
    [
        (Sizes(16, 2, 4, 2, 4, 0), Steps(eta_ov=Fraction(5000)), 12),
        (Sizes(14, 2, 2, 3, 4, 56), Steps(eta_ov=Fraction(5000), eta_kq_subj=Fraction(300)), 4),
    ],
)
@pytest.mark.parametrize("every", [True, False])
def test_a_conclusion_that_holds_and_fails_again(sizes, steps, first, every, monkeypatch):
    """At large steps tables of unequal remainder fail above exactly balanced ones that hold: bisection alone finds no first one."""
    if not every:
        monkeypatch.setattr(boundaries, "ALL", 0)
    found = boundary(sizes, "hat", steps)
    assert found.first == first and not found.monotone
    assert found.decided[first] and found.decided[first - 1] is False
    assert every == (len(found.decided) == sizes.M - sizes.U + 1)
    for M_ft, holds in found.decided.items():
        assert points.point(sizes.world(M_ft), sizes.N_ft, "hat", steps).holds == holds


@settings(max_examples=200, deadline=None)
@given(
    pattern=st.lists(st.sampled_from([True, False, None]), min_size=2, max_size=60),
    U=st.integers(1, 5),
    every=st.booleans(),
)
def test_the_first_is_the_least_decided_whatever_holds(pattern, U, every):
    """Of any pattern, not only of one that worlds have: nothing decided below the first holds, and just below it is decided."""
    answers = {U + i: points.Answer("hat", holds, {}, "") for i, holds in enumerate(pattern)}
    sizes, top = Sizes(M=U + len(pattern) - 1, L=2, U=U), U + len(pattern) - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boundaries, "ALL", 1000 if every else 0)
        patch.setattr(Sizes, "world", lambda self, M_ft: M_ft)
        patch.setattr(boundaries, "point", lambda world, *rest: answers[world])
        found = boundary(sizes, "hat", Steps())
    held = [M_ft for M_ft, holds in found.decided.items() if holds]
    assert found.first == min(held, default=None)
    assert found.decided.items() <= {M_ft: a.holds for M_ft, a in answers.items()}.items()
    if found.first is not None and found.first > U:
        assert not found.decided[found.first - 1]
    true = [M_ft for M_ft, a in answers.items() if a.holds]
    rising = true == list(range(min(true, default=top + 1), top + 1))
    if every or rising:
        assert found.first == min(true, default=None)


def test_where_both_hold_is_decided_of_both():
    """Hat holds at 4 and not at 6, true first at 6: the first that both hold at is neither of the firsts' larger one."""
    made = {
        "hat": Boundary("hat", 4, {4: True, 5: True, 6: False, 8: True}),
        "true": Boundary("true", 6, {6: True, 8: True}),
    }
    assert both_hold(made) == 8
    assert both_hold({**made, "true": Boundary("true", 6, {6: True, 7: True})}) is None


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_bisection_and_every_value_agree(objective, monkeypatch):
    whole = [boundary(sizes, objective, Steps()) for sizes in WORLDS]
    monkeypatch.setattr(boundaries, "ALL", 0)
    for sizes, one in zip(WORLDS, whole, strict=True):
        found = boundary(sizes, objective, Steps())
        assert found.first == one.first and found.decided.items() <= one.decided.items()


def test_no_boundary_where_M_is_too_small(holds):
    sizes = Sizes(8, 2, 8, 1, 1, 0)
    for objective in OBJECTIVES:
        found = boundary(sizes, objective, Steps())
        assert found.first is None and found.monotone and right(found, sizes, holds)
    assert closed_form(sizes) is None


def test_progress_reaches_its_total():
    told: list[tuple[int, int]] = []
    boundary(WORLDS[1], "hat", Steps(), progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told) and told[-1][0] == told[-1][1] and len({total for _, total in told}) == 1


def test_the_sweep_is_the_boundaries(holds):
    cells = sweep(Sizes(12, 2, 2, 1, 1, 0), [2, 3], [1, 2], Steps(), "cpu")
    assert [(c.sizes.U, c.sizes.N_ft) for c in cells] == [(2, 1), (2, 2), (3, 1), (3, 2)]
    for c in cells:
        assert c.closed == closed_form(c.sizes)
        assert all(b.first == boundary(c.sizes, name, Steps()).first for name, b in c.boundaries.items())
    assert right(cells[0].boundaries["true"], cells[0].sizes, holds)


def test_undecided_is_neither_right_nor_a_contradiction():
    found = Boundary("true", 6, {5: None, 6: True, 4: False})
    assert found.monotone
    assert not replace(found, decided={5: True, 6: True}).monotone


def test_what_cannot_be_certified_is_open():
    answer = points.true_point(Sizes(8, 2, 2, 1).world(6), 1, Steps(eta_ov=points.Fraction(10**30)))
    assert answer.holds is None and answer.why.startswith("not certified: ")


def test_a_loose_enclosure_never_contradicts_a_tight_one(monkeypatch):
    """Where the loose enclosure decides, the tight one decides the same; where it does not, the tight one is asked."""
    sizes = WORLDS[2]
    quick = {M_ft: points.true_point(sizes.world(M_ft), 2, Steps()).holds for M_ft in range(3, 19)}
    monkeypatch.setattr(points, "TOLERANCES", points.TOLERANCES[-1:])
    assert quick == {M_ft: points.true_point(sizes.world(M_ft), 2, Steps()).holds for M_ft in range(3, 19)}


def test_a_boundary_at_M_says_so():
    """Nothing is held out at M_ft = M: the number alone would read as a success."""
    assert first_words(4, 6) == "4" and first_words(4, 4) == "4 = M (seen queries only), none below"
    assert first_words(4, 4, every=False) == "4 = M (seen queries only), none decided below"
