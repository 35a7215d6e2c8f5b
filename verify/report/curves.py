"""The numbers behind the plots: exact values from the derivation beside what the paper prints, swept over one parameter.

Nothing here judges anything; the verdicts stand in the ledger. Sweeps start from the paper's own Section 4 setting
(M = 256, L = 8, U = 32, M_ft = 128, N_ft = 5, that is m = 6) and move one parameter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from paper_checks.contextual_recall.relation_ov import PRINTED_UPDATE as PRINTED_OV
from paper_checks.contextual_recall.subject_head import claims as subject_claims
from theory.finetuning import balanced_coefficients
from theory.finetuning.conclusion import balanced_conclusion, sharp_M_ft
from theory.finetuning.norms import squared_norm
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV
from verify.classes import multiplicity
from verify.court import PAPER
from verify.judges.coefficients import at, settled

#: More subjects than any threshold below: then only M_ft, U, L and m decide.
MANY = 10**6


@dataclass(frozen=True)
class Sweep:
    """A parameter's name and values (x), and one column of numbers for each curve; None where there is no value."""

    x_name: str
    x: tuple[float, ...]
    columns: Mapping[str, tuple[float | None, ...]]

    def rows(self, wanted: Iterable[float]) -> list[list[float | None]]:
        """The rows of a table: those x that are wanted, in order."""
        keep = [i for i, value in enumerate(self.x) if value in set(wanted)]
        return [[self.x[i], *(column[i] for column in self.columns.values())] for i in keep]


def thresholds(N_ft: tuple[int, ...], largest: int = 64) -> Sweep:
    """The smallest M_ft from which the balanced hat conclusion holds, against U; L = 8, more subjects than M_ft."""
    U = tuple(range(2, largest + 1))
    columns = {f"N_ft = {n}": tuple(sharp_M_ft(MANY, PAPER["L"], u, n + 1) for u in U) for n in N_ft}
    return Sweep("U", tuple(float(u) for u in U), {k: tuple(map(_float, v)) for k, v in columns.items()})


def relation_scores(M_ft: Iterable[int]) -> Sweep:
    """Final relation-head scores (per unit beta and step sizes, times a million) of every kind of position against M_ft."""
    xs = tuple(M_ft)
    found = [balanced_conclusion(PAPER["M"], PAPER["L"], PAPER["U"], k, PAPER["m"]).scores for k in xs]
    names = ("attribute", "query_seen", "query_heldout", "context", "sep")
    columns = {name: tuple(_float(scores.get(name), 10**6) for scores in found) for name in names}
    return Sweep("M_ft", tuple(map(float, xs)), columns)


def subject_coefficients(m: Iterable[int]) -> Sweep:
    """Update of W_KQ^subj per unit step at the query's and the context subjects' positions, printed and derived, U = 32."""
    xs = tuple(m)
    printed = next(claim.printed for claim in subject_claims() if claim.id == "subj.update")
    derived = {key: -value for key, value in balanced_coefficients("kq_subj").items()}
    columns = {}
    for key, name in ((KQ.P_QUERY, "p_query"), (KQ.P_CONTEXT, "p_context")):
        for word, statement in (("printed", printed), ("derived", derived)):
            expr = settled(statement.get(key, 0))
            columns[f"{name}, {word}"] = tuple(float(at(expr, {**PAPER, "m": k})) for k in xs)
    return Sweep("m", tuple(map(float, xs)), columns)


@cache
def _remainder_squared() -> sp.Expr:
    """||printed - derived||^2 / ||derived||^2 of the update of W_OV^rel (Frobenius), symbolic."""
    derived = {key: -value for key, value in balanced_coefficients("ov_rel_projected").items()}
    apart = {key: settled(PRINTED_OV.get(key, 0) - derived.get(key, 0)) for key in OV}

    def squared(statement: dict[Any, sp.Expr]) -> sp.Expr:
        return sum((multiplicity(k) * settled(v) ** 2 for k, v in statement.items()), sp.Integer(0))

    return sp.cancel(squared(apart) / squared(derived))


def update_remainder(ratios: Iterable[int]) -> Sweep:
    """Relative remainder of the printed update of W_OV^rel against M_ft / U (M = 2 M_ft), and a line of order -1/2."""
    xs = tuple(ratios)
    U = PAPER["U"]
    found = tuple(math.sqrt(at(_remainder_squared(), {**PAPER, "M_ft": U * t, "M": 2 * U * t})) for t in xs)
    last = found[-1] * math.sqrt(xs[-1])
    return Sweep(
        "M_ft / U",
        tuple(map(float, xs)),
        {"relative remainder": found, "order -1/2": tuple(last / math.sqrt(t) for t in xs)},
    )


def _norms(step: str, name: str, values: tuple[int, ...], factor) -> tuple[float, ...]:
    squared = squared_norm(step)
    return tuple(math.sqrt(at(squared, {**PAPER, name: k})) * factor(k) for k in values)


def _through(printed: tuple[float, ...], xs: tuple[int, ...], where: int, value: float) -> tuple[float, ...]:
    """A printed order has no constant: the one that meets the derived norm at the paper's setting is drawn."""
    scale = value / printed[xs.index(where)]
    return tuple(scale * p for p in printed)


def subject_norm(m: tuple[int, ...]) -> Sweep:
    """Norm of the hat gradient of W_KQ^subj per unit beta against m; printed: Theta(1/m)."""
    found = _norms("kq_subj", "m", m, lambda k: 1.0)
    printed = _through(tuple(1 / k for k in m), m, PAPER["m"], found[m.index(PAPER["m"])])
    return Sweep("m", tuple(map(float, m)), {"derived norm": found, "printed order 1/m": printed})


def value_norm(U: tuple[int, ...]) -> Sweep:
    """Norm of the hat gradient of W_OV^rel against U; printed: Theta(sqrt(U L)), above 1."""
    found = _norms("ov_rel", "U", U, lambda u: 1.0)
    printed = tuple(math.sqrt(u * PAPER["L"]) for u in U)
    return Sweep("U", tuple(map(float, U)), {"derived norm": found, "printed sqrt(U L)": printed})


def relation_norm(m: tuple[int, ...]) -> Sweep:
    """Norm of the second hat gradient of W_KQ^rel per unit beta alpha_2 against m; printed: Theta(m^2)."""
    found = _norms("kq_rel", "m", m, lambda k: PAPER["L"] * (3 * k - 1) * PAPER["U"] ** 2)
    printed = _through(tuple(float(k * k) for k in m), m, PAPER["m"], found[m.index(PAPER["m"])])
    return Sweep("m", tuple(map(float, m)), {"derived norm": found, "printed order m^2": printed})


def _float(value: Any, unit: int = 1) -> float | None:
    return None if value is None else float(unit * value)
