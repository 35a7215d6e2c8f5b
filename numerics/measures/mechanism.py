"""Which head does what, and which mechanism that is.

    collapsed      no head has at least half of its attention (last position) on a subject token, or none has on the token
                   that carries the type, or one head is the only candidate for both
    suppressing    else, if the subject head has rho < -1/2: it pushes down what is not the subject's own (Props. 1, 2)
    boosting       else, if rho > -1/2: it pushes the subject's own values up (the construction of Nichani et al.)
    unassociated   else: the head that attends to the subject does not put its own values above the others

1/2 of the attention: no two roles can claim the same head, and what it attends to outweighs all the rest together.
rho = -1/2: half way between the two constructions (numerics.measures.association).
"""

import math
from dataclasses import dataclass

from torch import Tensor

from numerics.measures.association import SubjectPattern

KINDS = ("suppressing", "boosting", "unassociated", "collapsed")
MAJORITY = 0.5
HALF_WAY = -0.5


@dataclass(frozen=True)
class Mechanism:
    """kind, one of KINDS; the heads with the largest shares, which need not reach a half; their shares."""

    kind: str
    subject_head: int
    relation_head: int
    subject_share: float
    relation_share: float


def mechanism(subject: Tensor, relation: Tensor, patterns: list[SubjectPattern]) -> Mechanism:
    """From the shares (H,) of every head on the subject and on what carries the type, and the patterns of their W_OV.

    Raises ValueError for other shapes.
    """
    if subject.shape != relation.shape or subject.shape != (len(patterns),):
        raise ValueError(
            f"subject, relation must be ({len(patterns)},), got {tuple(subject.shape)}, {tuple(relation.shape)}"
        )
    s, r = int(subject.argmax()), int(relation.argmax())
    shares = float(subject[s]), float(relation[r])
    rho, own_above = patterns[s].rho, patterns[s].own > patterns[s].others
    if s == r or min(shares) < MAJORITY:
        kind = "collapsed"
    elif not own_above or math.isnan(rho):
        kind = "unassociated"
    else:
        kind = "suppressing" if rho < HALF_WAY else "boosting"
    return Mechanism(kind, s, r, *shares)
