"""Gradients with proven entrywise radii: what every certified method returns."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
NAMES = ("kq_subj", "ov_rel", "kq_rel")


class NotCertified(ValueError):
    """The requested relative error was not reached; the message says for which matrix and what was reached."""


@dataclass(frozen=True, eq=False)
class CertifiedGradients:
    """True gradients over the whole finetuning population as balls: the exact value of every entry lies within its radius.

    kq_subj, kq_rel (V+T,) and ov_rel (V, V), per unit beta, laid out as numerics.population.Gradients; *_radius of the
    same shapes, >= 0, rounding included.  kq_rel is taken at the weights that the exact true first step of size eta_ov
    produces.  method: how they were obtained; orders: orders of the expansion of step 1 and 2 (None: no expansion).
    """

    kq_subj: FloatArray
    ov_rel: FloatArray
    kq_rel: FloatArray
    kq_subj_radius: FloatArray
    ov_rel_radius: FloatArray
    kq_rel_radius: FloatArray
    n_demos: int
    eta_ov: float
    window: int | None
    reading: str
    method: str
    orders: tuple[int | None, int | None] = (None, None)
    beta: float = math.inf
    eta_kq_subj: float | None = None
    objective: str = "true"

    @property
    def relative(self) -> dict[str, float]:
        """Largest radius over largest entry, by matrix; 0 for a matrix known to be 0, inf if only its radius is not 0."""
        found = {}
        for name in NAMES:
            radius = float(np.max(getattr(self, f"{name}_radius")))
            largest = float(np.max(np.abs(getattr(self, name))))
            found[name] = 0.0 if radius == 0 else (math.inf if largest == 0 else radius / largest)
        return found

    def checked(self, tolerance: tuple[float, float]) -> "CertifiedGradients":
        """Itself, if the relative errors are within tolerance (step 1, step 2).  Raises NotCertified otherwise."""
        asked = {"kq_subj": tolerance[0], "ov_rel": tolerance[0], "kq_rel": tolerance[1]}
        for name, reached in self.relative.items():
            if not reached <= asked[name]:
                raise NotCertified(
                    f"{name}: relative error {reached:.2g} was reached by {self.method}, tolerance asked for: {asked[name]:.2g};"
                    " valid: a looser tolerance, or a world that another method can enumerate"
                )
        return self
