"""From measured networks to the record of a figure: statements judged, intervals over seeds, baselines, findings, verdict."""

import json
import math
from pathlib import Path
from typing import Any

from numerics.measures import KINDS, MEASURES
from numerics.training import to_json
from verify.output import revision, versions
from verify.trained import rules
from verify.trained.figures import Figure, figure
from verify.trained.heads import SCORES, TARGETS
from verify.trained.intervals import share, spread
from verify.trained.rules import Measured, Statement
from verify.trained.settings import Job
from verify.trained.trained import ROOT, sources

SCHEMA = "contextual-recall-referee/figure/1"
RESULTS = ROOT / "results"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
WORDS = {"subject": "f_subj", "relation": "f_rel"}


def rounded(value: Any, digits: int = 6) -> Any:
    """JSON values with floats to so many digits; nan and inf become null."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(entry, digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry, digits) for entry in value]
    return value


def by_variant(networks: list[Measured]) -> dict[str, list[Measured]]:
    """The networks of every variant, in their order."""
    out: dict[str, list[Measured]] = {}
    for network in networks:
        out.setdefault(network["variant"], []).append(network)
    return out


def judged(statement: Statement, networks: list[Measured]) -> dict[str, Any]:
    """How many networks of each variant show the statement; the verdict rests on those of the base setting."""
    groups = {
        name: {str(network["seed"]): bool(statement.holds(network)) for network in group}
        for name, group in by_variant(networks).items()
    }
    counts = {name: share(sum(found.values()), len(found)) for name, found in groups.items()}
    base = counts["base"]
    return {
        "name": statement.name,
        "says": statement.says,
        "why": statement.why,
        "main": statement.main,
        "base": base,
        "variants": {name: count for name, count in counts.items() if name != "base"},
        "by_seed": groups,
        "verdict": REPRODUCED if base["share"] >= rules.SEEDS else NOT_REPRODUCED,
    }


def heads_summary(networks: list[Measured], kind: str) -> dict[str, Any]:
    """Over the seeds: shares and scores of the two heads, and the scores of the baselines."""
    parts = [network[kind] for network in networks]
    return {
        name: {
            "attention": spread([part["mechanism"][f"{name}_share"] for part in parts]),
            "scores": {score: spread([rules.score(part, name, score) for part in parts]) for score in SCORES},
            "baselines": {
                label: {score: spread([part["baselines"][name][label][score] for part in parts]) for score in SCORES}
                for label in parts[0]["baselines"][name]
            },
        }
        for name in TARGETS
    }


def accuracy_summary(networks: list[Measured]) -> dict[str, Any]:
    """Over the seeds, every accuracy."""
    out = {}
    for name in networks[0]["accuracy"]:
        counts = [network["accuracy"][name] for network in networks]
        out[name] = spread([rules.accuracy(count) for count in counts])
        if "covered_total" in counts[0]:
            out[f"{name}_covered"] = spread([rules.accuracy(count, covered=True) for count in counts])
    return out


def mechanisms(networks: list[Measured], kind: str) -> dict[str, Any]:
    """For every variant, how many networks have each mechanism, with intervals."""
    return {
        name: {
            what: share(sum(network[kind]["mechanism"]["kind"] == what for network in group), len(group))
            for what in KINDS
        }
        for name, group in by_variant(networks).items()
    }


def control_table(controls: dict[str, Any], shown: Figure) -> dict[str, Any]:
    """What known networks score and which statements about heads they pass: control -> kind -> scores, accuracy, passes."""
    tests = {"separate": rules.separate, "centred": rules.centred, "printed": rules.printed, "needed": rules.needed}
    return {
        name: {
            kind: {
                "scores": {t: {score: rules.score(parts[kind], t, score) for score in SCORES} for t in TARGETS},
                "accuracy": parts[kind]["ablations"]["none"][0],
                "mechanism": parts[kind]["mechanism"]["kind"],
                "passes": {test: judge(parts[kind]) for test, judge in tests.items()}
                | {"heads": rules.heads_as_constructed(parts[kind])},
            }
            for kind in shown.kinds
        }
        for name, parts in controls.items()
    }


def findings(controls: dict[str, Any], shown: Figure) -> list[str]:
    """What the controls say about the paper's measure, each sentence only if its numbers bear it out."""
    out = []
    for kind in shown.kinds:
        constant = controls["constant"][kind]["baselines"]["subject"]["constant"]
        vague = [measure for measure in MEASURES if constant[measure] >= rules.CLOSE]
        if vague:
            numbers = ", ".join(f"{constant[m]:.3f} ({m})" for m in MEASURES)
            out.append(
                f"{kind}: a constant vector, -1 on every attribute, has cosine {numbers} with f_subj: the cosine over"
                f" {' or '.join(vague)} coordinates cannot tell the subject head from one that knows no facts."
            )
        for name, words in (
            ("constant", "knows no facts"),
            ("shuffled", "has the facts of another subject"),
        ):
            part = controls[name][kind]
            if rules.printed(part) and not rules.centred(part):
                out.append(
                    f"{kind}: a network whose subject head {words} (accuracy {part['ablations']['none'][0]:.2f}) passes the"
                    f" uncentred cosines and fails the centred ones ({rules.score(part, 'subject', 'centred'):.2f} with f_subj)."
                )
        part = controls["boosting"][kind]
        if rules.centred(part) and not rules.printed(part):
            out.append(
                f"{kind}: a boosting subject head has centred cosine {rules.score(part, 'subject', 'centred'):.2f} with f_subj and"
                f" uncentred {rules.score(part, 'subject', 'attributes'):.2f}: neither cosine alone identifies the construction."
            )
        flat = [
            WORDS[name]
            for name in TARGETS
            if controls["construction"][kind]["baselines"][name]["uniform"]["centred"] >= rules.CLOSE
        ]
        if flat:
            out.append(
                f"{kind}: under uniform attention the construction's own W_OV still matches {' and '.join(flat)}: the cosine does"
                " not see attention."
            )
    return out


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def head_findings(networks: list[Measured], shown: Figure) -> list[str]:
    """What the base networks with separate heads score, beside the constant vector; which references their OV has."""
    out = []
    base = by_variant(networks)["base"]
    for kind in shown.kinds:
        parts = [network[kind] for network in base if rules.separate(network[kind])]
        if not parts:
            out.append(f"{kind}: none of {len(base)} base networks has separate heads.")
            continue
        scored = {
            name: ", ".join(f"{_range([rules.score(part, name, m) for part in parts])} ({m})" for m in MEASURES)
            for name in TARGETS
        }
        constant = parts[0]["baselines"]["subject"]["constant"]
        out.append(
            f"{kind}: {len(parts)} of {len(base)} base networks have separate heads; their cosines are {scored['subject']} with"
            f" f_subj and {scored['relation']} with f_rel; the constant vector has {constant['attributes']:.2f} (attributes), 0"
            " (centred) with f_subj."
        )
        subject = [part["patterns"][part["mechanism"]["subject_head"]] for part in parts]
        rho = [pattern["rho"] for pattern in subject if pattern["rho"] is not None]
        zero = [pattern["rho_zero"] for pattern in subject if pattern["rho_zero"] is not None]
        if rho and zero:
            out.append(
                f"{kind}: their subject heads have rho {_range(rho)} (-1 suppressing, 0 boosting; against tokens that are no values)"
                f" and {_range(zero)} against 0: which of the two a head does depends on the level it is measured from, which the"
                " softmax does not see."
            )
    return out


def accuracy_findings(networks: list[Measured]) -> list[str]:
    """Whether answering ICL sequences says anything about the mechanism of pretraining: base networks that collapsed."""
    out = []
    collapsed = [n for n in by_variant(networks)["base"] if n["pt"]["mechanism"]["kind"] == "collapsed"]
    good = [n for n in collapsed if rules.accuracy(n["accuracy"]["heldout_all"]) >= rules.ACCURATE]
    if good:
        pt = [rules.accuracy(n["accuracy"]["pt"]) for n in good]
        icl = [rules.accuracy(n["accuracy"]["heldout_all"]) for n in good]
        out.append(
            f"{len(good)} of {len(collapsed)} base networks whose pretraining collapsed (accuracy {min(pt):.2f} to {max(pt):.2f} on PT"
            f" sequences) reach held-out accuracy {min(icl):.2f} to {max(icl):.2f} after finetuning: it does not show the mechanism"
            " of pretraining."
        )
    base = by_variant(networks)["base"]
    counts = [n["accuracy"]["heldout_all"] for n in base]
    if all(count["covered_total"] < count["total"] for count in counts):
        inside = [rules.accuracy(count, covered=True) for count in counts]
        outside = [
            (count["right"] - count["covered_right"]) / (count["total"] - count["covered_total"]) for count in counts
        ]
        share_ = sum(count["covered_total"] for count in counts) / sum(count["total"] for count in counts)
        out.append(
            f"{share_:.3f} of the sequences with held-out queries have an answer that some finetuning subject has, all that Prop. 2"
            f" covers: accuracy {_range(inside)} there and {_range(outside)} on the others, so that the whole stays near"
            f" {share_:.3f}."
        )
    return out


def record(
    shown: Figure, preset: str, jobs: list[Job], networks: list[Measured], controls: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The record of a figure (JSON values).  jobs: of the networks, in their order; seconds: of the whole command.

    Raises ValueError without networks of the base setting.
    """
    groups = by_variant(networks)
    if not groups.get("base"):
        raise ValueError("networks must have some of the base setting, got none")
    statements = [judged(statement, networks) for statement in shown.statements]
    reproduced = all(entry["verdict"] == REPRODUCED for entry in statements if entry["main"])
    summary: dict[str, Any] = {
        name: {kind: heads_summary(group, kind) for kind in shown.kinds} | {"accuracy": accuracy_summary(group)}
        for name, group in groups.items()
    }
    said = findings(controls, shown) + head_findings(networks, shown)
    if "accuracy" in shown.pictures:
        said += accuracy_findings(networks)
    keep = ("variant", "seed", "run", "revision", "seconds", *shown.parts)
    return rounded(
        {
            "schema": SCHEMA,
            "figure": shown.name,
            "claim": shown.claim,
            "title": shown.title,
            "printed": shown.printed,
            "preset": preset,
            "config": to_json(next(job for job in jobs if job.variant == "base").config),
            "seeds": {name: [network["seed"] for network in group] for name, group in groups.items()},
            "rule": f"reproduced if every main statement holds in at least {rules.SEEDS:g} of the seeds of the base setting;"
            " intervals: Clopper-Pearson for counts, Student's t for means, 95 %",
            "statements": statements,
            "verdict": REPRODUCED if reproduced else NOT_REPRODUCED,
            "mechanisms": {kind: mechanisms(networks, kind) for kind in ("pt", "icl")},
            "summary": summary,
            "controls": control_table(controls, shown),
            "findings": said,
            "networks": [{name: network[name] for name in keep} for network in networks],
            "pictures": [f"{name}.png" for name in shown.pictures],
            "sources": sources(),
            "versions": versions(),
            "revision": revision(),
            "seconds": round(seconds, 1),
        }
    )


def committed(name: str, results: Path = RESULTS) -> dict[str, Any]:
    """The committed record of a figure ('fig9_10', ..).  Raises ValueError for an unknown name or where there is none."""
    path = results / figure(name).name / "figure.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"figure must have a committed record, got {name!r} without {path}") from None
