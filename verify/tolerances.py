"""The one table of tolerances, by route, fixed before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass

from verify.evidence import Route


@dataclass(frozen=True)
class Tolerance:
    value: float
    why: str


_TABLE = {
    Route.SYMBOLIC: Tolerance(0.0, "the difference cancels to 0"),
    Route.ENUMERATED: Tolerance(0.0, "exact rationals: equality"),
    Route.AUTOGRAD: Tolerance(
        1e-12,
        "float64: largest difference over the largest entry, or over the largest term summed where terms cancel; about 1e4 roundings of"
        " 1e-16 are accumulated",
    ),
    Route.CERTIFIED: Tolerance(0.0, "the balls overlap and decide the comparison"),
    Route.SAMPLED: Tolerance(5.0, "standard errors"),
}

#: Means of 8 replicates against an exact value: Student's t with 7 degrees of freedom exceeds 12 once in 10^5 comparisons.
STUDENT_7 = Tolerance(
    12.0, "standard errors of 8 replicates; Student's t with 7 degrees of freedom exceeds 12 once in 10^5"
)


def tolerance(route: Route) -> Tolerance:
    return _TABLE[route]
