"""The claims on Propositions 1-4: words against closed forms, smallest worlds, the per-sequence conditions, and slips."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import sympy
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication_application,
    parse_expr,
    standard_transformations,
)

from numerics.constructions import bisected_threshold, margins, prop1
from numerics.constructions.threshold import finite_threshold
from numerics.pretraining.enumerate import sequences as pt_sequences
from numerics.world import World
from theory.constructions import Situation, position_threshold, pretraining_threshold, printed_weights
from verify import ledger
from verify.evidence import Status
from verify.judges import beta_words
from verify.judges.construction_worlds import context_bench, covered, pretraining_bench, uncovered_bench, unique
from verify.judges.constructions import LONE, last
from verify.judges.coverage import coverage, sharp
from verify.judges.positions import every_position, role_is_right
from verify.judges.thresholds import thresholds

READ = (*standard_transformations, convert_xor, implicit_multiplication_application)


def root(text: str, **values: int) -> float:
    """The largest positive root of an expression in x as it is worded."""
    x = sympy.Symbol("x")
    names = {name: sympy.Integer(value) for name, value in values.items()} | {"x": x}
    numerator = sympy.together(sympy.nsimplify(parse_expr(text, names, READ))).as_numer_denom()[0]
    return max(float(r) for r in sympy.Poly(numerator, x).nroots() if abs(sympy.im(r)) < 1e-9)


@pytest.mark.parametrize("S, N", [(1, 1), (2, 3), (10, 5), (9, 9), (6, 11), (6, 10)])
def test_the_words_of_proposition_3_are_the_closed_forms(S, N):
    own, text = re.search(r"exactly for x > (.*?) \(else an own.*? and (\(T.*?\)) > 0", beta_words.PROP_3).groups()
    worded = root(text, T=(S + 3) * N - 1, N=N, S=S), float(parse_expr(own, {"N": sympy.Integer(N)}, READ))
    assert max(worded) == pytest.approx(pretraining_threshold(3, S, 2, N).b)
    # Either condition binds somewhere: N - 1 at S = 9, N = 9, as the words say.
    assert (worded[1] > worded[0]) == ((S, N) in ((9, 9), (6, 11)))
    for what, situation in ((r"\[sep\]", Situation.LAST_SLOT), (r"the subject, .*?", Situation.ATTRIBUTE)):
        if situation == Situation.ATTRIBUTE and N == 1:
            continue
        text = re.search(rf"\({what}\): x > (.*?)\. ", beta_words.PROP_3)[1]
        worded = float(parse_expr(text, {"N": sympy.Integer(N)}, READ))
        assert worded == pytest.approx(position_threshold(situation, 2, N).b)


@pytest.mark.parametrize("S, N", [(1, 1), (1, 2), (2, 3), (10, 5), (9, 9)])
def test_the_words_of_proposition_3_with_one_type_are_the_closed_forms(S, N):
    words = beta_words.PROP_3[beta_words.PROP_3.index("L = 1: ") :]
    end, last_slot, attribute = re.search(
        r"exactly (\(T.*) > 0; t = T-1: x > (.*); t = T-S-2, N >= 2: x > (.*)$", words
    ).groups()
    assert root(end, T=(S + 3) * N - 1, N=N, S=S) == pytest.approx(pretraining_threshold(3, S, 1, N).b)
    for text, situation in ((last_slot, Situation.LAST_SLOT), (attribute, Situation.ATTRIBUTE)):
        if situation == Situation.ATTRIBUTE and N == 1:
            continue
        worded = float(parse_expr(text, {"N": sympy.Integer(N)}, READ))
        assert worded == pytest.approx(position_threshold(situation, 1, N).b)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_the_words_of_proposition_4_are_the_closed_forms(N):
    text, rest = re.search(
        r"exactly for (N x.*?) if some U_l >= 2, and for x > (.*?) if all", beta_words.PROP_4
    ).groups()
    left, right = text.split(" > ")
    assert root(f"{left} - ({right})", N=N) == pytest.approx(printed_weights(4, N + 1).threshold().b)
    worded = float(parse_expr(rest, {"N": sympy.Integer(N)}, READ))
    assert worded == pytest.approx(printed_weights(4, N + 1).threshold(False, False).b)
    assert printed_weights(2, N + 1).threshold().b == pytest.approx(N), "e^beta > N_ft"
    assert pretraining_threshold(1, 2, 2, N + 1).b == pytest.approx(N), "e^beta > N_tr - 1"


def test_a_tie_at_infinity_only(courts):
    """L = 1, every value of two subjects, two subsequences, literal: right at every finite beta, tied at infinity."""
    world = World([[0], [0]], [0, 1], 1)
    made = prop1(world, 1, 2, "literal")
    found = margins(made, pt_sequences(world, 1, 2))
    assert bisected_threshold(found) is None and finite_threshold(found) == 0.0
    assert all(found.at(beta).min() > 0 for beta in (0.1, 1.0, 5.0))
    shared = prop1(World([[0, 0], [0, 1]], [0, 1], 1), 1, 2, "literal")
    assert finite_threshold(margins(shared, pt_sequences(shared.world, 1, 2))) is None


def test_the_bench_is_every_small_world_in_order():
    cases = pretraining_bench()
    small = [case for case in cases if case.world.M == 2]
    assert list(cases[: len(small)]) == small and len(small) == 20
    assert [case.layout.T for case in small] == sorted(case.layout.T for case in small)
    assert len({case.name for case in cases}) == len(cases)
    for demos in context_bench():
        assert covered(demos.world)
    assert uncovered_bench() and not any(covered(demos.world) for demos in uncovered_bench())


def test_the_literal_construction_is_right_exactly_where_the_target_is_of_one_subject(courts):
    for proposition in (1, 2, 3, 4):
        assert last(proposition)(LONE, courts["literal"]).status is Status.HOLDS
        failed = last(proposition)(True, courts["literal"])
        assert failed.counterexample.startswith("M=2 L=1 U=1 ")
        assert last(proposition)(True, courts["set"]).status is Status.HOLDS
    assert "s0 r0 [sep] ->" in last(1)(True, courts["literal"]).counterexample


def test_coverage_sequence_by_sequence(courts):
    """Both halves of the condition are needed, and U' = U is not."""
    for reading in ("set", "literal"):
        assert coverage(sharp, courts[reading]).status is Status.HOLDS
        for slip in (lambda o: o.target_seen, lambda o: o.context_seen > 0, lambda o: False, lambda o: True):
            assert coverage(slip, courts[reading]).status is Status.FAILS
    right = coverage(sharp, courts["set"]).evidence
    uncovered = [e for e in right if "held-out" in e.setting or "M_ft=1" in e.setting]
    assert any(not e.measured.startswith("covered targets 0/") for e in uncovered)


def test_the_counterexample_of_proposition_3_is_undeniable(courts):
    for earlier in (True, False):
        found = every_position(earlier)(True, courts["set"])
        assert re.match(r"M=2 L=1 U=2 S=2 N_tr=[12] G=1, t=2 .*s0 r0 -> \[sep\]; next: g0; none", found.counterexample)
        assert every_position(earlier)(role_is_right, courts["set"]).status is Status.HOLDS


def test_thresholds_of_every_position_are_tried(courts):
    found = thresholds(3, 4)(lambda exact: exact, courts["set"])
    assert found.status is Status.HOLDS
    for what in ("t=T-1, slot S", "on the attribute", "on the subject", "two relation tokens attended"):
        assert any(what in e.setting for e in found.evidence), what
    infinite = [e for e in found.evidence if e.measured.startswith("no finite beta")]
    assert any("on the subject" in e.setting for e in infinite)
    slipped = thresholds(3)(lambda exact: 5.0 if exact == math.inf else exact, courts["set"])
    assert slipped.status is Status.FAILS and "no finite beta" in slipped.counterexample


def test_what_a_unique_world_is():
    assert unique(World([[0, 0], [1, 1]], [0, 1], 1)) and not unique(World([[0, 0], [0, 1]], [0, 1], 1))
    assert np.array_equal(pretraining_bench()[0].world.table, [[0], [0]])


def test_exact_claims_say_their_scope(records):
    """A claim that is exact carries what the derivation adds; one that is not carries it as its correction."""

    def made(name: str) -> dict:
        return ledger.entry_json(records[name, "set"], records[name, "literal"])

    coverage_entry = made("prop4.coverage")
    assert coverage_entry["correction"] is None and "at least one context value is" in coverage_entry["note"]
    assert "too small for the one-hot embeddings by L" in made("eq1")["note"]
    assert "L relation tokens besides" in made("vocab.size")["note"]
    assert made("pt.length")["note"] is None
    window = made("prop3.window")
    assert window["note"] is None and window["correction"].startswith("in later subsequences")
    assert ledger.note("attribute_attribute: -(m - 1)/(L*U**2); attribute_sep: -m/(L*U)") is None
