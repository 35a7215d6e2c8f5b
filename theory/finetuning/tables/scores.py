"""Final scores of every token at every kind of position, for one fact table, as polynomials in 1/M_ft.

Subject head:   a subject scores 1 - eta_kq_subj (c(token) + c(position)), everything else 0.
Relation head:  -eta_kq_rel (c(token) + c(position)); the initial 1 of the full window is common to all positions.

Every coefficient is a polynomial of degree at most 2 in 1/M_ft at fixed frequencies; it is split once, symbolically, and
evaluated per type and value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import sympy

from theory import symbols
from theory.finetuning.balanced import derivation
from theory.finetuning.tables.differences import by_powers
from theory.finetuning.tables.quadratic import Quadratic
from theory.finetuning.window import window_of
from theory.frequencies import Frequencies
from theory.onehot.classes import DirectionClass
from theory.rational import Number, evaluate

POOLS = ("seen", "heldout")


@dataclass(frozen=True)
class Steps:
    """Positive step sizes, and the number m >= 2 of subjects of a sequence."""

    m: int
    eta_ov: Fraction
    eta_kq_subj: Fraction
    eta_kq_rel: Fraction

    def __post_init__(self) -> None:
        if self.m < 2:
            raise ValueError(f"m = {self.m}: valid are integers >= 2 (a query and at least one context)")
        for name in ("eta_ov", "eta_kq_subj", "eta_kq_rel"):
            value = Fraction(getattr(self, name))
            if value <= 0:
                raise ValueError(f"{name} = {value}: valid are rationals > 0")
            object.__setattr__(self, name, value)

    @property
    def T(self) -> int:
        return 3 * self.m - 1


@dataclass(frozen=True)
class TableScores:
    """Scores per unit beta.

    attributes     per type l and value u (meaningful where f_u > 0)
    queries        per subject of the pool, at p_{-1};             contexts       per subject of F, at p_{-1-3i}
    subj_queries   the same for the subject head;                  subj_contexts
    sep            of every [sep] (they all have one position score)
    """

    frequencies: Frequencies
    steps: Steps
    pool: str
    attributes: tuple[tuple[Quadratic, ...], ...]
    queries: Mapping[int, Quadratic]
    contexts: Mapping[int, Quadratic]
    sep: Quadratic
    subj_queries: Mapping[int, Quadratic]
    subj_contexts: Mapping[int, Quadratic]


def table_scores(frequencies: Frequencies, steps: Steps, pool: str) -> TableScores:
    """The scores of one table. ValueError for an unknown or empty pool. Cost O(M L + sum_l U_l)."""
    if pool not in POOLS:
        raise ValueError(f"pool = {pool!r}: valid are {list(POOLS)}")
    asked = [j for j, seen in enumerate(frequencies.seen) if seen == (pool == "seen")]
    if not asked:
        raise ValueError(f"pool = {pool!r}: there is no such subject (M_ft = M = {frequencies.M})")
    finetune = [j for j, seen in enumerate(frequencies.seen) if seen]
    subj, rel = (_Evaluator(frequencies, steps, step) for step in ("kq_subj", "kq_rel"))
    initial = Quadratic(Fraction(1))
    subj_tokens, rel_tokens = subj.subjects(), rel.subjects()

    def place(evaluator: "_Evaluator", role: DirectionClass) -> Quadratic:
        return evaluator.total(role)

    at_attribute, at_query = place(rel, DirectionClass.P_ATTRIBUTE), place(rel, DirectionClass.P_QUERY)
    at_context, at_sep = place(rel, DirectionClass.P_CONTEXT), place(rel, DirectionClass.P_SEP)
    subj_query, subj_context = place(subj, DirectionClass.P_QUERY), place(subj, DirectionClass.P_CONTEXT)
    return TableScores(
        frequencies=frequencies,
        steps=steps,
        pool=pool,
        attributes=tuple(
            tuple(token + at_attribute for token in column) for column in rel.per_value(DirectionClass.ATTRIBUTE)
        ),
        queries={j: rel_tokens[j] + at_query for j in asked},
        contexts={j: rel_tokens[j] + at_context for j in finetune},
        sep=place(rel, DirectionClass.SEP) + at_sep,
        subj_queries={j: initial + subj_tokens[j] + subj_query for j in asked},
        subj_contexts={j: initial + subj_tokens[j] + subj_context for j in finetune},
    )


class _Evaluator:
    """-step * coefficient of one of the two key-query gradients, at the frequencies of a table."""

    def __init__(self, frequencies: Frequencies, steps: Steps, name: str) -> None:
        self.frequencies, self.name = frequencies, name
        self.step = steps.eta_kq_subj if name == "kq_subj" else steps.eta_kq_rel
        constants: dict[sympy.Symbol, Number] = {**window_of(steps.m, None).values(), symbols.L: frequencies.L}
        constants[symbols.eta_ov] = steps.eta_ov
        self.at_type: list[dict[sympy.Symbol, Number]] = [
            constants | {symbols.power_sum(2): frequencies.power_sum(2, kind)} for kind in range(frequencies.L)
        ]

    def at(self, role: DirectionClass, kind: int, f: Fraction = Fraction(0)) -> Quadratic:
        """One type's part, at value frequency f."""
        values = self.at_type[kind] | {symbols.f_u: f, symbols.f_s: f}
        return Quadratic(*(-self.step * evaluate(part, values) for part in _parts(self.name, role)))

    def total(self, role: DirectionClass) -> Quadratic:
        """A coefficient that is summed over the types."""
        return sum((self.at(role, kind) for kind in range(self.frequencies.L)), Quadratic())

    def per_value(self, role: DirectionClass) -> list[list[Quadratic]]:
        """Per type and value; evaluated once per distinct frequency."""
        found = []
        for kind, column in enumerate(self.frequencies.values):
            known = {f: self.at(role, kind, f) for f in set(column)}
            found.append([known[f] for f in column])
        return found

    def subjects(self) -> list[Quadratic]:
        """Per subject, 0 for a held-out one."""
        table = self.per_value(DirectionClass.SUBJECT_SEEN)
        rows = zip(self.frequencies.subjects, self.frequencies.seen, strict=True)
        return [
            sum((table[kind][u] for kind, u in enumerate(own)), Quadratic()) if seen else Quadratic()
            for own, seen in rows
        ]


@cache
def _parts(name: str, role: DirectionClass) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    return by_powers(derivation(name).coefficients[role].expression)
