"""What the entry points of the propositions and lemmas say at a setting: vacuous is vacuous, every beta is every beta, C is C."""

from __future__ import annotations

import pytest
import torch

from numerics.constructions import accuracy, network, prop1, prop3
from numerics.pretraining.enumerate import population_size, sequences
from numerics.world import World
from theory.constructions import Situation
from theory.statements import bounds
from verify.entry import Row
from verify.position_rows import beta_in_words, occurs, position_rows
from verify.propositions import points
from verify.setting import Setting


def rows(name: str, world: World | None = None, N_tr: int = 2, **sizes) -> dict[str, Row]:
    setting = Setting(**{"M": 8, "L": 2, "U": (2, 2), "M_ft": 4, "N_ft": 2, **sizes})
    if world is None:
        world = World.balanced(setting.M, setting.L, setting.U, setting.M_ft)
    return {row.quantity: row for row in points()[name].here(setting, world, N_tr)}


@pytest.mark.parametrize("name", ["prop2", "prop4"])
def test_without_heldout_subjects_nothing_is_said_of_them(name):
    found = rows(name, M_ft=8)
    heldout = [row for what, row in found.items() if "heldout" in what]
    assert len(heldout) == 3 and {row.derived for row in heldout} == {"no such sequence"}
    assert all(row.derived != "no such sequence" for what, row in found.items() if "seen queries" in what)
    assert all(row.derived != "no such sequence" for row in rows(name).values())
    assert any("queries, contexts from finetune" in what and "beta" in what for what in found)


def test_every_beta_is_said_where_every_beta_is_right():
    found = rows("prop1", L=1, U=(2,), S=1)['"sufficiently large beta", t = T']
    assert found.derived == "every beta"
    world = World.balanced(8, 1, (2,), 4)
    for one in accuracy(prop1(world, 1, 2), sequences(world, 1, 2), [-3.0, -0.5, 0.0, 2.0]):
        assert one.right == one.total
    edge = rows("prop1", S=1)['"sufficiently large beta", t = T']
    assert edge.derived == "beta > 0 (e^beta > 1)"
    world = World.balanced(8, 2, (2, 2), 4)
    at_zero, above = accuracy(prop1(world, 1, 2), sequences(world, 1, 2), [0.0, 0.01])
    assert at_zero.right < at_zero.total and above.right == above.total
    assert (
        rows("prop2", L=1, U=(1,))['"sufficiently large beta", seen queries, contexts from finetune'].derived
        == "every beta"
    )


def test_lemma_c1_names_its_C_and_its_hypotheses():
    met, unmet = rows("lemma_c1"), rows("lemma_c1", U=(4, 4))
    assert "(C = M/U = 4)" in met["bound of max pi"].printed
    assert unmet["bound of max pi"].printed == "hypotheses not met: C > e and M >= C U need M/U > e, here 2"
    assert {row.printed for what, row in unmet.items() if what.startswith("max pi")} == {"hypotheses not met"}


def test_positions_before_the_last():
    world = World([[0, 0], [1, 1], [2, 2]], range(3), 1)
    size = population_size(world, 2, 2)
    found = {row.quantity: row for row in position_rows(world, 2, 2, "set", size)}
    sep = found["argmax set as at beta = inf, t = T-1, slot S"]
    assert sep.derived == "beta > 1.44364 (e^beta > 4.23607)" == sep.measured and sep.agrees
    tie = found["argmax set as at beta = inf, t = T-S-1, on the subject"]
    assert tie.derived == tie.measured == beta_in_words(float("inf")) and tie.agrees
    assert not any("two relation tokens" in what and row.derived != "no such position" for what, row in found.items())
    # The finite-beta rows are derived alone where there is too much to count.
    many = position_rows(world, 2, 2, "set", 10**9)
    assert all(row.measured is None for row in many) and len(many) == len(found)


def test_one_subsequence_has_no_beta_for_both():
    """[sep] at t = T-1 needs e^beta > 2; in the first subsequence the same [sep] comes too early from there on."""
    world = World([[0], [1]], range(2), 1)
    found = {row.quantity: row for row in position_rows(world, 2, 1, "set", 4)}
    after = next(row for what, row in found.items() if "relation token at or before" in what and "as at" in what)
    last = found["argmax set as at beta = inf, t = T-1, slot S"]
    assert after.derived == last.derived == "beta > 0.693147 (e^beta > 2)" and "wrong, beyond it" in after.how
    tokens = torch.tensor([[0, world.relation_token(0), world.grammar_token(0), world.sep_token]])
    for beta, early, late in ((0.6, "g0", "g0"), (0.8, "[sep]", "[sep]")):
        model = network(prop3(world, 2, 1), beta)
        best = [world.token_name(int(model(tokens, t).argmax())) for t in (2, 3)]
        assert best == [early, late]  # right are g0 and [sep]


def test_what_occurs():
    assert not occurs(Situation.ATTRIBUTE, 3, 1) and occurs(Situation.ATTRIBUTE, 1, 2)
    assert not occurs(Situation.LATER_TWO_RELATIONS, 2, 5) and occurs(Situation.LATER_TWO_RELATIONS, 3, 2)
    assert not occurs(Situation.FIRST_AFTER_RELATION, 1, 3) and occurs(Situation.SUBJECT, 1, 1)


UNEVEN = [([[0], [0], [1]], 3, 3, 2), ([[1], [0], [0]], 3, 1, 3), ([[0, 0], [0, 1], [0, 2], [1, 2]], 3, 2, 1)]


@pytest.mark.parametrize(("table", "M_ft", "N_ft", "G"), UNEVEN)
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("name", ["lemma_c1", "lemma_c2"])
def test_lemma_bounds_hold_over_every_sequence_of_uneven_tables(table, M_ft, N_ft, G, reading, name):
    """A value that fewer subjects share is lowered less in the literal reading: M/U for it was too few."""
    world = World(table, range(M_ft), G)
    sizes = {"M": world.M, "L": world.L, "U": world.U, "M_ft": M_ft, "N_ft": N_ft, "G": G, "reading": reading}
    found = rows(name, world, **sizes)
    assert all(row.agrees for row in found.values())
    (every,) = [row for what, row in found.items() if what.startswith("max pi over all")]
    assert float(every.measured) <= float(every.derived.removeprefix("<= ")) * (1 + 1e-9)
    # What the two named sequences reach is among them; the literal network is another route to it.
    named = [float(row.measured) for what, row in found.items() if what.startswith("max pi on")]
    assert 0 < max(named) <= float(every.measured) * (1 + 1e-8)


def test_a_bound_with_M_over_U_would_be_found_out(monkeypatch):
    table, M_ft, N_ft, G = UNEVEN[0]
    world = World(table, range(M_ft), G)
    right = bounds.second_probability
    monkeypatch.setattr(
        bounds, "second_probability", lambda p, reading: right({k: v for k, v in p.items() if k != "N_min"}, reading)
    )
    sizes = {"M": 3, "L": 1, "U": world.U, "M_ft": M_ft, "N_ft": N_ft, "G": G, "reading": "literal"}
    assert any(not row.agrees for row in rows("lemma_c2", world, **sizes).values())


def test_lemma_c2_says_nothing_of_a_window_that_cuts_sequences():
    """By hand: at S = 1 the relation head sees the last three positions, sep s sep, and not the attribute."""
    sizes = {"M": 8, "L": 2, "U": (4, 4), "M_ft": 4, "N_ft": 1, "G": 1}
    world = World.balanced(8, 2, (4, 4), 4, n_grammar=1)
    whole, cut = rows("lemma_c2", world, **sizes), rows("lemma_c2", world, S=1, **sizes)
    assert all(row.agrees for row in (*whole.values(), *cut.values()))
    for what, row in cut.items():
        assert row.printed == "hypotheses not met: T = 5 <= S + 2 = 3" and row.derived is None
        assert row.measured != whole[what].measured or row.measured is None
    assert float(cut["max pi on one subject m times"].measured) == pytest.approx(0.132479861, abs=1e-9)
    assert float(whole["max pi on one subject m times"].measured) == pytest.approx(0.139487178, abs=1e-9)
    assert not any("over all" in what for what in cut) and any("over all" in what for what in whole)
