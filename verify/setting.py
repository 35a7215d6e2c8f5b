"""The setting of a run: the world's sizes or its fact table, the sequence, the steps; checked once, here."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from numerics.world import World

#: Populations have fewer digits: shares of sequences are shown as float64, which ends at 1.8e308.
POPULATION = 300
#: Demonstrations: gradients with proven radii cost about N_ft^2, some two minutes here.
MOST_DEMOS = 300


class SettingError(ValueError):
    """Unusable input: the message names the parameter, its value, and what would be valid."""


@dataclass(frozen=True)
class Setting:
    """All parameters of a run. `U` is one number per type; `window` is S + 2 when it is shorter than T, else None.

    eta_* are exact (a decimal on the command line is read as the decimal it is); they are per unit of the gradient
    "per unit beta", i.e. the W_KQ steps are eta * beta on W_KQ.
    """

    M: int
    L: int
    U: tuple[int, ...]
    M_ft: int
    N_ft: int = 5
    S: int | None = None
    G: int = 4
    reading: str = "set"
    beta: float = math.inf
    eta_kq_subj: Fraction = Fraction(1)
    eta_ov: Fraction = Fraction(1)
    eta_kq_rel: Fraction = Fraction(1)
    seed: int = 0
    facts: str | None = None

    @property
    def m(self) -> int:
        return self.N_ft + 1

    @property
    def T(self) -> int:
        return 3 * self.m - 1

    @property
    def grammar_length(self) -> int:
        """S; by default T - 2, the smallest that Theorem 2 allows."""
        return self.T - 2 if self.S is None else self.S

    @property
    def window(self) -> int | None:
        w = self.grammar_length + 2
        return None if w >= self.T else w

    @property
    def population(self) -> int:
        """Number of finetuning sequences, L * M_ft^m."""
        return self.L * self.M_ft**self.m

    def with_S(self, S: int | None) -> Setting:
        return replace(self, S=S)

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        values.update(
            U=list(self.U),
            S=self.grammar_length,
            T=self.T,
            m=self.m,
            beta="inf" if math.isinf(self.beta) else self.beta,
            window=self.window,
            population=self.population,
            eta_kq_subj=str(self.eta_kq_subj),
            eta_ov=str(self.eta_ov),
            eta_kq_rel=str(self.eta_kq_rel),
        )
        return values


def _divisors(M: int) -> str:
    """The first divisors of M in words, found by trial up to 10^4."""
    found = [str(d) for d in range(1, min(M, 10**4) + 1) if M % d == 0]
    more = " …" if len(found) > 12 or M > 10**4 else ""
    return f"one of {', '.join(found[:12])}{more}"


def checked(setting: Setting) -> Setting:
    """The same setting, or a SettingError for the first parameter that is unusable."""
    for name in ("M", "L", "M_ft", "N_ft", "G"):
        value = getattr(setting, name)
        if value < 1:
            raise SettingError(f"--{name.replace('_', '-')} {value}: must be at least 1")
    if len(setting.U) != setting.L:
        raise SettingError(
            f"--U {','.join(map(str, setting.U))}: must be one number, or one per type (L = {setting.L})"
        )
    for u in setting.U:
        if u < 1:
            raise SettingError(f"--U {u}: must be at least 1")
        if setting.facts is None and setting.M % u:
            raise SettingError(f"--U {u}: must divide M = {setting.M} in a balanced world ({_divisors(setting.M)})")
    if setting.M_ft > setting.M:
        raise SettingError(f"--M-ft {setting.M_ft}: must be at most M = {setting.M}")
    if setting.facts is None and max(setting.U) > setting.M_ft:
        raise SettingError(
            f"--U {max(setting.U)}: must be at most M_ft = {setting.M_ft}, or some value is never seen in finetuning"
        )
    if setting.N_ft > MOST_DEMOS:
        raise SettingError(f"--N-ft {setting.N_ft}: must be at most {MOST_DEMOS} (T = 3 N_ft + 2 positions)")
    digits = math.log10(setting.L) + setting.m * math.log10(setting.M_ft)
    if digits >= POPULATION:
        most = int((POPULATION - math.log10(setting.L)) / math.log10(setting.M_ft)) - 1
        raise SettingError(
            f"--N-ft {setting.N_ft}: L M_ft^(N_ft + 1) = {setting.L} * {setting.M_ft}^{setting.m} is 1e{POPULATION} sequences or"
            f" more, beyond what float64 can hold; valid: at most {most} with this M_ft"
        )
    if setting.S is not None and setting.S < 1:
        raise SettingError(f"--S {setting.S}: must be at least 1 (a PT subsequence holds one relation token)")
    if not setting.beta > 0:
        raise SettingError(f"--beta {setting.beta}: must be a positive number or inf")
    for name in ("eta_kq_subj", "eta_ov", "eta_kq_rel"):
        if getattr(setting, name) <= 0:
            raise SettingError(f"--{name.replace('_', '-')} {getattr(setting, name)}: must be positive")
    if setting.reading not in ("set", "literal"):
        raise SettingError(f"--reading {setting.reading}: must be set or literal")
    return setting


def parameters(world: World, N_ft: int, S: int | None = None, **extra: Any) -> dict[str, Any]:
    """What assumptions and bounds are predicates of (see paper_checks.contextual_recall.assumptions)."""
    m = N_ft + 1
    T = 3 * m - 1
    U = max(world.U)
    seen = [np.bincount(world.value_index[world.seen, l], minlength=world.U[l]) for l in range(world.L)]
    everyone = [np.bincount(world.value_index[:, l], minlength=world.U[l]) for l in range(world.L)]
    return {
        "M": world.M,
        "L": world.L,
        "U": U,
        "A": sum(world.U),
        "M_ft": world.M_ft,
        "N_ft": N_ft,
        "m": m,
        "T": T,
        "S": T - 2 if S is None else S,
        "G": world.G,
        "V": world.V,
        "N_min": min(int(c.min()) for c in everyone),
        "all_values_seen": all(bool((c > 0).all()) for c in seen),
        "balanced_all": all(bool((c == c[0]).all()) for c in everyone),
        "balanced_ft": all(bool((c == c[0]).all()) for c in seen),
        **extra,
    }
