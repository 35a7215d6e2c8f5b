"""How many indices a range holds, and in how many ways bound draws can coincide.

Sizes of the parts of a sequence seen through a window with n_a attributes, n_s separators, n_c context subjects:
query 1; whole n_c; no_subject n_s - 1 - n_c; attribute_only n_a - (n_s - 1); outside m - 1 - n_a. They add up to m.
"""

from collections.abc import Iterator
from itertools import product as cartesian

import sympy

from theory.onehot.index import (
    ALL,
    ATTRIBUTE_ONLY,
    NO_SUBJECT,
    OUTSIDE,
    QUERY,
    QUERY_DRAW,
    SEEN,
    TYPES,
    WHOLE,
    Draw,
    Range,
    parts,
)
from theory.symbols import L, M, M_ft, m, n_a, n_c, n_s


def size(index_range: Range) -> sympy.Expr:
    """Number of indices in a range of subjects, types or draws. ValueError for a range of symbolic, varying size."""
    if index_range == SEEN:
        return M_ft
    if index_range == ALL:
        return M
    if index_range == TYPES:
        return L
    sizes = {
        QUERY_DRAW: sympy.Integer(1),
        WHOLE: n_c,
        NO_SUBJECT: n_s - 1 - n_c,
        ATTRIBUTE_ONLY: n_a - n_s + 1,
        OUTSIDE: m - 1 - n_a,
    }
    if not index_range.parts <= sizes.keys():
        raise ValueError(
            f"range = {sorted(index_range.parts)}: its size is not one number; count subjects, types or draws"
        )
    return sympy.expand(sum((sizes[part] for part in index_range.parts), sympy.Integer(0)))


def set_partitions(items: tuple[Draw, ...]) -> Iterator[tuple[tuple[Draw, ...], ...]]:
    """All ways to split the items into unordered non-empty blocks."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for partition in set_partitions(rest):
        yield ((first,), *partition)
        for k, block in enumerate(partition):
            yield (*partition[:k], (first, *block), *partition[k + 1 :])


def coincidences(
    draws: tuple[Draw, ...], kept: frozenset[Draw]
) -> Iterator[tuple[dict[Draw, Draw], sympy.Expr, tuple[Draw, ...]]]:
    """Split sums over draws by which of them coincide (i = k, i != k, i = query).

    Yields (representative of each draw, number of index tuples with this pattern, draws that stay bound). Two draws
    can coincide only inside one part of the sequence; in the query's part all of them are the query. Blocks that
    hold a `kept` draw are not counted: that draw stays bound over its part, and the others avoid it.
    """
    for assignment in cartesian(*(sorted(draw.range.parts) for draw in draws)):
        members: dict[str, tuple[Draw, ...]] = {}
        for draw, part in zip(draws, assignment, strict=True):
            members[part] = (*members.get(part, ()), draw)
        choices = [
            [(part, (inside,))] if part == QUERY_DRAW else [(part, p) for p in set_partitions(inside)]
            for part, inside in sorted(members.items())
        ]
        for pattern in cartesian(*choices):
            representative: dict[Draw, Draw] = {}
            count: sympy.Expr = sympy.Integer(1)
            bound: tuple[Draw, ...] = ()
            for part, blocks in pattern:
                fixed = [block for block in blocks if kept & set(block)]
                available = size(parts(part)) - len(fixed)
                for block in blocks:
                    name = next((draw.name for draw in block if draw in kept), block[0].name)
                    chosen = QUERY if part == QUERY_DRAW else Draw(name, parts(part))
                    representative.update({draw: chosen for draw in block})
                    if part == QUERY_DRAW:
                        continue
                    if block in fixed:
                        bound += (chosen,)
                    else:
                        count *= available
                        available -= 1
            yield representative, sympy.expand(count), bound
