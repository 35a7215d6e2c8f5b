"""The balanced setting in which the conclusion is decided."""

from dataclasses import dataclass
from fractions import Fraction

import sympy

from theory import symbols
from theory.finetuning.sequence import Reading
from theory.finetuning.window import Window, window_of
from theory.onehot.coefficient import Coefficient
from theory.rational import Number, evaluate


@dataclass(frozen=True)
class Setting:
    """Balanced world and step sizes; `values` has one U_l per type and every f_u is 1/U_l."""

    M: int
    values: tuple[int, ...]
    M_ft: int
    window: Window
    eta_ov: Fraction
    eta_kq_rel: Fraction
    eta_kq_subj: Fraction
    reading: Reading

    @property
    def L(self) -> int:
        return len(self.values)

    @property
    def full(self) -> bool:
        """Whether the window covers the whole sequence, so that its constant score cancels."""
        return self.window.w == 3 * self.window.m - 1

    def at_type(self, u: int) -> dict[sympy.Symbol, Number]:
        """Values of all symbols for a type with u values: f = 1/u, P_k = u^(1-k)."""
        constants: dict[sympy.Symbol, Number] = {**self.window.values()}
        constants |= {symbols.L: self.L, symbols.M_ft: self.M_ft, symbols.eta_ov: self.eta_ov}
        constants |= {f: Fraction(1, u) for f in (symbols.f_u, symbols.f_v, symbols.f_s)}
        return constants | {symbols.power_sum(k): Fraction(1, u ** (k - 1)) for k in (2, 3)}

    def total(self, coefficient: Coefficient) -> Fraction:
        """A coefficient that is summed over the types."""
        counted = {u: self.values.count(u) for u in self.values}
        return sum((n * evaluate(coefficient.expression, self.at_type(u)) for u, n in counted.items()), Fraction(0))

    def of_type(self, coefficient: Coefficient, u: int) -> Fraction:
        """A coefficient of one type, with u values."""
        return evaluate(coefficient.expression, self.at_type(u))


def setting(
    M: int,
    L: int,
    U: int | tuple[int, ...],
    M_ft: int,
    m: int,
    window: int | None,
    eta_ov: Fraction | None,
    eta_kq_rel: Fraction | None,
    eta_kq_subj: Fraction | None,
    reading: str,
) -> Setting:
    """Checked setting. Raises ValueError naming the parameter that is out of range."""
    values = (U,) * L if isinstance(U, int) else tuple(U)
    if L < 1:
        raise ValueError(f"L = {L}: valid are integers >= 1")
    if len(values) != L:
        raise ValueError(f"U = {U}: it needs one entry per type (L = {L})")
    if min(values) < 1:
        raise ValueError(f"U = {U}: every type has at least one value")
    if not max(values) <= M_ft <= M:
        raise ValueError(f"M_ft = {M_ft}: valid are {max(values)} to {M} (max U to M)")
    for name, eta in (("eta_ov", eta_ov), ("eta_kq_rel", eta_kq_rel), ("eta_kq_subj", eta_kq_subj)):
        if eta is not None and eta <= 0:
            raise ValueError(f"{name} = {eta}: valid are rationals > 0")
    if reading not in tuple(Reading):
        raise ValueError(f"reading = {reading!r}: valid are {[r.value for r in Reading]}")
    shape = window_of(m, window)
    if shape.w < 3 * m - 1 and (eta_ov is None or eta_kq_rel is None):
        raise ValueError(
            f"window = {window}: shorter than T = {3 * m - 1}, so eta_ov and eta_kq_rel must be given "
            "(the initial window no longer cancels)"
        )
    one = Fraction(1)
    ov, rel, subj = (one if eta is None else Fraction(eta) for eta in (eta_ov, eta_kq_rel, eta_kq_subj))
    return Setting(M, values, M_ft, shape, ov, rel, subj, Reading(reading))
