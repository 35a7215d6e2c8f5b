"""The verdict and every condition against all sequences of tiny worlds."""

from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.theory.finetuning.tables.population import margins
from theory.finetuning import hat_gradients
from theory.finetuning.conclusion import balanced_conclusion
from theory.finetuning.tables import Outcome, diagnose
from theory.finetuning.tables.forward import predict
from theory.finetuning.tables.scores import Steps, table_scores
from theory.finetuning.tables.search import counterexample
from theory.frequencies import Frequencies

ONE = Fraction(1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[list[int]], list[int], int, tuple[Fraction, Fraction, Fraction], str]:
    m = draw(st.integers(2, 4))
    L = draw(st.integers(1, 3))
    M = draw(st.integers(2, 5 if m < 4 else 4))
    U = draw(st.integers(1, 3))
    table = draw(st.lists(st.lists(st.integers(0, U - 1), min_size=L, max_size=L), min_size=M, max_size=M))
    finetune = draw(st.lists(st.integers(0, M - 1), min_size=1, max_size=M, unique=True))
    pool = draw(st.sampled_from(["seen", "heldout"])) if len(finetune) < M else "seen"
    sizes = st.sampled_from([Fraction(1, 3), ONE, Fraction(40), Fraction(1000)])
    return table, finetune, m, (draw(sizes), draw(sizes), draw(sizes)), pool


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_verdict_and_conditions_are_those_of_all_sequences(world):
    table, finetune, m, steps, pool = world
    everything = list(margins(table, finetune, m, steps, pool))
    found = diagnose(Frequencies.from_table(table, finetune), m, *steps, pool)
    right = all(margin > 0 for _, margin, _, _ in everything)
    assert found.holds == right
    truth = {sequence: margin for sequence, margin, _, _ in everything}
    for prediction in (c.prediction for c in found.conditions):
        s = prediction.sequence
        assert prediction.margin == truth[s.kind, s.contexts, s.query]
    holds = {c.name: c.holds for c in found.conditions}
    assert (holds["query over context"] and holds["query over others"]) == all(alone for *_, alone, _ in everything)
    relation = [holds[f"attribute over {rival}"] for rival in ("query", "context", "sep")]
    assert all(relation) == all(only for *_, only in everything)
    assert holds["attribute over sep"]
    assert pool == "heldout" or holds["attribute over context"] or not holds["attribute over query"]
    if not found.holds:
        assert found.counterexample.outcome == (Outcome.TIED if found.counterexample.margin == 0 else Outcome.WRONG)
        s = found.counterexample.sequence
        assert truth[s.kind, s.contexts, s.query] == found.counterexample.margin <= 0
    event(f"holds {found.holds}, all conditions {not found.failing}")


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_complete_search_agrees_with_all_sequences(world):
    table, finetune, m, steps, pool = world
    scores = table_scores(Frequencies.from_table(table, finetune), Steps(m, *steps), pool)
    right = all(margin > 0 for _, margin, _, _ in margins(table, finetune, m, steps, pool))
    assert (counterexample(scores) is None) == right
    event(f"right {right}")


@pytest.mark.parametrize(("L", "U", "m"), [(1, 3, 4), (2, 2, 2), (2, 2, 3), (2, 3, 4), (3, 2, 6)])
def test_balanced_tables_have_the_balanced_conclusion(L, U, m):
    cells = [[k // U**l % U for l in range(L)] for k in range(U**L)]
    for copies in (1, 2, 3):
        F = cells * copies
        for spare in ([], cells):
            table = F + spare
            for pool in ("seen", "heldout") if spare else ("seen",):
                found = diagnose(Frequencies.from_table(table, range(len(F))), m, ONE, ONE, ONE, pool)
                expected = balanced_conclusion(len(table), L, U, len(F), m, eta_ov=ONE)
                assert found.holds == (expected.holds_seen if pool == "seen" else expected.holds_heldout)


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(1, 3))
def test_critical_M_ft_is_where_copies_of_the_subjects_repair_it(world, copies):
    table, finetune, m, steps, pool = world
    original = diagnose(Frequencies.from_table(table, finetune), m, *steps, pool)
    held = [row for j, row in enumerate(table) if j not in finetune]
    grown = [table[j] for j in finetune] * copies + held
    many = diagnose(Frequencies.from_table(grown, range(copies * len(finetune))), m, *steps, pool)
    for before, after in zip(original.conditions, many.conditions, strict=True):
        assert before.critical_M_ft == after.critical_M_ft
        if before.critical_M_ft is not None and after.M_ft >= before.critical_M_ft:
            assert after.holds
        if after.critical_M_ft is not None and after.M_ft == after.critical_M_ft - 1:
            assert not after.holds
    first = original.first.critical_M_ft
    assert first is None or all(c.critical_M_ft is not None and c.critical_M_ft <= first for c in original.conditions)


def test_gradients_and_frequencies_are_accepted_alike():
    table = [[0, 0], [1, 0], [0, 1], [1, 1], [0, 0]]
    frequencies = Frequencies.from_table(table, range(4))
    gradients = hat_gradients(frequencies, 3, None, ONE)
    assert diagnose(gradients, 3, ONE, ONE, ONE, "seen") == diagnose(frequencies, 3, ONE, ONE, ONE, "seen")
    with pytest.raises(ValueError, match="valid are m = 4 and all 11"):
        diagnose(gradients, 4, ONE, ONE, ONE, "seen")
    with pytest.raises(ValueError, match="window = 3"):
        diagnose(hat_gradients(frequencies, 3, 3, ONE), 3, ONE, ONE, ONE, "seen")


def test_a_failed_condition_need_not_be_a_wrong_prediction():
    """L = 1: a seen query that is attended alone still gives its own value, which is the target."""
    found = diagnose(Frequencies.from_table([[0], [1], [2]], range(3)), 4, ONE, ONE, ONE, "seen")
    assert [c.name for c in found.failing] == ["attribute over query", "attribute over context"]
    assert found.holds and found.counterexample is None


def test_no_amount_of_data_repairs_a_rare_value_for_large_m():
    """Leading order: L w P_2^2 + (m-1) P_2 f ((3m-2) f - (m-2) P_2) < 0 at the rare value, for L = 1 and m large."""
    rows = [[0]] * 7 + [[1]]
    few, many = (diagnose(Frequencies.from_table(rows, range(8)), m, ONE, ONE, ONE, "seen") for m in (6, 200))
    query = {
        name: next(c for c in d.conditions if c.name == "attribute over query")
        for name, d in (("few", few), ("many", many))
    }
    assert query["few"].critical_M_ft is not None
    assert query["many"].critical_M_ft is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, ONE, ONE, ONE, "seen"), "m = 1: valid are integers >= 2"),
        ((3, -ONE, ONE, ONE, "seen"), "eta_ov = -1: valid are rationals > 0"),
        ((3, ONE, 0 * ONE, ONE, "seen"), "eta_kq_subj = 0: valid are rationals > 0"),
        ((3, ONE, ONE, ONE, "all"), "pool = 'all': valid are"),
        ((3, ONE, ONE, ONE, "heldout"), "pool = 'heldout': there is no such subject"),
    ],
)
def test_bad_input_names_the_parameter(arguments, message):
    with pytest.raises(ValueError, match=message):
        diagnose(Frequencies.from_table([[0], [1]], range(2)), *arguments)


def test_a_sequence_of_another_length_is_refused():
    scores = table_scores(Frequencies.from_table([[0], [1]], range(2)), Steps(3, ONE, ONE, ONE), "seen")
    found = diagnose(Frequencies.from_table([[0], [1]], range(2)), 2, ONE, ONE, ONE, "seen").conditions[0].sequence
    with pytest.raises(ValueError, match="valid are m - 1 = 2 subjects"):
        predict(scores, found)
