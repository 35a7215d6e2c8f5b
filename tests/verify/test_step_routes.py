"""The float64 decisions after true steps that the judges of the hypotheses take, against the ones with proven radii."""

from __future__ import annotations

import pytest

from verify.conclude import true
from verify.docket import entries, tried
from verify.judges import decided, hypotheses, step_sizes
from verify.recompute import court
from verify.setting import Setting
from verify.witnesses import Witnesses


@pytest.mark.long
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_no_verdict_hangs_on_a_tie_tolerance(reading, monkeypatch):
    calls = {}

    def noted(b, objective, window, *steps_and_reading):
        found = decided.after_steps(b, objective, window, *steps_and_reading)
        if objective == "true":
            calls[b, window, *steps_and_reading] = found
        return found

    for judge in (step_sizes, hypotheses):
        monkeypatch.setattr(judge, "after_steps", noted)
    for name in ("thm2.step_sizes", "thm2.hypotheses"):
        tried(entries()[name], court(reading))
    assert len(calls) > 40
    for (b, window, subj, ov, rel, read), found in calls.items():
        assert window is None
        w, steps = b.world, {"eta_kq_subj": subj, "eta_ov": ov, "eta_kq_rel": rel}
        sizes = {"M": w.M, "L": w.L, "U": w.U, "M_ft": w.M_ft, "N_ft": b.n_demos, "G": max(w.n_grammar, 1)}
        assert true(Witnesses(Setting(**sizes, **steps, reading=read), w)).holds is found.holds, (b.name, steps)
