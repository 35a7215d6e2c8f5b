"""Nobody can change a committed record of networks unnoticed, and everything in it follows from its measures."""

import copy
import json
import math
from itertools import pairwise

import pytest

from tests.close import close
from tests.verify.recorded import CLAIMS, FINDINGS, NETWORKS, RECORDS, SWEEPS
from tests.verify.recorded import replaced as replaced
from verify.evidence import Status
from verify.judges import figures, measured
from verify.trained import record as networks_record
from verify.trained.figures import FIGURES


@pytest.mark.parametrize("name", [name for name in RECORDS if name in NETWORKS])
def test_an_edited_count_is_noticed(name, replaced):
    """Every accuracy, score and share that a part rests on: what is said of the networks no longer holds."""
    said = figures.what_was_measured(name)(None).statement
    edited = copy.deepcopy(RECORDS[name])
    network = next(one for one in edited["networks"] if one["variant"] == "base")
    if "ov" in network:
        network["accuracy"]["heldout_all"]["right"] -= 200
    else:
        kind = next(kind for kind in ("pt", "icl") if kind in network)
        part = network[kind]
        part["scores"]["subject"]["centred"][part["mechanism"]["subject_head"]] += 0.1
    replaced(name, edited)
    assert figures.networks_show(said, None).status is Status.FAILS


@pytest.mark.parametrize("name", [name for name in RECORDS if name in SWEEPS])
def test_an_edited_accuracy_of_a_sweep_is_noticed(name, replaced):
    said = figures.what_was_measured(name)(None).statement
    edited = copy.deepcopy(RECORDS[name])
    one = edited["seeds"][0]
    fewest = min(p["M_ft"] for p in one["points"])
    point = max((p for p in one["points"] if p["M_ft"] == fewest), key=lambda p: p["unique"])
    for metric in ("exact", "subject"):
        point["heldout"]["all"]["accuracy"][metric] -= 0.05
    replaced(name, edited)
    assert figures.networks_show(said, None).status is Status.FAILS


def scaled(value, factor):
    """Every accuracy, silhouette and rank in a record's measures times the factor; steps and counts stay."""
    if isinstance(value, dict):
        return {k: v if k in ("step", "seed", "S", "M", "Div") else scaled(v, factor) for k, v in value.items()}
    if isinstance(value, list):
        return [scaled(one, factor) for one in value]
    return value * factor if isinstance(value, float) else value


@pytest.mark.parametrize("name", [name for name in RECORDS if name in FINDINGS])
def test_edited_measures_of_a_finding_are_noticed(name, replaced):
    said = figures.what_was_measured(name)(None).statement
    edited = copy.deepcopy(RECORDS[name])
    edited["networks"][0] = scaled(edited["networks"][0], 0.9)
    replaced(name, edited)
    assert figures.networks_show(said, None).status is Status.FAILS


@pytest.mark.parametrize("name", [name for name in RECORDS if name not in SWEEPS])
def test_an_edited_verdict_changes_nothing(name, replaced):
    """Verdicts, statements and summaries of the record are not read; those of the networks are."""
    before = figures.networks_show(CLAIMS[name].printed, None), figures.what_was_measured(name)(None).statement
    edited = copy.deepcopy(RECORDS[name])
    for key in ("verdict", "statements", "summary", "all_main", "mechanisms", "trivial", "rule"):
        edited.pop(key, None)
    replaced(name, edited)
    assert before == (
        figures.networks_show(CLAIMS[name].printed, None),
        figures.what_was_measured(name)(None).statement,
    )


def near(a, b):
    """Equal up to the digits that records are rounded to."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(near(x, y) for x, y in zip(a, b, strict=True))
    return a == b or (
        isinstance(a, float) and isinstance(b, float | int) and math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5)
    )


@pytest.mark.parametrize("name", [name for name in RECORDS if name in NETWORKS])
def test_everything_in_the_record_of_a_figure_follows_from_its_networks(name):
    """Summaries, mechanisms, sentences, verdict; the kind of every mechanism from shares and patterns."""
    made, shown, R = RECORDS[name], FIGURES[name], networks_record
    networks = made["networks"]
    statements = [R.judged(statement, networks) for statement in shown.statements]
    assert R.rounded(statements) == made["statements"]
    main = [entry["verdict"] for entry in statements if entry["main"]]
    assert made["verdict"] == (R.REPRODUCED if set(main) == {R.REPRODUCED} else R.NOT_REPRODUCED)
    summary = {
        variant: {kind: R.heads_summary(group, kind) for kind in shown.kinds} | {"accuracy": R.accuracy_summary(group)}
        for variant, group in R.by_variant(networks).items()
    }
    assert near(json.loads(json.dumps(summary)), made["summary"])
    said = R.head_findings(networks, shown)
    if "accuracy" in shown.pictures:
        # A record keeps the parts that its own figure shows; heads after pretraining of the same networks are in another.
        others = {one["run"]: one["pt"] for other in NETWORKS for one in RECORDS[other]["networks"] if "pt" in one}
        said += R.accuracy_findings([{"pt": others[one["run"]]} | one for one in networks])
    assert made["findings"][len(made["findings"]) - len(said) :] == said
    for kind in shown.kinds:
        assert R.rounded(R.mechanisms(networks, kind)) == made["mechanisms"][kind]
        for network in networks:
            part = network[kind]
            m = part["mechanism"]
            pattern = part["patterns"][m["subject_head"]]
            if m["subject_head"] == m["relation_head"] or min(m["subject_share"], m["relation_share"]) < 0.5:
                expected = "collapsed"
            elif pattern["own"] <= pattern["others"] or pattern["rho"] is None:
                expected = "unassociated"
            else:
                expected = "suppressing" if pattern["rho"] < -0.5 else "boosting"
            assert m["kind"] == expected
            if kind == "pt":
                shares = part["shares"]["subject_token"]
                assert m["subject_share"] == max(shares) == shares[m["subject_head"]]
                relation = part["shares"]["own_relation"]
                assert m["relation_share"] == max(relation) == relation[m["relation_head"]]


@pytest.mark.parametrize("name", [name for name in RECORDS if name in SWEEPS])
def test_everything_in_the_record_of_a_sweep_follows_from_its_seeds(name):
    made = RECORDS[name]
    judged, findings, _ = measured.SWEEPS[name]
    summary = judged(made["seeds"])
    assert close(json.loads(json.dumps(summary)), made["summary"])
    assert findings(summary) == made["findings"]
    assert made["papers_sizes"] == (sorted({one["M"] for one in made["seeds"]}) == [256, 2048])
    for one in made["seeds"]:
        for point in one["points"]:
            assert point["heldout"]["all"]["accuracy"]["exact"] <= min(
                point["heldout"]["all"]["accuracy"][metric] for metric in ("type", "subject", "attribute")
            )


@pytest.mark.parametrize("name", [name for name in RECORDS if name in ("finding1", "finding2", "finding3")])
def test_curves_are_shares_in_order(name):
    """Exact match is at most every other match, steps ascend, and a control is no better than it can be."""
    for network in RECORDS[name]["networks"]:
        for key in ("pretraining", "finetuned", "scratch", "last", "attributes"):
            curve = network.get(key, [])
            assert all(a["step"] < b["step"] for a, b in pairwise(curve))
            for point in curve:
                for group, found in point.items():
                    if group != "step":
                        assert 0 <= found["exact"] <= min(found["type"], found["subject"]) <= found["attribute"] <= 1


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_the_controls_of_a_figure_are_computed_again(name):
    """Known networks under the same measures, and all sentences of the record."""
    from verify.trained.command import CONTROL_SIZE
    from verify.trained.controls import controls
    from verify.trained.settings import jobs

    made, shown, R = RECORDS[name], FIGURES[name], networks_record
    config = jobs(made["preset"], shown.positions)[0].config
    known = controls(config, config.world.build(), CONTROL_SIZE)
    assert near(json.loads(json.dumps(R.rounded(R.control_table(known, shown)))), made["controls"])
    assert made["findings"][: len(R.findings(known, shown))] == R.findings(known, shown)
