"""Ranks of attention levels: ties, chains, intervals, gaps."""

from fractions import Fraction

import numpy as np
import pytest

from numerics.conclusion.levels import head_ranks, interval_ranks, slot_groups, smallest_gap
from numerics.conclusion.setting import make_setting
from numerics.world import World


@pytest.fixture
def setting():
    return make_setting(World(np.array([[0], [1]]), [0, 1], 0), 2, "seen", "finetune")


def scores(setting, subjects, attributes, sep, positions=()):
    kq = np.zeros(setting.world.V + setting.T, dtype=object)
    kq[:2], kq[2:4], kq[setting.world.sep_token] = subjects, attributes, sep
    for d, x in positions:
        kq[setting.world.V + d] = x
    return kq


def test_levels_within_the_tolerance_share_a_rank_chains_included(setting):
    kq = scores(setting, [0, 10], [20, 30], 41)
    ranks = head_ranks(setting, kq, 100, Fraction(10, 100))
    assert ranks.query.tolist() == [0, 0] and ranks.attribute[0, 0].tolist() == [0, 0]  # 0, 10, 20, 30: a chain
    assert ranks.sep.tolist() == [1, 1, 1] and ranks.gap == Fraction(11, 100)
    exact = head_ranks(setting, kq, 100, Fraction(0))
    assert exact.query.tolist() == [0, 1] and exact.attribute[1, 0].tolist() == [2, 3] and exact.sep.max() == 4


def test_positions_enter_by_their_distance(setting):
    """Slot i: subject at p_{-1-3i}, sep at p_{-3i}, attribute at p_{1-3i}."""
    kq = scores(setting, [0, 0], [0, 0], 0, [(d, d) for d in range(8)])
    ranks = head_ranks(setting, kq, 1, Fraction(0))
    assert ranks.query.tolist() == [1, 1] and ranks.sep.tolist() == [0, 3, 6]
    assert ranks.subject.tolist() == [[4, 4], [7, 7]] and ranks.attribute[:, 0].tolist() == [[2, 2], [5, 5]]
    assert slot_groups((ranks, ranks)) == [[0], [1]]
    flat = head_ranks(setting, scores(setting, [0, 1], [2, 3], 0), 1, Fraction(0))
    assert slot_groups((flat, flat)) == [[0, 1]] and slot_groups((flat, ranks)) == [[0], [1]]


def test_gap_counts_only_levels_that_meet_at_the_top():
    bounds = [(0, 0), (10, 10), (11, 11), (20, 20), (50, 50)]
    # Queries at 10 and 11 never meet each other: the slot level 0 is 10 below the nearer one, 20 is 9 above.
    assert smallest_gap(np.array([1, 2]), np.array([0]), np.array([0, 3]), bounds) == 9
    # Both queries above everything: only their distance to the highest slot level matters.
    assert smallest_gap(np.array([4, 4]), np.array([0]), np.array([1, 2]), bounds) == 39
    # A query below the sep: slot levels above the sep compete, those below do not.
    assert smallest_gap(np.array([0]), np.array([3]), np.array([1, 2, 4]), bounds) == 9
    assert smallest_gap(np.array([3]), np.array([3]), np.array([3]), bounds) is None


def test_interval_ranks(setting):
    low = scores(setting, [0, 5], [2, 20], -50)
    high = scores(setting, [3, 6], [4, 21], -49)
    ranks = interval_ranks(setting, low, high)
    # Clusters: sep | [0, 4] (subject 0 and attribute 0) | [5, 6] | [20, 21]; ranks 1, 3, 5, 7.
    assert ranks.sep.tolist() == [1, 1, 1] and ranks.subject[0].tolist() == [3, 5]
    assert ranks.attribute[0, 0].tolist() == [3, 7]
    assert ranks.query.tolist() == ranks.query_top.tolist() == [3, 5]
    low[setting.world.V + 1], high[setting.world.V + 1] = 7, 16  # queries in [7, 19] and [12, 22]
    ranks = interval_ranks(setting, low, high)
    assert ranks.query.tolist() == [6, 7] and ranks.query_top.tolist() == [6, 7]
    low[setting.world.V + 1] = -1  # queries in [-1, 19] and [4, 22]; touching 4 counts
    ranks = interval_ranks(setting, low, high)
    assert ranks.query.tolist() == [3, 3] and ranks.query_top.tolist() == [5, 7]
