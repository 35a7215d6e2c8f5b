"""The radii: every sequence of tiny worlds in ball arithmetic lies within them, and not without their parts."""

import dataclasses

import numpy as np
import pytest
import torch
from flint import arb, ctx

from numerics.population import finetuning_gradients, halves_first_step, halves_gradients
from numerics.population.construction import initial_ov_subj
from numerics.population.enumerate import sequences
from numerics.population.halves import columns, first, second
from numerics.population.halves.second import second_step
from numerics.world import World

torch.set_num_threads(1)
NAMES = ("kq_subj", "ov_rel", "kq_rel")
SETTINGS = [
    # table, finetune, n_demos, eta_ov, window, reading
    ([[0, 0], [0, 1], [1, 0], [2, 1]], [0, 2, 3], 2, 1.5, None, "set"),
    ([[0, 0], [0, 1], [1, 0], [2, 1]], [3, 1], 4, 1.0, 12, "literal"),
    ([[0], [0], [1], [2]], [1, 0, 2], 3, 2.0, 6, "literal"),
    ([[0], [1], [1]], [0, 1], 1, 0.5, 3, "set"),
    ([[0, 1], [1, 1], [0, 0]], [0, 1, 2], 3, 30.0, None, "set"),
    ([[0, 0], [1, 1]], [1, 0], 2, 500.0, 5, "set"),
    ([[0]], [0], 5, 1.0, None, "set"),
    ([[0], [1]], [0, 1], 1, 1.0, 1, "set"),
]


def _balls(world, n_demos, eta_ov, window, reading):
    """The three gradients, sequence by sequence, from the definitions, as arrays of Arb balls of 200 bits."""
    before, ctx.prec = ctx.prec, 200
    try:
        T, V = 3 * n_demos + 2, world.V
        width = T if window is None else min(window, T)
        ov = initial_ov_subj(world, reading).tolist()
        drawn = [
            (x.tolist(), int(y)) for b in sequences(world, n_demos) for x, y in zip(b.tokens, b.targets, strict=True)
        ]
        seen = range(T - width, T)

        def residual(logits, y):
            exps = [arb(f).exp() for f in logits]
            total = sum(exps, arb(0))
            return [e / total - int(v == y) for v, e in enumerate(exps)]

        def add_kq(kq, x, e, attended, matrix):
            r = [sum((e[v] * matrix[v][x[i]] for v in range(V)), arb(0)) for i in attended]
            bar = sum(r, arb(0)) / len(attended)
            for i, r_i in zip(attended, r, strict=True):
                term = (r_i - bar) / len(attended) / len(drawn)
                kq[x[i]] += term
                kq[V + T - 1 - i] += term

        kq_subj, kq_rel = [arb(0)] * (V + T), [arb(0)] * (V + T)
        ov_rel = [[arb(0)] * V for _ in range(V)]
        subjects = range(0, T, 3)
        for x, y in drawn:
            e = residual([sum((arb(ov[v][x[i]]) for i in subjects), arb(0)) / len(subjects) for v in range(V)], y)
            add_kq(kq_subj, x, e, subjects, ov)
            for i in seen:
                for v in range(V):
                    ov_rel[v][x[i]] += e[v] / width / len(drawn)
        step = [[arb(-eta_ov) * ov_rel[v][u] if u < V - 1 else arb(0) for u in range(V)] for v in range(V)]
        for x, y in drawn:
            logits = [ov[v][x[T - 2]] + sum((step[v][x[i]] for i in seen), arb(0)) / width for v in range(V)]
            add_kq(kq_rel, x, residual(logits, y), seen, step)
        return [np.array(a, dtype=object) for a in (kq_subj, ov_rel, kq_rel)]
    finally:
        ctx.prec = before


def _outside(value, radius, balls):
    """How many entries are not certainly within their radius of the ball."""
    before, ctx.prec = ctx.prec, 200
    try:
        entries = zip(value.ravel().tolist(), radius.ravel().tolist(), balls.ravel().tolist(), strict=True)
        return sum(not abs(arb(v) - ball) <= arb(r) for v, r, ball in entries)
    finally:
        ctx.prec = before


def _all_outside(found, balls):
    return [_outside(getattr(found, n), getattr(found, f"{n}_radius"), b) for n, b in zip(NAMES, balls, strict=True)]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_exact_value_is_within_the_radius(setting):
    table, finetune, n_demos, eta_ov, window, reading = setting
    world = World(table, finetune, 1)
    balls = _balls(world, n_demos, eta_ov, window, reading)
    found = halves_gradients(world, n_demos, eta_ov, window, reading)
    for name, exact in zip(NAMES, balls, strict=True):
        # An exact 0 may only be a ball around 0; Arb cannot see that a symmetric sum vanishes.
        slack = np.array([float(b.rad()) for b in exact.ravel()]).reshape(exact.shape)
        assert slack.max() < 1e-50
        assert _outside(getattr(found, name), getattr(found, f"{name}_radius") + 2 * slack, exact) == 0, name


def test_radii_without_their_parts_fail(monkeypatch):
    table, finetune, n_demos, eta_ov, window, reading = SETTINGS[0]
    world = World(table, finetune, 1)
    balls = _balls(world, n_demos, eta_ov, window, reading)
    assert _all_outside(halves_gradients(world, n_demos, eta_ov, window, reading), balls) == [0, 0, 0]
    for module in (first, second, columns):
        monkeypatch.setattr(module, "gamma", lambda count: 0.0)
    assert min(_all_outside(halves_gradients(world, n_demos, eta_ov, window, reading), balls)) > 0


@pytest.mark.parametrize("size", [1e-9, 1e-5, 1e-2])
@pytest.mark.parametrize(("n_demos", "window", "eta_ov"), [(2, None, 1.0), (3, 6, 5.0), (1, 2, 40.0)])
def test_the_uncertainty_of_the_first_step_is_carried_over(size, n_demos, window, eta_ov):
    world = World.random(6, 2, 3, 4, seed=5)
    right = halves_first_step(world, n_demos, window)
    truth = finetuning_gradients(world, n_demos, "true", eta_ov, window).kq_rel
    generator = np.random.default_rng(0)
    seen = world.M + np.flatnonzero(world.finetune_value_counts)
    for _ in range(5):
        # Rows of the other tokens are the same in truth and stay so; those of values seen in F may be anything.
        wrong = right.ov_rel.copy()
        wrong[seen] += size * generator.choice([-1.0, 1.0], size=(len(seen), world.V))
        radius = right.ov_rel_radius.copy()
        radius[seen] += size
        moved = dataclasses.replace(right, ov_rel=wrong, ov_rel_radius=radius)
        value, bound = second_step(world, n_demos, eta_ov, window, "set", moved, "cpu", lambda pairs: None)
        assert (np.abs(value - truth) <= bound).all()
        claimed = dataclasses.replace(moved, ov_rel_radius=right.ov_rel_radius)
        value, bound = second_step(world, n_demos, eta_ov, window, "set", claimed, "cpu", lambda pairs: None)
        assert (np.abs(value - truth) > bound).any()


@pytest.mark.long
def test_a_thousand_million_sequences_against_a_sample():
    from numerics.population import sampled_gradients

    world = World.random(60, 4, 8, 25, seed=0)
    found = halves_gradients(world, 5)
    sampled = sampled_gradients(world, 5, n=500, replicates=16)
    for name in NAMES:
        error = getattr(sampled, f"{name}_error")
        scores = (getattr(sampled, name) - getattr(found, name))[error > 1e-14] / error[error > 1e-14]
        assert np.abs(scores).max() < 8 and 0.3 < np.sqrt((scores**2).mean()) < 2
