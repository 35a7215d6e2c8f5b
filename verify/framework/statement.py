"""The sentence on Div: which of the printed values each reading of the norm reaches, and the same in words.

The table is what the claim's check compares with the selection; the words are made of the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from numerics.pretraining.chains import NORMS
from verify.framework.reach import Search

TARGETS = (0.1, 0.3, 0.5)
ALPHAS = (1.0, 5.0)

#: The best of all starts, the first start alone, and a larger pool.
BEST, FIRST, LARGE = Search(), Search(starts=1), Search(pool=8_000)
Asked = tuple[Search, str, float]
Reached = Mapping[Asked, Mapping[float, bool]]

NAMES = {
    "entries": "the sum over all entries",
    "rows": "the mean over rows of the l1 norm",
    "variation": "the mean over rows of the total variation",
    "operator": "the operator 1-norm",
    "max_row": "the largest row sum",
}

#: Which of TARGETS are reached, for alpha = 1 and alpha = 5.
_BEST = {
    "entries": ((), (0.5,)),
    "rows": ((0.3, 0.5), TARGETS),
    "variation": (TARGETS, (0.1, 0.3)),
    "operator": ((0.3, 0.5), TARGETS),
    "max_row": ((0.3, 0.5), TARGETS),
}
_FIRST = {
    "entries": ((), ()),
    "rows": ((0.3, 0.5), TARGETS),
    "variation": ((0.3, 0.5), (0.1, 0.3)),
    "operator": ((0.5,), (0.3, 0.5)),
    "max_row": ((0.5,), (0.3, 0.5)),
}


def reached() -> dict[Asked, dict[float, bool]]:
    """Every search that the sentence speaks of."""
    found = {
        (search, norm, alpha): {target: target in targets for target in TARGETS}
        for search, table in ((BEST, _BEST), (FIRST, _FIRST))
        for norm in NORMS
        for alpha, targets in zip(ALPHAS, table[norm], strict=True)
    }
    return {**found, (LARGE, "entries", 5.0): {0.3: True}}


def _listed(table: Reached, search: Search) -> str:
    """'name: alpha = 1 none, alpha = 5 0.5; …' of one search."""

    def targets(norm: str, alpha: float) -> str:
        of = table[search, norm, alpha]
        good = [f"{target:g}" for target in TARGETS if of[target]]
        return "all" if len(good) == len(TARGETS) else " and ".join(good) or "none"

    return "; ".join(
        f"{NAMES[norm]}: {', '.join(f'{targets(norm, a)} (alpha = {a:g})' for a in ALPHAS)}" for norm in NORMS
    )


def words() -> str:
    """The sentence, made of the table."""
    table = reached()
    all_of_them = [
        f"{NAMES[norm]} (alpha = {alpha:g})"
        for (search, norm, alpha), of in table.items()
        if search == BEST and all(of.values())
    ]
    return (
        "the paper says l1-norm, but not of what (all entries, the rows, an induced norm), and neither the prior's alpha, nor G, nor the size "
        "of the pool; which Div are "
        "reached depends on all of them and on where the greedy selection starts (the minimum as printed, over l and l', "
        "includes l = l' and is 0: read as l != l'). Reached: selected for the request within 0.05 of it, for each of three "
        f"pools. With G = 4, L = 8, a pool of {BEST.pool}, alpha in {{1, 5}} and the best of {BEST.starts} starts, "
        f"all of 0.1, 0.3, 0.5 are reached by {', '.join(all_of_them)}. In full: {_listed(table, BEST)}. "
        f"From the first start alone: {_listed(table, FIRST)}. With a pool of {LARGE.pool} "
        "the sum over all entries reaches 0.3 as well (alpha = 5)"
    )
