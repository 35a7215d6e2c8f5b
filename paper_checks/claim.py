"""The type of a transcribed claim, and of the assumptions and mutations that come with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

Parameters = Mapping[str, Any]


class Kind(StrEnum):
    """What sort of sentence is printed. It decides what a failure is called, before anything is computed.

    A failing EQUATION has a nearest true equation (verdict `corrected`); a failing BOUND or ASSERTION quantifies over a
    whole class of settings and is refuted by one member of it (verdict `false`), unless the sentence only leaves out
    a condition that the derivation supplies (CONDITION, verdict `corrected`); a CONVENTION is judged reading by
    reading; an EMPIRICAL sentence says what trained networks do and is reproduced or not, by a rule fixed before they ran.
    """

    EQUATION = "equation"
    BOUND = "bound"
    ASSERTION = "assertion"
    CONDITION = "condition"
    CONVENTION = "convention"
    EMPIRICAL = "empirical"


@dataclass(frozen=True)
class Assumption:
    """A hypothesis of a statement: its LaTeX, and a predicate of the setting (None: the setting does not decide it)."""

    name: str
    latex: str
    holds: Callable[[Parameters], bool | None]


@dataclass(frozen=True)
class Mutation:
    """A plausible slip. `apply` turns a true statement into a wrong one, which the claim's own check must reject."""

    name: str
    why: str
    apply: Callable[[Any], Any]


@dataclass(frozen=True)
class Claim:
    """One printed claim: `printed` is the transcription in the form that the check of this claim reads.

    `regime` names the limit in which a printed approximation is meant; empty where the paper prints an equality.
    `construction`: the sentence is about what the printed weights do, so it is judged in both readings of W_OV^subj.
    """

    id: str
    where: str
    title: str
    kind: Kind
    wording: str
    printed: Any
    assumptions: tuple[Assumption, ...] = ()
    mutations: tuple[Mutation, ...] = ()
    regime: str = ""
    construction: bool = False

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 of the wording: stored with every verdict."""
        return hashlib.sha256(self.wording.encode()).hexdigest()[:16]


def much_larger(large: float | Fraction, small: float | Fraction, factor: float = 4.0) -> bool:
    """`a >> b` for a concrete setting. The paper gives no number; its own Section 4 has M_ft / U = 4, so 4 it is."""
    return large >= factor * small
