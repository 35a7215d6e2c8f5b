"""A derivation that can be read: a chain of steps, and the exact coefficients it ends in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from theory.onehot.coefficient import Coefficient


@dataclass(frozen=True)
class Step:
    """One step: what is done, why in one sentence, and the formula it gives (LaTeX without delimiters)."""

    title: str
    explanation: str
    latex: str


@dataclass(frozen=True)
class Derivation:
    """Steps and the resulting coefficient of every class (keys: DirectionClass or EntryClass)."""

    name: str
    steps: tuple[Step, ...]
    coefficients: Mapping[Any, Coefficient]

    def latex(self) -> str:
        """The derivation as a LaTeX enumeration followed by its coefficients."""
        steps = "\n".join(rf"\item \textbf{{{s.title}.}} {s.explanation} \[{s.latex}\]" for s in self.steps)
        rows = "\n".join(
            rf"\[\text{{{key.value.replace('_', ' ')}}}: {coefficient.latex()}\]"
            for key, coefficient in self.coefficients.items()
        )
        return rf"\begin{{enumerate}}{chr(10)}{steps}{chr(10)}\end{{enumerate}}{chr(10)}{rows}"

    def balanced(self) -> dict[Any, sympy.Expr]:
        """Every coefficient at f_u = 1/U."""
        return {key: coefficient.balanced() for key, coefficient in self.coefficients.items()}
