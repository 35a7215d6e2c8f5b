"""The derived conclusion against hard attention on every sequence, with final weights from enumeration."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest

from tests.theory.finetuning import enumeration
from theory.finetuning.conclusion import balanced_conclusion, sharp_condition, sharp_M_ft
from theory.rational import evaluate
from theory.symbols import L, M_ft, U, m

Table = Sequence[Sequence[int]]


def grid(values: int, types: int, copies: int) -> list[list[int]]:
    """Every combination of values, `copies` times: balanced, and every match pattern occurs."""
    return [list(row) for row in product(range(values), repeat=types)] * copies


def accuracy(
    table: Table, M_finetune: int, size: int, window: int | None, eta_ov: Fraction, eta_rel: Fraction, literal: bool
) -> tuple[bool, bool]:
    """(all seen, all held-out) sequences right after both steps, by hard attention over enumerated weights."""
    finetune, types = range(M_finetune), range(len(table[0]))
    length = 3 * size - 1
    w = length if window is None else min(window, length)
    subj = enumeration.kq_subj(table, finetune, size, literal)
    rel = enumeration.kq_rel(table, finetune, size, w, eta_ov)
    ov = enumeration.ov_rel(table, finetune, size, w)
    values = [sorted({row[k] for row in table}) for k in types]
    keys = [("attribute", k, u) for k in types for u in range(len(values[k]))]
    right = {True: True, False: True}
    for kind in types:
        for query, *context in product(range(len(table)), *([finetune] * (size - 1))):
            tokens: list[enumeration.Direction] = [("sep",), ("subject", query)]
            for j in context:
                tokens += [("attribute", kind, values[kind].index(table[j][kind])), ("sep",), ("subject", j)]
            scores: dict[str, list[Fraction]] = {"subj": [], "rel": []}
            for i, t in enumerate(tokens):
                place = ("position", -i)
                scores["subj"].append((t[0] == "subject") - subj.get(t, Fraction(0)) - subj.get(place, 0))
                scores["rel"].append((i < w) - eta_rel * (rel.get(t, Fraction(0)) + rel.get(place, 0)))
            logits = dict.fromkeys([*keys, ("none",)], Fraction(0))
            for head, score in scores.items():
                attended = [i for i, value in enumerate(score) if value == max(score)]
                for i, key in product(attended, keys):
                    if head == "rel" and tokens[i] != ("sep",):
                        logits[key] -= eta_ov * ov.get((key, tokens[i]), 0) / len(attended)
                    if head == "subj" and tokens[i][0] == "subject":
                        u = values[key[1]][key[2]]
                        own = table[tokens[i][1]][key[1]] == u
                        count = sum(row[key[1]] == u for row in table) if literal else 1
                        logits[key] -= Fraction(count - own, len(attended))
            target = ("attribute", kind, values[kind].index(table[query][kind]))
            if any(value >= logits[target] for key, value in logits.items() if key != target):
                right[query < M_finetune] = False
    return right[True], right[False]


# values, types, copies of the grid, finetuning subjects, m
FULL = [
    (2, 1, 1, 2, 2), (2, 1, 2, 2, 2), (2, 1, 2, 2, 3), (2, 1, 2, 4, 3), (3, 1, 2, 3, 2), (2, 2, 1, 4, 2),
    (2, 2, 1, 4, 3), (2, 2, 2, 4, 2), (2, 2, 2, 4, 3), (2, 2, 2, 8, 2), (2, 2, 3, 8, 2), (1, 1, 3, 1, 2),
    (1, 1, 3, 2, 3), (1, 2, 3, 1, 2), (1, 2, 4, 3, 3), (3, 1, 3, 6, 2), (4, 1, 2, 4, 2),
]  # fmt: skip


@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize(("values", "types", "copies", "finetuning", "size"), FULL)
def test_full_window(values: int, types: int, copies: int, finetuning: int, size: int, reading: str) -> None:
    table = grid(values, types, copies)
    for eta in (Fraction(1, 7), Fraction(40), Fraction(1000)):
        found = balanced_conclusion(len(table), types, values, finetuning, size, eta_ov=eta, reading=reading)
        seen, heldout = accuracy(table, finetuning, size, None, eta, Fraction(3), reading == "literal")
        assert found.holds_seen == seen, (eta, found.reason)
        if finetuning < len(table):
            assert found.holds_heldout == heldout, (eta, found.reason)
        assert found.holds == (seen and (heldout or finetuning == len(table)))


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize(("values", "types", "copies", "finetuning"), [(2, 1, 2, 2), (2, 2, 2, 4)])
def test_short_window(values: int, types: int, copies: int, finetuning: int, window: int) -> None:
    table = grid(values, types, copies)
    outcomes = set()
    for eta_rel in (Fraction(1, 10), Fraction(50), Fraction(10**5)):
        found = balanced_conclusion(
            len(table), types, values, finetuning, 3, window=window, eta_ov=Fraction(2), eta_kq_rel=eta_rel
        )
        got = accuracy(table, finetuning, 3, window, Fraction(2), eta_rel, False)
        assert (found.holds_seen, found.holds_heldout) == got, (eta_rel, found.reason)
        outcomes.add(got)
    assert outcomes


def test_different_numbers_of_values() -> None:
    """Types with 1, 2 and 4 values in one world; every combination of them occurs."""
    table = [[0, b, c] for b, c in product(range(2), range(4))] * 2
    for size, eta in product((2, 3), (Fraction(1), Fraction(500))):
        found = balanced_conclusion(16, 3, (1, 2, 4), 8, size, eta_ov=eta)
        assert (found.holds_seen, found.holds_heldout) == accuracy(table, 8, size, None, eta, Fraction(1), False)


def test_sharp_threshold_is_the_first_that_holds() -> None:
    """O(1) thresholds against deciding every M_ft; the condition is monotone except that M_ft = M needs no held-out."""
    decided = []
    for total, types, values, size in product((1, 4, 12, 30), (1, 2, 3), (1, 2, 3, 5), (1, 2, 4, 9)):
        if values <= total:
            holds = [balanced_conclusion(total, types, values, k, size).holds for k in range(values, total + 1)]
            first = values + holds.index(True) if any(holds) else None
            assert sharp_M_ft(total, types, values, size) == first
            decided.append(first)
    assert None in decided and len(set(decided)) > 5
    assert sharp_M_ft(3, 2, 4, 3) is None
    assert sharp_M_ft(60, 2, (2, 6), 4) is not None
    eta = Fraction(3)
    holds = [balanced_conclusion(12, 2, 2, k, 3, 6, eta, eta).holds for k in range(2, 13)]
    assert sharp_M_ft(12, 2, 2, 3, window=6, eta_ov=eta, eta_kq_rel=eta) == 2 + holds.index(True)


def test_conclusion_at_the_threshold_is_sharp() -> None:
    threshold = sharp_M_ft(256, 8, 32, 6)
    assert threshold == 235
    below, at = (balanced_conclusion(256, 8, 32, k, 6) for k in (threshold - 1, threshold))
    assert not below.holds and at.holds
    assert below.binding is not None and below.binding.difference < 0
    assert at.binding is not None and at.binding.difference >= 0


def test_sharp_polynomials_have_the_sign_of_the_score_differences() -> None:
    condition = sharp_condition()
    for subjects, values, types, size in product((4, 9, 40), (2, 4), (2, 5), (2, 6)):
        scores = balanced_conclusion(100, types, values, subjects, size).scores
        point = {M_ft: subjects, U: values, L: types, m: size}
        for name, polynomial in (
            ("query_seen", condition.seen),
            ("query_heldout", condition.heldout),
            ("context", condition.context),
            ("sep", condition.sep),
        ):
            difference = scores["attribute"] - scores[name]
            value = evaluate(polynomial, point)
            assert (difference > 0) == (value > 0) and (difference == 0) == (value == 0)


def test_literal_reading_needs_a_minimal_step() -> None:
    """Attention on attributes: eta_ov n_a / (U^2 w L) > M/U - 1."""
    found = balanced_conclusion(256, 8, 32, 250, 6, reading="literal")
    assert found.eta_ov_above == Fraction(17 * 8 * 7 * 32**2, 5)
    assert found.eta_ov_below is None
    at = balanced_conclusion(256, 8, 32, 250, 6, eta_ov=found.eta_ov_above, reading="literal")
    above = balanced_conclusion(256, 8, 32, 250, 6, eta_ov=found.eta_ov_above + 1, reading="literal")
    assert not at.holds and above.holds


def test_parameters_out_of_range() -> None:
    for arguments, message in [
        ((8, 2, 4, 3, 3), "M_ft = 3: valid are 4 to 8"),
        ((8, 2, 2, 9, 3), "M_ft = 9"),
        ((8, 2, (2, 2, 2), 4, 3), "one entry per type"),
        ((8, 2, 0, 4, 3), "at least one value"),
        ((8, 2, 2, 4, 0), "m = 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            balanced_conclusion(*arguments)
    with pytest.raises(ValueError, match="eta_ov and eta_kq_rel"):
        balanced_conclusion(8, 2, 2, 4, 3, window=4)
    with pytest.raises(ValueError, match="reading = 'both'"):
        balanced_conclusion(8, 2, 2, 4, 3, reading="both")
    with pytest.raises(ValueError, match="eta_ov = 0"):
        balanced_conclusion(8, 2, 2, 4, 3, eta_ov=Fraction(0))


def test_bound_on_the_step_is_exact() -> None:
    """One type, held-out query, context subjects attended: right exactly for eta_ov below the derived bound."""
    bounded = 0
    for values, types, copies, finetuning, size in FULL:
        table = grid(values, types, copies)
        bound = balanced_conclusion(len(table), types, values, finetuning, size).eta_ov_below
        if bound is not None:
            bounded += 1
            for eta, right in ((bound * Fraction(999, 1000), True), (bound, False)):
                assert accuracy(table, finetuning, size, None, eta, Fraction(1), False) == (True, right)
    assert bounded >= 2
