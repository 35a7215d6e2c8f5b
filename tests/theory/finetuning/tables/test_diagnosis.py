"""The verdict and every condition against all sequences of tiny worlds."""

from fractions import Fraction
from itertools import combinations_with_replacement
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.theory.finetuning.tables.population import margins
from theory import symbols
from theory.finetuning import hat_gradients
from theory.finetuning.conclusion import balanced_conclusion, sharp_condition
from theory.finetuning.tables import Outcome, diagnose
from theory.finetuning.tables.forward import Sequence, first_failure, predict
from theory.finetuning.tables.scores import Steps, table_scores
from theory.finetuning.tables.search import _least_margin, _Numbers, _worst, counterexample
from theory.frequencies import Frequencies

ONE = Fraction(1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[list[int]], list[int], int, tuple[Fraction, Fraction, Fraction], str]:
    """Uniform over tables rather than hypothesis' own choice, which is mostly constant tables and single subjects."""
    random = Random(draw(st.integers(0, 10**9)))
    m, L = random.choice([2, 3, 3, 4]), random.choice([1, 2, 2, 3])
    M = random.randint(3, 6 if m < 4 else 4)
    table = [[random.randrange(random.choice([2, 3, U])) for _ in range(L)] for U in [random.choice([1, 2, 4])] * M]
    finetune = sorted(random.sample(range(M), random.choice([M, M - 1, M - 1, random.randint(1, M)])))
    pool = random.choice(["seen", "heldout"]) if len(finetune) < M else "seen"
    eta_ov, eta_subj, eta_rel = (random.choice([Fraction(1, 3), ONE, Fraction(60), Fraction(3000)]) for _ in range(3))
    return table, finetune, m, (eta_ov, eta_subj, eta_rel), pool


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_verdict_and_conditions_are_those_of_all_sequences(world):
    compare(*world)


@pytest.mark.long
@settings(max_examples=2000, deadline=None)
@given(worlds())
def test_verdict_and_conditions_are_those_of_all_sequences_of_many_worlds(world):
    compare(*world)


def compare(table, finetune, m, steps, pool):
    everything = list(margins(table, finetune, m, steps, pool))
    found = diagnose(Frequencies.from_table(table, finetune), m, *steps, pool)
    right = all(margin > 0 for _, margin, _, _ in everything)
    assert found.holds == right
    searched = counterexample(table_scores(Frequencies.from_table(table, finetune), Steps(m, *steps), pool))
    assert (searched is None) == right
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


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_critical_M_ft_is_the_last_failure_plus_one(world):
    """Every tuple of tokens tried at the threshold, just below it and at larger M_ft, frequencies as they are."""
    table, finetune, m, steps, pool = world
    frequencies = Frequencies.from_table(table, finetune)
    scores = table_scores(frequencies, Steps(m, *steps), pool)
    conditions = {c.name: c for c in diagnose(frequencies, m, *steps, pool).conditions}
    present = {(l, u) for j in finetune for l, u in enumerate(frequencies.subjects[j])}

    def slack(name, M_ft):
        attribute = {key: scores.attributes[key[0]][key[1]].at(M_ft) for key in present}
        if name == "query over context":
            return min(q.at(M_ft) for q in scores.subj_queries.values()) - max(
                c.at(M_ft) for c in scores.subj_contexts.values()
            )
        if name == "query over others":
            return min(q.at(M_ft) for q in scores.subj_queries.values())
        if name == "attribute over query":
            return min(attribute.values()) - max(q.at(M_ft) for q in scores.queries.values())
        pairs = [(j, (l, u)) for j in finetune for l, u in enumerate(frequencies.subjects[j])]
        return min(attribute[key] - scores.contexts[j].at(M_ft) for j, key in pairs)

    for name in ("query over context", "query over others", "attribute over query", "attribute over context"):
        threshold = conditions[name].critical_M_ft
        assert conditions[name].slack == slack(name, len(finetune))
        event(f"{name}: {'none' if threshold is None else 'one' if threshold == 1 else 'more'}")
        if threshold is None:
            assert slack(name, 10**9) <= 0
            continue
        assert all(slack(name, M_ft) > 0 for M_ft in (threshold, threshold + 1, 2 * threshold + 3, 10**9))
        assert threshold == 1 or slack(name, threshold - 1) <= 0


@pytest.mark.parametrize(("L", "U", "m"), [(2, 2, 3), (2, 3, 4), (3, 2, 6)])
def test_balanced_critical_M_ft_is_the_sharp_threshold(L, U, m):
    cells = [[k // U**l % U for l in range(L)] for k in range(U**L)]
    frequencies = Frequencies.from_table(cells * 2, range(len(cells)))
    for pool, polynomial in (("seen", sharp_condition().seen), ("heldout", sharp_condition().heldout)):
        found = diagnose(frequencies, m, ONE, ONE, ONE, pool)
        (critical,) = (c.critical_M_ft for c in found.conditions if c.name == "attribute over query")
        value = {
            n: polynomial.subs({symbols.L: L, symbols.U: U, symbols.m: m, symbols.M_ft: n})
            for n in (critical - 1, critical)
        }
        assert critical > 1 and value[critical - 1] <= 0 < value[critical]


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


def test_a_large_step_takes_the_subject_head_off_a_rare_query():
    """(m-2)/M_ft (P_2 - f_q) > 1 - P_2: the rare query's score falls with the step, below the 0 of attributes and [sep]."""
    frequencies = Frequencies.from_table([[0]] * 7 + [[1]], range(8))
    small, large = (diagnose(frequencies, 6, ONE, eta, ONE, "seen") for eta in (ONE, Fraction(1000)))
    others = [next(c for c in d.conditions if c.name == "query over others") for d in (small, large)]
    assert [c.holds for c in others] == [True, False]
    assert ("subject", 5) not in others[1].prediction.subj


@pytest.mark.parametrize(
    ("rows", "m"), [([[0]] * 7 + [[1]], 6), ([[0, 0]] * 7 + [[1, 0]], 6), ([[0]] * 12 + [[1], [2]], 9)]
)
def test_complete_search_where_the_subject_head_ties_or_fails(rows, m):
    """Worlds too large to enumerate densely: every choice of context values, by the forward pass that the other tests check.

    The step takes the rarest query's score above, exactly to, and below the 0 of attributes and [sep].
    """
    frequencies = Frequencies.from_table(rows, range(len(rows)))
    drop = ONE - table_scores(frequencies, Steps(m, ONE, ONE, ONE), "seen").subj_queries[len(rows) - 1].at(len(rows))
    assert drop > 0
    classes = [rows.index(row) for row in rows if rows.count(row) == 1] + [0]
    for eta_subj in (ONE / drop / 2, ONE / drop, ONE / drop * 2):
        for eta_ov in (ONE, Fraction(4), Fraction(30), Fraction(100), Fraction(1000)):
            scores = table_scores(frequencies, Steps(m, eta_ov, eta_subj, ONE), "seen")
            chosen = [
                Sequence(l, contexts, q)
                for l in range(frequencies.L)
                for contexts in combinations_with_replacement(classes, m - 1)
                for q in classes
            ]
            assert (counterexample(scores) is None) == (first_failure(scores, chosen) is None)
            numbers = _Numbers(scores)  # the dynamic programme by itself, without the sequences that are tried first
            for l, q in {(s.kind, s.query) for s in chosen}:
                alone = [s for s in chosen if (s.kind, s.query) == (l, q)]
                assert (_worst(numbers, l, q) is None) == (first_failure(scores, alone) is None)


def test_a_query_that_ties_with_every_attribute_and_sep_has_its_column_divided_by_their_number():
    """The least margin among sequences whose subject head attends score 0, where the divisor 2 m decides its size."""
    rows, m, step = [[0]] * 7 + [[1]], 6, Fraction(29, 10)
    frequencies = Frequencies.from_table(rows, range(8))
    drop = ONE - table_scores(frequencies, Steps(m, ONE, ONE, ONE), "seen").subj_queries[7].at(8)
    scores = table_scores(frequencies, Steps(m, step, ONE / drop, ONE), "seen")
    found = predict(scores, Sequence(0, (7,) * (m - 1), 7))
    assert len(found.subj) == 2 * m and found.margin > 0 and found.rival == (0, 0)
    numbers = _Numbers(scores)
    tops = {
        *(a for column in numbers.attributes for a in column),
        *numbers.rel_context.values(),
        numbers.rel_query[7],
        numbers.sep,
    }
    margins = (_least_margin(numbers, 0, 7, (0, 0), Fraction(0), top) for top in tops if top >= numbers.rel_query[7])
    assert min(m for m in margins if m is not None) == (found.margin, (7,) * 5)


def test_no_amount_of_data_repairs_a_rare_value_for_large_m():
    """Leading order: L w P_2^2 + (m-1) P_2 f ((3m-2) f - (m-2) P_2) < 0 at the rare value, for L = 1 and m large."""
    rows = [[0]] * 7 + [[1]]
    few, many = (diagnose(Frequencies.from_table(rows, range(8)), m, ONE, ONE, ONE, "seen") for m in (6, 60))
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
