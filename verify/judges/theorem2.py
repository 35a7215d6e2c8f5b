"""The coefficient claims of Theorem 2's proof: which derived and measured quantity each of them speaks about."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from numerics.population.matches import matches
from paper_checks.contextual_recall.symbols import T, alpha_2
from theory.finetuning import balanced_coefficients
from theory.finetuning.facts import expected_matched_subjects
from theory.onehot.classes import DirectionClass as KQ
from verify.judges.coefficients import Quantity
from verify.worlds import Case


def _derived(step: str, factor: sp.Expr | int = 1):
    @cache
    def build() -> dict:
        return {key: factor * expr for key, expr in balanced_coefficients(step).items()}

    return build


def _kq(which: str, factor) -> tuple:
    """(exact, autograd) of a KQ gradient times factor(case), a Fraction."""

    def exact(case: Case) -> NDArray[np.object_]:
        return getattr(case.enumerated, which).fractions * factor(case)

    def autograd(case: Case) -> NDArray[np.float64]:
        return getattr(case.autograd_hat, which) * float(factor(case))

    return exact, autograd


def _alpha_2(case: Case) -> Fraction:
    return case.eta_ov / (case.p["L"] * case.T * case.p["U"] ** 2)


def subject_update() -> Quantity:
    """What Theorem 2 adds to W_KQ^subj per unit of eta and beta: minus the gradient."""
    exact, autograd = _kq("kq_subj", lambda case: Fraction(-1))
    return Quantity("update of W_KQ^subj / eta", False, _derived("kq_subj", -1), exact, autograd)


def relation_update() -> Quantity:
    """What Theorem 2 adds to W_KQ^rel in the second step per unit of eta_KQ^rel and beta."""
    exact, autograd = _kq("kq_rel", lambda case: Fraction(-1))
    return Quantity("update of W_KQ^rel / eta", False, _derived("kq_rel", -1), exact, autograd)


def relation_bracket(name: str, only: tuple[KQ, ...]) -> Quantity:
    """The proof's bracket B = -(T / alpha_2) E[hat gradient], on the classes of one of its terms."""
    exact, autograd = _kq("kq_rel", lambda case: -case.T / _alpha_2(case))
    return Quantity(name, False, _derived("kq_rel", -T / alpha_2), exact, autograd, only)


def _ov_exact(sign: int, projected: bool):
    def exact(case: Case) -> NDArray[np.object_]:
        found = case.enumerated.ov_rel.fractions * sign
        if projected:
            found[:, case.world.sep_token] = Fraction(0)
        return found

    return exact


def _ov_autograd(sign: int, projected: bool):
    def autograd(case: Case) -> NDArray[np.float64]:
        found = case.autograd_hat.ov_rel * sign
        if projected:
            projector = np.eye(case.world.V)
            projector[case.world.sep_token, case.world.sep_token] = 0.0
            found = found @ projector
        return found

    return autograd


def ov_gradient() -> Quantity:
    return Quantity("E hat gradient of W_OV^rel", True, _derived("ov_rel"), _ov_exact(1, False), _ov_autograd(1, False))


def ov_projected() -> Quantity:
    return Quantity(
        "projected E hat gradient of W_OV^rel",
        True,
        _derived("ov_rel_projected"),
        _ov_exact(1, True),
        _ov_autograd(1, True),
    )


def ov_update() -> Quantity:
    return Quantity(
        "update of W_OV^rel / eta",
        True,
        _derived("ov_rel_projected", -1),
        _ov_exact(-1, True),
        _ov_autograd(-1, True),
    )


def expected_tokens() -> Quantity:
    """E[sum_i 1[a_i = y] h(s_i)] on seen and held-out subjects."""

    def exact(case: Case) -> NDArray[np.object_]:
        found = np.full(case.world.V + case.T, Fraction(0), dtype=object)
        found[: case.world.V] = matches(case.world, case.n_demos).tokens
        return found

    return Quantity(
        "E sum_i 1[a_i=y] h(s_i)",
        False,
        lambda: {KQ.SUBJECT_SEEN: expected_matched_subjects().balanced()},
        exact,
        None,
        (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT),
    )


@cache
def quantities() -> dict[str, Quantity]:
    """Claim id -> what it speaks about."""
    positions = (KQ.P_QUERY, KQ.P_CONTEXT, KQ.P_ATTRIBUTE, KQ.P_SEP)
    return {
        "subj.E_tokens": expected_tokens(),
        "subj.update": subject_update(),
        "rel.ov.expect": ov_gradient(),
        "rel.ov.projection": ov_projected(),
        "rel.ov.drop": ov_update(),
        "rel.ov.update": ov_update(),
        "rel2.sep": relation_bracket("[sep] part of the bracket", (KQ.SEP, KQ.P_SEP)),
        "rel2.attr": relation_bracket("attribute part of the bracket", (KQ.ATTRIBUTE,)),
        "rel2.subject": relation_bracket("subject part of the bracket", (KQ.SUBJECT_SEEN, KQ.SUBJECT_HELDOUT)),
        "rel2.position": relation_bracket("positional part of the bracket", positions),
        "rel2.update": relation_update(),
    }
