"""Hat gradients of any fact table as exact Fractions, from the derived coefficients.

The coefficients are compiled once (theory.rational). Everything depends on a direction only through its frequency, so
the tables are of size sum_l U_l (attributes) and sum_l U_l^2 (pairs); building costs O(M L + sum_l U_l^2), an entry is
a lookup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from theory import symbols
from theory.finetuning.balanced import derivation
from theory.finetuning.window import Window, position_class, window_of
from theory.frequencies import Frequencies
from theory.onehot.classes import DirectionClass, EntryClass
from theory.onehot.coefficient import Coefficient
from theory.rational import Number, evaluate

Key = tuple[Any, ...]
Pairs = tuple[tuple[tuple[Fraction, ...], ...], ...]
PerValue = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class HatGradients:
    """Population hat gradients (gradients of the loss, not updates; per unit beta for W_KQ) of one fact table.

    Directions: ("subject", j), ("attribute", l, u), ("relation", l), ("grammar", g), ("sep",), ("position", -i).
    """

    frequencies: Frequencies
    window: Window
    subj_subjects: tuple[Fraction, ...]
    subj_constants: Mapping[DirectionClass, Fraction]
    rel_subjects: tuple[Fraction, ...]
    rel_attributes: PerValue
    rel_constants: Mapping[DirectionClass, Fraction]
    own: PerValue
    other: PerValue
    separators: PerValue
    pairs: Pairs

    def kq_subj(self, direction: Key) -> Fraction:
        """Entry of the sep column of the gradient of W_KQ^subj. ValueError for an unknown direction."""
        family = self._checked(direction)
        if family == "subject":
            return self.subj_subjects[direction[1]]
        if family == "position":
            return self.subj_constants.get(position_class(-direction[1], self.window.m), Fraction(0))
        return Fraction(0)

    def kq_rel(self, direction: Key) -> Fraction:
        """Entry of the sep column of the second-step gradient of W_KQ^rel. ValueError for an unknown direction."""
        family = self._checked(direction)
        if family == "subject":
            return self.rel_subjects[direction[1]]
        if family == "attribute":
            return self.rel_attributes[direction[1]][direction[2]]
        if family == "sep":
            return self.rel_constants[DirectionClass.SEP]
        if family == "position":
            role = position_class(-direction[1], self.window.m)
            return self.rel_constants[role] if -direction[1] < self.window.w else Fraction(0)
        return Fraction(0)

    def ov_rel(self, output: Key, input: Key) -> Fraction:
        """Entry [output, input] of the gradient of W_OV^rel before projection. ValueError for an unknown direction."""
        target, source = self._checked(output), self._checked(input)
        if "position" in (target, source):
            raise ValueError(f"direction = {(output, input)}: W_OV has token directions only")
        if target != "attribute":
            return Fraction(0)
        kind, u = output[1], output[2]
        if source == "attribute":
            return self.pairs[kind][u][input[2]] if input[1] == kind else Fraction(0)
        if source == "subject":
            j = input[1]
            if not self.frequencies.seen[j]:
                return Fraction(0)
            return (self.own if self.frequencies.subjects[j][kind] == u else self.other)[kind][u]
        return self.separators[kind][u] if source == "sep" else Fraction(0)

    def _checked(self, direction: Key) -> str:
        """The family, after checking the indices."""
        family: str = direction[0]
        indices = direction[1:]
        if family == "position" and len(indices) == 1:
            position_class(-indices[0], self.window.m)
            return family
        values = self.frequencies.values
        valid = {
            "subject": len(indices) == 1 and 0 <= indices[0] < self.frequencies.M,
            "attribute": len(indices) == 2
            and 0 <= indices[0] < len(values)
            and 0 <= indices[1] < len(values[indices[0]]),
            "relation": len(indices) == 1 and 0 <= indices[0] < len(values),
            "grammar": len(indices) == 1 and indices[0] >= 0,
            "sep": not indices,
        }
        if valid.get(family):
            return family
        raise ValueError(
            f"direction = {direction!r}: valid are ('subject', j), ('attribute', l, u), ('relation', l), "
            "('grammar', g), ('sep',), ('position', -i) with indices in range"
        )


def hat_gradients(frequencies: Frequencies, m: int, window: int | None, eta_ov: Fraction) -> HatGradients:
    """Population hat gradients of the fact table for sequences of m subjects.

    window  None for T <= S + 2, else the number of last positions that the relation head attends
    eta_ov  size of the projected step on W_OV^rel (only kq_rel depends on it)
    Raises ValueError for m < 1 or window < 1. Cost O(M L + sum_l U_l^2).
    """
    shape = window_of(m, window)
    constants: dict[sympy.Symbol, Number] = {**shape.values(), symbols.L: frequencies.L, symbols.M_ft: frequencies.M_ft}
    constants[symbols.eta_ov] = Fraction(eta_ov)
    at_type: list[dict[sympy.Symbol, Number]] = [
        constants | {symbols.power_sum(k): frequencies.power_sum(k, kind) for k in (2, 3)}
        for kind in range(frequencies.L)
    ]

    def per_value(coefficient: Coefficient) -> PerValue:
        return tuple(
            tuple(evaluate(coefficient.expression, values | {symbols.f_u: f, symbols.f_s: f}) for f in column)
            for values, column in zip(at_type, frequencies.values, strict=True)
        )

    def over_types(coefficient: Coefficient) -> Fraction:
        return sum((evaluate(coefficient.expression, values) for values in at_type), Fraction(0))

    def per_subject(coefficient: Coefficient) -> tuple[Fraction, ...]:
        table = per_value(coefficient)
        totals = (sum((table[k][u] for k, u in enumerate(own)), Fraction(0)) for own in frequencies.subjects)
        return tuple(t if seen else Fraction(0) for t, seen in zip(totals, frequencies.seen, strict=True))

    def per_pair(coefficient: Coefficient) -> Pairs:
        return tuple(
            tuple(
                tuple(evaluate(coefficient.expression, values | {symbols.f_u: f, symbols.f_v: g}) for g in column)
                for f in column
            )
            for values, column in zip(at_type, frequencies.values, strict=True)
        )

    subj, ov, rel = (derivation(step).coefficients for step in ("kq_subj", "ov_rel", "kq_rel"))
    roles = [c for c in DirectionClass if c.value.startswith("p_")]
    return HatGradients(
        frequencies=frequencies,
        window=shape,
        subj_subjects=per_subject(subj[DirectionClass.SUBJECT_SEEN]),
        subj_constants={role: over_types(subj[role]) for role in roles},
        rel_subjects=per_subject(rel[DirectionClass.SUBJECT_SEEN]),
        rel_attributes=per_value(rel[DirectionClass.ATTRIBUTE]),
        rel_constants={role: over_types(rel[role]) for role in (*roles, DirectionClass.SEP)},
        own=per_value(ov[EntryClass.OWN_ATTRIBUTE_SEEN]),
        other=per_value(ov[EntryClass.OTHER_ATTRIBUTE_SEEN]),
        separators=per_value(ov[EntryClass.ATTRIBUTE_SEP]),
        pairs=per_pair(ov[EntryClass.ATTRIBUTE_ATTRIBUTE]),
    )
