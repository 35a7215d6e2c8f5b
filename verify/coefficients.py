"""The table of every direction of every updated weight: printed, derived, exact, autograd, true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.population.certified import CertifiedGradients
from numerics.population.sampled import SampledGradients
from paper_checks.contextual_recall import relation_kq, relation_ov, subject_head
from theory.onehot.classes import DirectionClass as KQ
from theory.onehot.classes import EntryClass as OV
from verify.classes import kq_classes, ov_classes
from verify.evidence import Route
from verify.judges.coefficients import at, settled
from verify.tolerances import tolerance
from verify.witnesses import Witnesses

IN_WORDS = {
    KQ.SUBJECT_SEEN: "h(s), finetuning subjects",
    KQ.SUBJECT_HELDOUT: "h(s), held-out subjects",
    KQ.ATTRIBUTE: "h(u), attributes",
    KQ.RELATION: "h(r), relation tokens",
    KQ.GRAMMAR: "h(g), grammar tokens",
    KQ.SEP: "h([sep])",
    KQ.P_QUERY: "h(p_-1), query",
    KQ.P_CONTEXT: "h(p_{-1-3i}), context subjects",
    KQ.P_ATTRIBUTE: "h(p_{1-3i}), attributes",
    KQ.P_SEP: "h(p_{-3i}), [sep]",
    OV.ATTRIBUTE_ATTRIBUTE: "u <- u', same type",
    OV.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE: "u <- u', other type",
    OV.OWN_ATTRIBUTE_SEEN: "own u <- finetuning s",
    OV.OTHER_ATTRIBUTE_SEEN: "other u <- finetuning s",
    OV.ATTRIBUTE_HELDOUT: "u <- held-out s",
    OV.ATTRIBUTE_SEP: "u <- [sep]",
    OV.ATTRIBUTE_RELATION_SAME_TYPE: "u <- r, same type",
    OV.REST: "every other entry",
}


@dataclass(frozen=True)
class Row:
    """One class of one weight: (least, largest) over its coordinates for each witness; None where a witness was not heard."""

    weight: str
    key: str
    words: str
    count: int
    printed: Fraction | None
    derived: tuple[Any, Any] | None
    exact: tuple[Any, Any] | None
    autograd: tuple[float, float] | None
    true: tuple[float, float] | None
    true_error: float | None
    autograd_error: float | None = None

    @property
    def agrees(self) -> bool | None:
        """Is the printed value the derived one, on every coordinate? None where nothing is printed for this setting."""
        if self.printed is None or self.derived is None:
            return None
        return self.derived == (self.printed, self.printed)

    def as_json(self) -> dict[str, Any]:
        def pair(values: tuple[Any, Any] | None) -> dict[str, Any] | None:
            if values is None:
                return None
            low, high = values
            made: dict[str, Any] = {"min": float(low), "max": float(high)}
            if isinstance(low, Fraction):
                made["exact"] = [str(low), str(high)]
            return made

        return {
            "weight": self.weight,
            "direction": self.key,
            "count": self.count,
            "printed": None if self.printed is None else {"exact": str(self.printed), "value": float(self.printed)},
            "derived": pair(self.derived),
            "exact": pair(self.exact),
            "autograd": pair(self.autograd),
            "autograd_standard_error": self.autograd_error,
            "true": pair(self.true),
            "true_error": self.true_error,
            "printed_is_derived": self.agrees,
        }


def _range(values: NDArray | None, chosen: NDArray[np.bool_]) -> tuple[Any, Any] | None:
    if values is None or not chosen.any():
        return None
    some = values[chosen].tolist()
    return min(some), max(some)


def _printed(statement: Mapping, key: KQ | OV, w: Witnesses) -> Fraction | None:
    """The printed value at this setting; the paper's formulas know one U and the full window only."""
    s = w.setting
    if len(set(s.U)) > 1 or s.window is not None:
        return None
    p = {"M": s.M, "L": s.L, "U": s.U[0], "M_ft": s.M_ft, "m": s.m}
    return at(settled(statement.get(key, 0)), p, s.eta_ov)


def rows(w: Witnesses) -> list[Row]:
    """Updates per unit of their own step size (minus the gradients); W_OV^rel after the projection.

    In the order of the steps: W_KQ^subj, W_OV^rel, W_KQ^rel; no row for a class without members (subjects outside at M_ft = M).
    """
    T = w.setting.T
    kq = np.array(kq_classes(w.world, T), dtype=object)
    found: list[Row] = []
    for weight, which, statement in (
        ("W_KQ^subj", "kq_subj", _subject_statement()),
        ("W_KQ^rel", "kq_rel", relation_kq.PRINTED_UPDATE),
    ):
        exact = None if w.exact is None else -getattr(w.exact, which).fractions
        autograd = None if w.autograd_hat is None else -getattr(w.autograd_hat, which)
        true = None if w.true is None else -getattr(w.true, which)
        error = _error(w, which)
        made = _weight_rows(w, weight, kq, statement, tuple(KQ), -w.derived_kq(which), exact, autograd, true, error)
        sampled = w.autograd_sampled
        found += made if sampled is None else _with_sampled(made, kq, -getattr(sampled, which))
        if which == "kq_subj" and w.dense:
            found += _ov_rows(w)
    return found


def _error(w: Witnesses, which: str) -> NDArray[np.float64] | None:
    """The uncertainty of the true column: a proven radius, or 5 standard errors of a sample; None for plain float64."""
    if isinstance(w.true, CertifiedGradients):
        return np.asarray(getattr(w.true, f"{which}_radius"))
    if isinstance(w.true, SampledGradients):
        return tolerance(Route.SAMPLED).value * np.asarray(getattr(w.true, f"{which}_error"))
    return None


def _subject_statement() -> Mapping:
    return next(c for c in subject_head.claims() if c.id == "subj.update").printed


def _ov_rows(w: Witnesses) -> list[Row]:
    sep = w.world.sep_token

    def projected(array: NDArray | None) -> NDArray | None:
        if array is None:
            return None
        made = -array
        made[:, sep] = 0 * made[:, sep]
        return made

    exact = None if w.exact is None else projected(w.exact.ov_rel.fractions)
    autograd = None if w.autograd_hat is None else projected(w.autograd_hat.ov_rel)
    true = None if w.true is None else projected(w.true.ov_rel)
    error = _error(w, "ov_rel")
    error = None if error is None else projected(error)
    labels = ov_classes(w.world)
    made = _weight_rows(
        w,
        "W_OV^rel",
        labels,
        relation_ov.PRINTED_UPDATE,
        tuple(OV),
        projected(w.derived_ov),
        exact,
        autograd,
        true,
        error,
    )
    if w.autograd_sampled is None:
        return made
    replicates = -w.autograd_sampled.ov_rel
    replicates[:, :, sep] = 0.0
    return _with_sampled(made, labels, replicates)


def _with_sampled(made: list[Row], labels: NDArray, replicates: NDArray[np.float64]) -> list[Row]:
    """The rows with the class means of drawn replicates (R, ...) in the autograd column."""
    changed = []
    for row in made:
        chosen = np.asarray(labels == row.key, dtype=bool)
        means = replicates[:, chosen].mean(axis=1)
        error = float(means.std(ddof=1) / np.sqrt(len(means)))
        changed.append(replace(row, autograd=(float(means.mean()), float(means.mean())), autograd_error=error))
    return changed


def _weight_rows(w, weight, labels, statement, keys, derived, exact, autograd, true, error) -> list[Row]:
    found = []
    for key in keys:
        chosen = labels == key
        if not chosen.any():
            continue
        found.append(
            Row(
                weight=weight,
                key=key.value,
                words=IN_WORDS[key],
                count=int(chosen.sum()),
                printed=_printed(statement, key, w),
                derived=_range(derived, chosen),
                exact=_range(exact, chosen),
                autograd=_range(autograd, chosen),
                true=_range(true, chosen),
                true_error=None if error is None else float(np.abs(error[chosen]).max()),
            )
        )
    return found
