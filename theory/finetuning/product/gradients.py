"""The true gradients of both steps for a product table, to any number of digits."""

from dataclasses import dataclass
from fractions import Fraction

import mpmath
from mpmath import mpf

from theory.finetuning.product.first import FirstStep, first_step
from theory.finetuning.product.second import SecondStep, second_step
from theory.finetuning.product.table import ProductTable
from theory.finetuning.window import window_of

GUARD = (
    15  # extra digits: the sums have positive terms or a few subtractions of numbers within some orders of each other
)


@dataclass(frozen=True)
class ProductGradients:
    """Gradients of the loss (not updates), per unit beta for W_KQ; `second` is None without eta_ov."""

    table: ProductTable
    m: int
    first: FirstStep
    second: SecondStep | None


def product_gradients(
    table: ProductTable, m: int, window: int | None = None, eta_ov: Fraction | None = None, digits: int = 30
) -> ProductGradients:
    """True gradients (softmax term kept) of every distinct entry.

    window  None for T <= S + 2, else the number of last positions that the relation head attends
    eta_ov  size of the projected step on W_OV^rel; without it the first step alone, which is much cheaper
    digits  working precision, in decimal digits beyond a guard of 15
    Cost independent of M, V and M_ft, and of the U_l once they exceed m; see the two steps.
    Raises ValueError for m < 2, window < 1, eta_ov <= 0 or digits < 1.
    """
    if m < 2:
        raise ValueError(f"m = {m}: valid are integers >= 2 (a query and at least one context)")
    if eta_ov is not None and eta_ov <= 0:
        raise ValueError(f"eta_ov = {eta_ov}: valid are rationals > 0")
    if digits < 1:
        raise ValueError(f"digits = {digits}: valid are integers >= 1")
    shape = window_of(m, window)
    with mpmath.workdps(digits + GUARD):
        first = first_step(table, shape)
        second = None
        if eta_ov is not None:
            eta = Fraction(eta_ov)
            second = second_step(table, shape, first, mpf(eta.numerator) / eta.denominator)
    return ProductGradients(table, m, first, second)
