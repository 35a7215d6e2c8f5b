import pytest
import torch

from numerics.corpus import IGNORED, Corpus, CorpusConfig, ICLSampler, PTSampler
from numerics.corpus.grammar import composed
from numerics.world import World

CORPUS = CorpusConfig(M=8, L=3, U=(8, 4, 2), M_ft=5, G=3, div=0.3, pool=60).build()


def test_prefix_compositions_are_the_maps_one_after_another():
    maps = torch.randint(4, (7, 11, 4), generator=torch.Generator().manual_seed(0))
    state = torch.arange(4).expand(7, 4)
    scanned = composed(maps)
    for t in range(11):
        state = maps[:, t].gather(1, state)
        assert (scanned[:, t] == state).all()


def whole(batch):
    """The sequences as lists, the target included."""
    found = []
    for i, last in enumerate(batch.last.tolist()):
        assert (batch.following[i, last + 1 :] == IGNORED).all() and (batch.tokens[i, last + 1 :] == CORPUS.sep).all()
        assert (batch.following[i, :last] == batch.tokens[i, 1 : last + 1]).all()
        assert batch.following[i, last] == batch.targets[i]
        found.append([*batch.tokens[i, : last + 1].tolist(), int(batch.targets[i])])
    return found


def is_grammar(token):
    return CORPUS.first_grammar <= token < CORPUS.sep


def test_every_pt_sequence_is_one_of_the_definition():
    S, n_tr = 4, 3
    sampler = PTSampler(CORPUS, S, n_tr, 0.3, seed=1)
    batch = sampler.draw(300)
    assert batch.tokens.shape == batch.following.shape == (300, sampler.T) == (300, (S + 3) * n_tr - 2)
    assert {t.dtype for t in (batch.tokens, batch.following, batch.last, batch.targets, batch.types)} == {torch.int64}
    for i, row in enumerate(whole(batch)):
        j = int(batch.subjects[i])
        parts = [row[k * (S + 3) : (k + 1) * (S + 3)] for k in range(n_tr)]
        assert all(part[S + 2] == CORPUS.sep for part in parts[:-1])
        for k, part in enumerate(parts):
            generic = is_grammar(part[0])
            assert all(map(is_grammar, part[1 : S + 1]))
            if generic:
                assert is_grammar(part[S + 1])
            else:
                assert part[0] == j and part[S + 1] in CORPUS.attribute_token[j]
            if k == n_tr - 1:
                assert bool(batch.grammar_only[i]) == generic
                assert generic or part[S + 1] == CORPUS.attribute_token[j, batch.types[i]]
    assert 0 < batch.grammar_only.sum() < 300


@pytest.mark.parametrize("S_ft", [0, 2, (1, 3), (0, 1, 4)])
def test_every_icl_sequence_is_one_of_the_definition(S_ft):
    sampler = ICLSampler(CORPUS, 2, S_ft, "heldout", "finetune", seed=2)
    batch = sampler.draw(300)
    longest = max(S_ft) if isinstance(S_ft, tuple) else S_ft
    assert batch.tokens.shape == (300, sampler.T) == (300, (longest + 3) * 3 - 2) and not batch.grammar_only.any()
    lengths = set()
    for i, row in enumerate(whole(batch)):
        width = (len(row) + 1) // 3
        lengths.add(width - 3)
        l = int(batch.types[i])
        for k in range(3):
            part = row[k * width : (k + 1) * width]
            j = part[0]
            assert j in (CORPUS.world.finetune if k < 2 else CORPUS.world.heldout)
            assert all(map(is_grammar, part[1 : width - 2])) and part[width - 2] == CORPUS.attribute_token[j, l]
            assert part[width - 1 :] == ([CORPUS.sep] if k < 2 else [])
        assert j == batch.subjects[i]
    assert lengths == set(sampler.S_ft)


def test_given_types_are_used():
    types = torch.tensor([2, 0, 1, 1])
    batch = ICLSampler(CORPUS, 1).draw(4, types)
    assert (batch.types == types).all()
    assert batch.targets.tolist() == [
        int(CORPUS.attribute_token[j, l]) for j, l in zip(batch.subjects, types, strict=True)
    ]


def test_smallest_sizes():
    one = Corpus(World([[0]], [0], 1), [[[1.0]]], [[1.0]])
    assert PTSampler(one, 1, 1, 0.0).draw(2).tokens.tolist() == [[0, 2]] * 2
    alone = ICLSampler(one, 0).draw(2)
    assert alone.tokens.tolist() == [[0]] * 2 and alone.targets.tolist() == [1, 1] and alone.last.tolist() == [0, 0]


def test_the_generator_is_all_of_the_state():
    for sampler in (PTSampler(CORPUS, 3, 2, seed=4), ICLSampler(CORPUS, 2, (1, 2), seed=4)):
        sampler.draw(3)
        state = sampler.generator.get_state()
        after = sampler.draw(5).tokens
        sampler.draw(2)
        sampler.generator.set_state(state)
        assert (sampler.draw(5).tokens == after).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PTSampler(CORPUS, 0, 1), "S must be an integer >= 1, got 0"),
        (lambda: PTSampler(CORPUS, 1, 0), "n_tr must be an integer >= 1, got 0"),
        (lambda: PTSampler(CORPUS, 1, 1, 1.5), r"p_G must be a probability, got 1\.5"),
        (lambda: PTSampler(CORPUS, 1, 1, seed=-1), "seed must be an integer >= 0, got -1"),
        (lambda: PTSampler(CORPUS, 1, 1).draw(0), "size must be an integer >= 1, got 0"),
        (lambda: ICLSampler(CORPUS, -1), "n_demos must be an integer >= 0, got -1"),
        (lambda: ICLSampler(CORPUS, 1, ()), "S_ft must be an integer >= 0 or at least one of them, got none"),
        (lambda: ICLSampler(CORPUS, 1, (1, -1)), "S_ft must be an integer >= 0, got -1"),
        (lambda: ICLSampler(CORPUS, 1, 1.5), r"S_ft must be an integer >= 0, got 1\.5"),
        (lambda: ICLSampler(CORPUS, 1, query="x"), "query must be one of 'finetune', 'heldout', 'all', got 'x'"),
        (
            lambda: ICLSampler(CORPUS.finetuned_on(range(8)), 1, context="heldout"),
            "context must be a pool with a subject, got 'heldout', which has none",
        ),
        (lambda: ICLSampler(CORPUS, 1).draw(2, torch.tensor([0, 3])), r"types must be \(2,\) integers in 0\.\.2"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
