"""Product tables: F holds every combination of U_1 x ... x U_L values exactly once, M_ft = U_1 ... U_L.

A draw from F then has independent uniform values, one per type. Permuting the values of a type is a symmetry of the population
that acts transitively on F and on the values of the type, so every gradient has a handful of distinct entries however large
M_ft is. Held-out subjects matter only through the vocabulary size V and, in the reading "literal", the multiplicities N_u.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod

from theory.finetuning.sequence import Reading


@dataclass(frozen=True)
class ProductTable:
    """values: U_l per type; M subjects in all (all their values occur in F); V tokens; reading of W_OV^subj.

    Reading "literal" needs every value of a type to have the same number M/U_l of subjects, held-out ones included.
    Raises ValueError for parameters out of range.
    """

    values: tuple[int, ...]
    M: int
    V: int
    reading: str = "set"

    def __post_init__(self) -> None:
        if not self.values or min(self.values) < 1:
            raise ValueError(f"values = {self.values}: valid are one integer >= 1 per type")
        if self.M_ft > self.M:
            raise ValueError(f"M = {self.M}: valid are integers >= M_ft = {self.M_ft}")
        least = self.M + self.A + self.L + 1
        if least > self.V:
            raise ValueError(f"V = {self.V}: valid are integers >= {least} (subjects, values, relations, [sep])")
        if self.reading not in tuple(Reading):
            raise ValueError(f"reading = {self.reading!r}: valid are {[r.value for r in Reading]}")
        uneven = [U for U in self.values if self.M % U]
        if self.reading == Reading.LITERAL and uneven:
            raise ValueError(f"M = {self.M}: reading 'literal' needs a multiple of every U_l, not of {uneven[0]}")

    @property
    def L(self) -> int:
        return len(self.values)

    @cached_property
    def M_ft(self) -> int:
        return prod(self.values)

    @property
    def A(self) -> int:
        """Attribute tokens."""
        return sum(self.values)

    def multiplicity(self, U: int) -> int:
        """What W_OV^subj subtracts at every value of a type with U values: 1 (set) or N_u = M/U (literal)."""
        return 1 if self.reading == Reading.SET else self.M // U

    @property
    def groups(self) -> tuple[int, ...]:
        """The distinct U_l in increasing order; types of one size are interchangeable."""
        return tuple(sorted(set(self.values)))
