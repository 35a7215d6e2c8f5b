"""The record of `python -m verify.unlearning`, JSON values (verify/schema/unlearning.schema.json)."""

import json
from pathlib import Path
from typing import Any

from verify.findings.networks import ROOT, in_precision, sources
from verify.findings.precision import precision_of
from verify.findings.record import device_name, seeds_in_words, setting
from verify.findings.rules import TRANSFER, Measured
from verify.findings.settings import Size, config
from verify.output import revision, versions
from verify.setting import SettingError
from verify.trained.record import rounded
from verify.unlearning.rules import NOT_SUPPORTED, NOTHING_LOST, SUPPORTED, judged

SCHEMA = "contextual-recall-referee/unlearning/1"
RESULTS = ROOT / "results" / "finding2"
#: Presets with a committed record, the one nearest to the paper first.
COMMITTED = ("paper-short", "reduced", "quick")
TITLE = "What finetuning on the next token unlearns"


def sentences(found: dict[str, Any]) -> list[str]:
    """What was lost, and a sentence for every statement.  found: of `judged`."""
    lost = ", ".join(f"{value:.2f}" for value in found["lost"].values())
    out = [f"held-out exact match lost by the loss of all tokens, by seed: {lost} (enough to explain: {TRANSFER})"]
    if found["verdict"] == NOTHING_LOST:
        return out
    for one in found["statements"]:
        count, alone = one["count"], one["count"]["of"] == 1
        whose = (
            f" ({count['count']} of {count['of']} seed{'' if alone else 's'} that lose{'s' if alone else ''} enough)"
        )
        numbers = ", ".join(
            f"{name} {value['mean']:.2f}" + ("" if alone else f" ({value['least']:.2f} to {value['largest']:.2f})")
            for name, value in one["values"].items()
        )
        out.append(f"{one['name']}: {'holds' if one['holds'] else 'does not hold'}{whose}; {numbers}")
    return out


def record(
    preset: str, size: Size, seeds: list[Measured], device: str, seconds: float, precision: str = "float32"
) -> dict[str, Any]:
    """The record.  seconds: of the whole command.  Raises ValueError without seeds."""
    if not seeds:
        raise ValueError("seeds must be at least one, got none")
    found = judged(seeds)
    return rounded(
        {
            "schema": SCHEMA,
            "title": TITLE,
            "preset": preset,
            "setting": setting(size, precision),
            "config": in_precision(config(size, 0), precision).to_json(),
            "seeds": [one["seed"] for one in seeds],
            **found,
            "findings": sentences(found),
            "networks": seeds,
            "pictures": ["unlearning.png"],
            "device": device_name(device),
            "sources": sources(),
            "versions": versions(),
            "revision": revision(),
            "seconds": round(seconds, 1),
        }
    )


def committed(preset: str, results: Path = RESULTS) -> dict[str, Any]:
    """The committed record of a preset.  Raises SettingError where none can be read, or that of another preset."""
    path = results / f"unlearning-{preset}" / "unlearning.json"
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise SettingError(
            f"preset must have a committed record, got {preset!r} without one in {path} ({why})"
        ) from None
    if made["preset"] != preset:
        raise SettingError(f"{path}: must be of preset {preset}, got {made['preset']!r}")
    return made


#: What the guess is called by the verdict.
JUDGED = {SUPPORTED: "supported", NOT_SUPPORTED: "not supported", NOTHING_LOST: "not judged, since too little is lost"}


def in_words(preset: str) -> str:
    """What a committed record says, judged again from its networks.  Raises SettingError as `committed`."""
    made = committed(preset)
    found, precision = judged(made["networks"]), precision_of(made)
    products = "" if precision == "float32" else f", products in training rounded to {precision}"
    return (
        "What the loss of all tokens unlearns where the unembedding is the embedding"
        f" (python -m verify.unlearning, preset {preset}, {seeds_in_words(len(made['seeds']))}{products};"
        f" guess and rules fixed before): {'; '.join(sentences(found))}. The guess, context subjects as targets by way of tied"
        f" embeddings, is {JUDGED[found['verdict']]} (results/finding2/unlearning-{preset})"
    )
