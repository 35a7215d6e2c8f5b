"""Every entry of the three true gradients against the enumeration of all sequences, to 25 digits."""

from fractions import Fraction

import mpmath
import pytest
from mpmath import mpf

from tests.theory.finetuning.product.population import gradients, world
from theory.finetuning import balanced_coefficients
from theory.finetuning.product import ProductTable, product_gradients
from theory.finetuning.product.coincidence import blocks, draws, placings, totals
from theory.finetuning.window import position_class
from theory.onehot.classes import DirectionClass
from theory.rational import evaluate
from theory.symbols import L, M_ft, U, eta_ov, m

CASES = [
    ((2, 2), 4, 11, 2, 5, "set"),
    ((2, 2), 8, 15, 3, 8, "literal"),
    ((2, 2, 2), 8, 20, 2, 5, "literal"),
    ((3, 2), 6, 14, 2, 5, "set"),
    ((3, 2), 12, 22, 2, 4, "literal"),
    ((3, 1), 6, 14, 3, 7, "set"),
    ((3,), 3, 9, 3, 6, "set"),
    ((2, 2), 4, 12, 3, 1, "set"),
    ((2, 3), 12, 20, 2, 2, "literal"),
]


@pytest.mark.parametrize(("values", "M", "V", "subjects", "w", "reading"), CASES)
def test_every_entry(values, M, V, subjects, w, reading):
    compare(values, M, V, subjects, w, reading)


@pytest.mark.long
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_every_entry_three_types_three_subjects(reading):
    compare((2, 2, 2), 8, 20, 3, 8, reading)


def compare(values, M, V, subjects, w, reading):
    step = Fraction(3)
    with mpmath.workdps(45):
        kq_subj, ov_rel, kq_rel = gradients(values, M, V, subjects, w, reading, mpf(3))
        found = product_gradients(ProductTable(values, M, V, reading), subjects, w, step, digits=30)
        table, F, _ = world(values, M, V)
        scale = max(abs(x) for x in (*ov_rel.values(), *kq_rel.values())) or 1
        checked = 0

        def same(left, right):
            nonlocal checked
            checked += 1
            assert abs(left - right) <= scale * mpf(10) ** -30, (left, right)

        for key, value in kq_subj.items():
            role = position_class(-key[1], subjects) if key[0] == "position" else None
            exact = {DirectionClass.P_QUERY: found.first.kq_query, DirectionClass.P_CONTEXT: found.first.kq_context}
            expected = exact.get(role, Fraction(0))
            same(value, mpf(expected.numerator) / expected.denominator)
        for (output, source), value in ov_rel.items():
            same(value, entry(found.first, output, source, table))
        for key, value in kq_rel.items():
            if key[0] == "attribute":
                expected = found.second.attributes[key[1]]
            elif key[0] == "position":
                expected = found.second.classes[position_class(-key[1], subjects)]
                if found.second.lone is not None and -key[1] == 3 * (w // 3) - 1:
                    expected = found.second.lone
            else:
                name = DirectionClass.SEP if key[0] == "sep" else DirectionClass.SUBJECT_SEEN
                expected = found.second.classes[name]
            same(value, expected)
        assert checked == len(kq_subj) + len(ov_rel) + len(kq_rel) > w
        assert all(("subject", j) in kq_subj for j in range(F))


def entry(first, output, source, table):
    columns = {"subject": first.subject, "sep": first.sep}
    column = first.attributes[source[1]] if source[0] == "attribute" else columns[source[0]]
    if output[0] != "attribute":
        return column.none
    _, l, u = output
    if source[0] == "attribute" and source[1] != l:
        return column.cross[l]
    own = {"subject": lambda: table[source[1]][l] == u, "attribute": lambda: source[2] == u, "sep": lambda: False}
    return (column.own if own[source[0]]() else column.other)[l]


def test_the_gradient_of_a_large_vocabulary_is_the_hat_gradient():
    """As V -> oo the softmax part is O(1/V) of the hat part in every entry of both steps, here to 12 digits."""
    values, subjects, size = (4, 4, 4), 4, 10**16
    point = {L: 3, U: 4, M_ft: 64, m: subjects, eta_ov: Fraction(1)}
    found = product_gradients(ProductTable(values, 64, size), subjects, None, Fraction(1))
    hat = {name: balanced_coefficients(name) for name in ("kq_subj", "kq_rel")}

    def at(name, role):
        expression = hat[name][role]
        return evaluate(expression, {s: v for s, v in point.items() if s in expression.free_symbols})

    assert found.first.kq_query == at("kq_subj", DirectionClass.P_QUERY)
    assert found.first.kq_context == at("kq_subj", DirectionClass.P_CONTEXT)
    for role, value in found.second.classes.items():
        assert abs(value / mpf(float(at("kq_rel", role))) - 1) < 1e-12
    assert abs(found.second.attributes[0] / mpf(float(at("kq_rel", DirectionClass.ATTRIBUTE))) - 1) < 1e-12


def test_the_softmax_sums_to_one_and_depends_on_the_digits_as_asked():
    table = ProductTable((8,) * 4, 4096 * 10, 10**6)
    few, many = (product_gradients(table, 6, digits=d) for d in (20, 60))
    means = many.first.means
    with mpmath.workdps(70):
        assert abs((table.V - table.A) * means.none + mpmath.fsum(means.mass) - 1) < mpf(10) ** -60
        assert abs(few.first.means.drawn[0] / means.drawn[0] - 1) < mpf(10) ** -20


def test_work_does_not_grow_with_the_table():
    small = len(totals(draws(5, 6), list(range(6)), 3))
    large = len(totals(draws(5, 10**6), list(range(6)), 3))
    assert small == large


@pytest.mark.parametrize(("n", "size"), [(0, 3), (4, 2), (5, 7), (3, 1), (0, 0)])
def test_block_probabilities_sum_to_one(n, size):
    assert sum(blocks(n, size).values()) == 1


@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_placings_are_a_distribution_of_all_values(size, extra):
    found = placings(3, extra, size)
    assert sum(found.values()) == 1
    for profile in found:
        assert sum(n for _, n in profile) == size
        assert sum(v.own * n for v, n in profile) == 1
        assert sum(v.subjects * n for v, n in profile) == 3
        assert sum(v.attributes * n for v, n in profile) == 3 + extra


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 4, 20), r"values = \(\): valid are one integer >= 1 per type"),
        (((2, 2), 3, 20), "M = 3: valid are integers >= M_ft = 4"),
        (((2, 2), 4, 10), "V = 10: valid are integers >= 11"),
        (((2, 2), 4, 20, "other"), "reading = 'other': valid are"),
        (((2, 2), 5, 20, "literal"), "M = 5: reading 'literal' needs a multiple of every U_l, not of 2"),
    ],
)
def test_bad_tables(arguments, message):
    with pytest.raises(ValueError, match=message):
        ProductTable(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1,), "m = 1: valid are integers >= 2"),
        ((3, 0), "window = 0: valid are"),
        ((3, None, Fraction(-1)), "eta_ov = -1: valid are rationals > 0"),
        ((3, None, None, 0), "digits = 0: valid are integers >= 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        product_gradients(ProductTable((2, 2), 4, 20), *arguments)
