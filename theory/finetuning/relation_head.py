"""Second step, relation head: population hat gradient of W_KQ^rel with the updated W_OV^rel.

The gradient at the initial weights is zero: the columns of W_OV^rel are zero on everything that occurs in a
sequence, so r = 0. After the projected step, r_i = -h(y)^T W_OV^rel h(x_i) has the same degree in the
frequencies as the update itself, and the population gradient follows by splitting coincidences once more. The
head is still uniform over the window. With gamma = eta_ov/(w L) and, for one type,

    B = n_a^2 P_2^2 + (n_q + 2 n_q n_c P_2 + n_c^2 P_2)/M_ft     (so that gamma B / w is the mean of -rbar)

the result is a mean over types of the following (an attribute u belongs to one type: 1/L instead of the mean)

    sep             n_s gamma B / w^2
    p of sep        gamma B / w^2
    p of attribute  gamma (B/w - n_a P_2^2) / w
    p of query      n_q gamma (B/w - (n_q + n_c P_2)/M_ft) / w
    p of context    gamma (B/w - (n_q + n_c) P_2/M_ft) / w
    u               -gamma f_u/w [n_a^2 P_2 f_u - (n_a B + n_a^2 P_2 (f_u - P_2) + n_c n_q (f_u - P_2)/M_ft)/w]
    s in F          gamma/(w M_ft) [n_q (B_q/w - (1 + n_c f_s)/M_ft) + n_c (B_c/w - (n_q f_s + n_c P_2)/M_ft)]
                    B_q = n_a^2 P_2 f_s + (n_q + 2 n_q n_c f_s + n_c^2 f_s)/M_ft   (B if s is the query)
                    B_c = n_a (n_a - 1) P_2^2 + n_a P_2 f_s + (n_q + n_q (2 n_c - 1) P_2 + n_q f_s + n_c^2 P_2)/M_ft

and zero on held-out subjects, relations, grammar and positions outside the window.
"""

from functools import cache

from theory.derivation import Derivation, Step
from theory.finetuning.probes import direction_probes
from theory.finetuning.reading import coefficients_of
from theory.finetuning.relation_values import updated_values
from theory.finetuning.sequence import kq_gradient, relation_values, window_places
from theory.onehot.expectation import expectation
from theory.onehot.printing import tensor_latex
from theory.onehot.tensor import Tensor, simplify
from theory.symbols import w


@cache
def first_step_gradient() -> Tensor:
    """Hat gradient of W_KQ^rel at the initial weights: the empty sum, i.e. zero for every sequence."""
    return simplify(kq_gradient(window_places(), 1 / w, relation_values()))


@cache
def second_step_gradient() -> Tensor:
    """Population hat gradient of W_KQ^rel, per unit beta, after the projected step on W_OV^rel."""
    return expectation(kq_gradient(window_places(), 1 / w, updated_values()))


@cache
def kq_rel_derivation() -> Derivation:
    """Population hat gradient of W_KQ^rel in the second step, on every direction class, for arbitrary frequencies."""
    single = simplify(kq_gradient(window_places(), 1 / w, updated_values()))
    mean = second_step_gradient()
    steps = (
        Step(
            "Initial gradient",
            "No token of a sequence has a value in the initial value matrix.",
            tensor_latex(first_step_gradient()),
        ),
        Step("Values", "The value matrix after the projected step.", tensor_latex(updated_values())),
        Step("One sequence", "Softmax Jacobian at uniform attention over the window.", tensor_latex(single)),
        Step("Population", "Coincidences split and counted, components factorised.", tensor_latex(mean)),
    )
    return Derivation("kq_rel", steps, coefficients_of(mean, direction_probes()))
