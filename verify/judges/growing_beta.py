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

from verify.judges.printed_update import printed_threshold
from verify.worlds import paper_case

#: alpha_2 of the words.
SHOWN = (Fraction(10), Fraction(1), Fraction(1, 10), Fraction(1, 100))


def sharp_beta(alpha_2: Fraction) -> float | None:
    """At the paper's setting, seen and held-out queries, contexts of finetuning subjects; cost: two roots, 0.2 s."""
    found = [printed_threshold(paper_case(), alpha_2, queries) for queries in ("seen", "heldout")]
    known = [beta for beta in found if beta is not None]
    return max(known) if len(known) == len(found) else None


def words() -> str:
    """The sharp beta at some alpha_2, and its growth."""
    found = {alpha_2: sharp_beta(alpha_2) for alpha_2 in SHOWN}
    told = ", ".join(f"{beta:.3g} at alpha_2 = {alpha_2}" for alpha_2, beta in found.items() if beta is not None)
    return (
        f"In the set reading at alpha_1 = alpha_3 = 1, {paper_case().name}, every sequence with a context of finetuning"
        f" subjects is right beyond beta = {told}; as alpha_2 -> 0 it is (ln(1/alpha_2) + o(1))/alpha_1, and ln(1/alpha)/alpha"
        " in first order where all three are alpha -> 0"
    )
