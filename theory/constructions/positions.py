"""Proposition 3 at finite beta, b = e^beta, at the positions t < T of the last subsequence k = N_tr: from which beta on the
argmax set is the one of beta = infinity.

Only the grammar head decides (pretraining_heads: relation and subject head average over x_1..x_t and give a value at most
n_l/t, n_l <= k). It gives the masses sigma, pi, rho (times Z) to subject, sep and relation tokens, and

  G: sigma + pi + rho/2      R: sigma + pi      sep: rho

  t = T-S-1  the subject. Its own key: sigma = k b, pi = rho = k - 1.  G - R = rho/2 > 0 for k >= 2: G alone at every finite
             beta, the tie of G and R only at beta = infinity.
  slot i < S, a grammar token. [sep] and relation tokens have score 1, one more inside the window; so do the other tokens of the
             window. Relation tokens before the window: score 1, rho > 0, and the tie of G and R is broken as above; k = 1:
             no relation token, G = R at every beta. With one relation token in the window G is alone at every beta. With two
             G - sep = sigma + pi - rho/2 = b + (k-1) + (k-2) b/2 (or more) > 0: the tie with [sep] is one of beta = infinity only.
             First subsequence: sigma = b, pi = 0, rho = b^2: [sep] from b = 2 on.
  t = T-1    slot S. sigma = b + k - 1, pi = (k-1) b, rho = b^2 + n b + (k-1-n): an older relation token has score 1 if x_t is a
             grammar token (n = k - 1), and if x_t is a relation token only where it is of the same type (n of them; worst n = 0).
             sep - G = rho/2 - sigma - pi.
  t = T-S-2  the attribute, one of c equal ones among k - 1: the subject has c b + (k-1-c), G has 5 (k-1)/2; worst c = 1. Another
             subject never exceeds the subject, and ties at beta = infinity where it has the value.

The values are no rivals: at slot S, rho > 2 (sigma + pi) gives rho/Z > k/t (k(S+3) >= 4); elsewhere the winner has more than
the mean token has. So all this holds in both readings of W_OV^subj.
"""

import math
from functools import cache

import sympy

from theory.constructions.class_scores import Threshold
from theory.constructions.situation import Situation
from theory.constructions.symbols import N_tr, b
from theory.constructions.thresholds import Equation, rooted

HALF = sympy.Rational(1, 2)

#: Situations in which the argmax set of beta = infinity is that of every beta > 0, and in which it is that of no finite one.
ALWAYS = (Situation.FIRST_BEFORE_RELATION, Situation.LATER_PREVIOUS_RELATION, Situation.LATER_CURRENT_RELATION)
LIMIT_ONLY = (Situation.LATER_NO_RELATION, Situation.LATER_TWO_RELATIONS)


@cache
def position_equations(situation: Situation) -> tuple[Equation, ...]:
    """The worst margin over G, cleared, of slot S, of the first subsequence after its relation token, and of the attribute.

    Raises ValueError for another situation: there is no threshold there.
    """
    k = N_tr
    if situation == Situation.FIRST_AFTER_RELATION:
        return (Equation("G", "every L", sympy.expand(b**2 - 2 * b), sympy.Integer(2)),)
    found = []
    if situation == Situation.LAST_SLOT:
        for applies, n in (("L >= 2", sympy.Integer(0)), ("L = 1", k - 1)):
            sigma, pi, rho = b + k - 1, (k - 1) * b, b**2 + n * b + (k - 1 - n)
            polynomial = sympy.expand(rho - 2 * sigma - 2 * pi)
            _, linear, constant = sympy.Poly(polynomial, b).all_coeffs()
            root = (-linear + sympy.sqrt(sympy.expand(linear**2 - 4 * constant))) / 2
            found.append(Equation("G", applies, polynomial, sympy.simplify(root)))
        return tuple(found)
    if situation == Situation.ATTRIBUTE:
        for applies, c in (("L >= 2", sympy.Integer(1)), ("L = 1", k - 1)):
            polynomial = sympy.expand(c * b + (k - 1 - c) - 5 * HALF * (k - 1))
            root = sympy.simplify(sympy.solve(polynomial, b)[0])
            found.append(Equation("G", applies, polynomial, root))
        return tuple(found)
    raise ValueError(f"situation = {situation}: valid are slot S, the attribute, and the first subsequence's slots")


def position_threshold(situation: Situation, L_: int, N_tr_: int, N_max: int = 1) -> Threshold:
    """From which beta on all sequences have the argmax set of beta = infinity in a situation of the last subsequence (the
    attribute: of the one before it). beta = inf: at no finite beta. None: the attribute's subject is not alone at beta = infinity.

    N_max: the largest number of subjects that share a value. Raises ValueError for parameters below 1, the attribute with
    N_tr = 1 (there is none) and Situation.SEP (pretraining_threshold).
    """
    if min(L_, N_tr_, N_max) < 1:
        raise ValueError(f"L, N_tr, N_max = {L_}, {N_tr_}, {N_max}: valid are integers >= 1")
    if situation in LIMIT_ONLY or (situation == Situation.SUBJECT and N_tr_ >= 2):
        return Threshold(math.inf, "a tie that only beta = infinity makes", {})
    if situation in ALWAYS or situation == Situation.SUBJECT:
        return Threshold(0.0, None, {})
    if situation == Situation.ATTRIBUTE and N_tr_ == 1:
        raise ValueError("N_tr = 1: no attribute comes before the last subsequence")
    if situation == Situation.ATTRIBUTE and N_max >= 2:
        return Threshold(None, "another subject with the value", {})
    applies = ("L >= 2" if L_ >= 2 else "L = 1", "every L")
    return rooted([e for e in position_equations(situation) if e.applies in applies], {N_tr: N_tr_})
