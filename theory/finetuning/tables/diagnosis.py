"""The two-step theorem for one fact table: does it hold on every sequence, and which inequality decides?"""

from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.evaluation import HatGradients
from theory.finetuning.tables.conditions import Condition, conditions
from theory.finetuning.tables.forward import Outcome, Prediction
from theory.finetuning.tables.scores import Steps, table_scores
from theory.finetuning.tables.search import Progress, counterexample
from theory.frequencies import Frequencies


@dataclass(frozen=True)
class Diagnosis:
    """holds           the target is the unique argmax on every sequence of the population; exact, never open
    conditions      the sharp conditions under which each head does its part; if all hold, so does the conclusion
    first           the condition that needs the most data at fixed frequencies (largest critical_M_ft, None being infinity):
                    the one that breaks first as M_ft shrinks, or is repaired last
    counterexample  a sequence that is predicted wrongly or tied, None if `holds`
    """

    holds: bool
    conditions: tuple[Condition, ...]
    first: Condition
    counterexample: Prediction | None

    @property
    def failing(self) -> tuple[Condition, ...]:
        return tuple(c for c in self.conditions if not c.holds)


def diagnose(
    table: HatGradients | Frequencies,
    m: int,
    eta_ov: Fraction,
    eta_kq_subj: Fraction,
    eta_kq_rel: Fraction,
    pool: str,
    progress: Progress | None = None,
) -> Diagnosis:
    """The hat conclusion of any fact table: full window, reading "set", contexts from F, queries from the pool "seen" or "heldout".

    Exact rationals. Cost O(M L + sum_l U_l^2) if the conditions hold or a worst sequence is a counterexample, else that of
    theory.finetuning.tables.search.counterexample, which `progress(done, total)` follows.
    Raises ValueError for m < 2, a step <= 0, an unknown or empty pool, or gradients of another m or of a shorter window.
    """
    if isinstance(table, HatGradients):
        shape = table.window
        if (shape.m, shape.w) != (m, 3 * m - 1):
            raise ValueError(
                f"table: gradients of m = {shape.m}, window = {shape.w}; valid are m = {m} and all {3 * m - 1}"
            )
        table = table.frequencies
    scores = table_scores(table, Steps(m, eta_ov, eta_kq_subj, eta_kq_rel), pool)
    found = conditions(scores)
    failing = [c for c in found if not c.holds]
    wrong = next((c.prediction for c in failing if c.prediction.outcome != Outcome.RIGHT), None)
    if failing and wrong is None:
        wrong = counterexample(scores, progress)
    first = max(found, key=lambda c: (c.critical_M_ft is None, c.critical_M_ft or 0))
    return Diagnosis(wrong is None, found, first, wrong)
