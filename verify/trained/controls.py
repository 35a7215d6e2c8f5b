"""Networks whose mechanism is known, under the same measures and rules: what the measures can and cannot tell apart.

    construction   Prop. 1 on PT sequences, Prop. 2 on ICL sequences
    boosting       its subject head pushes the subject's own values up instead of all others down
    constant       its subject head puts out the same for every subject, -1 on every value: it knows no facts
    shuffled       its subject head has the facts of another subject
    nowhere        its heads have the construction's W_OV and attend to all positions alike

A network that is one of these is a Factored with d_h = V: W_V and W_Q are the identity, W_O and W_K the matrices themselves.
"""

from typing import Any

import torch
from torch import Tensor

from numerics.constructions.heads import Construction, prop1, prop2
from numerics.models.factored import Factored
from numerics.sampling import IclBatch, IclSampler, PretrainingBatch, PretrainingSampler, Tables
from numerics.training import RunConfig
from numerics.world import World
from verify.trained.heads import Sequences, heads
from verify.trained.measured import MEASURING

CONTROLS = ("construction", "boosting", "constant", "shuffled", "nowhere")
# exp(-BETA) is 0 beside 1 in float32; ties stay ties, as in the limit.
BETA = 200.0


def loaded(kq: Tensor, ov: Tensor, T: int, positions: str = "relative") -> Factored:
    """The network with W_KQ = kq (H, V + T, V) and W_OV = ov (H, V, V).  Absolute: right at the last of T positions alone."""
    H, V = len(ov), ov.shape[1]
    model = Factored(V, T, H, V, positions)
    if positions == "absolute":
        kq = torch.cat([kq[:, :V], kq[:, V:].flip(1)], dim=1)
    with torch.no_grad():
        for weight, value in ((model.key, kq), (model.output, ov)):
            weight.copy_(value)
        for weight in (model.query, model.value):
            weight.copy_(torch.eye(V).expand(H, V, V))
    return model


def matrices(made: Construction) -> tuple[Tensor, Tensor]:
    """kq (2, V + T, V) at BETA and ov (2, V, V) of the subject and the relation head."""
    V = made.world.V
    pair = [made.heads[name] for name in ("subj", "rel")]
    kq = torch.stack([torch.tensor(head.kq[:, :V]) for head in pair]).float() * BETA
    return kq, torch.stack([torch.tensor(head.ov / head.ov_denominator) for head in pair]).float()


def control(name: str, made: Construction, positions: str) -> Factored:
    """The network of a control.  Raises ValueError for an unknown name."""
    if name not in CONTROLS:
        raise ValueError(f"name must be one of {', '.join(CONTROLS)}, got {name!r}")
    kq, ov = matrices(made)
    tables, M = Tables.of(made.world), made.world.M
    values = (tables.type_of_token >= 0)[:, None]
    facts = ov[0, :, :M].clone()
    if name == "boosting":
        ov[0, :, :M] = facts + values.float()
    if name == "constant":
        ov[0, :, :M] = -values.float()
    if name == "shuffled":
        ov[0, :, :M] = facts.roll(1, dims=1)
    if name == "nowhere":
        kq = torch.zeros_like(kq)
    return loaded(kq, ov, made.T, positions)


def controls(config: RunConfig, world: World, size: int) -> dict[str, Any]:
    """name -> {"pt", "icl"} as `heads` measures them, on `size` sequences each of the world.  Cost O(size T V) a control."""
    tables, positions = Tables.of(world), config.model.positions
    made = {"pt": prop1(world, config.S, config.n_tr), "icl": prop2(world, config.n_demos)}
    drawn: dict[str, PretrainingBatch | IclBatch] = {
        "pt": PretrainingSampler(world, config.S, config.n_tr, seed=MEASURING).draw(size),
        "icl": IclSampler(world, config.n_demos, "all", "all", MEASURING).draw(size),
    }
    initial = config.model.build(world.V, config.T, config.dtype, "cpu")
    references = {
        "pt": {"initial": initial},
        "icl": {"initial": initial, "before": control("construction", made["pt"], positions)},
    }
    return {
        name: {
            kind: heads(control(name, made[kind], positions), Sequences.of(drawn[kind], tables), references[kind])
            for kind in ("pt", "icl")
        }
        for name in CONTROLS
    }
