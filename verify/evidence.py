"""Evidence: one measured number (or fact) beside what is printed, with the route it came by and the tolerance it is held to."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Route(StrEnum):
    SYMBOLIC = "symbolic"
    ENUMERATED = "enumerated"
    AUTOGRAD = "autograd"
    CERTIFIED = "certified"
    SAMPLED = "sampled"
    TRAINED = "trained"


class Status(StrEnum):
    """What one statement comes to under the check of its claim."""

    HOLDS = "holds"
    APPROXIMATE = "approximate"
    FAILS = "fails"
    VACUOUS = "vacuous"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """`agrees` says whether `measured` is what the judged statement says, within `tolerance` (0: exact)."""

    route: Route
    setting: str
    quantity: str
    measured: str
    printed: str
    discrepancy: float
    tolerance: float
    why: str
    agrees: bool
    seconds: float = 0.0

    def __post_init__(self) -> None:
        # Comparisons of numpy scalars arrive as numpy booleans and floats, which JSON does not know.
        object.__setattr__(self, "agrees", bool(self.agrees))
        object.__setattr__(self, "discrepancy", float(self.discrepancy))

    def as_json(self, claim: str) -> dict[str, Any]:
        gap = self.discrepancy if math.isfinite(self.discrepancy) else None
        return {"claim": claim, **asdict(self), "route": str(self.route), "discrepancy": gap}


@dataclass(frozen=True)
class Finding:
    """What the check of a claim found for one statement (the printed one, the derived one, or a mutant)."""

    status: Status
    evidence: tuple[Evidence, ...]
    counterexample: str = ""
    remainder: str = ""
    notes: tuple[str, ...] = field(default=())


def number(value: Any) -> str:
    """A number for people: fractions as they are while short, decimals beside them."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        text = f"{value.numerator}/{value.denominator}"
        return f"{text} = {float(value):.6g}" if len(text) <= 24 else f"{float(value):.12g}"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)


def finding(evidence: list[Evidence], counterexample: str = "", **more: Any) -> Finding:
    """HOLDS if every piece of evidence agrees, FAILS if one does not; no evidence at all is VACUOUS, never a pass."""
    if not evidence:
        return Finding(Status.VACUOUS, (), counterexample, **more)
    ok = all(e.agrees for e in evidence)
    return Finding(Status.HOLDS if ok else Status.FAILS, tuple(evidence), "" if ok else counterexample, **more)
