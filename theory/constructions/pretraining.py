"""PT sequences at beta -> infinity: the cases of Propositions 1 (two heads) and 3 (three heads).

The reasoning stands in pretraining_heads (attention and outputs), pretraining_outcomes (argmax) and situation (law).
"""

from functools import cache

from theory.constructions.case import Case, Head, added, steps_of
from theory.constructions.pretraining_heads import grammar_head, relation_head, subject_head
from theory.constructions.pretraining_outcomes import outcomes
from theory.constructions.situation import Situation, next_law, occurrence
from theory.finetuning.sequence import Reading


def pretraining_case(situation: Situation, heads: int = 3, reading: Reading | str = Reading.SET) -> Case:
    """The situation under Proposition 1 (heads = 2) or 3 (heads = 3). ValueError for another number of heads.

    n_j at an attribute u is 1[subject j has u]; at sep it counts the earlier attribute tokens that j has.
    """
    if heads not in (2, 3):
        raise ValueError(f"heads = {heads}: valid are 2 (Proposition 1) and 3 (Proposition 3)")
    return _case(Situation(situation), heads, Reading(reading))


@cache
def _case(situation: Situation, heads: int, reading: Reading) -> Case:
    parts: tuple[Head, ...] = (relation_head(situation), subject_head(situation, reading))
    if heads == 3:
        parts += (grammar_head(situation),)
    logits = added(parts)
    found = outcomes(situation, heads, reading)
    why = [f"{o.condition}: {', '.join(sorted(w.value for w in o.winners))} ({o.verdict.value})" for o in found]
    return Case(
        situation.value, occurrence(situation), parts, logits, next_law(situation), found, steps_of(parts, logits, why)
    )
