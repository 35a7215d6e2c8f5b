"""What a row of a PT sequence looks like, and the exact law of the token that follows it.

Row t of subsequence k stands on the subject (t = (k-1)(S+3) + 1), on slot i (t = (k-1)(S+3) + 1 + i), on sep
(t = k(S+3) - 1) or on the attribute (t = k(S+3)).
"""

from enum import StrEnum

import sympy

from theory.constructions.case import Law
from theory.constructions.classes import TokenClass
from theory.constructions.symbols import G, N_tr, S, i, k
from theory.symbols import L

ZERO, ONE = sympy.Integer(0), sympy.Integer(1)


class Situation(StrEnum):
    """What row t looks like. Slots named here are i < S; slot S is LAST_SLOT, wherever the relation token is."""

    SUBJECT = "on the subject"
    FIRST_BEFORE_RELATION = "first subsequence, slot i < S, no relation token so far"
    FIRST_AFTER_RELATION = "first subsequence, slot i < S, relation token at or before i"
    LATER_NO_RELATION = "later subsequence, slot i < S, no relation token in the window"
    LATER_PREVIOUS_RELATION = "later subsequence, slot i < S, only the previous relation token in the window"
    LATER_CURRENT_RELATION = "later subsequence, slot i < S, only the current relation token attended"
    LATER_TWO_RELATIONS = "later subsequence, slot i < S, two relation tokens attended"
    LAST_SLOT = "slot S"
    SEP = "on sep"
    ATTRIBUTE = "on the attribute"


def row(situation: Situation) -> sympy.Expr:
    """t in terms of k, i and S."""
    start = (k - 1) * (S + 3)
    if situation == Situation.SUBJECT:
        return start + 1
    if situation == Situation.SEP:
        return start + S + 2
    if situation == Situation.ATTRIBUTE:
        return start + S + 3
    return start + 1 + (S if situation == Situation.LAST_SLOT else i)


def occurrence(situation: Situation) -> sympy.Basic:
    """For which S, N_tr, k, i the situation occurs in some sequence, whatever L and G >= 1 are."""
    current = sympy.And(k >= 1, k <= N_tr)
    between = sympy.And(current, i >= 1, i <= S - 1)
    window = sympy.And(current, k >= 2, i >= 1, i <= S - 2)
    return {
        Situation.FIRST_BEFORE_RELATION: sympy.And(between, sympy.Eq(k, 1)),
        Situation.FIRST_AFTER_RELATION: sympy.And(between, sympy.Eq(k, 1)),
        Situation.LATER_NO_RELATION: sympy.And(between, k >= 2),
        Situation.LATER_PREVIOUS_RELATION: window,
        Situation.LATER_CURRENT_RELATION: sympy.And(between, k >= 2),
        Situation.LATER_TWO_RELATIONS: window,
        Situation.ATTRIBUTE: sympy.And(k >= 1, k <= N_tr - 1),
    }.get(situation, current)


def hazard(situation: Situation) -> sympy.Expr:
    """Probability that the next token is a relation token, given the prefix, where the next token is in a slot.

    The relation slot is uniform in 1..S, so given that it is not among 1..i it is i + 1 with probability 1/(S - i).
    """
    if situation == Situation.SUBJECT:
        return 1 / S
    before = (
        Situation.FIRST_BEFORE_RELATION,
        Situation.LATER_NO_RELATION,
        Situation.LATER_PREVIOUS_RELATION,
    )
    return 1 / (S - i) if situation in before else ZERO


def next_law(situation: Situation) -> Law:
    """Exact next-token law given the prefix: it depends on the prefix only through the situation and i."""
    fixed = {
        Situation.LAST_SLOT: TokenClass.SEP,
        Situation.SEP: TokenClass.TARGET,
        Situation.ATTRIBUTE: TokenClass.OWN_SUBJECT,
    }
    if situation in fixed:
        return Law({fixed[situation]: ONE})
    h = hazard(situation)
    return Law({TokenClass.GRAMMAR: 1 - h, TokenClass.RELATION: h})


def uniform_distance(situation: Situation) -> sympy.Expr:
    """Total variation of "uniform over G and R" from the exact law of a slot: |h - L/(G+L)|.

    It is 0 only where 1/h = 1 + G/L: in at most one row of a subsequence.
    """
    return sympy.Abs(hazard(situation) - L / (G + L))
