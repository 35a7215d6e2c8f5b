"""Networks that do show what a figure or finding says: the rules pass them and reject every confusion, by what holds and not by the numbers."""

import copy

import pytest

from tests.verify.recorded import CLAIMS, FINDINGS, NETWORKS, RECORDS, SWEEPS
from tests.verify.recorded import replaced as replaced
from verify.evidence import Status
from verify.judges import figures


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
