"""Sets of tokens in words: the families of a sequence with subject j and type l, and which of them an argmax set holds.

    own attribute                    a_j^l            subject           s_j
    own attribute of another type    a_j^l', l' != l  other subject     s_j', j' != j
    other value of the type                           R, G, [sep]       relation tokens, grammar tokens, separator
    other value of another type

On ICL sequences j is the query subject.  A family of which only some tokens are in the set is marked "(some)".
"""

import numpy as np
from numpy.typing import NDArray

from numerics.world import World

IntArray = NDArray[np.int64]
FAMILIES = (
    "own attribute",
    "own attribute of another type",
    "other value of the type",
    "other value of another type",
    "subject",
    "other subject",
    "R",
    "G",
    "[sep]",
)


def family_of(world: World, subjects: IntArray, types: IntArray) -> IntArray:
    """(B, V) indices into FAMILIES of every token, for subjects (B,) and types (B,).  Cost O(B V)."""
    code = {name: k for k, name in enumerate(FAMILIES)}
    B, rows = len(subjects), np.arange(len(subjects))
    out = np.empty((B, world.V), dtype=np.int64)
    out[:, : world.M] = code["other subject"]
    out[rows, subjects] = code["subject"]
    for l in range(world.L):
        values = list(world.attribute_range(l))
        out[:, values] = np.where(types == l, code["other value of the type"], code["other value of another type"])[
            :, None
        ]
        out[rows, world.attribute_token[subjects, l]] = np.where(
            types == l, code["own attribute"], code["own attribute of another type"]
        )
    relation = world.relation_token(0)
    out[:, relation : relation + world.L] = code["R"]
    out[:, relation + world.L : world.sep_token] = code["G"]
    out[:, world.sep_token] = code["[sep]"]
    return out


def signatures(world: World, subjects: IntArray, types: IntArray, chosen: NDArray[np.bool_]) -> IntArray:
    """(B,) codes of the families in the sets chosen (B, V); `in_words` reads them.  Cost O(B V)."""
    family = family_of(world, subjects, types)
    code = np.zeros(len(subjects), dtype=np.int64)
    for k in range(len(FAMILIES)):
        inside = family == k
        some = (inside & chosen).any(axis=1)
        part = some & (inside & ~chosen).any(axis=1)
        code = 3 * code + np.where(part, 2, some)
    return code


def in_words(signature: int) -> frozenset[str]:
    """The families of a code: names of FAMILIES, with ' (some)' where only some of their tokens are in the set."""
    out = []
    for name in reversed(FAMILIES):
        signature, digit = divmod(signature, 3)
        if digit:
            out.append(name + (" (some)" if digit == 2 else ""))
    return frozenset(out)
