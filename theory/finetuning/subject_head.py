"""First step, subject head: population hat gradient of W_KQ^subj.

The head is uniform over the m subject positions and r_i = -h(y)^T W_OV^subj h(s_i) = 1 - 1[a_i = y] (set) or
N_y - 1[a_i = y] (literal): a constant of the sequence drops out of r_i - rbar = C_y/m - 1[a_i = y],
C_y = #{i : a_i = y}. So both readings have one gradient, and the constant never reaches the expectation. The result, a
mean over types l of

    s in F          (m-1)(m-2)/(m^2 M_ft) (P_2 - f_{a_s})     (zero in a balanced world, and for m <= 2)
    p of query      -(m-1)/m^2 (1 - P_2)
    p of context    1/m^2 (1 - P_2)

and zero on every other direction.
"""

from functools import cache

from theory.derivation import Derivation, Step
from theory.finetuning.probes import direction_probes
from theory.finetuning.reading import coefficients_of
from theory.finetuning.sequence import Reading, kq_gradient, subject_places, subject_values
from theory.onehot.classes import DirectionClass
from theory.onehot.coefficient import Coefficient
from theory.onehot.expectation import expectation
from theory.onehot.printing import tensor_latex
from theory.onehot.tensor import Tensor, simplify
from theory.symbols import m


def sequence_gradient(reading: Reading) -> Tensor:
    """Hat gradient of W_KQ^subj for one sequence, per unit beta (a vector in tokens + positions)."""
    return simplify(kq_gradient(subject_places(), 1 / m, subject_values(reading)))


def kq_subj_derivation(reading: Reading = Reading.SET) -> Derivation:
    """Population hat gradient of W_KQ^subj on every direction class, for arbitrary frequencies and either reading."""
    return _derived(Reading(reading))


@cache
def _derived(reading: Reading) -> Derivation:
    values = subject_values(reading)
    single = sequence_gradient(reading)
    mean = expectation(single)
    found: dict[DirectionClass, Coefficient] = coefficients_of(mean, direction_probes())
    steps = (
        Step("Values", "The subject head's value matrix, by its action on subjects.", tensor_latex(values)),
        Step(
            "One sequence",
            "Softmax Jacobian at uniform attention over the m subjects; the part of r that is constant over the "
            "positions (1, or N of the target) has cancelled against the mean.",
            tensor_latex(single),
        ),
        Step(
            "Population",
            "Sums over draws split by which draws coincide; each component of equal values gives a power of the "
            "frequencies.",
            tensor_latex(mean),
        ),
    )
    return Derivation("kq_subj", steps, found)
