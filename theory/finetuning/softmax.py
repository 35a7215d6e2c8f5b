"""Gradients of the last-token loss of one sequence, differentiated by SymPy for generic small shapes.

loss = -log softmax(f)_y,  f = sum_i alpha_i o_i,  o_i = W_OV x_i,  alpha = softmax(lambda),
lambda_i = (x_i + p_i)^T k  with k = W_KQ h(sep). The chain rule gives, with e = dL/df, r_i = e^T o_i,
rbar = sum_i alpha_i r_i and g = sum_i alpha_i x_i:

    e = pi - h(y),                                   dL/dlambda_j = alpha_j (r_j - rbar),
    dL/dk = sum_i alpha_i (r_i - rbar)(x_i + p_i),   dL/dW_OV = e g^T.
"""

from dataclasses import dataclass

import sympy

from theory.derivation import Step


@dataclass(frozen=True)
class Identity:
    """A gradient by differentiation and by formula; `holds` is checked by SymPy."""

    step: Step
    differentiated: sympy.Matrix
    formula: sympy.Matrix

    @property
    def holds(self) -> bool:
        return (self.differentiated - self.formula).applyfunc(sympy.simplify).is_zero_matrix is True


def softmax(scores: sympy.Matrix) -> sympy.Matrix:
    """softmax of a column vector."""
    exponentials = scores.applyfunc(sympy.exp)
    return exponentials / sum(exponentials)


def logit_gradient(V: int = 3, y: int = 0) -> Identity:
    """dL/df = pi - h(y) for V tokens and target y."""
    f = sympy.Matrix(sympy.symbols(f"f0:{V}", real=True))
    loss = sympy.log(sum(f.applyfunc(sympy.exp))) - f[y]
    target = sympy.Matrix([int(v == y) for v in range(V)])
    step = Step("Logits", "Cross entropy at the last token.", r"\partial L / \partial f = \pi - h(y) =: e")
    return Identity(step, sympy.Matrix([loss.diff(v) for v in f]), softmax(f) - target)


def score_gradient(T: int = 3, V: int = 2) -> Identity:
    """dL/dlambda_j = alpha_j (r_j - rbar) for T positions, with generic outputs o_i in R^V and generic e."""
    scores = sympy.Matrix(sympy.symbols(f"lambda0:{T}", real=True))
    outputs = sympy.Matrix(V, T, lambda v, i: sympy.Symbol(f"o_{v}{i}", real=True))
    e = sympy.Matrix(sympy.symbols(f"e0:{V}", real=True))
    alpha = softmax(scores)
    logits = outputs * alpha
    differentiated = sympy.Matrix([(e.T * logits.diff(score))[0] for score in scores])
    r = outputs.T * e
    mean = (alpha.T * r)[0]
    formula = sympy.Matrix([alpha[j] * (r[j] - mean) for j in range(T)])
    step = Step(
        "Scores",
        "Jacobian of the softmax, contracted with $r_i = e^T W_{OV} x_i$.",
        r"\partial L / \partial \lambda_j = \alpha_j (r_j - \bar r)",
    )
    return Identity(step, differentiated, formula)


def key_query_gradient(T: int = 3, d: int = 2) -> Identity:
    """dL/dk = sum_i alpha_i (r_i - rbar)(x_i + p_i) for the sep column k of W_KQ and generic x_i + p_i in R^d."""
    column = sympy.Matrix(sympy.symbols(f"k0:{d}", real=True))
    inputs = sympy.Matrix(T, d, lambda i, c: sympy.Symbol(f"x_{i}{c}", real=True))
    r = sympy.Matrix(sympy.symbols(f"r0:{T}", real=True))
    alpha = softmax(inputs * column)
    linear = (alpha.T * r)[0]
    differentiated = sympy.Matrix([linear.diff(entry) for entry in column])
    formula = inputs.T * sympy.Matrix([alpha[i] * (r[i] - linear) for i in range(T)])
    step = Step(
        "Key-query matrix",
        "Scores are linear in the sep column, so the chain rule sums the score gradients times $x_i + p_i$.",
        r"\partial L / \partial (W_{KQ} h(\mathrm{sep})) = \sum_i \alpha_i (r_i - \bar r)(x_i + p_i)",
    )
    return Identity(step, differentiated, formula)


def value_gradient(V: int = 2, d: int = 3) -> Identity:
    """d(e^T W g)/dW = e g^T for a V x d matrix."""
    weights = sympy.Matrix(V, d, lambda v, c: sympy.Symbol(f"W_{v}{c}", real=True))
    e = sympy.Matrix(sympy.symbols(f"e0:{V}", real=True))
    g = sympy.Matrix(sympy.symbols(f"g0:{d}", real=True))
    linear = (e.T * weights * g)[0]
    differentiated = sympy.Matrix(V, d, lambda v, c: linear.diff(weights[v, c]))
    step = Step("Value matrix", "The logits are linear in the value matrix.", r"\partial L / \partial W_{OV} = e\, g^T")
    return Identity(step, differentiated, e * g.T)
