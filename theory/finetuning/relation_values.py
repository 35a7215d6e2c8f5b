"""First step, relation head: population hat gradient of W_OV^rel, and W_OV^rel after the projected step.

The hat gradient of one sequence is -h(y) g^T with g = (1/w) sum of the last w tokens. In expectation, with y of
value u and type l (probability f_u / L): an attribute in the window is an independent draw of the same type, the
query subject has the value u by definition, context subjects are independent of y, separators are constant.
So the entries [u of type l, input] are

    v of type l     -n_a f_u f_v / (w L)
    s in F          -(n_q 1[a_s = u] + n_c f_u) / (w L M_ft)
    sep             -n_s f_u / (w L)

and zero otherwise. The step is W <- W - eta_ov * gradient * (I - h(sep) h(sep)^T).
"""

from functools import cache

from theory.derivation import Derivation, Step
from theory.finetuning.probes import entry_probes
from theory.finetuning.reading import coefficients_of
from theory.finetuning.sequence import ov_gradient, relation_values, window_places
from theory.onehot import direction as directions
from theory.onehot.expectation import expectation
from theory.onehot.printing import tensor_latex
from theory.onehot.tensor import Tensor, contract, product, simplify, vector
from theory.symbols import eta_ov, w


@cache
def population_gradient() -> Tensor:
    """E[-h(y) g^T] as an operator [output, input]."""
    return expectation(ov_gradient(window_places(), 1 / w))


@cache
def projected_gradient() -> Tensor:
    """The gradient times (I - h(sep) h(sep)^T): its sep column is removed."""
    separator = vector(directions.sep())
    gradient = population_gradient()
    return simplify(gradient - contract(gradient, product(separator, separator)))


@cache
def updated_values() -> Tensor:
    """W_OV^rel after the projected step of size eta_ov."""
    return simplify(relation_values() - eta_ov * projected_gradient())


def ov_rel_derivation(projected: bool = False) -> Derivation:
    """Population hat gradient of W_OV^rel on every class of entries, before or after the projection."""
    return _derived(projected)


@cache
def _derived(projected: bool) -> Derivation:
    gradient = projected_gradient() if projected else population_gradient()
    steps: tuple[Step, ...] = (
        Step(
            "One sequence",
            "e g^T with e = -h(y) and g the average of the tokens in the window.",
            tensor_latex(simplify(ov_gradient(window_places(), 1 / w))),
        ),
        Step("Population", "Distinct draws are independent.", tensor_latex(population_gradient())),
    )
    if projected:
        steps += (Step("Projection", "The sep column is removed.", tensor_latex(gradient)),)
    return Derivation("ov_rel_projected" if projected else "ov_rel", steps, coefficients_of(gradient, entry_probes()))
