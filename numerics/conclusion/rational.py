"""Weights as integers over one common denominator, so that every comparison below is exact.

Floats are taken at their exact (dyadic) value. A tolerance then decides what counts as a tie; no rounding enters
anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Protocol

import numpy as np


class Weights(Protocol):
    """Final weights per unit beta: kq_* (V+T,), ov_* (V, V) as [output, input]; dtype object (Fraction, int) or
    numeric."""

    @property
    def kq_subj(self) -> np.ndarray: ...
    @property
    def kq_rel(self) -> np.ndarray: ...
    @property
    def ov_subj(self) -> np.ndarray: ...
    @property
    def ov_rel(self) -> np.ndarray: ...


def fractions(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Object array of exact rationals (Fraction or int), same shape. Raises ValueError for another shape or a
    non-finite entry."""
    values = np.asarray(array)
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}: must be {shape}")
    flat = values.ravel().tolist()
    if values.dtype != object:
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"{name} has dtype {values.dtype}: must be float64, integer, or object holding Fraction/int"
            )
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} has an entry that is not finite: every entry must be a finite number")
    memo: dict[Any, Any] = {}
    out = np.empty(len(flat), dtype=object)
    for k, x in enumerate(flat):
        if isinstance(x, Fraction | int):
            out[k] = x
            continue
        if x not in memo:
            try:
                memo[x] = Fraction(int(x.numerator), int(x.denominator)) if hasattr(x, "denominator") else Fraction(x)
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"{name} has the entry {x!r}: must be a finite rational number") from error
        out[k] = memo[x]
    return out.reshape(shape)


def common_denominator(arrays: Iterable[np.ndarray]) -> int:
    """Least common multiple of all denominators."""
    return lcm(*{int(x.denominator) for array in arrays for x in array.ravel().tolist()}, 1)


def numerators(array: np.ndarray, denominator: int) -> np.ndarray:
    """Python integers (object dtype): array * denominator."""
    out = np.empty(array.size, dtype=object)
    factor: dict[int, int] = {}
    for k, x in enumerate(array.ravel().tolist()):
        q = int(x.denominator)
        if q not in factor:
            factor[q] = denominator // q
        out[k] = int(x.numerator) * factor[q]
    return out.reshape(array.shape)


def quotients(numerator: np.ndarray, denominator: int) -> np.ndarray:
    """float64 of numerator / denominator, each correctly rounded."""
    memo: dict[int, float] = {}
    out = np.empty(numerator.size)
    for k, x in enumerate(numerator.ravel().tolist()):
        if x not in memo:
            memo[x] = x / denominator
        out[k] = memo[x]
    return out.reshape(numerator.shape)


@dataclass(frozen=True)
class Columns:
    """Different OV columns of one head: numerator (n_columns, V) object ints over `denominator`, value (n_columns, V)
    float64."""

    numerator: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Exact:
    """Weights brought to integers.

    kq: per head scaled integer scores (V+T,) over kq_denominator; column: per head (V,) id of a token's OV column in
    `columns` (tokens with equal columns share the id); both heads over the one ov_denominator.
    """

    kq: tuple[np.ndarray, np.ndarray]
    kq_denominator: int
    column: tuple[np.ndarray, np.ndarray]
    columns: tuple[Columns, Columns]
    ov_denominator: int


def distinct_columns(matrix: np.ndarray, value: np.ndarray, slack: float) -> tuple[np.ndarray, np.ndarray]:
    """Ids (V,) of the columns of `matrix` (V, V) of ints, and the tokens (n,) whose columns stand for them, in order.

    value: the same as float64. With slack > 0 a column that agrees with an earlier kept one within `slack` everywhere
    gets its id. Cost V^2 (slack 0), V^2 n float64 operations otherwise.
    """
    ids = np.empty(matrix.shape[1], dtype=np.int64)
    kept: list[int] = []
    exact: dict[tuple[int, ...], int] = {}
    for t in range(matrix.shape[1]):
        key = tuple(matrix[:, t].tolist())
        found = exact.get(key)
        if found is None and slack > 0 and kept:
            distance = np.abs(value[:, kept] - value[:, [t]]).max(axis=0)
            close = np.flatnonzero(distance <= slack)
            found = int(close[0]) if len(close) else None
        if found is None:
            found = len(kept)
            kept.append(t)
        exact[key] = found
        ids[t] = found
    return ids, np.array(kept)


def exact_weights(weights: Weights, V: int, T: int, tie_tolerance: Fraction, multiple: int = 1) -> Exact:
    """Weights as integers. `multiple` divides every OV numerator (so that means of that many columns stay integral).

    With a tolerance, OV columns of a head that agree within tie_tolerance/4 are taken as equal (the first one stands
    for all). Raises ValueError for wrong shapes or entries. Cost O(V^2).
    """
    kq = [fractions(name, getattr(weights, name), (V + T,)) for name in ("kq_subj", "kq_rel")]
    ov = [fractions(name, getattr(weights, name), (V, V)) for name in ("ov_subj", "ov_rel")]
    kq_denominator = common_denominator(kq)
    ov_denominator = common_denominator(ov) * multiple
    slack = float(tie_tolerance / 4)
    ids, columns = [], []
    for matrix in ov:
        numerator = numerators(matrix, ov_denominator)
        value = quotients(numerator, ov_denominator)
        column, kept = distinct_columns(numerator, value, slack)
        ids.append(column)
        columns.append(Columns(numerator.T[kept], value.T[kept]))
    scores = [numerators(k, kq_denominator) for k in kq]
    return Exact((scores[0], scores[1]), kq_denominator, (ids[0], ids[1]), (columns[0], columns[1]), ov_denominator)
