"""The derived limit of large beta against the order of all sequences' logits there, and the words that tell of it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from numerics.conclusion.eventual import eventual
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from theory.finetuning.conclusion import limit as derivation
from theory.finetuning.conclusion import limit_conclusion, limit_M_ft, sharp_M_ft
from verify.conclude import sharp, sharp_limit
from verify.docket import entries
from verify.judges.hypotheses import AT_LARGE_BETA
from verify.setting import Setting

#: U per type, copies of the whole grid of values among finetuning and held-out subjects, N_ft.
SHAPES = [
    ((2, 2), 1, 1, 1),
    ((2, 2), 2, 1, 1),
    ((2, 2), 1, 1, 2),
    ((3, 3), 1, 1, 1),
    ((2, 2, 2), 1, 1, 1),
    ((2, 3), 1, 1, 1),
]
STEPS = [(1, 1, 1), (1, 1000, 1), (1, 1, Fraction(1, 10**5)), (1000, 1, 1)]


def grid(U, inside: int, outside: int) -> World:
    """Every combination of values: exactly balanced, and every pattern of a context subject with target and rival occurs."""
    rows = [list(row) for row in itertools.product(*map(range, U))]
    return World(rows * (inside + outside), range(len(rows) * inside), n_grammar=1)


@pytest.fixture(scope="module")
def enumerated():
    """(shape, steps) -> by pool whether every sequence is right at all large beta."""
    found = {}
    for (U, inside, outside, n), steps in itertools.product(SHAPES, STEPS):
        world = grid(U, inside, outside)
        ov, rel, subj = map(Fraction, steps)
        weights = updated_weights(world, hat_gradients(world, n_demos=n, eta_ov=ov), subj, rel)
        found[U, inside, outside, n, steps] = tuple(
            eventual(world, n, weights, pool).holds for pool in ("seen", "heldout")
        )
    return found


def derived(U, inside: int, outside: int, n: int, steps) -> tuple[bool, bool | None]:
    size = len(grid(U, 1, 0).finetune)
    found = limit_conclusion(size * (inside + outside), len(U), U, size * inside, n + 1, *map(Fraction, steps))
    return found.holds_seen, found.holds_heldout


def test_all_sequences_at_all_large_beta(enumerated):
    assert {key: derived(*key) for key in enumerated} == enumerated
    assert len(set(enumerated.values())) > 1


def _no_contexts_in_the_subject_head(monkeypatch):
    monkeypatch.setattr(
        derivation, "_contexts", lambda u, rival: [(True, rival.same_type is False and rival.values > 0)]
    )


def _no_attention_on_the_query(monkeypatch):
    old = derivation.relation_scores

    class Without:
        def __init__(self, chosen):
            self.scores = old(chosen)

        def groups(self, u, seen):
            return [g for g in self.scores.groups(u, seen) if g.kind != "query"]

    monkeypatch.setattr(derivation, "relation_scores", Without)


def _hard_attention(monkeypatch):
    """The largest exponent alone, whether its coefficient cancels or not."""
    monkeypatch.setattr(derivation, "sign", lambda sum_: (sum_[max(sum_)] > 0) - (sum_[max(sum_)] < 0))


def _half_a_subject_step(monkeypatch):
    old = derivation.setting
    monkeypatch.setattr(
        derivation,
        "setting",
        lambda M, L, U, M_ft, m, w, ov, rel, subj, reading: old(M, L, U, M_ft, m, w, ov, rel, subj / 2000, reading),
    )


@pytest.mark.parametrize(
    "mutation", [_no_contexts_in_the_subject_head, _no_attention_on_the_query, _hard_attention, _half_a_subject_step]
)
def test_mutants_are_told(mutation, monkeypatch, enumerated):
    mutation(monkeypatch)
    assert {key: derived(*key) for key in enumerated} != enumerated


def test_the_words_have_the_numbers_of_the_papers_setting():
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128)
    first = limit_M_ft(256, 8, 32, 6)
    assert (
        f"from {first} on, so at the multiples of 32 from {sharp_limit(setting)} on, in place of {sharp(setting)},"
        in AT_LARGE_BETA
    )
    assert AT_LARGE_BETA in entries()["thm2.hypotheses"].derive(_Court()).words


class _Court:
    reading = "set"


@pytest.mark.parametrize(
    "more", [{"L": 1, "U": (2,)}, {"U": (2, 3)}, {"U": (1, 1)}, {"S": 2, "N_ft": 2}, {"reading": "literal"}]
)
def test_nothing_is_said_where_nothing_is_derived(more):
    assert sharp_limit(Setting(**{"M": 12, "L": 2, "U": (2, 2), "M_ft": 6, "N_ft": 1} | more)) is None


def test_frequencies_that_cannot_be_equal_fail_though_the_formula_holds():
    """M_ft = 10 with 4 values: own values of a seen query are told apart, and where it leads attributes that decides."""
    assert limit_M_ft(24, 2, 4, 2) == 10 and sharp_limit(Setting(M=24, L=2, U=(4, 4), M_ft=10, N_ft=1)) == 12
    holds = []
    for M_ft in (10, 12):
        world = World.balanced(24, 2, 4, M_ft, n_grammar=1, seed=1)
        weights = updated_weights(world, hat_gradients(world, n_demos=1, eta_ov=Fraction(1)), Fraction(1), Fraction(1))
        holds.append(eventual(world, 1, weights, "seen").holds)
    assert holds == [False, True]


def test_below_the_condition_of_hard_attention_and_above_a_multiple_of_U():
    for L, U, n in itertools.product((2, 3), (2, 3, 6), (1, 2, 5)):
        assert U <= limit_M_ft(10**4, L, U, n + 1) <= sharp_M_ft(10**4, L, U, n + 1)
