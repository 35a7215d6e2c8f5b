import numpy as np
import pytest

from numerics.corpus import Corpus, CorpusConfig
from numerics.pretraining.chains import distances
from numerics.world import World

WORLD = World([[5, 0], [7, 0], [9, 1]], [2, 0], 2)
CHAINS = [[[0.5, 0.5], [1, 0]], [[0.25, 0.75], [0.25, 0.75]]]
CORPUS = Corpus(WORLD, CHAINS, [[1, 0], [0, 1]])


def test_vocabulary():
    # Subjects 0..2, values of type 0 (5, 7, 9) 3..5, of type 1 (0, 1) 6..7, grammar 8..9, [sep] 10; no relation tokens.
    assert CORPUS.attribute_token.tolist() == [[3, 6], [4, 6], [5, 7]]
    assert (CORPUS.M, CORPUS.L, CORPUS.A, CORPUS.G) == (3, 2, 5, 2)
    assert (CORPUS.first_grammar, CORPUS.sep, CORPUS.V) == (8, 10, 11)
    assert CORPUS.type_of_token.tolist() == [-1] * 3 + [0] * 3 + [1] * 2 + [-1] * 3


def test_div_in_the_readings_by_hand():
    # Differences .25 .25 in the first row, .75 .75 in the second.
    found = {norm: CORPUS.div(norm) for norm in ("entries", "rows", "variation", "operator", "max_row")}
    assert found == {"entries": 2.0, "rows": 1.0, "variation": 0.5, "operator": 1.0, "max_row": 1.5}


def test_other_finetuning_subjects():
    other = CORPUS.finetuned_on(np.array([1]))
    assert other.world.finetune == (1,) and CORPUS.world.finetune == (2, 0)
    assert (other.world.table == WORLD.table).all() and (other.transitions == CORPUS.transitions).all()
    assert (other.grammar_only == CORPUS.grammar_only).all()


def test_arrays_are_read_only_copies():
    given = np.array(CHAINS)
    corpus = Corpus(WORLD, given, np.eye(2))
    given[0] = 0
    assert corpus.transitions[0, 1, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        corpus.transitions[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("chains", "generic", "message"),
    [
        (CHAINS[0], np.eye(2), r"transitions must be \(L, G, G\), got shape \(2, 2\)"),
        ([CHAINS[0]], np.eye(2), r"transitions must be \(L, G, G\) = \(2, 2, 2\) as in the world, got \(1, 2, 2\)"),
        (CHAINS, np.eye(3), r"grammar_only must be \(G, G\) = \(2, 2\) as in the world, got shape \(3, 3\)"),
        ([CHAINS[0], [[0.5, 0.4], [1, 0]]], np.eye(2), r"transitions must have rows of prob.* got \[0\.5, 0\.4\]"),
        (CHAINS, [[2, -1], [0, 1]], r"grammar_only must have rows of prob.* got \[2\.0, -1\.0\]"),
        (CHAINS, [[np.nan, 1], [0, 1]], r"grammar_only must have rows of prob.* got \[nan, 1\.0\]"),
    ],
)
def test_unusable_chains(chains, generic, message):
    with pytest.raises(ValueError, match=message):
        Corpus(WORLD, chains, generic)


SMALL = {"M": 12, "L": 3, "U": (12, 4, 3), "G": 3, "div": 0.3, "pool": 60}


def test_a_balanced_corpus():
    corpus = CorpusConfig(**SMALL, seed=3).build()
    table = corpus.world.table
    assert [np.bincount(table[:, l]).tolist() for l in range(3)] == [[1] * 12, [3] * 4, [4] * 3]
    assert corpus.world.finetune == tuple(range(6)) and corpus.V == 12 + 19 + 3 + 1
    assert not (table[:, 0] == np.arange(12)).all()


def test_the_seed_decides_facts_and_chains_and_M_ft_only_the_finetuning_subjects():
    one, same, fewer = (CorpusConfig(**SMALL, M_ft=m).build() for m in (6, 6, 2))
    other = CorpusConfig(**SMALL, M_ft=6, seed=1).build()
    for corpus in (same, fewer):
        assert (one.world.table == corpus.world.table).all()
        assert (one.transitions == corpus.transitions).all() and (one.grammar_only == corpus.grammar_only).all()
    assert fewer.world.finetune == (0, 1)
    assert (one.world.table != other.world.table).any() and (one.transitions != other.transitions).any()
    assert (one.grammar_only != other.grammar_only).any()
    # The generic chain is none of the types'.
    assert distances(one.grammar_only, one.transitions).min() > 0.01


@pytest.mark.parametrize("div", [0.2, 0.3, 0.5])
def test_requested_div_at_the_size_of_the_paper(div):
    for seed in range(2):
        assert CorpusConfig(div=div, seed=seed).build().div() == pytest.approx(div, rel=0.01)


def test_div_of_other_norms_and_without_selection():
    # The l1 norm of a row difference is twice its total variation.
    rows = CorpusConfig(div=0.6, norm="rows").build()
    assert rows.div("rows") == pytest.approx(0.6, rel=0.01) and rows.div() == pytest.approx(rows.div("rows") / 2)
    free = [CorpusConfig(div=None, seed=s, alpha=1.0).build() for s in range(3)]
    assert len({corpus.div() for corpus in free}) == 3
    assert CorpusConfig(M=4, L=1, U=2, div=None).build().transitions.shape == (1, 4, 4)


def test_config_is_normalised():
    assert CorpusConfig(M=4, L=2, U=2, div=1) == CorpusConfig(M=4, L=2, U=[2, 2], M_ft=2, div=1.0)
    assert CorpusConfig().U == (256,) + (32,) * 7 and CorpusConfig().M_ft == 128
    assert hash(CorpusConfig(M=4, L=2, U=[2, 2])) == hash(CorpusConfig(M=4, L=2, U=2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"M": 0}, "M must be an integer >= 1, got 0"),
        ({"U": (2, 2)}, r"U must be an integer or one integer per type \(L = 8\), got \(2, 2\)"),
        ({"U": 3}, "U must divide M = 256 in a balanced corpus, got 3"),
        ({"U": 0}, "U must be an integer >= 1, got 0"),
        ({"M_ft": 257}, r"M_ft must be an integer in 1\.\.256"),
        ({"G": 0}, "G must be an integer >= 1, got 0"),
        ({"alpha": 0}, "alpha must be a positive number, got 0"),
        ({"div": -0.1}, r"div must be a positive number, got -0\.1"),
        ({"L": 1, "U": 2}, r"div must be None when L = 1 < 2, got 0\.5"),
        ({"norm": "l1"}, "norm must be one of 'entries', .*, got 'l1'"),
        ({"pool": 7}, "pool must be an integer >= 8, got 7"),
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"assignment": "x"}, "assignment must be one of 'balanced', 'random', got 'x'"),
    ],
)
def test_unusable_config(given, message):
    with pytest.raises(ValueError, match=message):
        CorpusConfig(**given)


def test_random_assignment_takes_any_number_of_values():
    corpus = CorpusConfig(M=10, L=2, U=3, div=0.3, assignment="random").build()
    assert corpus.world.table.max() <= 2 and corpus.world.table.shape == (10, 2)
