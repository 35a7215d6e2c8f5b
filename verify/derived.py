"""What the derivation puts in the place of a printed statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Derived:
    """What the derivation says instead of the printed statement: the statement itself, and in words and LaTeX."""

    statement: Any
    words: str
    latex: str = ""
