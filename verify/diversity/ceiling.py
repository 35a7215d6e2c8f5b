"""What the construction of Prop. 2 answers on held-out queries when finetuning has not shown every value: exact fractions.

W_OV^rel of Prop. 2 writes to the values seen in finetuning alone, and W_OV^subj writes -1 or 0 everywhere.  With the head on the
attributes of the context that were seen, a seen own value of the right type has logit 1 + 0, another seen value of that type
1 - 1 = 0, any other token at most 0.  An unseen own value has at most 0, as have all the subject's other values: never alone
at the top.  A context without any seen value leaves the relation head with nothing to say: a tie again.  So with

    c_l = share of held-out subjects whose value of type l is seen,  s_l = the same share of the subjects of the context pool,

    covered      mean_l c_l                       a query whose value was not seen cannot be right
    constructed  mean_l c_l (1 - (1 - s_l)^N_ft)  what the construction itself scores, contexts drawn i.i.d.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.world import World


@dataclass(frozen=True)
class Ceiling:
    """The two fractions."""

    covered: Fraction
    constructed: Fraction


def ceiling(world: World, n_demos: int, context: str = "all") -> Ceiling:
    """context: pool of the context subjects, 'all', 'heldout' or 'finetune'.  Raises ValueError for another, or an empty one.

    Cost O(M L).
    """
    pools = {"all": np.arange(world.M), "heldout": world.heldout, "finetune": world.finetune_array}
    if context not in pools:
        raise ValueError(f"context must be one of {', '.join(pools)}, got {context!r}")
    if not len(world.heldout):
        raise ValueError("world must have held-out subjects, got none")
    shown = np.zeros(world.V, dtype=bool)
    shown[world.attribute_token[world.finetune_array]] = True
    heldout, pool = shown[world.attribute_token[world.heldout]], shown[world.attribute_token[pools[context]]]
    c = [Fraction(int(column.sum()), len(column)) for column in heldout.T]
    s = [Fraction(int(column.sum()), len(column)) for column in pool.T]
    constructed = sum((a * (1 - (1 - b) ** n_demos) for a, b in zip(c, s, strict=True)), Fraction(0))
    return Ceiling(sum(c, Fraction(0)) / world.L, constructed / world.L)
