"""What step 2 is about: the slots that the relation head sees, and the rows of its matrix after the first step.

With B = W_OV^rel after the step, less its row of the tokens that are no value (a shift of all logits), the tokens that are no
value are one column without a logit.  A value unseen in F is in no attribute position and never the target: such values of
one weight exp(W_OV^subj) have one row, as their gradients differ by the weight alone, and are one column.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.population.construction import initial_ov_subj
from numerics.population.halves.first import FirstStep
from numerics.population.halves.multisets import multiset_count
from numerics.population.halves.rounding import OUTWARD, gamma
from numerics.population.layout import Layout
from numerics.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Slots:
    """What the relation head sees: K whole slots, of them h in the half alpha; a half slot or not; the query or not."""

    K: int
    h: int
    half: bool
    query: bool
    width: int

    @staticmethod
    def of(layout: Layout, window: int | None) -> "Slots":
        """The slots of a window."""
        seen = layout.relation_scores(window)
        subjects, attributes = int(seen[layout.subjects[:-1]].sum()), int(seen[layout.attributes].sum())
        h = min(subjects, max(2, (subjects + 1) // 2))
        return Slots(subjects, h, attributes > subjects, bool(seen[layout.subjects[-1]]), int(seen.sum()))


@dataclass(frozen=True, eq=False)
class Columns:
    """The C columns: values seen in F one by one, values unseen in F by their weight, last the tokens that are no value.

    of (A,) the column of a value; step (C, V) B, its last row 0; rho >= |dB| entrywise; start (A+1, Q) log omega less
    the part of B, by value; scale (A+1,) 1 or V - A.
    """

    of: NDArray[np.int64]
    step: FloatArray
    rho: float
    start: FloatArray

    @staticmethod
    def merged(world: World, reading: str, eta_ov: float, first: FirstStep) -> "Columns":
        """The columns after the step.  Cost O(V A)."""
        A, M, sep = world.n_attributes, world.M, world.sep_token
        start = initial_ov_subj(world, reading)[M : M + A + 1][:, np.sort(world.finetune_array)].astype(np.float64)
        of = column_of(world, reading)
        one = np.zeros(int(of.max()) + 1, dtype=np.int64)
        one[of] = np.arange(A)
        # The tokens that are no value have one row, here that of the first relation.
        row, radius = first.ov_rel[M + A], first.ov_rel_radius[M + A]
        difference = first.ov_rel[M + one] - row
        step = -eta_ov * difference
        uncertain = abs(eta_ov) * (first.ov_rel_radius[M + one] + radius + gamma(2) * np.abs(difference))
        step[:, sep] = uncertain[:, sep] = 0.0
        rho = OUTWARD * float(uncertain.max())
        return Columns(of, np.vstack([step, np.zeros((1, world.V))]), rho, start)


def column_of(world: World, reading: str) -> NDArray[np.int64]:
    """(A,) columns: unseen values of one weight behave alike (their gradients differ by the weight alone).  Cost O(A)."""
    counts, rows = world.finetune_value_counts, initial_ov_subj(world, reading)
    A, M, outside = world.n_attributes, world.M, int(world.finetune_array[0])
    # A value seen in F has its own key; an unseen one that of its entry in the column of any finetuning subject.
    keys = [(1, v) if counts[v] else (0, int(rows[M + v, outside])) for v in range(A)]
    index = {key: i for i, key in enumerate(sorted(set(keys)))}
    return np.array([index[key] for key in keys], dtype=np.int64)


def second_work(world: World, n_demos: int, window: int | None, reading: str) -> tuple[int, int]:
    """Pairs of halves over all types and queries, and columns: their product are the multiply-adds of each GEMM of step 2."""
    slots = Slots.of(Layout(n_demos), window)
    Q, columns = world.M_ft, int(column_of(world, reading).max()) + 2
    values = [
        len(np.unique(world.value_index[world.finetune_array, ell])) if slots.half else 1 for ell in range(world.L)
    ]
    alphas, betas = multiset_count(Q, slots.h), multiset_count(Q, slots.K - slots.h)
    return Q * sum(values) * alphas * betas, columns
