import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.population import PopulationTooLarge, finetuning_gradients, gradients_at
from numerics.population.construction import initial_ov_subj
from numerics.population.enumerate import sequences
from numerics.population.true import Compensated
from numerics.world import World

NAMES = ("kq_subj", "ov_rel", "kq_rel")


def _relative(found, expected):
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)


def _forty_digits(world, n_demos, eta_ov, window, reading):
    """The three gradients, sequence by sequence, from the definitions, with 40 digits."""
    with mpmath.workdps(40):
        T, V = 3 * n_demos + 2, world.V
        width = T if window is None else min(window, T)
        ov_subj = initial_ov_subj(world, reading).tolist()
        step = [[mpmath.mpf(0)] * V for _ in range(V)]
        drawn = [(x.tolist(), y) for b in sequences(world, n_demos) for x, y in zip(b.tokens, b.targets, strict=True)]
        window_of = [i for i in range(T) if i >= T - width]

        def gradient(x, y, logits, attended, matrix, kq):
            pi = [mpmath.exp(f) for f in logits]
            total = mpmath.fsum(pi)
            e = [p / total - (v == y) for v, p in enumerate(pi)]
            r = [mpmath.fsum(e[v] * matrix[v][x[i]] for v in range(V)) for i in attended]
            bar = mpmath.fsum(r) / len(attended)
            for i, r_i in zip(attended, r, strict=True):
                kq[x[i]] += (r_i - bar) / len(attended) / len(drawn)
                kq[V + T - 1 - i] += (r_i - bar) / len(attended) / len(drawn)
            return e

        kq_subj, kq_rel = ([mpmath.mpf(0)] * (V + T) for _ in range(2))
        ov_rel = [[mpmath.mpf(0)] * V for _ in range(V)]
        for x, y in drawn:
            subjects = range(0, T, 3)
            logits = [mpmath.fsum(ov_subj[v][x[i]] for i in subjects) / len(subjects) for v in range(V)]
            e = gradient(x, y, logits, list(subjects), ov_subj, kq_subj)
            for i in window_of:
                for v in range(V):
                    ov_rel[v][x[i]] += e[v] / width / len(drawn)
        for v in range(V):
            for u in range(V - 1):
                step[v][u] = -eta_ov * ov_rel[v][u]
        for x, y in drawn:
            logits = [ov_subj[v][x[T - 2]] + mpmath.fsum(step[v][x[i]] for i in window_of) / width for v in range(V)]
            gradient(x, y, logits, window_of, step, kq_rel)
        return [np.array(a, dtype=np.float64) for a in (kq_subj, ov_rel, kq_rel)]


@pytest.mark.parametrize(
    ("table", "finetune", "window", "reading"),
    [
        ([[0, 0], [0, 1], [1, 0], [2, 1]], [0, 2, 3], None, "set"),
        ([[0], [0], [1], [2]], [1, 0, 2], 4, "literal"),
        ([[0], [1]], [0], 7, "set"),
    ],
)
def test_accurate_to_1e_14(table, finetune, window, reading):
    world = World(table, finetune, 1)
    found = finetuning_gradients(world, 2, "true", 1.5, window, reading)
    for name, expected in zip(NAMES, _forty_digits(world, 2, 1.5, window, reading), strict=True):
        assert np.abs(getattr(found, name) - expected).max() <= 1e-14 * max(np.abs(expected).max(), 1e-2), name


@pytest.mark.parametrize("reading", ["set", "literal"])
def test_position_entries_of_the_first_step_are_the_hat_ones_only_at_infinite_beta(reading):
    # Measured: at beta = inf the softmax part is the same at all m subjects of a sequence, in expectation.
    tokens, finite = [], []
    for seed in range(8):
        world = World.random(6, 2, 3, 4, seed=seed)
        true, hat = (finetuning_gradients(world, 2, objective, reading=reading) for objective in ("true", "hat"))
        np.testing.assert_allclose(true.kq_subj[world.V :], hat.kq_subj[world.V :], rtol=0, atol=1e-15)
        tokens.append(np.abs(true.kq_subj - hat.kq_subj)[: world.V].max())
        true, hat = (gradients_at(world, 2, 2.0, objective, reading=reading) for objective in ("true", "hat"))
        finite.append(np.abs(true.kq_subj - hat.kq_subj)[world.V :].max())
    # The token entries differ, except in worlds that are symmetric in the subjects.
    assert max(tokens) > 1e-4
    assert min(finite) > 1e-4


def test_huge_beta_does_not_overflow():
    world = World.random(4, 2, 2, 3, seed=0)
    huge, limit = (gradients_at(world, 2, beta, window=4) for beta in (1e308, math.inf))
    for name in NAMES:
        assert _relative(getattr(huge, name), getattr(limit, name)) < 1e-12, name


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_infinite_beta_is_the_limit(small_worlds, windows, data):
    world, window = data.draw(small_worlds), data.draw(windows)
    objective, reading = data.draw(st.sampled_from(["true", "hat"])), data.draw(st.sampled_from(["set", "literal"]))
    limit, near = (gradients_at(world, 1, beta, objective, 0.5, 0.0, window, reading) for beta in (math.inf, 60.0))
    for name in NAMES:
        assert _relative(getattr(near, name), getattr(limit, name)) < 1e-12, name


def test_updated_subject_head_at_infinite_beta_attends_the_query_where_the_contract_says_so():
    # kq_subj is negative at p_-1 and positive at the context subjects: any positive step leaves the query alone on top.
    world = World.balanced(8, 2, 2, 4)
    contract, updated = finetuning_gradients(world, 2), gradients_at(world, 2, math.inf, eta_kq_subj=0.5)
    np.testing.assert_array_equal(contract.kq_rel, updated.kq_rel)
    other = gradients_at(world, 2, math.inf, eta_kq_subj=-0.5)
    assert np.abs(contract.kq_rel - other.kq_rel).max() > 1e-5


def test_too_large_names_size_and_limit():
    world = World.balanced(8, 2, 2, 4)
    with pytest.raises(PopulationTooLarge, match=r"128 sequences .*at most limit = 127"):
        finetuning_gradients(world, 2, limit=127)
    finetuning_gradients(world, 2, limit=128)
    finetuning_gradients(world, 2, "hat", limit=1)
    with pytest.raises(PopulationTooLarge, match="20000000"):
        finetuning_gradients(World.balanced(256, 8, 32), 5)


def test_progress_counts_both_steps():
    seen = []
    finetuning_gradients(World.balanced(8, 2, 2, 4), 2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (256, 256)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_blocks_do_not_matter(monkeypatch):
    world = World.random(5, 2, 3, 4, seed=1)
    whole = gradients_at(world, 2, 1.5, eta_kq_subj=2.0, window=5)
    monkeypatch.setattr("numerics.population.true.BLOCK", 1)
    single = gradients_at(world, 2, 1.5, eta_kq_subj=2.0, window=5)
    for name in NAMES:
        assert _relative(getattr(single, name), getattr(whole, name)) < 1e-14


def test_compensated_sum():
    total = Compensated()
    for term in [1.0, 1e100, 1.0, -1e100] * 3:
        total.add(torch.tensor([term], dtype=torch.float64))
    assert total.value().tolist() == [6.0]
    with pytest.raises(ValueError, match="nothing was added"):
        Compensated().value()
