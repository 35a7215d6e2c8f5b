"""How large beta must be for the printed weights: the formula against the literal network, and the growth that the words tell."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest

from numerics.world import World
from verify.court import Court
from verify.judges import growing_beta
from verify.judges.printed_update import errors, network, printed_threshold
from verify.setting import Setting
from verify.weights import printed_weights
from verify.worlds import Case, paper_case

CASE = Case("small", World.balanced(8, 2, 2, 4, n_grammar=2, seed=1), 2)
POOLS = (("seen", "finetune"), ("heldout", "heldout"))


def _wrong(beta: float, alpha_1, alpha_2, alpha_3) -> int:
    weights = printed_weights(CASE.world, CASE.m, alpha_1, alpha_2, alpha_3, "set")
    made = network(CASE.world, CASE.n_demos, weights, beta)
    return sum(errors(made, CASE.world, CASE.n_demos, pool)[0] for _, pool in POOLS)


def _bisected(alpha_1, alpha_2, alpha_3) -> float:
    """Where the literal network changes from errors to none, over every sequence."""
    low, high = 0.0, 1.0
    while _wrong(high, alpha_1, alpha_2, alpha_3):
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _wrong(middle, alpha_1, alpha_2, alpha_3) else (low, middle)
    return high


@pytest.mark.parametrize("alpha_2", [Fraction(3), Fraction(1, 50), Fraction(1, 10**4)])
def test_the_roots_are_where_the_literal_network_turns(alpha_2):
    beta = max(printed_threshold(CASE, alpha_2, queries) for queries, _ in POOLS)
    assert _bisected(1, alpha_2, 1) == pytest.approx(beta, rel=1e-5)


@pytest.mark.parametrize("alpha_1", [Fraction(1, 3), 1, 2])
@pytest.mark.parametrize("alpha_3", [1, Fraction(1, 2)])
def test_growth_in_alpha_2_and_alpha_1_of_the_literal_network(alpha_1, alpha_3):
    found = [_bisected(alpha_1, Fraction(1, 10**k), alpha_3) for k in (6, 10)]
    rest = [float(alpha_1) * beta - k * math.log(10) for k, beta in zip((6, 10), found, strict=True)]
    # The bisection is good to 1e-6 of beta.
    assert abs(rest[1]) < max(1e-4, abs(rest[0]) / 2) and abs(rest[1]) < 0.1, rest


def test_growth_where_all_three_alphas_vanish():
    ratios = []
    for k in (1, 2, 3):
        alpha = Fraction(1, 10**k)
        ratios.append(_bisected(alpha, alpha, alpha) * float(alpha) / (k * math.log(10)))
    assert all(abs(later - 1) < abs(earlier - 1) for earlier, later in pairwise(ratios)), ratios
    assert abs(ratios[-1] - 1) < 0.1


def test_growth_at_the_size_of_the_paper():
    rest = [growing_beta.sharp_beta(paper_case(), Fraction(1, 10**k)) - k * math.log(10) for k in (4, 8, 12, 16, 20)]
    assert all(abs(later) < abs(earlier) / 4 for earlier, later in pairwise(rest)), rest
    assert abs(rest[-1]) < 1e-3


def _covered(M: int, L: int, U: int, M_ft: int, n: int, seed: int) -> Case | None:
    """A random table, as a case if every type has as many values and finetuning subjects have all of them."""
    case = Case("random", World.random(M, L, U, M_ft, n_grammar=1, seed=seed), n)
    return case if len(set(case.world.U)) == 1 and case.p["all_values_seen"] else None


@pytest.mark.parametrize("shape", [(5, 1, 2, 3, 1), (6, 2, 3, 5, 2), (5, 2, 2, 4, 2), (7, 3, 2, 4, 1), (4, 2, 2, 4, 1)])
def test_sharp_beta_on_uneven_tables(shape):
    cases = [case for seed in range(12) if (case := _covered(*shape, seed)) is not None]
    assert len(cases) >= 3
    for case in cases:
        for alpha_2 in (Fraction(1), Fraction(1, 20)):
            beta = growing_beta.sharp_beta(case, alpha_2)
            weights = printed_weights(case.world, case.m, 1, alpha_2, 1, "set")
            pools = ("finetune", "heldout") if case.world.M_ft < case.world.M else ("finetune",)

            def wrong(beta: float, case=case, weights=weights, pools=pools) -> int:
                made = network(case.world, case.n_demos, weights, beta)
                return sum(errors(made, case.world, case.n_demos, pool)[0] for pool in pools)

            assert beta == 0 or wrong(beta * (1 - 1e-6)) > 0
            assert all(wrong(larger) == 0 for larger in (beta * (1 + 1e-6) + 1e-9, 2 * beta + 0.5, 4 * beta + 1))


@pytest.mark.parametrize("world", [World.balanced(24, 2, 3, 12), World([[0], [0], [1], [2]], [0, 1, 2])])
def test_words_speak_of_the_users_world_where_the_formula_does(world):
    """The second table has a value that no finetuning subject has: no beta suffices there, and the paper's setting is told."""
    court = Court(Setting(M=world.M, L=world.L, U=world.U, M_ft=world.M_ft, N_ft=2), world)
    case, told = growing_beta.asked(court), growing_beta.words(court)
    assert f"M={case.world.M} L={case.world.L} U={case.p['U']} M_ft={case.world.M_ft} N_ft={case.n_demos}," in told
    assert (case.world is world) == (world.M == 24) and (case.n_demos == 2) == (world.M == 24)
    for alpha_2 in growing_beta.SHOWN:
        assert f"{growing_beta.sharp_beta(case, alpha_2):.3g} at alpha_2 = {alpha_2}" in told
