"""A finding at every setting that was run, beside each other: how many seeds show what, and the numbers that it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verify.findings import findings as entry_points
from verify.findings.precision import precision_of, unembedding_of
from verify.findings.record import number, seeds_in_words, verdict
from verify.judges.committed import BESIDE, committed

#: What stands where a record is older than a statement.
MISSING = "–"


@dataclass(frozen=True)
class Setting:
    """A committed record: its folder below results/, what was run in words, whether the verdict rests on it."""

    folder: str
    words: str
    rests: bool


@dataclass(frozen=True)
class Row:
    """A statement (says: in full, where its name does not) or, below it, one of its numbers; cells as the settings stand."""

    name: str
    says: str
    main: bool
    stated: bool
    cells: tuple[str, ...]


@dataclass(frozen=True)
class BySetting:
    """The settings of a finding and what each shows; means: judged by means over seeds, not seed by seed."""

    settings: tuple[Setting, ...]
    rows: tuple[Row, ...]
    means: bool


def by_setting(name: str) -> BySetting | None:
    """Of an entry point that has committed records of more than one setting, judged seed by seed or by means over seeds; else None.

    Judged by the rules of today.  Raises as verify.judges.committed.committed.  Cost: reading the records.
    """
    if name not in BESIDE:
        return None
    records = {folder: committed(folder) for folder in (name, *(f"{name}/{beside}" for beside in BESIDE[name]))}
    judged = [entry_points.finding(name).judged(record["networks"]) for record in records.values()]
    settings = tuple(Setting(folder, _words(record), folder == name) for folder, record in records.items())
    known = [{statement["name"]: statement for statement in statements} for statements, _ in judged]
    means = all(whole is None for _, whole in judged)
    heading = "every main statement, of means over seeds" if means else "every main statement in one seed"
    rows = [Row(heading, "", True, True, tuple(_whole(*one) for one in judged))]
    # In the order of the rules; a younger statement is in some records alone, so the fullest record comes first.
    titles = {title: one for found in sorted(known, key=len, reverse=True) for title, one in found.items()}
    for title, one in titles.items():
        cells = tuple(_shown(found[title]) if title in found else MISSING for found in known)
        rows.append(Row(title.replace("_", " "), one["says"], one["main"], True, cells))
        for value in _numbers(one):
            cells = tuple(_numbers(found[title])[value] if title in found else MISSING for found in known)
            rows.append(Row(value.replace("_", " "), "", one["main"], False, cells))
    return BySetting(settings, tuple(rows), means)


def _words(record: dict[str, Any]) -> str:
    precision = precision_of(record)
    parts: Sequence[str] = (
        f"preset {record['preset']}",
        "tied" if unembedding_of(record) == "tied" else "unembedding of its own",
        *([] if precision == "float32" else [precision]),
        seeds_in_words(len(record["seeds"])),
    )
    return ", ".join(parts)


def _whole(statements: list[dict[str, Any]], whole: dict[str, Any] | None) -> str:
    return verdict(statements, None) if whole is None else _count(whole)


def _shown(statement: dict[str, Any]) -> str:
    """Of how many seeds, or whether of the means over them."""
    return str(statement["verdict"]) if statement["count"] is None else _count(statement["count"])


def _numbers(statement: dict[str, Any]) -> dict[str, str]:
    """What it is judged by: over seeds, or of the means over them."""
    trend = statement["trend"]
    if trend is None:
        return {name: _spread(found) for name, found in statement["values"].items()}
    if "rise" not in trend:
        return {"largest difference": number(trend["largest"])}
    return {
        "means": ", ".join(f"{mean:.2f}" for mean in trend["means"]),
        "rise": _spread(trend["rise"]),
        "least step": number(trend["worst_step"]),
    }


def _count(found: dict[str, Any]) -> str:
    return f"{found['count']} of {found['of']}"


def _spread(found: dict[str, Any]) -> str:
    mean, low, high = (number(found[key]) for key in ("mean", "least", "largest"))
    return mean if low == high else f"{mean} ({low} to {high})"
