"""Derived hat gradients against enumeration of every sequence, entry by entry."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.finetuning import enumeration
from theory.finetuning import HatGradients, hat_gradients
from theory.finetuning.sequence import Reading
from theory.finetuning.subject_head import kq_subj_derivation, sequence_gradient
from theory.frequencies import Frequencies
from theory.onehot.printing import tensor_latex

BALANCED = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 2, 3])
SKEWED = ([[0, 5], [0, 7], [0, 5], [2, 7], [3, 9]], [0, 1, 2, 3])
ONE_TYPE = ([[1], [2], [1], [4]], [0, 1, 2])
THREE_VALUES = ([[0, 0], [1, 1], [2, 1]], [0, 1, 2])
CONSTANT = ([[0, 3], [0, 4], [0, 3]], [0, 1, 2])
WORLDS = [BALANCED, SKEWED, ONE_TYPE, THREE_VALUES, CONSTANT]
ETA = Fraction(3, 7)


def directions(frequencies: Frequencies) -> list[tuple]:
    keys: list[tuple] = [("subject", j) for j in range(frequencies.M)]
    keys += [("attribute", kind, u) for kind, column in enumerate(frequencies.values) for u in range(len(column))]
    keys += [("relation", kind) for kind in range(frequencies.L)]
    return [*keys, ("grammar", 0), ("sep",)]


def compare(table: list[list[int]], finetune: list[int], m: int, window: int | None, derived: HatGradients) -> None:
    frequencies = derived.frequencies
    w = 3 * m - 1 if window is None else min(window, 3 * m - 1)
    tokens = directions(frequencies)
    columns = tokens + [("position", -i) for i in range(3 * m - 1)]
    subj = enumeration.kq_subj(table, finetune, m, literal=False)
    rel = enumeration.kq_rel(table, finetune, m, w, ETA)
    ov = enumeration.ov_rel(table, finetune, m, w)
    for key in columns:
        assert derived.kq_subj(key) == subj.get(key, 0), ("kq_subj", key)
        assert derived.kq_rel(key) == rel.get(key, 0), ("kq_rel", key)
    for output in tokens:
        for source in tokens:
            assert derived.ov_rel(output, source) == ov.get((output, source), 0), (output, source)


@pytest.mark.parametrize("window", [None, 1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize(("table", "finetune"), WORLDS)
def test_three_subjects(table: list[list[int]], finetune: list[int], window: int | None) -> None:
    frequencies = Frequencies.from_table(table, finetune)
    compare(table, finetune, 3, window, hat_gradients(frequencies, 3, window, ETA))


@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize(("table", "finetune"), WORLDS)
def test_fewer_subjects(table: list[list[int]], finetune: list[int], m: int) -> None:
    frequencies = Frequencies.from_table(table, finetune)
    compare(table, finetune, m, None, hat_gradients(frequencies, m, None, ETA))


@pytest.mark.parametrize("window", [6, 9, 11])
def test_four_subjects(window: int) -> None:
    """m = 4 is the first with a whole context triple outside the window beside one inside."""
    table, finetune = THREE_VALUES
    frequencies = Frequencies.from_table(table, finetune)
    compare(table, finetune, 4, window, hat_gradients(frequencies, 4, window, ETA))


@settings(max_examples=12, deadline=None)
@given(
    table=st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), min_size=2, max_size=4),
    skipped=st.integers(0, 3),
    m=st.integers(2, 3),
    window=st.integers(1, 8),
)
def test_any_table(table: list[list[int]], skipped: int, m: int, window: int) -> None:
    finetune = [j for j in range(len(table)) if j != skipped]
    frequencies = Frequencies.from_table(table, finetune)
    compare(table, finetune, m, window, hat_gradients(frequencies, m, window, ETA))


def test_multiplicity_cancels() -> None:
    """Both readings of W_OV^subj have one hat gradient: N_u is gone before any expectation is taken."""
    assert kq_subj_derivation(Reading.SET).coefficients == kq_subj_derivation(Reading.LITERAL).coefficients
    assert tensor_latex(sequence_gradient(Reading.LITERAL)) == tensor_latex(sequence_gradient(Reading.SET))
    for table, finetune in WORLDS:
        assert enumeration.kq_subj(table, finetune, 2, True) == enumeration.kq_subj(table, finetune, 2, False)


def test_unknown_directions_are_refused() -> None:
    derived = hat_gradients(Frequencies.from_table(*BALANCED), 2, None, ETA)
    for key in [("subject", 4), ("subject", -1), ("attribute", 2, 0), ("attribute", 0, 2), ("token", 1), ("sep", 0)]:
        with pytest.raises(ValueError, match="direction"):
            derived.kq_rel(key)
    with pytest.raises(ValueError, match="position"):
        derived.kq_subj(("position", -5))
    with pytest.raises(ValueError, match="token directions only"):
        derived.ov_rel(("attribute", 0, 0), ("position", 0))
    with pytest.raises(ValueError, match="window = 0"):
        hat_gradients(derived.frequencies, 2, 0, ETA)
