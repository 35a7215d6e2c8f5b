"""The transcriptions: complete, readable, and the numbers that the printed formulas give at the paper's own setting."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
import sympy as sp

from paper_checks.claim import Kind
from paper_checks.contextual_recall import claims
from paper_checks.contextual_recall.assumptions import PROOF_BALANCED, THEOREM_2, alpha_2_limit
from paper_checks.contextual_recall.gradient import main_text_positions, printed_positions
from paper_checks.contextual_recall.lemmas import lambdas, lemma_c1_bound, lemma_c2_bounds
from paper_checks.contextual_recall.relation_ov import EXPECTED_GRADIENT, PRINTED_UPDATE
from paper_checks.contextual_recall.subject_head import difference_bound, eq12_per_sequence, rhat_bound
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV

#: Section 4: M = 256, L = 8, U = 32, M_ft = 128, N_ft = 5, with G = 4.
PAPER = {"M": 256, "L": 8, "U": 32, "M_ft": 128, "N_ft": 5, "m": 6, "T": 17, "S": 15, "A": 256, "V": 525}

#: Claims of the section on finetuning, from Eq. (11) to the comparison of the two statements.
FINETUNING = [
    "grad.f",
    "grad.softmax",
    "eq11",
    "beta.bookkeeping",
    "lemC1",
    "lemC1.logit",
    "subj.rhat",
    "subj.E_Cy",
    "subj.E_tokens",
    "eq12",
    "subj.update",
    "subj.true_vs_hat",
    "rel.first_kq",
    "rel.ov.expect",
    "rel.ov.neglect",
    "rel.ov.norm",
    "rel.ov.drop",
    "rel.ov.projection",
    "rel.ov.update",
    "lemC2.logit",
    "lemC2.middle",
    "lemC2",
    "rel2.neglect",
    "rel2.norm",
    "rel2.sep",
    "rel2.attr",
    "rel2.subject",
    "rel2.position",
    "rel2.update",
    "index",
    "window",
    "thm2.last_step",
    "thm2.accuracy",
    "thm2.finite_beta",
    "thm2.hypotheses",
    "thm2.step_sizes",
    "thm2.unbalanced",
    "thm2.unique_attr",
    "thm1_vs_2",
]


def value(expr, **more) -> Fraction:
    found = sp.nsimplify(sp.sympify(expr).subs({s: {**PAPER, **more}[s.name] for s in sp.sympify(expr).free_symbols}))
    return Fraction(int(found.p), int(found.q))


def test_every_claim_of_the_section_is_there():
    assert len(FINETUNING) == 39 and set(FINETUNING) <= set(claims())


@pytest.mark.parametrize("name", claims())
def test_a_claim_is_complete(name):
    claim = claims()[name]
    assert claim.id == name and isinstance(claim.kind, Kind)
    assert claim.where and claim.title and claim.wording
    assert claim.wording.count("{") == claim.wording.count("}")
    assert len(re.findall(r"\\left[^a-z]", claim.wording)) == len(re.findall(r"\\right[^a-z]", claim.wording))
    assert len(claim.mutations) >= 2
    names = [mutation.name for mutation in claim.mutations]
    assert len(set(names)) == len(names) and all(mutation.why for mutation in claim.mutations)


def test_claims_are_made_anew():
    """No global that a trial could change."""
    a, b = claims(), claims()
    assert a is not b and list(a) == list(b)
    assert all(a[name].fingerprint == b[name].fingerprint for name in a)


def test_alpha_1_and_alpha_2():
    """alpha_1 = m^-1 (1 - 1/U) = 31/192; alpha_2 = 1/(L T U^2) = 1/139264, times m - 1 and U^2/M_ft = 8."""
    assert value(claims()["subj.update"].printed[KQ.P_QUERY]) == Fraction(31, 192)
    assert value(PRINTED_UPDATE[OV.ATTRIBUTE_ATTRIBUTE]) == Fraction(5, 139264)
    assert value(PRINTED_UPDATE[OV.OWN_ATTRIBUTE_SEEN]) == Fraction(8, 139264)


def test_expected_gradient():
    """-(m-1)/(L T U^2), -(m-1)/(L T U M_ft), the same -1/(L T M_ft), -m/(L T U), with L T = 136."""
    assert value(EXPECTED_GRADIENT[OV.ATTRIBUTE_ATTRIBUTE]) == -Fraction(5, 136 * 1024)
    assert value(EXPECTED_GRADIENT[OV.OTHER_ATTRIBUTE_SEEN]) == -Fraction(5, 136 * 32 * 128)
    assert value(EXPECTED_GRADIENT[OV.OWN_ATTRIBUTE_SEEN]) == -Fraction(5 + 32, 136 * 32 * 128)
    assert value(EXPECTED_GRADIENT[OV.ATTRIBUTE_SEP]) == -Fraction(6, 136 * 32)


def test_expected_matches():
    assert value(claims()["subj.E_Cy"].printed) == Fraction(6, 32)
    for key in (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT):
        assert value(claims()["subj.E_tokens"].printed[key]) == Fraction(6, 32 * 256)


def test_bounds():
    """1/(V + (C/e - 1) L U) at C = M/U = 8; e/(V + L U (1/e - 1)) <= e/M; lambda_1 = 25/17, lambda_2 = 8/17."""
    assert lemma_c1_bound(PAPER, 8.0) == pytest.approx(1 / (525 + (8 / math.e - 1) * 256), rel=1e-14)
    assert rhat_bound(PAPER, 8.0) == pytest.approx(8 / (525 + 256 * (8 / math.e - 1)), rel=1e-14)
    assert difference_bound(PAPER, 8.0) == pytest.approx(2 * math.sqrt(2) * rhat_bound(PAPER, 8.0), rel=1e-14)
    first, second = lemma_c2_bounds(PAPER)
    assert first == pytest.approx(math.e / (525 + 256 * (1 / math.e - 1)), rel=1e-14) and first <= second
    assert second == pytest.approx(math.e / 256, rel=1e-14)
    assert lambdas(PAPER) == pytest.approx((25 / 17, 8 / 17), rel=1e-14)
    assert alpha_2_limit(PAPER) == pytest.approx(1 / (25 / 17 + 6 * 8 / 17), rel=1e-14)


def test_eq12_as_printed():
    """m = 2, T = 5: p_{3k} at 3k - T + 1 = -1 for k = 1, which is the query's place: the two terms add up."""
    tokens, positions = eq12_per_sequence([True, True], 2)
    assert tokens == [0.0, 0.0] and positions == {-1: 0.0}
    tokens, positions = eq12_per_sequence([False, True], 2)
    assert tokens == [0.25, -0.25] and positions == {-1: 0.0}


def test_positions_as_printed():
    """Eq. (7) has the attributes at p_{1-3i}; the proof's p_{3i+2} at 3i + 2 - T + 1, which for i = m - 1 is no position."""
    for m in (2, 3, 6):
        T = 3 * m - 1
        assert main_text_positions(m)["attributes"] == [1 - 3 * i for i in range(1, m)]
        assert printed_positions(m)["query"] == [-1] == main_text_positions(m)["query"]
        assert printed_positions(m)["attributes"] == [3 * i + 3 - T for i in range(1, m)]
        assert max(printed_positions(m)["attributes"]) == 1
        assert max(printed_positions(m)["all subjects"]) == 2 and len(printed_positions(m)["all subjects"]) == m
        assert sorted(printed_positions(m)["all positions"]) == list(range(2 - T, 2))


def test_hypotheses_at_the_papers_setting():
    """Section 4 meets all but T <= S + 2 with its own S = 10."""
    p = {**PAPER, "all_values_seen": True, "balanced_all": True}
    assert all(a.holds(p) for a in PROOF_BALANCED)
    short = {**p, "S": 10}
    assert [a.name for a in THEOREM_2 if not a.holds(short)] == ["T <= S + 2"]
    for change, name in (
        ({"M": 191}, "M >> m L"),
        ({"M_ft": 256}, "M > M_ft"),
        ({"M_ft": 127}, "M_ft >> U"),
        ({"all_values_seen": False}, "every value is seen in finetuning"),
    ):
        assert name in [a.name for a in THEOREM_2 if not a.holds({**p, **change})]
