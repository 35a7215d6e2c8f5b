"""Values that only held-out subjects have: hat and true steps, by other routes than the check's own."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from numerics.conclusion import decide
from numerics.population import finetuning_gradients, hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from verify.docket import entries, tried
from verify.evidence import Status
from verify.judges import unseen_values
from verify.judges.unseen_values import ATTRIBUTES, NOTHING, OBJECTIVES, SUBJECTS, TRIALS, decided, unseen_rule
from verify.recompute import court
from verify.verdict import Verdict


def world(M: int = 48) -> World:
    return World(np.stack([np.arange(M), np.arange(M) % 2], axis=1), range(M // 2), n_grammar=1)


def test_the_two_kinds_of_steps_disagree():
    """M=48, M_ft=24, U=(48, 2), N_ft=1: by count patterns, of 1152 held-out queries half after hat steps, all after true ones."""
    w = world()
    hat = updated_weights(w, hat_gradients(w, 1, Fraction(1), None, "set"), Fraction(1), Fraction(1))
    true = updated_weights(w, finetuning_gradients(w, 1, "true", 1.0, None, "set"), 1.0, 1.0)
    of_hat, of_true = decide(w, 1, hat, "heldout"), decide(w, 1, true, "heldout", tie_tolerance=1e-13)
    assert (of_hat.right, of_hat.ties, of_hat.total) == (576, 576, 1152)
    assert (of_true.right, of_true.ties, of_true.total) == (1152, 0, 1152)
    assert float(of_true.min_margin) > 1e-6


def test_why_the_true_steps_do_it():
    """Row v moves by -E[pi_v xbar^T]: with N_ft=1 an unseen value has pi = e^-1/Z, a token that is no value 1/Z, on every sequence."""
    w = world(20)
    rows = finetuning_gradients(w, 1, "true", 1.0, None, "set").ov_rel
    unseen, seen = w.M + 15, w.M + 3
    assert w.finetune_value_counts[15] == 0 and w.finetune_value_counts[3] == 1
    assert rows[unseen, seen] == pytest.approx(rows[w.sep_token, seen] / math.e)
    assert rows[unseen, seen] > 0


@pytest.mark.parametrize("reading", ["set", "literal"])
def test_every_branch_of_the_rule_is_tried(reading):
    groups = [g for t in TRIALS for o in OBJECTIVES for g in decided(t, o, reading)]
    tried_ones = {(g.p["objective"], g.p["attends"], g.p["unseen_own"], g.right == g.total) for g in groups}
    for case in (
        ("hat", ATTRIBUTES, 1, False),
        ("hat", NOTHING, 1, False),
        ("true", ATTRIBUTES, 1, True),
        ("true", ATTRIBUTES, 2, False),
        ("true", NOTHING, 1, False),
        ("true", SUBJECTS, 1, True),
    ):
        assert case in tried_ones, case
    # Not every head attends the query alone, and in the literal reading a value that two held-out subjects share is not level.
    assert any(unseen_rule(g.p) is None and not g.p["queried"] and g.right == 0 for g in groups)
    assert any(g.p["shared"] and g.p["attends"] == ATTRIBUTES and g.right == 0 for g in groups) == (
        reading == "literal"
    )
    assert any(t.context == "all" for t in TRIALS)


@pytest.mark.parametrize("reading", ["set", "literal"])
def test_verdict_and_what_is_rejected(reading):
    o = tried(entries()["thm2.unique_attr"], court(reading))
    assert o.verdict is Verdict.FALSE and o.survivors == ()
    assert "M=4, L=2, U=(4, 2), M_ft=2, N_ft=1: hat steps" in o.printed.counterexample
    assert "true steps" in o.printed.counterexample
    slips = [lambda p: False, lambda p: unseen_rule({**p, "attends": ATTRIBUTES})]
    # Left out: that the subject head has to attend the query alone; in the literal reading, that y has to be its own.
    slips.append(lambda p: unseen_rule({**p, "queried": True}))
    slips += [lambda p: unseen_rule({**p, "shared": False, "unseen_own": 1})] if reading == "literal" else []
    for slip in slips:
        assert unseen_values.unique_attributes(slip, court(reading)).status is Status.FAILS
