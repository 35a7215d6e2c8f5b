"""How to read the report: the page is linked from every claim, names what the pages use, and agrees with the code."""

from __future__ import annotations

import re

import numpy as np
import pytest

from numerics.pretraining.layout import Layout
from numerics.world import World
from paper_checks.contextual_recall.assumptions import alpha_2_limit
from verify.report.notation import NOTATION

H = "{http://www.w3.org/1999/xhtml}"
MEANING = {term: words for _, terms in NOTATION for term, words in terms}
#: Terms that stand in corrections and counterexamples.
ASKED = (
    *(
        "hat steps",
        "true steps",
        "a^0=0",
        "s0",
        "r0",
        "g0",
        "[sep]",
        "p_-1",
        "balanced",
        "set",
        "literal",
        "f_u",
        "F",
        "N_u",
        "N_y",
    ),
    *("k_u", "A", "xbar", "tie", "C_y", "pi_v", "M_ft", "N_ft", "m", "T", "V", "preset"),
)
WORLD = World(np.array([[0, 0], [0, 1], [1, 0], [1, 2]]), finetune=[0, 1, 2], n_grammar=2)


def meaning(term: str) -> str:
    """Of the entry that names the term."""
    return next(words for names, words in MEANING.items() if term in re.split(r", | and ", names))


@pytest.mark.parametrize("term", ASKED)
def test_a_term_of_the_pages_is_explained(term, trees):
    assert meaning(term)
    said = "".join(trees["reading.html"].itertext())
    assert meaning(term) in said


def test_terms_stand_once_and_meanings_are_without_a_final_stop():
    terms = [term for _, terms in NOTATION for term, _ in terms]
    assert len(set(terms)) == len(terms)
    assert not any(words.endswith(".") for words in MEANING.values())


def test_every_claim_page_links_to_it(trees):
    for name, root in trees.items():
        if name.startswith("claims/"):
            links = [a for a in root.iter(f"{H}a") if a.get("href") == "../reading.html"]
            assert len(links) == 2, name  # the navigation and the line below the title


def test_names_are_those_of_the_world():
    first = (0, WORLD.attribute_offsets[0], WORLD.relation_token(0), WORLD.grammar_token(0), WORLD.sep_token)
    assert [WORLD.token_name(t) for t in first] == ["s0", "a^0=0", "r0", "g0", "[sep]"]


def test_sizes_are_those_of_the_world():
    assert "U_1 + … + U_L" in meaning("A") and WORLD.n_attributes == sum(WORLD.U) == 5
    assert "M + A + L + G + 1" in meaning("V") and WORLD.M + WORLD.n_attributes + WORLD.L + WORLD.G + 1 == WORLD.V
    assert "(S + 3) N_tr - 1" in meaning("T") and Layout(2, 3).T == (2 + 3) * 3 - 1


def test_frequencies_are_those_of_the_world():
    assert "share of the finetuning subjects" in meaning("f_u")
    assert (WORLD.finetune_value_counts / WORLD.M_ft)[0] == pytest.approx(2 / 3)
    assert "all M subjects" in meaning("N_u") and WORLD.value_counts[0] == 2
    table = World.balanced(12, 1, 3, M_ft=6)
    assert set(table.value_counts) == {12 // 3} and set(table.finetune_value_counts) == {6 // 3}


def test_the_limit_of_alpha_2_is_that_of_the_lemma():
    assert "lambda_1 = (m - 1) N_ft/T and lambda_2 = U^2/(M_ft T)" in meaning("alpha_2")
    m, N_ft, T, U, M_ft = 3, 2, 8, 4, 16
    found = alpha_2_limit({"m": m, "N_ft": N_ft, "T": T, "U": U, "M_ft": M_ft})
    assert found == pytest.approx(1 / ((m - 1) * N_ft / T + m * U**2 / (M_ft * T)))
