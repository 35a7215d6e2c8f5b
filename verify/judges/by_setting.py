"""A finding at every setting that was run, beside each other: how many seeds show what, and the numbers that it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verify.findings import findings as entry_points
from verify.findings.precision import precision_of, unembedding_of
from verify.findings.record import number, seeds_in_words
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
    """The settings of a finding and what each shows."""

    settings: tuple[Setting, ...]
    rows: tuple[Row, ...]


def by_setting(name: str) -> BySetting | None:
    """Of an entry point that has committed records of more than one setting, judged seed by seed; else None.

    Judged by the rules of today.  Raises as verify.judges.committed.committed.  Cost: reading the records.
    """
    if name not in BESIDE:
        return None
    records = {folder: committed(folder) for folder in (name, *(f"{name}/{beside}" for beside in BESIDE[name]))}
    judged = [entry_points.finding(name).judged(record["networks"]) for record in records.values()]
    settings = tuple(Setting(folder, _words(record), folder == name) for folder, record in records.items())
    known = [{statement["name"]: statement for statement in statements} for statements, _ in judged]
    rows = [Row("every main statement in one seed", "", True, True, tuple(_count(whole) for _, whole in judged))]
    # In the order of the rules; a younger statement is in some records alone, so the fullest record comes first.
    titles = {title: one for found in sorted(known, key=len, reverse=True) for title, one in found.items()}
    for title, one in titles.items():
        cells = tuple(_count(found[title]["count"]) if title in found else MISSING for found in known)
        rows.append(Row(title.replace("_", " "), one["says"], one["main"], True, cells))
        for value in one["values"]:
            cells = tuple(_spread(found[title]["values"][value]) if title in found else MISSING for found in known)
            rows.append(Row(value.replace("_", " "), "", one["main"], False, cells))
    return BySetting(settings, tuple(rows))


def _words(record: dict[str, Any]) -> str:
    precision = precision_of(record)
    parts: Sequence[str] = (
        f"preset {record['preset']}",
        "tied" if unembedding_of(record) == "tied" else "unembedding of its own",
        *([] if precision == "float32" else [precision]),
        seeds_in_words(len(record["seeds"])),
    )
    return ", ".join(parts)


def _count(found: dict[str, Any] | None) -> str:
    assert found is not None, "of a finding that is judged seed by seed"
    return f"{found['count']} of {found['of']}"


def _spread(found: dict[str, Any]) -> str:
    mean, low, high = (number(found[key]) for key in ("mean", "least", "largest"))
    return mean if low == high else f"{mean} ({low} to {high})"
