"""What a check may ask: the bench of worlds, the setting of the run, and the witnesses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numerics.world import World
from verify.setting import Setting, parameters
from verify.worlds import Case, cases, theorem_cases


@dataclass(frozen=True, eq=False)
class Court:
    """The bench in one reading of W_OV^subj, and the setting that the user asked about."""

    setting: Setting
    world: World

    @property
    def reading(self) -> str:
        return self.setting.reading

    @cached_property
    def bench(self) -> tuple[Case, ...]:
        return cases(self.reading)

    @cached_property
    def balanced_bench(self) -> tuple[Case, ...]:
        """The cases to which formulas in one U and the full window apply; those that meet every hypothesis of Theorem 2 first."""
        return (*self.theorem_bench, *(case for case in self.bench if case.balanced and case.window is None))

    @cached_property
    def theorem_bench(self) -> tuple[Case, ...]:
        return theorem_cases(self.reading)

    @cached_property
    def p(self) -> dict[str, Any]:
        """Parameters of the user's setting."""
        return parameters(self.world, self.setting.N_ft, self.setting.grammar_length)


#: The paper's own Section 4 values, at which sizes of remainders are quoted.
PAPER = {"M": 256, "L": 8, "U": 32, "M_ft": 128, "m": 6, "N_ft": 5, "T": 17, "A": 256, "V": 525, "G": 4}
