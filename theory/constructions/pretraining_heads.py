"""PT sequences at beta -> infinity: what the heads of Propositions 1 and 3 do at every row, for all parameters.

Row t of subsequence k stands on the subject (t = (k-1)(S+3) + 1), on slot i (t = (k-1)(S+3) + 1 + i), on sep
(t = k(S+3) - 1) or on the attribute (t = k(S+3)). Scores in units of beta:

Relation and subject head. Only the column of sep is not zero. On every other row all scores are 0: uniform attention,
rho_l = n_l/t and sigma = k/t. On sep the window p_0..p_{-S-1} is exactly the current subsequence; its relation token
has score 2 and is alone there, so rho = 1 for its type; all subject tokens are the same subject, so sigma = 1.
A value of type l has the logit rho_l - sigma (w - 1[own]), w = 1 (set) or N_u (literal); in the two-head model every
other token has 0.

Grammar head, by the current token.
  sep        no keys: uniform.              subject s   the occurrences of s.        value u    those of u.
  slot i     a key token of {r, sep} inside the window scores 2. Counted back from slot i the window ends at the
             attribute of the previous subsequence if i = S, and else contains its sep and its slots i+2..S. So the
             attended set is {previous sep, if k > 1 and i < S} + {current relation token, if it is at a slot <= i}
             + {previous relation token, if it is at a slot >= i+2}; a current relation token as the query has the key
             of its own type only. If this set is empty (k = 1, no relation token yet), all rows so far score 1.
Columns: subject and sep give 1 on G and R, a relation token gives 1/2 on G and 1 on sep, a value u gives 1 on each of
its N_u subjects.

Values never decide a row other than sep: there rho_l + sigma (1 - w) <= k/t, which is at most 1/2 for i = S (where sep
has 1), below 1 on a subject or an attribute, 0 before the first relation token, at most 1/2 after it in the first
subsequence (sep: 1), and at most 2/7 in later slots (G: at least 2/3).
"""

import sympy

from theory.constructions.case import Head
from theory.constructions.classes import Key, TokenClass
from theory.constructions.situation import ONE, ZERO, Situation, row
from theory.constructions.symbols import N_u, N_y, S, i, k, n_j, n_l
from theory.finetuning.sequence import Reading


def weight(reading: Reading, count: sympy.Expr) -> sympy.Expr:
    """w: how often W_OV^subj subtracts a value of another subject."""
    return ONE if Reading(reading) == Reading.SET else count


def relation_head(situation: Situation) -> Head:
    """The relation head, for both propositions."""
    if situation == Situation.SEP:
        output = {TokenClass.TARGET: ONE, TokenClass.OTHER_OF_TYPE: ONE}
        why = "In the window only the current relation token also has a token score: score 2, alone."
        return Head("relation", why, {Key.CURRENT_RELATION: ONE}, output)
    t = row(situation)
    relations = k - 1 if situation == Situation.SUBJECT else k
    if situation in (
        Situation.FIRST_BEFORE_RELATION,
        Situation.LATER_NO_RELATION,
        Situation.LATER_PREVIOUS_RELATION,
    ):
        relations = k - 1
    output = {TokenClass.OWN_VALUE: n_l / t, TokenClass.OTHER_VALUE: n_l / t}
    shares = {Key.RELATION: relations / t, Key.SUBJECT: k / t}
    return Head("relation", "The current token is not sep: all scores are 0, uniform attention.", shares, output)


def subject_head(situation: Situation, reading: Reading) -> Head:
    """The subject head, for both propositions."""
    if situation == Situation.SEP:
        w_y, w_u = weight(reading, N_y), weight(reading, N_u)
        output = {
            TokenClass.TARGET: 1 - w_y,
            TokenClass.OTHER_OF_TYPE: -w_u,
            TokenClass.OWN_OF_OTHER_TYPE: 1 - w_u,
            TokenClass.OTHER_OF_OTHER_TYPE: -w_u,
        }
        return Head("subject", "Subject tokens score 1, all others 0; all are the subject.", {Key.SUBJECT: ONE}, output)
    t = row(situation)
    w_u = weight(reading, N_u)
    output = {TokenClass.OWN_VALUE: k * (1 - w_u) / t, TokenClass.OTHER_VALUE: -k * w_u / t}
    return Head(
        "subject", "The current token is not sep: all scores are 0, uniform attention.", {Key.SUBJECT: k / t}, output
    )


def grammar_shares(situation: Situation) -> tuple[str, dict[Key, sympy.Expr]]:
    """The grammar head's attention and the reason."""
    t = row(situation)
    half, third = sympy.Rational(1, 2), sympy.Rational(1, 3)
    if situation == Situation.SEP:
        uniform = {
            Key.SUBJECT: k / t,
            Key.SEP: k / t,
            Key.RELATION: k / t,
            Key.ATTRIBUTE: (k - 1) / t,
            Key.GRAMMAR: k * (S - 1) / t,
        }
        return "The column of sep is zero: uniform attention on the k(S+3) - 1 rows.", uniform
    table: dict[Situation, tuple[str, dict[Key, sympy.Expr]]] = {
        Situation.SUBJECT: ("The subject's own key: all its occurrences.", {Key.SUBJECT: ONE}),
        Situation.ATTRIBUTE: ("The value's own key: all its occurrences.", {Key.ATTRIBUTE: ONE}),
        Situation.LAST_SLOT: (
            "The window ends behind the previous sep: only the current relation token has score 2.",
            {Key.RELATION: ONE},
        ),
        Situation.FIRST_BEFORE_RELATION: (
            "No relation token and no sep so far, all rows in the window: all scores 1.",
            {Key.SUBJECT: 1 / t, Key.GRAMMAR: i / t},
        ),
        Situation.FIRST_AFTER_RELATION: (
            "There is no earlier sep: score 2 for the relation token alone.",
            {Key.RELATION: ONE},
        ),
        Situation.LATER_NO_RELATION: ("Score 2 for the previous sep alone.", {Key.SEP: ONE}),
        Situation.LATER_TWO_RELATIONS: (
            "Score 2 for the previous sep and two relation tokens.",
            {Key.SEP: third, Key.RELATION: 2 * third},
        ),
    }
    one_relation = ("Score 2 for the previous sep and one relation token.", {Key.SEP: half, Key.RELATION: half})
    return table.get(situation, one_relation)


def grammar_head(situation: Situation) -> Head:
    """The grammar head of Proposition 3."""
    why, shares = grammar_shares(situation)
    both = shares.get(Key.SUBJECT, ZERO) + shares.get(Key.SEP, ZERO)
    relation = shares.get(Key.RELATION, ZERO)
    output = {TokenClass.GRAMMAR: both + relation / 2, TokenClass.RELATION: both, TokenClass.SEP: relation}
    if situation == Situation.SEP:
        t = row(situation)
        output |= {TokenClass.OWN_SUBJECT: (k - 1) / t, TokenClass.SUBJECT: n_j / t}
    if situation == Situation.ATTRIBUTE:
        output |= {TokenClass.OWN_SUBJECT: ONE, TokenClass.SUBJECT: n_j}
    simplified = {token: sympy.factor(value) for token, value in output.items() if value != 0}
    return Head("grammar", why, shares, simplified)
