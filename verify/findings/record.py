"""From measured seeds to the record of a finding: statements judged, intervals over seeds, what is known of the setting, verdict."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from verify.findings import rules
from verify.findings.findings import Finding, finding
from verify.findings.networks import ROOT, in_precision, sources, with_unembedding
from verify.findings.rules import Measured
from verify.findings.settings import SIZES, Size, config
from verify.output import revision, versions
from verify.trained.record import rounded

SCHEMA = "contextual-recall-referee/finding/1"
RESULTS = ROOT / "results"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"


def papers_sizes(size: Size) -> bool:
    """Whether facts, grammar, network and both phases have the paper's sizes."""
    paper = replace(SIZES["paper"], seeds=size.seeds, final=size.final)
    return size == paper


def _says(size: Size) -> str:
    """What is to be known of a setting in a line."""
    if papers_sizes(size):
        return "the paper's sizes"
    if replace(SIZES["paper-short"], seeds=size.seeds, final=size.final) == size:
        return (
            f"the paper's sizes, rates and iterations with {size.S[0]} grammar tokens, the fewest of its Fig. 6: the verdict speaks of"
            f" them and not of the {SIZES['paper'].S[-1]} of Section 3.1"
        )
    looked_at = "seed 0" if size == SIZES["reduced"] else "seeds 0 and 1"
    return (
        f"a scaled-down setting chosen by search on {looked_at} (results/findings/search.json): the verdict speaks of it and"
        " not of the paper's sizes"
    )


def rounding(precision: str) -> str:
    """What is to be known of a precision, after the setting in words."""
    return "" if precision == "float32" else f" (in training, products are rounded to {precision})"


def of_its_own(unembedding: str) -> str:
    """What is to be known of an unembedding, after the setting in words."""
    return "" if unembedding == "tied" else " (with an unembedding of its own, as in minGPT)"


def setting(size: Size, precision: str = "float32", unembedding: str = "tied") -> dict[str, Any]:
    """What was run, and what a reader has to know of it: positions that only finetuning visits, whether it is the paper's size."""
    own = config(size, 0)
    return {
        "papers_sizes": papers_sizes(size),
        "says": _says(size) + rounding(precision) + of_its_own(unembedding),
        "size": json.loads(json.dumps(asdict(size))),
        "context": own.context,
        "positions": own.T,
        "untrained_positions": own.untrained,
    }


def verdict(statements: list[dict[str, Any]], whole: dict[str, Any] | None) -> str:
    """By seeds: at least SEEDS of them show every main statement.  Without them: every main statement holds."""
    if whole is not None:
        return REPRODUCED if whole["share"] >= rules.SEEDS else NOT_REPRODUCED
    return REPRODUCED if all(s["verdict"] == REPRODUCED for s in statements if s["main"]) else NOT_REPRODUCED


def seeds_in_words(count: int) -> str:
    """'5 seeds', 'one seed alone'."""
    return "one seed alone" if count == 1 else f"{count} seeds"


def number(value: float) -> str:
    """Three digits, all digits of what has more before the point: an iteration is 9500 and not 9.5e+03."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def said(statements: list[dict[str, Any]]) -> list[str]:
    """A sentence for every statement, from its numbers."""
    out = []
    for one in statements:
        if one["trend"] is not None and "rise" in one["trend"]:
            found = one["trend"]
            interval = found["rise"]["interval"]
            spread = "no interval from one seed" if interval is None else f"95 % [{interval[0]:.2f}, {interval[1]:.2f}]"
            means = ", ".join(f"{mean:.2f}" for mean in found["means"])
            numbers = (
                f"means {means}; rise {found['rise']['mean']:.2f} ({spread}), worst step {found['worst_step']:.2f}"
            )
        elif one["trend"] is not None:
            numbers = f"largest difference {one['trend']['largest']:.2f}"
        else:
            count = one["count"]
            alone = count["of"] == 1
            whose = seeds_in_words(1) if alone else f"{count['count']} of {count['of']} seeds"
            numbers = f"{whose}; " + ", ".join(
                f"{name} {number(value['mean'])}"
                + ("" if alone else f" ({number(value['least'])} to {number(value['largest'])})")
                for name, value in one["values"].items()
            )
        out.append(f"{one['name']}: {one['verdict']}; {numbers}")
    return out


def device_name(device: str) -> str:
    """'cpu', or 'cuda (its name)'."""
    there = torch.device(device).type == "cuda" and torch.cuda.is_available()
    return f"{device} ({torch.cuda.get_device_name()})" if there else device


def record(
    shown: Finding,
    preset: str,
    size: Size,
    seeds: list[Measured],
    device: str,
    seconds: float,
    precision: str = "float32",
    unembedding: str = "tied",
) -> dict[str, Any]:
    """The record (JSON values); seconds: of the whole command.  Raises ValueError without seeds."""
    if not seeds:
        raise ValueError("seeds must be at least one, got none")
    statements, whole = shown.judged(seeds)
    return rounded(
        {
            "schema": SCHEMA,
            "finding": shown.name,
            "claim": shown.name,
            "title": shown.title,
            "printed": shown.printed,
            "preset": preset,
            "setting": setting(size, precision, unembedding),
            "config": with_unembedding(in_precision(config(size, 0), precision), unembedding).to_json(),
            "seeds": [one["seed"] for one in seeds],
            "rule": f"{shown.rule}; intervals: Clopper-Pearson for counts, Student's t for means, 95 %",
            "statements": statements,
            "all_main": whole,
            "verdict": verdict(statements, whole),
            "findings": said(statements),
            "networks": seeds,
            "details": {},
            "pictures": [f"{name}.png" for name in shown.pictures],
            "device": device_name(device),
            "sources": sources(),
            "versions": versions(),
            "revision": revision(),
            "seconds": round(seconds, 1),
        }
    )


def written(folder: str, results: Path = RESULTS) -> bool:
    """Whether a folder below results/ holds the record of a finding."""
    return (results / folder / "finding.json").is_file()


def committed(name: str, results: Path = RESULTS, *, folder: str | None = None) -> dict[str, Any]:
    """The committed record ('finding1', ..); folder: below results/, where it is not the name ('finding1/reduced').

    Raises ValueError for an unknown name or where there is none.
    """
    path = results / (finding(name).name if folder is None else folder) / "finding.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"finding must have a committed record, got {name!r} without {path}") from None
