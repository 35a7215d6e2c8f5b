"""`python -m verify derive [WHAT]`: the derivations as chains of steps, from the definitions to the coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from theory.constructions import threshold_steps
from theory.derivation import Step
from theory.finetuning import derivation
from theory.finetuning.conclusion import sharp_condition
from verify.plain import LEGEND, THRESHOLDS, plain, terms


@dataclass(frozen=True)
class Chain:
    """A chain of steps, and the coefficients that it ends in (name, LaTeX)."""

    title: str
    steps: tuple[Step, ...]
    ends: tuple[tuple[str, str], ...] = ()


def _gradient(name: str, title: str) -> Callable[[], Chain]:
    def make() -> Chain:
        found = derivation(name)
        ends = tuple((key.value.replace("_", " "), c.latex()) for key, c in found.coefficients.items())
        balanced = tuple(
            (f"{key.value.replace('_', ' ')}, balanced", sympy.latex(c.balanced()))
            for key, c in found.coefficients.items()
        )
        return Chain(title, tuple(found.steps), ends + balanced)

    return make


def chains() -> dict[str, Callable[[], Chain]]:
    """Every derivation that can be printed, by name."""
    thresholds = {
        f"beta.prop{k}": lambda k=k: Chain(f'"Sufficiently large beta" of Proposition {k}', tuple(threshold_steps(k)))
        for k in (1, 2, 3, 4)
    }
    return {
        "kq_subj": _gradient("kq_subj", "First step: population hat gradient of W_KQ^subj, per unit beta"),
        "ov_rel": _gradient("ov_rel", "First step: population hat gradient of W_OV^rel"),
        "ov_rel_projected": _gradient("ov_rel_projected", "The same after the right projection"),
        "kq_rel": _gradient("kq_rel", "Second step: population hat gradient of W_KQ^rel, per unit beta"),
        "conclusion": lambda: Chain(
            "The sharp condition of the balanced hat conclusion", tuple(sharp_condition().steps)
        ),
        **thresholds,
    }


def show_chain(console: Console, chain: Chain, latex: bool) -> None:
    """Readable steps, or a LaTeX enumeration."""
    if latex:
        items = "\n".join(rf"\item \textbf{{{s.title}.}} {s.explanation} \[{s.latex}\]" for s in chain.steps)
        ends = "\n".join(rf"\[\text{{{name}}}: {formula}\]" for name, formula in chain.ends if "balanced" not in name)
        console.print(
            f"% {chain.title}\n\\begin{{enumerate}}\n{items}\n\\end{{enumerate}}\n{ends}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return
    console.print(chain.title, style="bold", markup=False, highlight=False)
    for number, step in enumerate(chain.steps, start=1):
        console.print(f"{number}. {step.title}. {step.explanation}", markup=False, highlight=False)
        for term in terms(plain(step.latex)):
            console.print(Padding(Text(term), (0, 0, 0, 5)), highlight=False)
    for name, formula in chain.ends:
        console.print(Text(f"{name}: {plain(formula)}"), highlight=False)
    for words in LEGEND if chain.ends else (THRESHOLDS,) if "beta" in chain.title else ():
        console.print(words, style="dim", markup=False, highlight=False)
