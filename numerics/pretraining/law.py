"""The exact next-token law of the PT population, given a prefix.

In the generative process the subject is known after the first token, and a subsequence runs through its offsets:

    after the subject, or after slot i < S with no relation so far   the next slot i + 1 holds the relation with hazard
                                 eta_i = P(slot = i + 1 | slot > i) = 1/(S - i)   (i = 0 after the subject);
                                 its type is independent of the past:  r_l has eta_i/L, a grammar token (1 - eta_i)/G
    after slot i < S with the relation seen                          uniform on the G grammar tokens
    after slot S        [sep]
    after [sep]         a_j^l, with l the type of the relation of this subsequence
    after an attribute  s_j again (when the sequence goes on)

The law does not depend on N_tr.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from numerics.arguments import checked_integer
from numerics.pretraining.layout import Layout
from numerics.world import World


def hazard(S: int, slot: int) -> Fraction:
    """1/(S - slot): probability that the relation stands in slot + 1, given that it is not in 1..slot.

    Raises ValueError unless 0 <= slot < S.
    """
    S = checked_integer("S", S, 1)
    return Fraction(1, S - checked_integer("slot", slot, 0, S - 1))


def _relation_type(world: World, S: int, prefix: Sequence[int]) -> int | None:
    """The type of the relation in the current subsequence, None before it; ValueError if no PT sequence starts so."""
    relations = {world.relation_token(l): l for l in range(world.L)}
    grammar = {world.grammar_token(g) for g in range(world.G)}
    seen: int | None = None
    for t, token in enumerate(prefix, start=1):
        offset = (t - 1) % (S + 3)
        if offset == 0:
            seen = None
            valid = token == prefix[0] and 0 <= token < world.M
        elif offset <= S:
            # Only what is left may follow: exactly one relation in the S slots.
            valid = seen is None and token in relations
            if valid:
                seen = relations[token]
            else:
                valid = token in grammar and (offset < S or seen is not None)
        elif offset == S + 1:
            valid = token == world.sep_token
        else:
            valid = seen is not None and token == int(world.attribute_token[prefix[0], seen])
        if not valid:
            raise ValueError(f"prefix must start a PT sequence with S = {S}, got token {token} at position {t}")
    return seen


def next_token_law(world: World, S: int, prefix: Sequence[int]) -> tuple[Fraction, ...]:
    """(V,) exact probabilities of the token after `prefix` (token ids of x_1..x_t, t >= 1).

    Raises ValueError for an empty prefix or one with which no PT sequence starts.  Cost O(t + V).
    """
    layout = Layout(S, 1)
    prefix = [int(token) for token in np.asarray(prefix, dtype=np.int64).ravel()]
    if not prefix:
        raise ValueError("prefix must have at least one token (the subject), got none")
    relation = _relation_type(world, layout.S, prefix)
    law = [Fraction(0)] * world.V
    offset = (len(prefix) - 1) % layout.period
    if offset < layout.S:
        eta = hazard(layout.S, offset) if relation is None else Fraction(0)
        if eta < 1 and world.G == 0:
            raise ValueError(f"n_grammar must be >= 1 when S = {layout.S} > 1, got 0")
        for l in range(world.L):
            law[world.relation_token(l)] = eta / world.L
        for g in range(world.G):
            law[world.grammar_token(g)] = (1 - eta) / world.G
    elif offset == layout.S:
        law[world.sep_token] = Fraction(1)
    elif offset == layout.S + 1:
        assert relation is not None  # every slot has passed
        law[int(world.attribute_token[prefix[0], relation])] = Fraction(1)
    else:
        law[prefix[0]] = Fraction(1)
    return tuple(law)
