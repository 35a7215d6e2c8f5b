"""The run as the documented JSON (verify/schema/bench-population.schema.json)."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import asdict
from typing import Any

import torch

from verify.bench.fit import Law
from verify.bench.growth import Curve
from verify.bench.methods import methods
from verify.bench.population import Result, Row
from verify.bench.timing import Refused, Timed
from verify.output import revision, versions

SCHEMA = "contextual-recall-referee/bench-population/1"


def _law(law: Law | None) -> dict[str, Any] | None:
    return None if law is None else asdict(law)


def _row_json(row: Row) -> dict[str, Any]:
    world, timed = row.case.world, row.timed
    size = row.case.sequences
    made: dict[str, Any] = {
        "world": row.case.name,
        "sizes": {
            "M": world.M,
            "L": world.L,
            "U": list(world.U),
            "M_ft": world.M_ft,
            "m": row.case.n_demos + 1,
            "V": world.V,
            "sequences": size,
        },
        "method": row.method.name,
        "objective": row.method.objective,
        "seconds": None,
        "rounds": [],
        "sequences_per_second": None,
        "ratio_to_plain": None if row.ratio is None else asdict(row.ratio),
        "difference": None if row.difference is None else asdict(row.difference),
        "not_run": timed.reason if isinstance(timed, Refused) else None,
    }
    if isinstance(timed, Timed):
        made |= {"seconds": timed.seconds, "rounds": list(timed.rounds), "sequences_per_second": size / timed.seconds}
    return made


def _curve_json(curve: Curve) -> dict[str, Any]:
    tail, exponential = curve.tail, curve.parameter == "m"
    return {
        "parameter": curve.parameter,
        "method": curve.method.name,
        "points": [asdict(point) for point in curve.points],
        "left": None if curve.left is None else {"value": curve.left[0], "reason": curve.left[1]},
        "exponent": _law(curve.power()),
        "exponent_tail": None if tail is None else _law(curve.power(tail)),
        "base": _law(curve.exponential()) if exponential else None,
        "base_tail": _law(curve.exponential(tail)) if exponential and tail is not None else None,
    }


def as_json(result: Result) -> dict[str, Any]:
    """Every time, law and difference, and what they were made with."""
    plan = result.plan
    return {
        "schema": SCHEMA,
        "setting": {
            **asdict(plan),
            "clock": plan.clock,
            "device_name": torch.cuda.get_device_name()
            if plan.device == "cuda"
            else platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load_average": [value for value in result.load if math.isfinite(value)],
        },
        "methods": [{"name": w.name, "title": w.title, "objective": w.objective} for w in methods()],
        "table": [_row_json(row) for row in result.rows],
        "growth": [_curve_json(curve) for curve in result.curves],
        "closed_forms": {
            "deriving_seconds": result.closed.deriving,
            "points": [asdict(point) for point in result.closed.points],
            "exponent": _law(result.closed.growth),
            "table_exponent": _law(result.closed.table_growth),
        },
        "problems": result.problems,
        "versions": versions(),
        "revision": revision(),
        "seconds": result.seconds,
    }
