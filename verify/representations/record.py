"""From measured seeds to the record of Finding 5: statements judged, what trivial representations and vectors pass, verdict."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from verify.findings.networks import ROOT, sources
from verify.findings.record import device_name, of_its_own, rounding
from verify.findings.rules import stage
from verify.output import revision, versions
from verify.representations import rules
from verify.representations.rules import DIVS, NAMED, POOLS, Measured, Pair
from verify.representations.settings import Setting
from verify.trained.intervals import share, spread
from verify.trained.record import rounded

SCHEMA = "contextual-recall-referee/finding5/1"
RESULTS = ROOT / "results"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
PICTURES = ("fig8", "fig16", "fig17", "fig18", "trivial")
# What older records do not hold, and its picture.
PRETRAINING, LEARNING = "pretraining", "learning"
PRINTED = (
    "The finetuned model encodes attribute type information from in-context examples in layer-2 attention representations. Clustering"
    " strength increases with both the number of in-context examples and the separation between the attribute-specific Markov chains"
    " during pretraining. As beta increases, the model output is steered towards the target; for lower Div, the required beta is much"
    " larger."
)
RULE = (
    f"reproduced if every main statement is: one on each network in at least {rules.SEEDS:g} of the seeds, for both Div; one of the higher Div"
    " against the lower by its mean over the seeds and its sign in every seed; intervals: Clopper-Pearson for counts, Student's t for"
    " means, 95 %"
)


def statements(seeds: dict[str, Pair]) -> list[dict[str, Any]]:
    """Every statement of rules.py, judged."""
    out = []
    for statement in rules.STATEMENTS:
        found = rules.judged(statement, seeds)
        out.append(
            {
                "name": statement.name,
                "says": statement.says,
                "why": statement.why,
                "main": statement.main,
                "verdict": REPRODUCED if found["holds"] else NOT_REPRODUCED,
                "by_seed": found["by_seed"],
                "count": share(sum(found["by_seed"].values()), len(found["by_seed"])),
                "values": found["values"],
                "difference": found["difference"],
            }
        )
    return out


def passed_by_trivial(seeds: dict[str, Pair]) -> dict[str, Any]:
    """What has no task and passes all the same: how many networks' trivial representations grow, how many mixed vectors steer."""
    networks = [pair[div] for pair in seeds.values() for div in DIVS]
    out: dict[str, Any] = {}
    for kind in ("silhouettes", "disjoint"):
        out[kind] = {
            name: {
                "grows": share(sum(rules.grows(m["trivial"][name][kind]) for m in networks), len(networks)),
                "last": spread([m["trivial"][name][kind][-1] for m in networks]),
            }
            for name in networks[0]["trivial"]
        }
    out["steers"] = {
        pool: share(sum(rules.is_steered(m["steering"][pool]["untyped"]) for m in networks), len(networks))
        for pool in POOLS
    }
    return out


def _mean(values: list[float]) -> str:
    found = spread(values)
    return f"{found['mean']:.2f} ({found['least']:.2f} to {found['largest']:.2f})"


def _clustered(div: str, of: list[Measured]) -> str:
    none, all_, apart = (
        _mean([m[kind][NAMED][t] for m in of])
        for kind, t in (("silhouettes", 0), ("silhouettes", -1), ("disjoint", -1))
    )
    bags = _mean([m["trivial"]["bag"]["silhouettes"][-1] for m in of])
    return (
        f"{div} Div ({_mean([m['div'] for m in of])}): silhouette of layer-2 attention {none} without demonstrations, {all_} at"
        f" {of[0]['demonstrations'][-1]}; {apart} between sequences that share no value; a count of the context's values has {bags} and 0."
    )


def _answered(div: str, of: list[Measured]) -> str:
    known = {name: [m["accuracy"][name][-1] for m in of] for name in POOLS}
    best = [max(values[-1] for values in m["guesses"]["heldout"].values()) for m in of]
    return (
        f"{div} Div: exact match on ICL sequences {_mean(known['heldout'])} held out, {_mean(known['seen'])} seen; the best trivial predictor"
        f" {_mean(best)} held out."
    )


def _steered(div: str, of: list[Measured]) -> str:
    parts = []
    for pool in POOLS:
        found = [m["steering"][pool] for m in of]
        passings = [f["crossing"] for f in found if f["crossing"] is not None]
        where = f"at beta {_mean(passings)}" if passings else "nowhere"
        parts.append(
            f"{pool}: source's mean rank {_mean([f['source'][0] for f in found])} at beta 0 (unreplaced"
            f" {_mean([f['unreplaced'] for f in found])}), target's {_mean([f['target'][-1] for f in found])} at beta 1 (mixed vectors"
            f" {_mean([f['untyped']['target'][-1] for f in found])}), passing {where} in {len(passings)} of {len(found)}"
        )
    return f"{div} Div, steering, {'; '.join(parts)}."


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _by_first_layer(networks: list[Measured]) -> list[str]:
    """Where the type is: networks whose first layer is flat, and the others."""
    out = []
    for words, of in (
        (f"within {rules.FLAT:g} of 0", [m for m in networks if rules.first_layer(m) < rules.FLAT]),
        (f"at {rules.FLAT:g} or more", [m for m in networks if rules.first_layer(m) >= rules.FLAT]),
    ):
        if not of:
            continue
        found = [m["steering"][pool]["crossing"] for m in of for pool in POOLS]
        at = [c for c in found if c is not None]
        passing = f"passes at beta {_range(at)}" if at else "passes"
        out.append(
            f"layer 1's silhouettes are {words} in {len(of)} of {len(networks)} networks: layer-2 attention has"
            f" {_range([m['silhouettes'][NAMED][-1] for m in of])} there, and the target {passing} in {len(at)} of {len(found)} cases (seen and"
            " held-out queries)."
        )
    return out


def _by_transfer(networks: list[Measured]) -> list[str]:
    """Networks that recall held-out facts, and the others: the finding speaks of the former."""
    out = []
    for words, wanted in (("at least", True), ("less than", False)):
        of = [m for m in networks if _recalls(m) == wanted]
        if of:
            found = [m["steering"][pool]["crossing"] for m in of for pool in POOLS]
            at = [c for c in found if c is not None]
            where = f" at beta {_range(at)}" if at else ""
            out.append(
                f"held-out exact match is {words} {rules.LEARNT:g} above the best trivial predictor in {len(of)} of {len(networks)} networks:"
                f" there layer-2 attention has {_range([m['silhouettes'][NAMED][-1] for m in of])}, layer 1 at most"
                f" {max(rules.first_layer(m) for m in of):.2f}, and the target passes in {len(at)} of {len(found)} cases{where}."
            )
    return out


def _recalls(m: Measured) -> bool:
    best = max(values[-1] for values in m["guesses"]["heldout"].values())
    return bool(m["accuracy"]["heldout"][-1] >= best + rules.LEARNT)


def _shows_pretraining(seeds: dict[str, Pair]) -> bool:
    return all(PRETRAINING in pair[div] for pair in seeds.values() for div in DIVS)


def _learnt(div: str, of: list[Measured]) -> str:
    """When pretraining learnt what, by the rule of Finding 1's stages: half of what is reached in the end."""
    parts = []
    for metric in ("type", "subject", "exact"):
        at, last = [], []
        for m in of:
            found = m[PRETRAINING]
            curve = [{"step": s, "pt": {metric: v}} for s, v in zip(found["step"], found[metric], strict=True)]
            at.append(float(stage(curve, "pt", metric)))
            last.append(float(found[metric][-1]))
        parts.append(f"{metric} match half of its end at iteration {_steps(at)}, {_range(last)} at the end")
    return f"{div} Div, pretraining: {'; '.join(parts)}."


def _steps(values: list[float]) -> str:
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return low if low == high else f"{low} to {high}"


def findings(seeds: dict[str, Pair]) -> list[str]:
    """Sentences from the numbers."""
    out = []
    for div in DIVS:
        of = [pair[div] for pair in seeds.values()]
        out += [_clustered(div, of), _answered(div, of), _steered(div, of)]
        if _shows_pretraining(seeds):
            out.append(_learnt(div, of))
    networks = [pair[div] for pair in seeds.values() for div in DIVS]
    out += _by_first_layer(networks) + _by_transfer(networks)
    orders = [rules.order(m["silhouettes"][NAMED]) for m in networks]
    rises = [rules.rise(m["silhouettes"][NAMED]) for m in networks]
    if min(rises) >= rules.RISE and min(orders) < rules.ORDER:
        at_one = [m["silhouettes"][NAMED][1] - m["silhouettes"][NAMED][0] for m in networks]
        out.append(
            f"every silhouette of layer-2 attention rises by {_range(rises)}, of which {_range(at_one)} with the first demonstration (a value"
            " belongs to one type, so that one demonstration gives it away); what follows may be flat or zigzag, and the rank correlation is"
            f" {_range(orders)} where the rule asks for {rules.ORDER:g}."
        )
    trivial = passed_by_trivial(seeds)
    for kind, words in (("silhouettes", "all pairs"), ("disjoint", "no shared value")):
        passing = [
            f"{name} ({found['grows']['count']} of {found['grows']['of']})"
            for name, found in trivial[kind].items()
            if found["grows"]["count"]
        ]
        if passing:
            out.append(f"{words}: the silhouettes of {', '.join(passing)} grow as the rule asks, without a task.")
    crossings = [m["steering"][pool]["crossing"] for m in networks for pool in POOLS]
    near = [c for c in crossings if c is not None and abs(c - 0.5) <= rules.SOONER]
    if near:
        out.append(
            f"{len(near)} of {len(crossings)} mean passings are within {rules.SOONER:g} of 1/2, where symmetry puts them wherever the"
            " type reaches the output through the replaced vector alone, however strong the vectors are."
        )
    return out


def pairs(networks: list[Measured]) -> dict[str, Pair]:
    """{seed: {'low', 'high': measures}} of a record's networks."""
    found: dict[str, Pair] = {}
    for one in networks:
        found.setdefault(str(one["seed"]), {})[one["div_name"]] = one
    return found


def record(
    setting: Setting,
    preset: str,
    seeds: dict[str, Pair],
    device: str,
    seconds: float,
    precision: str = "float32",
    unembedding: str = "tied",
) -> dict[str, Any]:
    """The record (JSON values).  seeds: {seed: {'low', 'high': measures}}.  Raises ValueError without seeds."""
    judged = statements(seeds)
    reproduced = all(one["verdict"] == REPRODUCED for one in judged if one["main"])
    first = setting.networks(0, precision, unembedding)
    return rounded(
        {
            "schema": SCHEMA,
            "finding": "finding5",
            "claim": "finding5",
            "title": "Finding 5, Fig. 8, 16-18: representations of the finetuned network",
            "printed": PRINTED,
            "preset": preset,
            "setting": {
                "papers_sizes": preset == "paper",
                "says": setting.says + rounding(precision) + of_its_own(unembedding),
                "kind": setting.kind,
                "divs": list(setting.divs),
                "size": json.loads(json.dumps(asdict(setting.size))),
                "context": first["low"].config.context,
                "positions": first["low"].config.T,
                "untrained_positions": first["low"].config.untrained,
            },
            "config": {div: network.config.to_json() for div, network in first.items()},
            "seeds": [int(seed) for seed in seeds],
            "rule": RULE,
            "statements": judged,
            "verdict": REPRODUCED if reproduced else NOT_REPRODUCED,
            "trivial": passed_by_trivial(seeds),
            "findings": findings(seeds),
            "networks": [
                {"seed": int(seed), "div_name": div} | pair[div] for seed, pair in seeds.items() for div in DIVS
            ],
            "pictures": [f"{name}.png" for name in (*PICTURES, *([LEARNING] if _shows_pretraining(seeds) else []))],
            "device": device_name(device),
            "sources": sources(),
            "versions": versions(),
            "revision": revision(),
            "seconds": round(seconds, 1),
        },
        5,
    )


def committed(results: Path = RESULTS, *, folder: str = "finding5") -> dict[str, Any]:
    """The committed record; folder "finding5/long": that of preset quick-long.  Raises ValueError where there is none."""
    path = results / folder / "finding.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder} must have a committed record, got none at {path}") from None
