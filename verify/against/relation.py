"""(b) The relation head of networks finetuned with AdamW: where its attention goes, and in which order its scores moved.

The networks are those of the paper's figures, several seeds of the base setting and of variants that often collapse; a network is
`separated` or `collapsed` by its pretrained heads (numerics.measures.mechanism).  The relation head is the one with the most attention
on the attributes after finetuning, whatever the share is.  What is compared with the theory is the change of its [sep] column in
finetuning, as the theory predicts an update; the final column is recorded beside it.

Rule, fixed before the runs: a prediction is followed if over the separated networks the share of ordered pairs on which the change
agrees with it has a 95 % t interval above 1/2, what tossing a coin for every pair gives.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.measures import shares
from numerics.models.factored import Factored
from numerics.population import certified_gradients, finetuning_gradients, population_size
from numerics.sampling import IclSampler, Tables
from numerics.training.evaluate import icl_counts
from numerics.world import World
from verify.against.ordering import Values, class_means, compared, printed
from verify.diversity.trends import above, mean_interval
from verify.trained.measured import Network
from verify.trained.runs import train_all
from verify.trained.settings import SIZES, jobs

# Batches are drawn with seeds from 100 on.
SEED = 1 << 31
SIZE = 1024
PREDICTIONS = ("paper", "derived")
ENUMERATED = 100_000
Count = Callable[[int, int], None]


def derived(world: World, n_demos: int) -> Values:
    """Class means of the exact update, minus the true gradient of the second step at eta_OV = 1."""
    if population_size(world, n_demos) <= ENUMERATED:
        column = -finetuning_gradients(world, n_demos, "true").kq_rel
    else:
        column = -certified_gradients(world, n_demos).kq_rel
    return class_means(world, 3 * n_demos + 2, column)


def sep_column(model: Factored, head: int, T: int, sep: int) -> NDArray[np.float64]:
    """(V+T,) of one head's W_KQ."""
    with torch.no_grad():
        return model.kq(T)[head, :, sep].double().numpy()


def one(network: Network, measures: dict[str, Any], exact: Values) -> dict[str, Any]:
    """One network's relation head; measures: what the figures measured of it; exact: derived() of its world."""
    world, n_demos = network.world, network.trained.job.config.n_demos
    T = 3 * n_demos + 2
    batch = IclSampler(world, n_demos, "all", "all", SEED).draw(SIZE)
    tables = Tables.of(world)
    found = shares(network.finetuned, batch, tables)
    head = int(found.by_role["attributes"].argmax())
    before, after = (sep_column(m, head, T, world.sep_token) for m in (network.pretrained, network.finetuned))
    change, final = class_means(world, T, after - before), class_means(world, T, after)
    predictions = {"paper": printed(world, n_demos), "derived": exact}
    heldout = icl_counts(network.finetuned, IclSampler(world, n_demos, "heldout", "all", SEED), SIZE)
    return {
        "variant": network.trained.job.variant,
        "seed": network.trained.job.seed,
        "run": network.trained.folder.name,
        "kind": "collapsed" if measures["pt"]["mechanism"]["kind"] == "collapsed" else "separated",
        "relation_head": head,
        "shares": {role: float(share[head]) for role, share in found.by_role.items()},
        "uniform": found.uniform,
        "heldout_accuracy": heldout.accuracy(),
        "change": change,
        "final": final,
        "change_against": {name: compared(change, p) for name, p in predictions.items()},
        "final_against": {name: compared(final, p) for name, p in predictions.items()},
    }


def summed(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Of networks of one kind: shares, agreement with both predictions, pairs that more than half of them order otherwise."""
    if not records:
        return {"of": 0}
    out: dict[str, Any] = {
        "of": len(records),
        "shares": {role: mean_interval([r["shares"][role] for r in records]) for role in records[0]["shares"]},
        "heldout_accuracy": mean_interval([r["heldout_accuracy"] for r in records]),
    }
    for name in PREDICTIONS:
        found = [r["change_against"][name] for r in records]
        agreement = mean_interval([f["agree"] / f["pairs"] for f in found])
        wrong = sorted({pair for f in found for pair in f["wrong"]})
        out[name] = {
            "agreement": agreement,
            "spearman": {group: mean_interval([f["spearman"][group] for f in found]) for group in found[0]["spearman"]},
            "mostly_wrong": [pair for pair in wrong if 2 * sum(pair in f["wrong"] for f in found) > len(found)],
            "followed": above(agreement, 0.5),
        }
    return out


def _said(kind: str, group: dict[str, Any]) -> str:
    if not group["of"]:
        return f"no {kind} network"
    mass = ", ".join(f"{role.replace('_', ' ')} {m['mean']:.2f}" for role, m in group["shares"].items())
    parts = [f"{group['of']} {kind}: relation head on {mass}"]
    for name in PREDICTIONS:
        p = group[name]
        wrong = ", ".join(p["mostly_wrong"]) or "none"
        parts.append(
            f"pairs ordered as the {name} coefficients {p['agreement']['mean']:.0%}"
            f" ({'followed' if p['followed'] else 'not followed'}; mostly otherwise: {wrong})"
        )
    return "; ".join(parts)


def relation(preset: str, variants: dict[str, int], progress: Count | None = None) -> dict[str, Any]:
    """The part's record: trains, or reads, the networks of the figures' preset.  Raises RunError as train_all."""
    wanted = [job for job in jobs(preset, "relative") if job.seed < variants.get(job.variant, 0)]
    records, exact = [], {}
    # As many sequences as the figures measure on, so that their networks are read, not trained again.
    for trained, measures in train_all(wanted, SIZES[preset].sequences, processes=1, progress=progress):
        network = Network.of(trained)
        key = network.world.table.tobytes()
        if key not in exact:
            exact[key] = derived(network.world, trained.job.config.n_demos)
        records.append(one(network, measures, exact[key]))
    groups = {
        kind: summed([r for r in records if r["kind"] == kind and r["variant"] != "random"])
        for kind in ("separated", "collapsed")
    }
    followed = groups["separated"].get("derived", {}).get("followed", False)
    return {
        "networks": records,
        "groups": groups,
        "rule": "share of ordered pairs that agree, over separated networks: 95 % t interval above 1/2",
        "verdict": "followed" if followed else "not followed",
        "finding": ". ".join(_said(kind, group) for kind, group in groups.items()) + ".",
    }
