"""The threshold of a polynomial in 1/M_ft, by trying every M_ft."""

from hypothesis import given
from hypothesis import strategies as st

from theory.finetuning.tables.quadratic import Quadratic, all_positive_from, least

NUMBERS = st.fractions(min_value=-3, max_value=3, max_denominator=4)
QUADRATICS = st.builds(Quadratic, NUMBERS, NUMBERS, NUMBERS)
FAR = 400  # beyond every root: |b| + |c| over the least |a| = 1/4 is at most 24, of b M + c at most 12


def tried(polynomials):
    positive = [all(p.at(M_ft) > 0 for p in polynomials) for M_ft in range(1, FAR)]
    if not positive[-1]:
        return None
    return max((M_ft + 1 for M_ft, ok in enumerate(positive, 1) if not ok), default=1)


@given(QUADRATICS)
def test_positive_from(polynomial):
    assert polynomial.positive_from() == tried([polynomial])


@given(st.lists(QUADRATICS, min_size=1, max_size=6))
def test_only_the_front_matters(polynomials):
    assert all_positive_from(polynomials) == tried(polynomials)
    for M_ft in (1, 2, 7, 100):
        assert min(p.at(M_ft) for p in polynomials) == min(p.at(M_ft) for p in least(polynomials))
