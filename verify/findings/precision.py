"""Whether rounding moves what a finding is judged by: its record in bfloat16 (or TensorFloat-32) against one in float32, seed by seed.

Equality cannot be asked for: the same seed in float32 on another machine is not the same bits either, and training amplifies
the difference.  Asked for instead, of every seed that both records have, and fixed before any network in bfloat16 had learnt a fact (the
first stood at iteration 1500 of 20 000 then, its types half learnt):

    every main statement is judged the same;
    the numbers it states differ by less than ABOVE_TRIVIAL, the margin that counts as nothing in the rules, iterations (names
    that end in _step) by less than STEPS of the larger.

A verdict may rest on a record that is not in float32 only where nothing of a main statement moves.  Statements beside the verdict are
compared too, and told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.findings.findings import finding
from verify.findings.networks import PRECISIONS, UNEMBEDDINGS
from verify.findings.rules import ABOVE_TRIVIAL

# A quarter: stages are found to one evaluation in 40 of the pretraining's steps, and lie a factor of three and more apart.  In the first
# comparison an early stage fell to neighbouring evaluations, 750 and 1000, just a quarter apart: moved by this rule, which stayed as it was.
STEPS = 0.25


@dataclass(frozen=True)
class Compared:
    """A number of a statement in one seed, in float32 and rounded; moved: by more than the rule allows, or judged otherwise."""

    seed: int
    statement: str
    main: bool
    name: str
    float32: float
    rounded: float
    moved: bool


def precision_of(record: dict[str, Any]) -> str:
    """One of PRECISIONS, what the networks of a record were trained in; of Finding 5, which has two configurations, theirs.

    Raises ValueError for a configuration that is none of them.
    """
    config = record["config"].get("low", record["config"])
    for name, own in PRECISIONS.items():
        if all(config[key] == own[key] for key in own):
            return name
    named = ", ".join(f"{key} {config[key]!r}" for key in PRECISIONS["float32"])
    raise ValueError(f"a record's configuration must be of {', '.join(PRECISIONS)}, got {named}")


def unembedding_of(record: dict[str, Any]) -> str:
    """One of UNEMBEDDINGS, what the networks of a record have."""
    config = record["config"].get("low", record["config"])
    return next(name for name, tied in UNEMBEDDINGS.items() if config["model"]["tied"] == tied)


def folder_of(record: dict[str, Any]) -> str:
    """The name of the folder of a record beside the one that is judged: 'paper-short', 'paper-short-own-bfloat16'."""
    unembedding, precision = unembedding_of(record), precision_of(record)
    return (
        record["preset"]
        + ("" if unembedding == "tied" else "-own")
        + ("" if precision == "float32" else f"-{precision}")
    )


def single_of(record: dict[str, Any]) -> str:
    """The name of the folder of the same in float32."""
    return record["preset"] + ("" if unembedding_of(record) == "tied" else "-own")


def _apart(name: str, a: float, b: float) -> bool:
    allowed = STEPS * max(a, b) if name.endswith("_step") else ABOVE_TRIVIAL
    return abs(a - b) >= allowed and a != b


def compared(single: dict[str, Any], half: dict[str, Any]) -> list[Compared]:
    """Every number of every statement on every seed that the two records have in common; single: in float32, half: rounded.

    Raises ValueError for records of other precisions, findings or configurations, without a common seed, or of a finding that is judged
    by means over seeds.
    """
    if precision_of(single) != "float32" or precision_of(half) == "float32":
        raise ValueError(
            f"records must be one in float32 and one that is not, got {precision_of(single)} and {precision_of(half)}"
        )
    for key in ("finding", "preset"):
        if single[key] != half[key]:
            raise ValueError(f"records must be of one {key}, got {single[key]!r} and {half[key]!r}")
    if single["config"] | PRECISIONS["float32"] != half["config"] | PRECISIONS["float32"]:
        raise ValueError("records must be of one configuration but for the precision")
    if single["all_main"] is None:
        raise ValueError(f"records must be judged seed by seed, got those of {single['finding']}, judged by means")
    ones = {one["seed"]: one for one in single["networks"]}
    out = []
    for other in half["networks"]:
        if other["seed"] not in ones:
            continue
        before, after = (
            {s["name"]: s for s in finding(single["finding"]).judged([one])[0]} for one in (ones[other["seed"]], other)
        )
        # A statement beside the verdict may be younger than one of them.
        for a, b in ((before[name], after[name]) for name in before if name in after):
            judged_otherwise = a["verdict"] != b["verdict"]
            for name in a["values"]:
                x, y = a["values"][name]["mean"], b["values"][name]["mean"]
                apart = judged_otherwise or _apart(name, x, y)
                out.append(Compared(other["seed"], a["name"], a["main"], name, x, y, apart))
    if not out:
        raise ValueError("records must have a seed in common, got none")
    return out


def moved(found: list[Compared]) -> list[str]:
    """The numbers of main statements that moved; a verdict rests on the rounded record only where there are none."""
    return sorted({f"{one.statement} {one.name}" for one in found if one.main and one.moved})
