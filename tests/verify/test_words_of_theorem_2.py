"""Sentences about Theorem 2 that no judge computes on its way: each on exact gradients or decisions of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.conclusion import decide
from numerics.population import finetuning_gradients
from numerics.updates import updated_weights
from numerics.world import World
from verify.conclude import any_beta, hat, sharp
from verify.docket import entries
from verify.docket_conclusion import FINITE
from verify.judges import hypotheses
from verify.judges.printed_update import errors, network
from verify.setting import Setting
from verify.weights import printed_weights
from verify.witnesses import Witnesses


def frequencies_on(world: World) -> tuple[np.ndarray, float]:
    """p_s, the mean over the types of f at the values of s, and F, that of sum_u f_u^2; f among the finetuning subjects."""
    shares = [
        np.bincount(column, minlength=world.U[k]) / world.M_ft
        for k, column in enumerate(world.value_index[: world.M_ft].T)
    ]
    p = np.mean([share[column] for share, column in zip(shares, world.value_index.T, strict=True)], axis=0)
    return p, float(np.mean([(share**2).sum() for share in shares]))


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_the_subject_head_of_any_table_as_thm2_unbalanced_says(data):
    M, L, n = (data.draw(st.integers(1, top)) for top in (4, 2, 3))
    table = [[data.draw(st.integers(0, 2)) for _ in range(L)] for _ in range(M)]
    world, m = World(table, range(data.draw(st.integers(1, M))), 1), n + 1
    score = -np.asarray(finetuning_gradients(world, n_demos=n, objective="hat").kq_subj)
    p, F = frequencies_on(world)
    for query in range(M):
        for context in range(world.M_ft):
            above = score[query] + score[world.V + 1] - score[context] - score[world.V + 4]
            own = p[query] if query < world.M_ft else F
            said = (1 - F) / m - (m - 1) * (m - 2) / (m**2 * world.M_ft) * (p[context] - own)
            assert above == pytest.approx(said, abs=1e-12)


def test_a_table_that_fails_in_the_subject_head_alone():
    """L = 1, values 0 0 0 1, N_ft = 5: a query of value 1 scores 0, a context subject of value 0 above it."""
    world = World([[0], [0], [0], [1]], range(4), 1)
    p, F = frequencies_on(world)
    m = 6
    assert (1 - F) / m < (m - 1) * (m - 2) / (m**2 * 4) * (p[0] - p[3])
    found = hat(Witnesses(Setting(M=4, L=1, U=(2,), M_ft=4, N_ft=5), world, "cpu")).decisions["seen"]
    assert (found.right, found.total) == (3073, 4096)


def test_with_the_papers_own_grammar_length_no_number_of_finetuning_subjects_suffices():
    paper = {"M": 256, "L": 8, "U": (32,) * 8, "M_ft": 128}
    assert sharp(Setting(**paper, S=10)) is None and sharp(Setting(**paper)) == 235
    assert "M_ft <= M = 256" in entries()["window"].derive(None).words


def test_with_one_type_the_sizes_that_work_are_no_half_line():
    holds = {
        M_ft: hat(
            Witnesses(Setting(M=8, L=1, U=(2,), M_ft=M_ft, N_ft=1), World.balanced(8, 1, 2, M_ft, 1), "cpu")
        ).holds
        for M_ft in (2, 4)
    }
    assert holds == {2: True, 4: False}


def test_a_value_of_its_own_for_every_subject_fails_even_if_all_are_finetuned():
    U = (256, *(32,) * 7)
    found = hat(Witnesses(Setting(M=256, L=8, U=U, M_ft=256), World.balanced(256, 8, U, 256, 4), "cpu")).decisions[
        "seen"
    ]
    assert found.right == 0 and found.total == 8 * 256**6


@pytest.mark.parametrize("alpha", [Fraction(1), Fraction(100), Fraction(10**6)])
def test_unequal_values_fail_at_every_alpha_with_the_printed_weights_as_literally_printed(alpha):
    """Values 0 0 1 of one type: the commoner one has -1, as the rarer has where it is foreign."""
    world = World([[0], [0], [1]], range(3), 1)
    weights = printed_weights(world, 2, 1, alpha, 1, reading="literal")
    assert not decide(world, 1, weights, "seen").holds


def test_finite_beta_at_the_papers_setting_is_what_the_words_say():
    """After hat steps from a beta on, after true steps in a window, both sharp to a part in a hundred; then the seen sequences fail."""
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128)
    w = Witnesses(setting, World.balanced(256, 8, 32, 128))
    after_hat, true = (any_beta(w, objective) for objective in ("hat", "true"))
    assert f"for every finite beta >= {after_hat.proven.first:.4g} " in FINITE and after_hat.proven.last is None
    assert f"right for {true.proven.first:.4g} <= beta <= {true.proven.last:.4g}," in FINITE
    assert 0.99 * after_hat.proven.first < after_hat.below.beta and true.above.beta < 1.01 * true.proven.last
    assert true.above.sequence[0] == "seen"
    assert (
        after_hat.range_words() == "every finite beta >= 3.149e+05"
        and "3.1153e+05 <= beta <= 1.0502e+07" in true.range_words()
    )
    told = " ".join(Path(__file__).resolve().parents[2].joinpath("README.md").read_text(encoding="utf-8").split())
    assert f"at {after_hat.range_words()} (hat) and at {true.range_words()} (true)" in told


def test_a_strict_loss_at_infinity_is_one_of_large_finite_beta():
    """The world of thm2.accuracy's limit: what is wrong, not tied, at beta = inf is wrong at beta far beyond the window too."""
    limit = hypotheses._as_a_limit()
    world = World.balanced(24, 3, 4, 16, n_grammar=1, seed=1)
    weights = updated_weights(world, finetuning_gradients(world, 1, "true", 1.0), 1.0, 1.0)
    assert limit.wrong == 320 and errors(network(world, 1, weights, 1e7), world, 1, "finetune")[0] >= limit.wrong
    assert errors(network(world, 1, weights, 5e4), world, 1, "finetune")[0] == 0
