"""Trivial predictors against a count over every type, query and context."""

import itertools

import numpy as np
import pytest

from numerics.corpus import CorpusConfig
from verify.findings.baselines import PREDICTORS, trivial
from verify.findings.rules import GUESSED_TYPE, WITHOUT_FACTS


def counted(table, pool, contexts, n_demos):
    """copy and lookup over every type, query and tuple of context subjects; lookup falls back on the commonest value."""
    L = table.shape[1]
    copies = lookups = total = 0
    for ell in range(L):
        values = table[list(pool), ell].tolist()
        common = max(values, key=values.count)
        for query, context in itertools.product(pool, itertools.product(contexts, repeat=n_demos)):
            total += 1
            copies += table[context[-1], ell] == table[query, ell]
            lookups += True if query in context else table[query, ell] == common
    return copies / total, lookups / total


@pytest.mark.parametrize(("pool", "contexts"), [((0, 1, 2), (0, 1, 2)), ((3, 4, 5), (0, 1, 2)), ((4, 5), range(6))])
def test_counts(pool, contexts):
    corpus = CorpusConfig(M=6, L=2, U=(3, 2), M_ft=3, G=3, div=None).build()
    found = trivial(corpus.attribute_token, corpus.V, pool, contexts, 2)
    assert tuple(found) == PREDICTORS == (*WITHOUT_FACTS, GUESSED_TYPE)
    copies, lookups = counted(np.asarray(corpus.attribute_token), tuple(pool), tuple(contexts), 2)
    assert found["copy"] == pytest.approx(copies)
    assert found["type_guessed"] == 0.5
    assert found["chance"] == 1 / corpus.V
    if len(set(corpus.attribute_token[list(pool), 0])) == len(pool) and set(pool) == set(contexts):
        assert found["lookup"] == pytest.approx(lookups)
    assert found["type_known"] <= found["lookup"] <= 1


def test_lookup_where_values_are_unique():
    table = np.array([[3, 6], [4, 7], [5, 8]])
    found = trivial(table, 12, (0, 1, 2), (0, 1, 2), 2)
    repeated = 1 - (2 / 3) ** 2
    assert found["lookup"] == pytest.approx(repeated + (1 - repeated) / 3)
    assert found["majority"] == pytest.approx(1 / 6)
    assert found["type_known"] == pytest.approx(1 / 3)
    assert trivial(table, 12, (0,), (1, 2), 5)["lookup"] == pytest.approx(1.0)


def test_the_commonest_value_is_guessed():
    # Of type 0 two of three have 3, of type 1 three of three 5; over both types 5 is the commonest.
    found = trivial(np.array([[3, 5], [3, 5], [4, 5], [4, 6]]), 9, (0, 1, 2), (3,), 2)
    assert found["type_known"] == pytest.approx((2 + 3) / 6)
    assert found["majority"] == pytest.approx(3 / 6)
    assert found["copy"] == pytest.approx(1 / 6)
    assert found["lookup"] == found["type_known"]


def test_empty_pools():
    with pytest.raises(ValueError, match="pool and contexts must have a subject each, got 0 and 1"):
        trivial(np.array([[1]]), 3, (), (0,), 1)
