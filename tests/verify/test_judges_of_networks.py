"""Claims judged from committed networks: what the checks must tell, and what nobody can change in a record unnoticed."""

import copy
import json
import math
from itertools import pairwise

import pytest
import torch

from paper_checks.claim import Kind
from paper_checks.contextual_recall import figures as printed_figures
from paper_checks.contextual_recall import findings as printed_findings
from paper_checks.contextual_recall.figures import Figure
from verify.evidence import Status
from verify.judges import committed, confusions, confusions_findings, figures, measured, measured_findings
from verify.setting import SettingError
from verify.trained import record as networks_record
from verify.trained.figures import FIGURES
from verify.verdict import verdict

torch.set_num_threads(1)
CLAIMS = {claim.printed.name: claim for claim in (*printed_figures.claims(), *printed_findings.claims())}
NETWORKS = tuple(FIGURES)
SWEEPS = tuple(measured.SWEEPS)
FINDINGS = committed.FINDINGS


def record_of(name):
    """The committed record, None where there is none yet."""
    try:
        return committed.committed(name)
    except SettingError:
        return None


RECORDS = {name: found for name in CLAIMS if (found := record_of(name)) is not None}
CONFUSED = [(name, mutation.name) for name in RECORDS for mutation in CLAIMS[name].mutations]


def recorded_verdict(name):
    return RECORDS[name]["summary"]["verdict"] if name in SWEEPS else RECORDS[name]["verdict"]


@pytest.fixture
def replaced(monkeypatch):
    """Puts a record in the place of a committed one."""

    def put(name, record):
        for module in (measured, measured_findings):
            monkeypatch.setattr(
                module, "committed", lambda asked: record if asked == name else committed.committed(asked)
            )

    return put


# --- verdicts and confusions ----------------------------------------------------------------------------------------------


def test_every_claim_on_networks_has_a_judge_and_two_confusions():
    assert set(CLAIMS) == {*NETWORKS, *SWEEPS, *FINDINGS}
    known = {*confusions.OF_NETWORKS, *confusions.OF_SWEEPS, *confusions_findings.CONFUSIONS}
    for claim in CLAIMS.values():
        assert claim.kind is Kind.EMPIRICAL
        assert len(claim.mutations) >= 2
        assert {mutation.name for mutation in claim.mutations} <= known
    assert {m.name for claim in CLAIMS.values() for m in claim.mutations} == known
    assert {*NETWORKS, *SWEEPS} <= set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_the_verdict_is_the_records_own(name):
    printed = figures.networks_show(CLAIMS[name].printed, None)
    derived = figures.networks_show(figures.what_was_measured(name)(None).statement, None)
    assert derived.status is Status.HOLDS
    assert printed.evidence
    assert str(verdict(Kind.EMPIRICAL, printed, derived, False)) == recorded_verdict(name)
    assert all(0 <= e.discrepancy < math.inf for e in printed.evidence)
    assert (printed.counterexample == "") == (printed.status is Status.HOLDS)


@pytest.mark.parametrize(("name", "confusion"), CONFUSED)
def test_a_confusion_changes_the_measures(name, confusion):
    """Of the committed networks: some number that is said of them is no longer so."""
    _, parts = measured.parts_of(name, "")
    _, confused = measured.parts_of(name, confusion)
    assert [one.name for one in parts] == [one.name for one in confused]
    assert [one.measured for one in parts] != [one.measured for one in confused]
    mutation = next(one for one in CLAIMS[name].mutations if one.name == confusion)
    derived = figures.what_was_measured(name)(None).statement
    assert figures.networks_show(mutation.apply(derived), None).status is Status.FAILS
    assert figures.networks_show(mutation.apply(CLAIMS[name].printed), None).status is Status.FAILS


@pytest.mark.parametrize("name", RECORDS)
def test_an_unknown_confusion_or_name_is_an_error(name):
    with pytest.raises(KeyError):
        figures.networks_show(Figure(name, as_if="no such confusion"), None)
    with pytest.raises(ValueError, match="must be one of"):
        figures.networks_show(Figure("fig0"), None)


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_said_must_be_said_of_every_part_once(name):
    found = figures.what_was_measured(name)(None).statement.found
    for wrong in (found[:-1], (*found, found[0]), (*found[:-1], (found[0][0], found[-1][1]))):
        with pytest.raises(LookupError, match=name):
            figures.networks_show(Figure(name, found=wrong), None)
    for k, (part, words) in enumerate(found):
        slip = (*found[:k], (part, words + " "), *found[k + 1 :])
        assert figures.networks_show(Figure(name, found=slip), None).status is Status.FAILS


@pytest.mark.parametrize("name", ["fig9_10", "fig13", "finding1", "finding5"])
def test_a_claim_without_a_record_is_an_error_that_names_the_file(name, monkeypatch, tmp_path):
    from verify.diversity import command
    from verify.findings import record as findings_record
    from verify.representations import record as representations_record

    for module in (networks_record, findings_record, representations_record):
        monkeypatch.setattr(module.committed, "__defaults__", (tmp_path,))
    monkeypatch.setattr(command, "ROOT", tmp_path)
    with pytest.raises(SettingError, match=rf"results/{name}.*{tmp_path}"):
        figures.networks_show(CLAIMS[name].printed, None)


# --- networks that do show it: the rules reject every confusion, not the numbers alone -------------------------------------


def as_constructed(part, H=3):
    """Measures of a network whose heads 1 and 2 are those of the construction."""
    scores = {
        role: {
            measure: [1.0 if head == mine else 0.0 for head in range(H)] for measure in ("all", "attributes", "centred")
        }
        for role, mine in (("subject", 1), ("relation", 2))
    }
    m = {"kind": "suppressing", "subject_head": 1, "relation_head": 2, "subject_share": 1.0, "relation_share": 1.0}
    return part | {"scores": scores, "mechanism": m}


def ideal_networks(name):
    made = copy.deepcopy(RECORDS[name])
    pattern = {"own": 0.0, "others": -1.0, "rest": 0.0, "rho": -1.0, "rho_zero": -1.0, "separation": 1.0}
    for network in made["networks"]:
        for kind in ("pt", "icl"):
            if kind in network:
                network[kind] = as_constructed(network[kind])
        if "ov" in network:
            both = {"subject_before": dict(pattern), "subject_after": dict(pattern)}
            network["ov"] |= both | {"relation_separation": [1.0, 1.0], "value_separation": [1.0, 1.0]}
        for counts in network["accuracy"].values():
            for prefix in ("", "covered_"):
                if f"{prefix}total" in counts and f"{prefix}right" in counts:
                    counts[f"{prefix}right"] = counts[f"{prefix}total"]
    return made


def ideal_sweep(name):
    """Accuracy = the share of values seen; at the larger number of PT subjects half of it, and heads of cosine .3."""
    made = copy.deepcopy(RECORDS[name])
    small = min(one["M"] for one in made["seeds"])
    for one in made["seeds"]:
        factor = 1.0 if one["M"] == small else 0.5
        jitter = 1e-3 * one["seed"]
        for point in one["points"]:
            share = point["unique"] / point["attributes"]
            exact = factor * share - jitter
            found = {"exact": exact, "type": exact, "subject": factor - jitter, "attribute": 1.0}
            point["heldout"]["all"]["accuracy"] = found
        heads = one["pretrained"]
        for head in ("subject", "relation"):
            cosines = heads["cosines"][head]["centred"]
            cosines[heads[f"{head}_head"]] = (0.95 if one["M"] == small else 0.3) - jitter
    return made


@pytest.mark.parametrize("name", [*NETWORKS, *SWEEPS])
def test_the_rules_pass_what_shows_it_and_reject_every_confusion_of_it(name, replaced):
    replaced(name, ideal_networks(name) if name in NETWORKS else ideal_sweep(name))
    claim = CLAIMS[name]
    assert figures.networks_show(claim.printed, None).status is Status.HOLDS
    for mutation in claim.mutations:
        found = figures.networks_show(mutation.apply(claim.printed), None)
        assert found.status is Status.FAILS, mutation.name
        assert found.counterexample


def four(exact, kind, subject=0.0):
    """A point of a curve."""
    return {"exact": exact, "type": kind, "subject": max(exact, subject), "attribute": 1.0}


def curve(**groups):
    """Points at steps 0, 10, 20 from (exact, type) of each group."""
    return [{"step": 10 * k} | {name: four(*values[k]) for name, values in groups.items()} for k in range(3)]


NOTHING = [(0.0, 0.0)] * 3
LEARNT = [(0.0, 0.25), (0.2, 0.4), (1.0, 1.0)]
SOONER = [(0.0, 0.25), (0.9, 0.9), (1.0, 1.0)]


def ideal_curves(seed):
    """What Findings 1-3 describe."""
    control = dict.fromkeys(("chance", "majority", "type_known", "copy", "lookup", "type_guessed"), 0.1)
    rows = [[1.0], [1.0], [1.0]]
    formats = {"S_ft": [0, 1, 2], "n_demos": [4], "trained": [1], "exact": rows, "attribute": rows}
    return {
        "seed": seed,
        "reachable": 1.0,
        "trivial": {"icl_seen": control, "icl_heldout": control | {"type_guessed": 0.25}},
        "pretraining": curve(pt=[(0.0, 0.1), (0.1, 0.9), (1.0, 1.0)], icl_seen=NOTHING, icl_heldout=NOTHING),
        "finetuned": curve(icl_seen=LEARNT, icl_heldout=LEARNT, grm_seen=SOONER, grm_heldout=SOONER),
        "last": curve(icl_seen=LEARNT, icl_heldout=LEARNT, grm_seen=SOONER, grm_heldout=SOONER),
        "scratch": curve(icl_seen=NOTHING, icl_heldout=NOTHING, grm_seen=NOTHING, grm_heldout=NOTHING),
        "formats": {"finetuned": formats, "last": copy.deepcopy(formats)},
    }


def ideal_subjects(seed):
    points = [{"best": value, "end": value, "grm": value} for value in (0.1, 0.5, 0.9)]
    return {"seed": seed, "points": {"icl": points, "icl+grm": copy.deepcopy(points)}}


def ideal_grid(seed):
    """Accuracy rises along every axis of both panels."""
    panels = {}
    for panel, factor in (("fig6", "S"), ("fig7", "M")):
        panels[panel] = [
            {factor: n, "Div": div} | dict.fromkeys(("icl_heldout", "pt", "grm_heldout", "icl_direct"), 0.1 * n + div)
            for n in (1, 2, 3)
            for div in (0.1, 0.3, 0.5)
        ]
    return {"seed": seed} | panels


def ideal_pair(seed, div):
    """Layer-2 attention clusters with the demonstrations, more at the higher Div, where steering passes sooner."""
    least = [0.0, 0.0, 0.0]
    rising = [0.0, 0.3, 0.5] if div == "low" else [0.0, 0.4, 0.9]
    names = [f"layer{i}.{part}" for i in (1, 2) for part in ("attention", "mlp", "residual")]
    silhouettes = dict.fromkeys(names, least) | {"layer2.attention": rising}
    mixed = {"source": [1.0, 1.0], "target": [20.0, 20.0], "crossing": None}
    pool = {"source": [1.0, 20.0], "target": [20.0, 1.0], "crossing": 0.8 if div == "low" else 0.5, "untyped": mixed}
    return {
        "seed": seed,
        "div_name": div,
        "silhouettes": silhouettes,
        "disjoint": dict(silhouettes),
        "trivial": {name: {"silhouettes": least, "disjoint": least} for name in ("query", "bag")},
        "accuracy": {"seen": [0.1, 0.5, 1.0], "heldout": [0.1, 0.5, 1.0]},
        "steering": {"seen": copy.deepcopy(pool), "heldout": copy.deepcopy(pool)},
    }


def ideal_finding(name):
    one = {"fig5": ideal_subjects, "finding4": ideal_grid}.get(name, ideal_curves)
    networks = [one(seed) for seed in (0, 1)]
    if name == "finding5":
        networks = [ideal_pair(seed, div) for seed in (0, 1) for div in ("low", "high")]
    by_hand = {"preset": "none", "setting": {"says": "written by hand"}, "config": {"autocast": "none", "tf32": False}}
    return {"networks": networks, "seeds": [0, 1]} | by_hand


@pytest.mark.parametrize("name", FINDINGS)
def test_the_rules_pass_what_a_finding_describes_and_reject_every_confusion_of_it(name, replaced):
    replaced(name, ideal_finding(name))
    claim = CLAIMS[name]
    held = figures.networks_show(claim.printed, None)
    assert held.status is Status.HOLDS, held.counterexample
    for mutation in claim.mutations:
        found = figures.networks_show(mutation.apply(claim.printed), None)
        assert found.status is Status.FAILS, mutation.name
        assert found.counterexample


# --- a record changed by hand ----------------------------------------------------------------------------------------------


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
    assert json.loads(json.dumps(summary)) == made["summary"]
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
