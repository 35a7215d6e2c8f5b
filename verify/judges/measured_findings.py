"""The committed measures of Findings 1-5 and Fig. 5 as parts, judged again by the rules of verify.findings and verify.representations."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from verify.findings import findings as entry_points
from verify.findings import rules
from verify.findings.precision import Compared, compared, folder_of, moved, precision_of, single_of, unembedding_of
from verify.findings.record import REPRODUCED, number, said, seeds_in_words, written
from verify.findings.settings import SIZES
from verify.judges import confusions_findings as confusions
from verify.judges.committed import BESIDE, REPRESENTATIONS, committed
from verify.judges.part import Part
from verify.representations import record as representations
from verify.setting import SettingError
from verify.unlearning.record import COMMITTED as UNLEARNT
from verify.unlearning.record import in_words as unlearnt


def parts_of(name: str, as_if: str) -> tuple[str, list[Part]]:
    """The setting in words and the parts.

    Raises SettingError as `committed`, and for a rounded record that may carry no verdict; KeyError for an unknown confusion.
    """
    record = committed(name)
    _may_be_judged(name, record)
    networks = confusions.of(name, record["networks"], as_if)
    if name == "finding5":
        return _setting(record), _representations(networks)
    statements, whole = entry_points.finding(name).judged(networks)
    parts = [_part(one, words.partition("; ")[2]) for one, words in zip(statements, said(statements), strict=True)]
    if whole is not None:
        low, high = whole["interval"]
        shown = whole["share"] >= rules.SEEDS
        measured = f"{whole['count']} of {whole['of']} seeds, 95 % interval [{low:.2f}, {high:.2f}]"
        needed, short = f"at least {rules.SEEDS:g} of the seeds", max(0.0, rules.SEEDS - whole["share"])
        parts.append(Part("all", "every main statement in one seed", measured, needed, short, shown, True))
    return _setting(record), parts


def _may_be_judged(name: str, record: dict[str, Any]) -> None:
    """Raises SettingError for a record that is not in float32, unless one that is shows that nothing of a main statement moved."""
    try:
        precision = precision_of(record)
    except ValueError as error:
        raise SettingError(f"results/{name}: {error}") from None
    if precision == "float32":
        return
    beside = f"{name}/{single_of(record)}"
    single = committed(beside)
    try:
        why = moved(compared(single, record))
    except ValueError as error:
        why = [str(error)]
    if why:
        raise SettingError(
            f"results/{name}: is in {precision} and may carry no verdict beside results/{beside}, in float32"
            f" ({', '.join(why)}; verify/findings/precision.py)"
        )


def _elsewhere(name: str) -> str:
    """What else is to be said of the setting: how Finding 5's Div differ from the paper's, and what another setting of the same
    finding shows, on which the verdict does not rest."""
    if name == "finding5":
        low, high = committed(name)["setting"]["divs"]
        apart = f"; Div {low:g} (low) against {high:g} (high) for the paper's 0.2 against 0.5"
        return ". ".join((apart, *(_representations_beside(folder) for folder in REPRESENTATIONS)))
    beside = [_beside(name, folder) for folder in BESIDE.get(name, ())]
    why = [unlearnt(preset) for preset in UNLEARNT] if name == "finding2" else []
    return "".join(f". {words}" for words in (*beside, *why))


def _beside(name: str, folder: str) -> str:
    """What another record shows, and what rounding moved where there is one of the same setting in float32.

    Raises SettingError for a record of another preset or precision than its folder's.
    """
    record, own = committed(f"{name}/{folder}"), committed(name)
    preset, precision, unembedding = record["preset"], precision_of(record), unembedding_of(record)
    if folder != folder_of(record):
        raise SettingError(
            f"results/{name}/{folder}: must be of preset {folder}, got {preset!r} in {precision}, unembedding {unembedding}"
        )
    if single_of(record) == single_of(own) and precision == "float32" != precision_of(own):
        return f"{_moved(compared(record, own))} (results/{name}/{folder})"
    size = record["setting"]["size"]
    about = (
        seeds_in_words(len(record["seeds"])),
        "the paper's facts, width and demonstrations"
        if _papers_facts(size)
        else "facts, width and demonstrations scaled down",
        f"{max(size['S'])} grammar tokens, {size['pretraining']['iterations']} + {size['finetuning']['iterations']} iterations"
        + (" at the paper's rates" if size["pretraining"]["lr"] == SIZES["paper"].pretraining.lr else ""),
        *_unembedded(unembedding, unembedding_of(own)),
        *([] if precision == "float32" else [f"products in training rounded to {precision}"]),
    )
    words = f"Preset {preset} ({'; '.join(about)}): {_shown(name, record)}; results/{name}/{folder})"
    if precision == "float32":
        return words
    single = f"{name}/{single_of(record)}"
    if not written(single):
        return f"{words}; what rounding moves here no record in float32 says, so no verdict may rest on it"
    return f"{words}. {_moved(compared(committed(single), record))}"


def _shown(name: str, record: dict[str, Any]) -> str:
    """How much of a finding a record shows, by seeds or by means over them; the last bracket is left open."""
    statements, whole = entry_points.finding(name).judged(record["networks"])
    if whole is not None:
        shown = "; beside the verdict: ".join(
            ", ".join(f"{s['name']} {s['count']['count']}" for s in statements if s["main"] == main)
            for main in (True, False)
        )
        return f"{whole['count']} of {whole['of']} seeds show every main statement ({shown}"
    main = [s for s in statements if s["main"]]
    held = [s for s in main if s["verdict"] == REPRODUCED]
    beside = [s["name"] for s in statements if not s["main"] and s["verdict"] == REPRODUCED]
    return (
        f"{len(held)} of its {len(main)} main statements shown by the means over seeds"
        f" ({', '.join(s['name'] for s in held) or 'none'}; beside the verdict: {', '.join(beside) or 'none'}"
    )


def _unembedded(unembedding: str, judged: str) -> list[str]:
    """What is to be said of the unembedding of a record beside that which is judged."""
    if unembedding == "own":
        return ["an unembedding of its own, as in minGPT, which the paper cites, and not tied as in GPT-2"]
    return [] if judged == "tied" else ["the unembedding tied to the embedding, as in GPT-2"]


def _papers_facts(size: dict[str, Any]) -> bool:
    paper = json.loads(json.dumps(asdict(SIZES["paper"])))
    return all(size[key] == paper[key] for key in ("corpus", "d", "n_demos"))


def _moved(found: list[Compared]) -> str:
    """The numbers of main statements that the same seeds in float32 have otherwise; what moved is named."""
    seeds = sorted({one.seed for one in found})
    whose = f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"
    other = [one for one in found if one.main and one.float32 != one.rounded]
    numbers = ", ".join(f"{one.name} {number(one.float32)} (rounded: {number(one.rounded)})" for one in other)
    all_moved = sorted({f"{one.statement} {one.name}" for one in found if one.moved})
    return (
        f"In float32 {whose}: {numbers or 'the same numbers'}; by the rule of verify/findings/precision.py rounding"
        f" moves {', '.join(all_moved) if all_moved else 'nothing'}"
    )


def _setting(record: dict[str, Any]) -> str:
    return f"{len(record['seeds'])} seeds, preset {record['preset']}: {record['setting']['says']}"


def _representations_beside(folder: str) -> str:
    """What another record of Finding 5 shows, on which the verdict does not rest; one that was made first was judged too, so it is said.

    Raises SettingError for a record of another preset or precision than its folder's.
    """
    record = committed(folder)
    preset, precision, size = record["preset"], precision_of(record), record["setting"]["size"]
    named, first = folder.partition("/")[2], preset == "quick-long"
    if named != ("long" if first else folder_of(record)):
        raise SettingError(f"results/{folder}: must be of preset {named}, got {preset!r} in {precision}")
    main = [one for one in representations.statements(_pairs(record["networks"])) if one["main"]]
    shown = [one["name"] for one in main if one["verdict"] == "reproduced"]
    names = f": {', '.join(shown)}" if shown else ""
    low, high = record["setting"]["divs"]
    about = (
        seeds_in_words(len(record["seeds"])),
        f"{size['corpus']['G']} kinds of grammar token, up to {size['n_demos'] - 1} demonstrations, Div {low:g} against {high:g}",
        *([] if first else [record["setting"]["says"]]),
    )
    lead = f"Before it the preset {preset} was judged" if first else f"Preset {preset}"
    return (
        f"{lead} ({'; '.join(about)}): {len(shown)} of its {len(main)} main statements shown{names} (results/{folder})"
    )


def _part(one: dict[str, Any], numbers: str) -> Part:
    shown = one["verdict"] == "reproduced"
    needed = "as stated" if one["count"] is None else f"at least {rules.SEEDS:g} of the seeds"
    return Part(one["name"], one["says"], numbers, needed, 0.0 if shown else 1.0, shown, bool(one["main"]))


def _representations(networks: list[dict[str, Any]]) -> list[Part]:
    parts = []
    for one in representations.statements(_pairs(networks)):
        count, found = one["count"], one["difference"]
        numbers = f"{count['count']} of {count['of']} seeds"
        if found is not None:
            numbers = (
                f"difference {found['mean']:.3f} ({found['least']:.3f} to {found['largest']:.3f}), above 0 in {numbers}"
            )
        part = _part(one, f"{numbers}; {_spread_by_div(one['values'])}")
        parts.append(
            part
            if found is None
            else replace(part, needed=f"mean at least {found['at_least']:g}, above 0 in every seed")
        )
    return parts


def _spread_by_div(values: dict[str, Any]) -> str:
    """values: {seed: {div: {key: number or None}}}.  Means with the least and the largest over seeds."""
    gathered: dict[str, list[float | None]] = {}
    for seed in values.values():
        for div, named in seed.items():
            for key, value in named.items():
                gathered.setdefault(f"{div} {key}", []).append(value)
    out = []
    for name, column in sorted(gathered.items(), key=lambda item: item[0].split()[0], reverse=True):
        known = [value for value in column if value is not None]
        missing = f", none in {len(column) - len(known)}" if len(known) < len(column) else ""
        spread = f"{fmean(known):.3f} ({min(known):.3f} to {max(known):.3f})" if known else "–"
        out.append(f"{name} {spread}{missing}")
    return ", ".join(out)


def _pairs(networks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    pairs: dict[str, dict[str, Any]] = {}
    for one in networks:
        pairs.setdefault(str(one["seed"]), {})[one["div_name"]] = one
    return pairs


def in_words(name: str) -> str:
    """What the committed networks show: every part with its numbers, and sentences from the same numbers."""
    setting, parts = parts_of(name, "")
    counted = "; ".join(f"{p.name}{'' if p.main else ' (beside the verdict)'}: {p.measured}" for p in parts)
    more = representations.findings(_pairs(committed(name)["networks"])) if name == "finding5" else []
    return " ".join([f"{setting}{_elsewhere(name)}. {counted}.", *more])
