"""The rules on curves made for them: what each rejects, and that they reject what they should."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.findings import rules, trends
from verify.findings.findings import FINDINGS, by_seed, finding
from verify.findings.record import verdict

STEPS = (0, 10, 20, 30, 40)
GROUPS = ("pt", "icl_seen", "icl_heldout", "grm_seen", "grm_heldout")


def point(step, exact=0.0, kind=None, attribute=None):
    """One step with the same four metrics everywhere."""
    kind = exact if kind is None else kind
    metrics = {"exact": exact, "type": kind, "subject": exact, "attribute": kind if attribute is None else attribute}
    return {"step": step} | {name: dict(metrics) for name in GROUPS}


def pretrained():
    """Type at step 10, exact at step 30, nothing on ICL sequences."""
    out = []
    for step, exact, kind in zip(STEPS, (0, 0.05, 0.2, 0.9, 0.96), (0, 0.8, 0.9, 0.95, 0.97), strict=True):
        out.append(point(step) | {"pt": point(step, exact, kind)["pt"]})
    return out


def finetuned(end=0.95, grm_first=True):
    """ICL rises at step 30, ICL+Grm at step 20."""
    late, early = (0, 0, 0.1, 0.8, end), (0, 0.1, 0.8, 0.9, end)
    out = []
    for step, icl, grm in zip(STEPS, late, early if grm_first else late, strict=True):
        out.append(point(step, icl) | {"grm_heldout": point(step, grm)["grm_heldout"]})
    return out


def trivial():
    known = {"chance": 0.01, "majority": 0.05, "type_known": 0.08, "copy": 0.07, "lookup": 0.08, "type_guessed": 0.25}
    return {"icl_seen": known | {"lookup": 0.2}, "icl_heldout": known}


def by_length(none=0.9, longer=0.9, trained=0.95):
    """Trained at lengths 1 and 2 with 4 demonstrations; 3 has positions for 2 of them, 4 for none."""
    rows = [[0.3, none], [0.4, trained], [0.4, trained - 0.1], [longer, None], [None, None]]
    return {"S_ft": [0, 1, 2, 3, 4], "n_demos": [2, 4], "trained": [1, 2], "exact": rows, "attribute": rows}


def seed(number=0, **more):
    made = {"seed": number, "reachable": 0.98, "trivial": trivial(), "pretraining": pretrained()}
    made["formats"] = {"finetuned": by_length(), "last": by_length()}
    made["among_attributes"] = {
        part: {"exact": end, "type": end, "subject": end}
        for part, end in (("before", 0.0), ("finetuned", 0.95), ("scratch", 0.1), ("last", 0.95))
    }
    curves = {"finetuned": finetuned(), "scratch": [point(step, 0.1) for step in STEPS], "last": finetuned()}
    curves["attributes"] = finetuned()
    return made | curves | more


def holds(statements, measured):
    return {statement.name: statement.holds(measured) for statement in statements}


def test_what_is_made_to_hold_holds():
    for statements in (rules.FINDING1, rules.FINDING2, rules.FINDING3):
        assert all(holds(statements, seed()).values())


def test_what_was_not_learnt_has_no_gap():
    nothing = [point(step) for step in STEPS]
    assert not holds(rules.FINDING2, seed(finetuned=nothing))["gap"]
    for heldout, expected in ((0.86, True), (0.84, False)):
        curve = finetuned()
        curve[-1]["icl_heldout"]["exact"] = heldout
        assert holds(rules.FINDING2, seed(finetuned=curve))["gap"] is expected


@pytest.mark.parametrize("part", ["finetuned", "last"])
def test_the_statements_beside_read_their_own_curves(part):
    names = {"finetuned": ({"transfer"}, {"own_format"}), "last": ({"last_token"}, {"own_format_last_token"})}
    for group, expected in zip(("icl_heldout", "grm_heldout"), names[part], strict=True):
        curve = finetuned()
        curve[-1][group]["exact"] = 0.44  # all facts and a guessed type, .25, are a control
        found = holds(rules.FINDING3, seed(**{part: curve}))
        failing = {name for name in found if not found[name]} & {
            "transfer",
            "last_token",
            "own_format",
            "own_format_last_token",
        }
        assert failing == expected
        curve[-1][group]["exact"] = 0.46
        assert not expected & {name for name, held in holds(rules.FINDING3, seed(**{part: curve})).items() if not held}


@pytest.mark.parametrize("part", ["finetuned", "last"])
@pytest.mark.parametrize(("none", "longer", "held"), [(0.0, 0.46, True), (0.46, 0.0, True), (0.44, 0.44, False)])
def test_other_lengths_are_those_that_finetuning_never_had(part, none, longer, held):
    name = {"finetuned": "other_lengths", "last": "other_lengths_last_token"}[part]
    changed = seed()
    changed["formats"][part] = by_length(none, longer)
    found = holds(rules.FINDING3, changed)
    assert found[name] is held
    assert all(found[other] for other in ("other_lengths", "other_lengths_last_token") if other != name)
    shown = {"trained_lengths": 0.95, "no_grammar": none, "no_grammar_attribute": none, "longer": longer}
    assert rules.lengths_answered(changed, part) == shown


def test_no_verdict_rests_on_the_statements_beside():
    added = {"last_token", "own_format", "own_format_last_token", "other_lengths", "other_lengths_last_token"}
    assert {one.name for one in (*rules.FINDING2, *rules.FINDING3) if one.name in added and one.main} == set()


def test_recall_is_measured_against_what_can_be_reached():
    low = pretrained()
    low[-1]["pt"]["exact"] = 0.85
    assert not holds(rules.FINDING1, seed(pretraining=low))["recall"]
    assert holds(rules.FINDING1, seed(pretraining=low, reachable=0.9))["recall"]


@pytest.mark.parametrize(("group", "limit"), [("icl_seen", 0.3), ("icl_heldout", 0.18)])
def test_no_icl_is_above_the_best_predictor_without_facts(group, limit):
    for exact, expected in ((limit - 0.01, True), (limit + 0.01, False)):
        curve = pretrained()
        curve[-1][group]["exact"] = exact
        assert holds(rules.FINDING1, seed(pretraining=curve))["no_icl"] is expected


def test_a_guessed_type_does_not_excuse_icl_and_is_a_control_of_transfer():
    curve = pretrained()
    curve[-1]["icl_heldout"]["exact"] = 0.25
    assert not holds(rules.FINDING1, seed(pretraining=curve))["no_icl"]
    assert not holds(rules.FINDING2, seed(finetuned=finetuned(0.44)))["transfer"]
    assert holds(rules.FINDING2, seed(finetuned=finetuned(0.46)))["transfer"]


def test_stages():
    assert rules.stage(pretrained(), "pt", "type") == 10
    assert rules.stage(pretrained(), "pt", "exact") == 30
    together = [point(step, x) for step, x in zip(STEPS, (0, 0.1, 0.5, 0.9, 0.95), strict=True)]
    assert not holds(rules.FINDING1, seed(pretraining=together))["type_first"]
    # Earlier, but exact match already more than half of type match.
    near = pretrained()
    near[1]["pt"]["exact"] = 0.45
    assert not holds(rules.FINDING1, seed(pretraining=near))["type_first"]
    with pytest.raises(ValueError, match="curve must have a point"):
        rules.stage([], "pt", "exact")


@pytest.mark.parametrize(
    "control", ["before", "scratch", "majority", "type_known", "copy", "lookup", "chance", "type_guessed"]
)
def test_every_control_can_stop_transfer(control):
    changed = copy.deepcopy(seed())
    if control == "before":
        changed["finetuned"][0]["icl_heldout"]["exact"] = 0.8
    elif control == "scratch":
        # At its best step, not at its last.
        changed["scratch"][2]["icl_heldout"]["exact"] = 0.8
    else:
        changed["trivial"]["icl_heldout"][control] = 0.8
    assert rules.controls(changed)[control] == 0.8
    assert not holds(rules.FINDING2, changed)["transfer"]


def test_grammar_first_is_strict():
    assert not holds(rules.FINDING3, seed(finetuned=finetuned(grm_first=False)))["grammar_first"]


def test_a_curve_that_ends_at_zero_comes_first_nowhere():
    """Half of nothing is reached at once."""
    for group in ("grm_heldout", "icl_heldout"):
        flat = finetuned()
        for one in flat:
            one[group] = {metric: 0.0 for metric in one[group]}
        assert not holds(rules.FINDING3, seed(finetuned=flat))["grammar_first"]


def test_a_seed_has_to_show_every_main_statement():
    bad_end, bad_order = seed(1, finetuned=finetuned(0.3)), seed(2, finetuned=finetuned(grm_first=False))
    statements, whole = by_seed(rules.FINDING3)([seed(0), bad_end, bad_order])
    assert [s["verdict"] for s in statements if s["main"]] == ["reproduced", "reproduced"]
    assert (whole["count"], whole["of"]) == (1, 3)
    assert verdict(statements, whole) == "not reproduced"
    assert verdict(*by_seed(rules.FINDING3)([seed(0), bad_end])) == "reproduced"


def test_trend():
    assert trends.trend([[0.1, 0.3, 0.5]], 0.1)["holds"]
    assert not trends.trend([[0.1, 0.15, 0.19]], 0.1)["holds"]
    assert not trends.trend([[0.1, 0.5, 0.4]], 0.1)["holds"]
    assert trends.trend([[0.1, 0.5, 0.46]], 0.1)["holds"]
    assert not trends.trend([[0.5, 0.3, 0.1]], 0.1)["holds"]
    for bad in ([], [[0.1]], [[0.1, 0.2], [0.1]]):
        with pytest.raises(ValueError, match="curves must be"):
            trends.trend(bad, 0.1)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_trend_and_its_mirror_image_do_not_both_hold(curves):
    mirrored = [[1 - x for x in curve] for curve in curves]
    assert not (trends.trend(curves, 0.1)["holds"] and trends.trend(mirrored, 0.1)["holds"])


def test_comparable():
    assert trends.comparable([[0.2, 0.5]], [[0.25, 0.42]])["holds"]
    assert not trends.comparable([[0.2, 0.5]], [[0.2, 0.65]])["holds"]


def test_marginal_needs_a_full_grid():
    grid = {(("S", s), ("Div", d)): s / 10 + d for s in (1, 2) for d in (0.1, 0.3)}
    assert trends.marginal(grid, "S") == pytest.approx({1: 0.3, 2: 0.4})
    assert trends.marginal(grid, "Div") == pytest.approx({0.1: 0.25, 0.3: 0.45})
    with pytest.raises(ValueError, match="factor must be among"):
        trends.marginal(grid, "M")
    grid.pop((("S", 1), ("Div", 0.1)))
    with pytest.raises(ValueError, match="full grid"):
        trends.marginal(grid, "S")


def sweep(number, icl, grm):
    points = {
        kind: [
            {"subjects": n, "best": b, "end": b, "seen": 1.0, "grm": b} for n, b in zip((4, 8, 16), best, strict=True)
        ]
        for kind, best in (("icl", icl), ("icl+grm", grm))
    }
    return {"seed": number, "points": points}


def test_fig5():
    judged = FINDINGS["fig5"].judged
    assert verdict(*judged([sweep(0, (0.2, 0.4, 0.6), (0.25, 0.45, 0.55))])) == "reproduced"
    for icl, grm in (
        ((0.2, 0.4, 0.6), (0.0, 0.0, 0.0)),
        ((0.2, 0.4, 0.6), (0.35, 0.5, 0.6)),
        ((0.2, 0.5, 0.4), (0.2, 0.5, 0.4)),
    ):
        assert verdict(*judged([sweep(0, icl, grm)])) == "not reproduced"


def data(flat=None):
    def value(S, div, M):
        return (
            0.1
            + 0.1 * (S == 8 and flat != "S")
            + 0.1 * (div == 0.4 and flat != "Div")
            + 0.1 * (M == 12 and flat != "M")
        )

    fig6 = [
        {
            "S": S,
            "Div": d,
            "M": 8,
            "pt": value(S, d, 8),
            "icl_heldout": value(S, d, 8),
            "grm_heldout": 0.0,
            "icl_direct": 0.0,
        }
        for S in (6, 8)
        for d in (0.2, 0.4)
    ]
    fig7 = [
        {"S": 8, "Div": d, "M": M, "pt": 1.0, "icl_heldout": value(8, d, M), "grm_heldout": 0.0, "icl_direct": 0.0}
        for M in (8, 12)
        for d in (0.2, 0.4)
    ]
    return {"seed": 0, "fig6": fig6, "fig7": fig7}


def test_finding4_needs_all_three_factors():
    judged = FINDINGS["finding4"].judged
    assert verdict(*judged([data()])) == "reproduced"
    for factor in ("S", "Div", "M"):
        statements, whole = judged([data(factor)])
        assert verdict(statements, whole) == "not reproduced"
        failed = {s["name"] for s in statements if s["main"] and s["verdict"] == "not reproduced"}
        assert failed and all(name.startswith(f"{factor}_") for name in failed)


def test_unknown_names():
    with pytest.raises(
        ValueError, match="finding must be one of finding1, finding2, finding3, fig5, finding4, got 'fig99'"
    ):
        finding("fig99")
