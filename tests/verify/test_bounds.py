"""Bounds of the proof's neglected terms: the literal reading needs others, and every link of a chain is looked at."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numerics.world import World
from paper_checks.contextual_recall.assumptions import THEOREM_2
from paper_checks.contextual_recall.lemmas import alpha_2_limit, lemma_c2_bounds
from theory.statements import bounds as derived
from verify.court import PAPER
from verify.docket import entries, tried
from verify.evidence import Status
from verify.judges import bounds, second_step
from verify.recompute import court
from verify.setting import parameters


def one_subject(M: int, L: int, U: int, M_ft: int, second: bool) -> tuple[dict, np.ndarray]:
    """The literal logits of s0 [sep] a s0 [sep] by their definition, N_ft = 1, every value on M/U subjects; second: at the alpha_2 limit."""
    world = World.balanced(M, L, U, M_ft, n_grammar=1, seed=1)
    p = parameters(world, 1)
    logits = np.zeros(world.V)
    logits[world.M : world.M + world.n_attributes] = -(M // U)
    own = world.attribute_token[int(world.finetune_array[0])]
    logits[own] += 1
    if second:
        p["alpha_2"] = alpha_2_limit(p)
        logits[own] += p["alpha_2"] * 2 * U**2 / (M_ft * 5)
        logits[list(world.attribute_range(0))] += p["alpha_2"] / 5
    return p, np.exp(logits) / np.exp(logits).sum()


def test_the_literal_reading_needs_its_own_bound_of_lemma_c2():
    """M=250, L=31, U=50, M_ft=200, N_ft=1: above exp(.)/(V - A + A/e), below 1/(V - A)."""
    p, pi = one_subject(250, 31, 50, 200, second=True)
    assert all(a.holds(p) for a in THEOREM_2)
    assert derived.second_probability(p, "set")[0] < pi.max() < derived.second_probability(p, "literal")[0]


def test_the_literal_reading_needs_its_own_bound_of_the_softmax_term():
    """M=320, L=40, U=64, M_ft=256, N_ft=1: the norm of one sequence; M=10, L=1, U=2: ||pi|| alone."""
    p, pi = one_subject(320, 40, 64, 256, second=False)
    norm = float(np.linalg.norm(pi)) * math.sqrt(4 + 4 + 1) / 5
    assert all(a.holds(p) for a in THEOREM_2)
    assert derived.first_softmax_norm(p, "set") < norm < derived.first_softmax_norm(p, "literal")
    p, pi = one_subject(10, 1, 2, 8, second=False)
    assert derived.first_softmax_norm(p, "set") < float(np.linalg.norm(pi)) < derived.first_softmax_norm(p, "literal")


def test_the_court_rejects_the_bounds_of_the_other_reading():
    literal = court("literal")
    of_set = {
        "sum of pi": lambda p, C: 1.0,
        "norm": lambda p, C: derived.first_softmax_norm(p, "set"),
    }
    assert bounds.softmax_mass(of_set, literal).status is Status.FAILS
    assert bounds.lemma_c2_middle(lambda p: derived.second_probability(p, "set")[0], literal).status is Status.FAILS


def test_the_smaller_C_makes_the_bound_of_lemma_c1_weaker():
    first, second, *_ = tried(entries()["lemC1"], court("set"), mutants=False).printed.evidence
    assert "C -> e (C = M/U = 4: <= 0.0529491)" in second.quantity and second.printed == "<= 0.0588235294118"
    # The least world admits one integer C alone, and there all tokens are equally likely: a tie with the bound as C -> e.
    assert "C = M/U = 3" in first.quantity and not first.agrees


@pytest.mark.parametrize(("reading", "largest"), [("set", 1 / 7), ("literal", 1 / (6 + math.exp(-2)))])
def test_the_least_counterexample_to_lemma_c1(reading, largest):
    """M > e U leaves M = 3, U = 1. Logits by hand, N_ft = 1: 0 for all in the set reading, -2 for the value of three subjects in the literal
    one, where the relation head puts nothing on it yet."""
    found = tried(entries()["lemC1"], court(reading), mutants=False).printed
    assert found.status is Status.FAILS and found.counterexample.startswith("balanced M=3 L=1 U=1 M_ft=2 N_ft=1")
    assert float(found.evidence[0].measured.split()[0]) == pytest.approx(largest, rel=1e-11)
    assert largest > 1 / (7 + (3 / math.e - 1) * 1)


# --- the chain of the second iteration --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chain():
    return tried(entries()["rel2.neglect"], court("set"))


def test_every_link_is_tried(chain):
    for found in (chain.printed, chain.derived):
        quantities = " ".join(e.quantity for e in found.evidence)
        for link in ("link 1", "link 2", "link 3", "||E true - E hat||"):
            assert link in quantities
    assert chain.survivors == ()


def test_the_first_link_that_fails(chain):
    """Link 2, at the smallest world of the bench; link 3 at the paper's own sizes, (m-1)^2 U + m L U^2/M_ft = 1184 > m^2 U = 1152."""
    text = chain.printed.counterexample
    assert text.startswith("balanced M=10 L=1 U=2 M_ft=8 N_ft=1") and "link 2" in text.split(";")[0]
    p = PAPER
    assert (p["m"] - 1) ** 2 * p["U"] + p["m"] * p["L"] * p["U"] ** 2 / p["M_ft"] == 1184 > p["m"] ** 2 * p["U"]
    assert f"{math.e / 256 * 1184:.6g} against <= {math.e / 256 * 1152:.6g}" in text
    assert all(e.agrees for e in chain.printed.evidence if "link 1" in e.quantity)


def test_link_2_by_hand(chain):
    """s0 [sep] a s1 [sep] at the limit alpha_2 = 5/(1 + 2 * 4/8) = 5/2, U = 2, L = 1: logits and d by their formulas."""
    alpha, m, T, U, M_ft, V = 2.5, 2, 5, 2, 8, 10 + 2 + 1 + 2 + 1
    lambda_1, lambda_2 = 1 / T, U**2 / (M_ft * T)
    query, other = alpha * (lambda_1 + lambda_2), alpha * (lambda_1 + lambda_2) - 1
    Z = math.exp(query) + math.exp(other) + V - U
    attribute = (m - 1) * (math.exp(query) + math.exp(other)) / Z
    subject = U**2 / M_ft * math.exp(query) / Z
    left = 2 * math.sqrt(2) * max(attribute, subject)
    right = math.exp(query) / Z * ((m - 1) ** 2 * U + m * U**2 / M_ft)
    assert f"is {left:.6g}, the statement says <= {right:.6g}" in chain.printed.counterexample


def test_beyond_the_range_of_the_lemma(chain):
    """M=160, L=1, U=2, M_ft=8, N_ft=1 at 20 times the limit: the true and the hat gradient are further apart than the bound."""
    case = second_step._many_heldout("set")
    limit = second_step._limit(case)
    assert second_step._expected_difference(case, limit) < derived.relation_chain(case.p)
    assert second_step._expected_difference(case, 20 * limit) > 2 * derived.relation_chain(case.p)


@pytest.mark.parametrize("reading", ["set", "literal"])
def test_the_final_bound_of_lemma_c2_holds_in_both_readings(reading):
    found = tried(entries()["lemC2"], court(reading))
    assert str(found.verdict) == "exact" and not found.survivors
    assert any("M=250" in e.setting for e in found.printed.evidence)


def test_the_link_before_it_fails_as_literally_printed():
    """M=250, L=31, U=50: the words of the claim say where, with the numbers of a calculation by hand."""
    p, pi = one_subject(250, 31, 50, 200, second=True)
    link, last = lemma_c2_bounds(p)
    assert link < pi.max() < last
    words = entries()["lemC2"].derive(court("set")).words
    assert f"max_v pi_v is {pi.max():.6g}, the link {link:.6g}" in words
