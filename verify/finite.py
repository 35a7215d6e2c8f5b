"""Finite beta at the user's setting: gradients and accuracy of the literal network over every sequence, where feasible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from numerics.population.enumerate import population_size
from numerics.updates import updated_weights
from verify.judges.printed_update import counts, network
from verify.witnesses import Witnesses


@dataclass(frozen=True)
class Finite:
    """Accuracy at finite beta by objective and pool: (right, ties, total); `why` where it was not run."""

    beta: float
    accuracy: dict[str, dict[str, tuple[int, int, int]]]
    change: dict[str, float]
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "beta": self.beta,
            "accuracy": {
                objective: {
                    pool: {"right": right, "ties": ties, "total": total} for pool, (right, ties, total) in pools.items()
                }
                for objective, pools in self.accuracy.items()
            },
            "relative_change_against_beta_inf": self.change,
            "why_not": self.why or None,
        }

    def show(self, console: Console) -> None:
        if self.why:
            console.print(f"[bold]beta = {self.beta:g}[/bold]: {self.why}", highlight=False)
            return
        for objective, pools in self.accuracy.items():
            text = "; ".join(
                f"{pool} {right} of {total} right" + (f", {ties} tied" if ties else "")
                for pool, (right, ties, total) in pools.items()
            )
            console.print(
                f"[bold]{objective} steps at beta = {self.beta:g}[/bold] (gradients and forward pass): {text}",
                highlight=False,
            )
        moved = ", ".join(f"{name} {change:.3g}" for name, change in self.change.items())
        console.print(f"  hat gradients against beta = inf, relative change: {moved}", highlight=False)


def finite(w: Witnesses) -> Finite | None:
    """None at beta = inf. The forward pass is the dense literal network, over every sequence of both pools."""
    s = w.setting
    if math.isinf(s.beta):
        return None
    pools = {"seen": "finetune", "heldout": "heldout"}
    sizes = [population_size(w.world, s.N_ft, query) for query in pools.values()]
    if w.finite is None or not w.autograd_feasible():
        return Finite(
            s.beta, {}, {}, f"{max(sizes):.3g} sequences are too many to enumerate; only beta = inf is decided here"
        )
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for objective, gradients in zip(("hat", "true"), w.finite, strict=True):
        weights = updated_weights(w.world, gradients, float(s.eta_kq_subj), float(s.eta_kq_rel))
        model = network(w.world, s.N_ft, weights, s.beta)
        found[objective] = {}
        for pool, query in pools.items():
            found[objective][pool] = counts(model, w.world, s.N_ft, query)
    change = {}
    if w.exact is not None:
        for which in ("kq_subj", "ov_rel", "kq_rel"):
            hard, soft = getattr(w.exact, which).floats, getattr(w.finite[0], which)
            change[which] = float(np.abs(soft - hard).max() / max(np.abs(hard).max(), 1e-300))
    return Finite(s.beta, found, change)
