"""How large a "sufficiently large beta" is: the sharp beta of the printed weights against their scale alpha_2.

The subject head scores the query 1 + alpha_1, a context subject 1, attributes and [sep] 0: at large beta the query has all of its
attention but e^{-beta alpha_1} (1 + o(1)) on each of the m - 1 context subjects.  The query gives 0 to the target and to its values of other
types alike; context subjects take (m-1) e^{-beta alpha_1} from a target that none of them has.  The relation head attends attributes as
beta alpha_3 -> inf and gives the target alpha_2 (m-1).  Against what the context subjects do not lower (the query's value of another
type where they all have it, or a token that is no value) the target is first iff alpha_2 > e^{-beta alpha_1} (1 + o(1)); other
rivals trail by more:

        beta = (ln(1/alpha_2) + o(1)) / alpha_1        as alpha_2 -> 0, alpha_1 and alpha_3 fixed, in every world with such a sequence,
        beta = ln(1/alpha) / alpha (1 + o(1))          as alpha_1 = alpha_2 = alpha_3 = alpha -> 0.
"""

from __future__ import annotations

from fractions import Fraction

from verify.court import Court
from verify.judges.printed_update import printed_threshold
from verify.worlds import Case, paper_case

#: alpha_2 of the words.
SHOWN = (Fraction(10), Fraction(1), Fraction(1, 10), Fraction(1, 100))


def asked(court: Court) -> Case:
    """The user's world, where the formula is one (as many values for every type, each of a finetuning subject); else the paper's."""
    case = Case("here", court.world, court.setting.N_ft)
    return case if len(set(court.world.U)) == 1 and case.p["all_values_seen"] else paper_case()


def sharp_beta(case: Case, alpha_2: Fraction) -> float:
    """Of seen and held-out queries, contexts of finetuning subjects, alpha_1 = alpha_3 = 1.  Cost: O(M^2 L), and two roots."""
    pools = ("seen", "heldout") if case.world.M_ft < case.world.M else ("seen",)
    found = [printed_threshold(case, alpha_2, queries) for queries in pools]
    known = [beta for beta in found if beta is not None]
    if len(known) < len(found):
        raise ArithmeticError(
            f"every value is covered, so some beta suffices at alpha_2 = {alpha_2}, but none was found"
        )
    return max(known)


def words(court: Court) -> str:
    """The sharp beta at some alpha_2, and its growth."""
    case = asked(court)
    p = case.p
    told = ", ".join(f"{sharp_beta(case, alpha_2):.3g} at alpha_2 = {alpha_2}" for alpha_2 in SHOWN)
    return (
        f"In the set reading at alpha_1 = alpha_3 = 1, M={p['M']} L={p['L']} U={p['U']} M_ft={p['M_ft']} N_ft={p['N_ft']}, every sequence"
        f" with a context of finetuning subjects is right beyond beta = {told}; as alpha_2 -> 0 it is (ln(1/alpha_2) + o(1))/alpha_1,"
        " and ln(1/alpha)/alpha in first order where all three are alpha -> 0 (if in some sequence no context subject has the target)"
    )
