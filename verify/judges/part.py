"""One part of what is measured of trained networks, beside what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One statement of a figure: name, what it says, measured and needed in words, how far short, shown; main: the verdict rests on it."""

    name: str
    says: str
    measured: str
    needed: str
    short: float
    shown: bool
    main: bool
