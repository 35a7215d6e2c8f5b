import random
from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chi2, chi2_contingency

from numerics.population.enumerate import sequences as icl_sequences
from numerics.population.layout import Layout as IclLayout
from numerics.pretraining import Layout, sequences
from numerics.sampling import IclSampler, PretrainingSampler
from numerics.sampling.reference import icl_sequence, pretraining_sequence
from numerics.world import World

WORLD = World([[0, 0], [1, 0], [1, 1], [2, 1], [2, 0]], [0, 3, 1], 3)
# Seeds are fixed, so a test passes or fails for good; at this level a right sampler fails one seed in a million.
LEVEL = 1e-6


def p_value_of_two(left: Counter, right: Counter) -> float:
    """That both are samples of one law; cells are put together until each expects at least 10."""
    cells = sorted(left.keys() | right.keys(), key=lambda cell: left[cell] + right[cell])
    rows, pending = [], np.zeros(2)
    for cell in cells:
        pending = pending + np.array([left[cell], right[cell]])
        if pending.sum() >= 20:
            rows.append(pending)
            pending = np.zeros(2)
    if pending.sum():
        rows[-1:] = [rows[-1] + pending] if rows else [pending]
    return float(chi2_contingency(np.array(rows)).pvalue) if len(rows) > 1 else 1.0


def views(sequences_: list[list[int]], T: int) -> dict[str, Counter]:
    """Unigrams per position, and every pair of positions (bigrams are those one apart)."""
    out: dict[str, Counter] = {}
    for t in range(T):
        out[f"token {t}"] = Counter(row[t] for row in sequences_)
        for s in range(t):
            out[f"pair {s} {t}"] = Counter((row[s], row[t]) for row in sequences_)
    return out


@pytest.mark.parametrize(("p_G", "reading"), [(0.0, "kept"), (0.3, "kept"), (0.3, "whole")])
def test_pretraining_agrees_with_the_slow_sampler(p_G, reading):
    S, n_tr, size = 3, 2, 6000
    sampler = PretrainingSampler(WORLD, S, n_tr, p_G, reading, seed=1)
    batch = sampler.draw(size)
    fast = torch.cat([batch.tokens, batch.following[:, -1:]], 1).tolist()
    draw = random.Random(2)
    slow = [pretraining_sequence(WORLD, S, n_tr, draw, p_G, reading) for _ in range(size)]
    right = views(slow, (S + 3) * n_tr)
    for name, counted in views(fast, (S + 3) * n_tr).items():
        assert p_value_of_two(counted, right[name]) > LEVEL, name
    relations = range(WORLD.relation_token(0), WORLD.relation_token(0) + WORLD.L)

    def facts(rows):
        """Relation position and (type, attribute) of the second subsequence, jointly."""
        out = Counter()
        for row in rows:
            part = row[S + 3 :]
            at = [i for i, token in enumerate(part) if token in relations]
            out[(at[0], part[at[0]], part[-1]) if at else None] += 1
        return out

    assert p_value_of_two(facts(fast), facts(slow)) > LEVEL
    assert (None in facts(fast)) == (p_G > 0)


def test_the_comparison_sees_a_wrong_law():
    # Slot 3 a copy of slot 1 (its own law is right), the relation never in slot 3, another p_G: none may pass.
    size, draw = 6000, random.Random(2)
    relations = range(WORLD.relation_token(0), WORLD.grammar_token(0))
    slow = [pretraining_sequence(WORLD, 3, 2, draw) for _ in range(size)]
    copied = [[*row[:3], row[1], *row[4:]] for row in slow]
    never = [[*row[:3], WORLD.grammar_token(0), *row[4:]] if row[3] in relations else row for row in slow]
    other = [pretraining_sequence(WORLD, 3, 2, draw, 0.05) for _ in range(size)]
    right = views(slow, 12)
    for rows in (copied, never, other):
        tested = [p_value_of_two(counted, right[name]) for name, counted in views(rows, 12).items()]
        assert min(tested) < LEVEL


def test_pretraining_fills_the_enumerated_population():
    world = World([[0, 0], [1, 1]], [0], 2)
    every = [row for batch in sequences(world, 2, 1) for row in np.c_[batch.tokens, batch.targets].tolist()]
    assert len(every) == 2 * 2 * 2 * 2
    batch = PretrainingSampler(world, 2, 1, seed=0).draw(8000)
    counted = Counter(map(tuple, torch.cat([batch.tokens, batch.targets[:, None]], 1).tolist()))
    assert set(counted) == set(map(tuple, every))
    expected = 8000 / len(every)
    statistic = sum((n - expected) ** 2 / expected for n in counted.values())
    assert chi2.sf(statistic, len(every) - 1) > LEVEL


def test_pretraining_fields_say_what_was_drawn():
    sampler = PretrainingSampler(WORLD, 4, 3, p_G=0.4, seed=5)
    batch = sampler.draw(400)
    assert sampler.T == Layout(4, 3).T == batch.tokens.shape[1]
    assert (batch.following[:, :-1] == batch.tokens[:, 1:]).all()
    table = torch.tensor(WORLD.attribute_token)
    full = torch.cat([batch.tokens, batch.targets[:, None]], 1).view(400, 3, 7)
    facts = ~batch.grammar_only
    assert (full[:, :, 0] == batch.subjects[:, None])[facts].all()
    assert (full[:, :, 6] == table[batch.subjects[:, None], batch.types])[facts].all()
    assert (full.gather(2, batch.slots[:, :, None])[..., 0] == WORLD.relation_token(0) + batch.types)[facts].all()
    assert (full[:, :, 5] == WORLD.sep_token).all()
    rest = full[batch.grammar_only][:, [0, 1, 2, 3, 4, 6]]
    assert ((rest >= WORLD.grammar_token(0)) & (rest < WORLD.sep_token)).all()


def test_icl_agrees_with_the_slow_sampler():
    sampler = IclSampler(WORLD, 2, "heldout", "finetune", seed=1)
    batch = sampler.draw(6000)
    draw = random.Random(3)
    queries, contexts = WORLD.heldout.tolist(), list(WORLD.finetune)
    slow = [icl_sequence(WORLD, 2, draw, queries, contexts) for _ in range(6000)]
    slow_rows = [[*tokens, target] for tokens, target in slow]
    fast_rows = torch.cat([batch.tokens, batch.targets[:, None]], 1).tolist()
    assert sampler.T == IclLayout(2).T == batch.tokens.shape[1]
    right = views(slow_rows, 9)
    for name, counted in views(fast_rows, 9).items():
        assert p_value_of_two(counted, right[name]) > LEVEL, name
    assert (batch.subjects[:, -1, None] == torch.tensor(WORLD.heldout)).any(1).all()


@pytest.mark.parametrize(("query", "context"), [("finetune", "finetune"), ("heldout", "finetune"), ("all", "all")])
def test_icl_population_is_the_enumerated_one(query, context):
    sampler = IclSampler(WORLD, 2, query, context)
    every = sampler.every(0, sampler.population_size)
    expected = list(icl_sequences(WORLD, 2, query, context))
    rows = torch.cat([every.tokens, every.targets[:, None], every.types[:, None], every.subjects], 1)
    wanted = np.concatenate([np.c_[b.tokens, b.targets, b.types, b.subjects] for b in expected])
    assert sorted(rows.tolist()) == sorted(wanted.tolist())
    drawn = set(map(tuple, sampler.draw(4000).tokens.tolist()))
    assert drawn == set(map(tuple, every.tokens.tolist()))


def test_the_generator_is_all_of_the_state():
    for sampler in (PretrainingSampler(WORLD, 3, 2, 0.2, seed=4), IclSampler(WORLD, 2, seed=4)):
        sampler.draw(3)
        state = sampler.generator.get_state()
        after = sampler.draw(5).tokens
        sampler.draw(2)
        sampler.generator.set_state(state)
        assert (sampler.draw(5).tokens == after).all()


def test_errors():
    with pytest.raises(ValueError, match=r"p_G must be a probability, got 1\.5"):
        PretrainingSampler(WORLD, 3, 2, 1.5)
    with pytest.raises(ValueError, match="grammar_only must be one of 'kept', 'whole', got 'x'"):
        PretrainingSampler(WORLD, 3, 2, grammar_only="x")
    with pytest.raises(ValueError, match="n_grammar must be >= 1 when S = 2 > 1"):
        PretrainingSampler(World([[0]], [0], 0), 2, 1)
    with pytest.raises(ValueError, match="pool must have a subject, got 'heldout'"):
        IclSampler(World([[0]], [0], 0), 1, "heldout")
    with pytest.raises(ValueError, match="pool must be one of 'finetune', 'heldout', 'all', got 'x'"):
        IclSampler(WORLD, 1, "x")
    with pytest.raises(ValueError, match="size must be an integer >= 1, got 0"):
        IclSampler(WORLD, 1).draw(0)
    with pytest.raises(ValueError, match="start, stop must be"):
        IclSampler(WORLD, 1).every(3, 3)
