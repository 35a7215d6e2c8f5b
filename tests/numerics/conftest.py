"""Random small worlds for the tests of this room."""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.world import World


@st.composite
def _small_worlds(draw, most_finetune: int = 5) -> World:
    """Any table: unbalanced, values only outside the finetuning subjects, U_l = 1, M_ft = 1, G = 0, F in any order."""
    M, L = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    table = draw(st.lists(st.lists(st.integers(-1, 1), min_size=L, max_size=L), min_size=M, max_size=M))
    finetune = draw(st.permutations(range(M)))[: draw(st.integers(1, min(M, most_finetune)))]
    return World(np.array(table), finetune, draw(st.integers(0, 2)))


@pytest.fixture(scope="session")
def small_worlds() -> st.SearchStrategy[World]:
    return _small_worlds()


@pytest.fixture(scope="session")
def windows() -> st.SearchStrategy[int | None]:
    """All positions, windows that cut inside a (subject, sep, attribute) triple, and windows beyond T."""
    return st.one_of(st.none(), st.integers(1, 12))
