"""Argmax sets on PT sequences: outcomes of every situation, and the conditions under which a situation is never failed.

At sep with three heads: G 5k/(2t), R 2k/t, sep k/t, a subject at most (k-1)/t, t = k(S+3) - 1; 5k/(2t) < 1 since
k(2S+1) > 2. Against that the target has 2 - w_y: 1 in "set", and in "literal" 1 for N_y = 1 but at most 0 for N_y >= 2.
With two heads all non-values have 0, so N_y = 2 is a tie and N_y >= 3 is wrong.
"""

import sympy

from theory.constructions.case import Outcome, Quantity, Statement
from theory.constructions.classes import TokenClass, Verdict
from theory.constructions.pretraining_heads import weight
from theory.constructions.situation import ONE, ZERO, Situation, next_law, row, uniform_distance
from theory.constructions.symbols import G, N_tr, N_y, S, i, k
from theory.finetuning.sequence import Reading
from theory.symbols import L, M

N_max = sympy.Symbol("N_max", positive=True, integer=True)
n_0 = sympy.Symbol("n_0", nonnegative=True, integer=True)
n_R = sympy.Symbol("n_R", nonnegative=True, integer=True)
NON_VALUES = frozenset(
    (TokenClass.GRAMMAR, TokenClass.RELATION, TokenClass.SEP, TokenClass.OWN_SUBJECT, TokenClass.SUBJECT)
)
GRAMMAR_OR_RELATION = frozenset((TokenClass.GRAMMAR, TokenClass.RELATION))


def outcomes(situation: Situation, heads: int, reading: Reading) -> tuple[Outcome, ...]:
    """Exclusive outcomes. Empty for two heads, reading "literal", on rows other than sep (the argmax depends on N_u)."""
    if situation == Situation.SEP:
        return _at_sep(heads, reading)
    if heads == 2:
        return _two_heads(situation) if reading == Reading.SET else ()
    grammar, sep = frozenset((TokenClass.GRAMMAR,)), frozenset((TokenClass.SEP,))
    distance = uniform_distance(situation)
    before = (Situation.FIRST_BEFORE_RELATION, Situation.LATER_NO_RELATION)
    if situation == Situation.SUBJECT:
        return (
            Outcome(S >= 2, GRAMMAR_OR_RELATION, Verdict.EXACT, distance),
            Outcome(sympy.Eq(S, 1), GRAMMAR_OR_RELATION, Verdict.TIE, distance),
        )
    if situation in before:
        return (
            Outcome(i <= S - 2, GRAMMAR_OR_RELATION, Verdict.EXACT, distance),
            Outcome(sympy.Eq(i, S - 1), GRAMMAR_OR_RELATION, Verdict.TIE, distance),
        )
    if situation == Situation.ATTRIBUTE:
        own, all_of_them = frozenset((TokenClass.OWN_SUBJECT,)), frozenset((TokenClass.OWN_SUBJECT, TokenClass.SUBJECT))
        return (
            Outcome(sympy.Eq(N_y, 1), own, Verdict.EXACT, ZERO),
            Outcome(N_y >= 2, all_of_them, Verdict.TIE, 1 - 1 / N_y),
        )
    single = {
        Situation.FIRST_AFTER_RELATION: Outcome(sympy.true, sep, Verdict.WRONG, ONE),
        Situation.LATER_PREVIOUS_RELATION: Outcome(sympy.true, grammar, Verdict.SUBSET, 1 / (S - i)),
        Situation.LATER_CURRENT_RELATION: Outcome(sympy.true, grammar, Verdict.EXACT, ZERO),
        Situation.LATER_TWO_RELATIONS: Outcome(sympy.true, grammar | sep, Verdict.TIE, 1 / (G + 1)),
        Situation.LAST_SLOT: Outcome(sympy.true, sep, Verdict.EXACT, ZERO),
    }
    return (single[situation],)


def _at_sep(heads: int, reading: Reading) -> tuple[Outcome, ...]:
    target = frozenset((TokenClass.TARGET,))
    if reading == Reading.SET:
        return (Outcome(sympy.true, target, Verdict.EXACT, ZERO),)
    alone = Outcome(sympy.Eq(N_y, 1), target, Verdict.EXACT, ZERO)
    if heads == 3:
        return alone, Outcome(N_y >= 2, frozenset((TokenClass.GRAMMAR,)), Verdict.WRONG, ONE)
    # Values with N_u = 1 that are of the type, or own, have logit 0 as well: there are n_0 of them besides the target.
    others = NON_VALUES | {TokenClass.OTHER_OF_TYPE, TokenClass.OWN_OF_OTHER_TYPE}
    tied = 1 - 1 / (1 + n_0 + M + L + G + 1)
    return (
        alone,
        Outcome(sympy.Eq(N_y, 2), others | target, Verdict.TIE, tied),
        Outcome(N_y >= 3, others, Verdict.WRONG, ONE),
    )


def _two_heads(situation: Situation) -> tuple[Outcome, ...]:
    """n_R relation tokens so far: none leaves 0 on all tokens but others' values, else a value of the subject wins."""
    law = next_law(situation).masses
    size = M + 2 * L + G + 1
    counts = {TokenClass.GRAMMAR: G, TokenClass.RELATION: L}
    distance = sum((sympy.Max(0, p - counts.get(token, ONE) / size) for token, p in law.items()), ZERO)
    outcomes_: tuple[Outcome, ...] = (Outcome(n_R >= 1, frozenset((TokenClass.OWN_VALUE,)), Verdict.WRONG, ONE),)
    if situation in (Situation.SUBJECT, Situation.FIRST_BEFORE_RELATION):
        everything = NON_VALUES | {TokenClass.OWN_VALUE}
        outcomes_ += (Outcome(sympy.Eq(n_R, 0), everything, Verdict.TIE, distance),)
    return outcomes_


def pretraining_statement(
    situation: Situation, heads: int = 3, reading: Reading | str = Reading.SET, allow_ties: bool = False
) -> Statement:
    """When every occurrence of the situation, over all sequences, is right (or, allow_ties: at least not WRONG).

    Parameters: S, N_tr, N_max (the largest N_u over all values). It holds vacuously where the situation never occurs.
    """
    literal = Reading(reading) == Reading.LITERAL
    if situation == Situation.SEP:
        bound = 2 if allow_ties and heads == 2 else 1
        condition = N_max <= bound if literal else sympy.true
        return Statement(
            f"{situation.value}: right", condition, "The target has 2 - w_y, all else at most 5k/(2t) < 1."
        )
    never = {
        Situation.FIRST_BEFORE_RELATION: S <= 1,
        Situation.FIRST_AFTER_RELATION: S <= 1,
        Situation.LATER_NO_RELATION: sympy.Or(sympy.Eq(N_tr, 1), S <= 1),
        Situation.LATER_PREVIOUS_RELATION: sympy.Or(sympy.Eq(N_tr, 1), S <= 2),
        Situation.LATER_CURRENT_RELATION: sympy.Or(sympy.Eq(N_tr, 1), S <= 1),
        Situation.LATER_TWO_RELATIONS: sympy.Or(sympy.Eq(N_tr, 1), S <= 2),
        Situation.ATTRIBUTE: sympy.Eq(N_tr, 1),
    }.get(situation, sympy.false)
    if heads == 2:
        if allow_ties and literal:
            raise ValueError(f"reading = {reading}: two heads with ties on rows other than sep: valid is 'set'")
        if allow_ties and situation == Situation.SUBJECT:
            # "set": wrong as soon as a relation token was seen, i.e. in the second subsequence.
            never = sympy.Or(never, sympy.Eq(N_tr, 1))
        if allow_ties and situation == Situation.FIRST_BEFORE_RELATION:
            never = sympy.true
        return Statement(f"{situation.value}: right", never, "Without the grammar head only values have logits.")
    always_possible = sympy.true if allow_ties and situation != Situation.FIRST_AFTER_RELATION else sympy.false
    always = {
        Situation.SUBJECT: sympy.true if allow_ties else S >= 2,
        Situation.LATER_PREVIOUS_RELATION: sympy.true,
        Situation.LATER_CURRENT_RELATION: sympy.true,
        Situation.LAST_SLOT: sympy.true,
        Situation.ATTRIBUTE: sympy.true if allow_ties else N_max <= 1,
    }.get(situation, always_possible)
    explanation = "Every outcome that occurs for some k, i is right." + (" Ties are allowed." if allow_ties else "")
    return Statement(f"{situation.value}: right", sympy.Or(never, always), explanation)


def sep_margin(heads: int = 3, reading: Reading | str = Reading.SET) -> Quantity:
    """At sep of subsequence k (t = T for k = N_tr): logit of the target less the largest other one, for every N_y.

    Other values never exceed 0, which all non-values have in the two-head model; with three heads G is the rival.
    """
    target = 2 - weight(Reading(reading), N_y)
    rival = sympy.Rational(5, 2) * k / row(Situation.SEP) if heads == 3 else ZERO
    return Quantity("margin at sep", target - rival, "The rival is G (three heads) or any token that is not a value.")


def smallest_failures() -> dict[Situation, str]:
    """Three heads: the sequences with the fewest tokens on which a situation is not right."""
    return {
        Situation.SUBJECT: "S = 1, N_tr = 1, row 1 [s]: G and R tie, only R can follow",
        Situation.FIRST_BEFORE_RELATION: "S = 2, N_tr = 1, row 2 of [s g r sep]: G and R tie, only R can follow",
        Situation.FIRST_AFTER_RELATION: "S = 2, N_tr = 1, row 2 of [s r g sep]: predicts sep, only G can follow",
        Situation.LATER_NO_RELATION: "S = 2, N_tr = 2, row 7 of [s . . sep a s g r sep]: G and R tie, only R can follow",
        Situation.LATER_TWO_RELATIONS: "S = 3, N_tr = 2, row 8 of [s g g r sep a s r g g sep], same r twice: G and sep tie",
        Situation.SEP: "literal: S = 1, N_tr = 1, M = 2, N_y = 2, row 3 of [s r sep]: predicts G (two heads: tie)",
        Situation.ATTRIBUTE: "S = 1, N_tr = 2, M = 2, N_u = 2, row 4 of [s r sep a s r sep]: the two subjects with a tie",
    }
