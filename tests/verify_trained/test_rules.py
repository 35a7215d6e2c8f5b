"""The rules on networks whose mechanism is known: the constructions pass, everything else fails what it should."""

import dataclasses

import pytest
import torch

from numerics.constructions.heads import prop1
from numerics.sampling import PretrainingSampler
from verify.trained import rules
from verify.trained.controls import CONTROLS, control, controls
from verify.trained.figures import FIGURES, figure
from verify.trained.intervals import share, spread
from verify.trained.record import findings, judged
from verify.trained.rules import Statement
from verify.trained.settings import jobs

# control -> (separate, centred, printed): what each is built to pass.
BUILT = {
    "construction": (True, True, True),
    "boosting": (True, True, False),
    "constant": (True, False, True),
    "shuffled": (True, False, True),
    "nowhere": (False, False, False),
}


def small(positions):
    """The quick setting with 32 subjects and 8 values per type."""
    config = jobs("quick", positions)[0].config
    U = 8 if positions == "relative" else (32, 8, 8, 8)
    return dataclasses.replace(config, world=dataclasses.replace(config.world, M=32, U=U))


@pytest.fixture(scope="module", params=["relative", "absolute"])
def known(request):
    torch.set_num_threads(1)
    config = small(request.param)
    return controls(config, config.world.build(), 256)


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("kind", ["pt", "icl"])
def test_controls(known, name, kind):
    part = known[name][kind]
    assert (rules.separate(part), rules.centred(part), rules.printed(part)) == BUILT[name]
    assert rules.heads_as_constructed(part) == (name == "construction")


def test_the_construction_answers_what_prop_2_covers(known):
    assert known["construction"]["pt"]["ablations"]["none"] == [1.0]
    assert known["constant"]["pt"]["ablations"]["none"][0] < 0.1
    assert rules.needed(known["construction"]["pt"])
    assert rules.needed(known["construction"]["icl"])
    assert not rules.needed(known["nowhere"]["icl"])
    assert not rules.needed(known["constant"]["icl"])


def test_findings_are_what_the_numbers_say(known):
    said = " ".join(findings(known, figure("fig22_26")))
    assert "a constant vector, -1 on every attribute" in said
    assert "knows no facts" in said
    assert "the cosine does not see attention" in said
    # Without the numbers there are no sentences.
    blind = {name: known["construction"] for name in CONTROLS}
    assert "boosting" not in " ".join(findings(blind, figure("fig22_26")))


def test_absolute_positions_are_loaded_at_the_last_position():
    config = small("absolute")
    world = config.world.build()
    made = prop1(world, config.S, config.n_tr)
    batch = PretrainingSampler(world, config.S, config.n_tr).draw(100)
    attention = [
        control("construction", made, positions).attention(batch.tokens, last=True)
        for positions in ("relative", "absolute")
    ]
    torch.testing.assert_close(*attention)
    with pytest.raises(ValueError, match="name must be one of construction, boosting"):
        control("none", made, "relative")


def counts(right: int, total: int, covered_right: int, covered_total: int) -> dict:
    return {"right": right, "total": total, "covered_right": covered_right, "covered_total": covered_total}


def test_accuracy_at_its_border():
    exact, covered = rules.accuracy_statement("heldout", False), rules.accuracy_statement("covered", True)
    network = {"accuracy": {"heldout_all": counts(90, 100, 80, 90)}}
    assert exact.holds(network)
    assert not covered.holds(network)
    network = {"accuracy": {"heldout_all": counts(89, 100, 81, 90)}}
    assert not exact.holds(network)
    assert covered.holds(network)


def ov() -> dict:
    pattern = {"own": 0.0, "others": -1.0, "rest": 0.0, "rho": -1.0, "rho_zero": -1.0, "separation": 1.0}
    return {
        "subject_before": pattern,
        "subject_after": dict(pattern),
        "relation_separation": [0.99, 0.6],
        "value_separation": [0.5, 0.99],
    }


def test_matrices():
    assert rules.matrices_as_shown({"ov": ov()})
    for key, value in (
        ("subject_before", {"rho": 0.0}),
        ("subject_after", {"separation": 0.9}),
        ("subject_after", {"rho": None}),
        ("subject_before", {"own": -1.5}),
    ):
        made = ov()
        made[key] = made[key] | value
        assert not rules.matrices_as_shown({"ov": made}), key
    for key in ("relation_separation", "value_separation"):
        made = ov()
        made[key] = [0.9, 0.9]
        assert not rules.matrices_as_shown({"ov": made}), key


def test_half_of_the_base_seeds_decide_and_variants_do_not():
    statement = Statement("x", "x", "x", lambda m: m["yes"])
    networks = [{"variant": "base", "seed": s, "yes": s < 2} for s in range(4)]
    networks += [{"variant": "other", "seed": 0, "yes": False}]
    found = judged(statement, networks)
    assert found["verdict"] == "reproduced"
    assert found["base"]["count"] == 2
    assert found["variants"]["other"]["count"] == 0
    networks[1]["yes"] = False
    assert judged(statement, networks)["verdict"] == "not reproduced"


def test_every_figure_has_a_main_statement_and_names_are_unique():
    for shown in FIGURES.values():
        names = [statement.name for statement in shown.statements]
        assert len(set(names)) == len(names)
        assert any(statement.main for statement in shown.statements)
        assert dataclasses.replace(shown).kinds == shown.kinds
    with pytest.raises(ValueError, match="figure must be one of fig9_10"):
        figure("fig1")


def test_intervals():
    # Clopper-Pearson of 5 of 5: 0.025^(1/5).
    assert share(5, 5)["interval"] == pytest.approx([0.025**0.2, 1.0])
    assert share(0, 5)["interval"] == pytest.approx([0.0, 1 - 0.025**0.2])
    with pytest.raises(ValueError, match="k, n must be"):
        share(3, 2)
    # Student's t with two degrees of freedom: 4.3027 * s / sqrt(3).
    found = spread([1.0, 2.0, 3.0])
    assert found["interval"] == pytest.approx([2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5], rel=1e-5)
    assert spread([1.0])["interval"] is None
    with pytest.raises(ValueError, match="values must be at least one"):
        spread([])
