"""When, from which revision and with which versions the report was made: the only part in which two runs may differ."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from verify.output import revision, versions

PACKAGES = ("jinja2", "latex2mathml", "networkx", "matplotlib")


@dataclass(frozen=True)
class Stamp:
    """`made` is an ISO time in UTC."""

    made: str
    revision: str
    versions: tuple[tuple[str, str], ...]


def stamp() -> Stamp:
    """The stamp of now, or of SOURCE_DATE_EPOCH (seconds) where it is set. ValueError if that is no whole number."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None and not given.isdigit():
        raise ValueError(f"SOURCE_DATE_EPOCH = {given!r}: valid is a whole number of seconds since 1970")
    now = datetime.now(UTC) if given is None else datetime.fromtimestamp(int(given), UTC)
    used = {**versions(), **{name: metadata.version(name) for name in PACKAGES}}
    return Stamp(now.strftime("%Y-%m-%dT%H:%M:%SZ"), revision(), tuple(used.items()))
