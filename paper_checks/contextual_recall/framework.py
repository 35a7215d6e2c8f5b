"""Section 2, Section 3.3 and Eq. (1): sequences, vocabulary, Div, and the attention-only model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from paper_checks.claim import Claim, Kind, Mutation
from paper_checks.mutations import replaced_by


def pt_length(S: int, N_tr: int) -> int:  # T = (S+3) N_tr - 1
    return (S + 3) * N_tr - 1


def vocabulary_size(M: int, U: list[int], L: int, G: int) -> int:  # V = M + sum_l M_l + G + 1
    return M + sum(U) + G + 1


def icl_as_special_case(S_ft: int) -> bool:
    """ICL sequences are ICL+Grm sequences with S_ft = 0."""
    return S_ft == 0


def eq1(X, P, W_KQ, W_OV, t: int):
    """g_h^t = X_{1:t}^T phi((X_{1:t} + P_{T-t+1:T}) W_KQ x_t), f^t = sum_h W_OV^h g_h^t; rows from 1, as printed."""
    T = len(X)
    f = 0.0
    for kq, ov in zip(W_KQ, W_OV, strict=True):
        scores = (X[:t] + P[T - t : T]) @ kq @ X[t - 1]
        weights = np.exp(scores - scores.max())
        f = f + ov @ (X[:t].T @ (weights / weights.sum()))
    return f


def eq1_positions_from_the_start(X, P, W_KQ, W_OV, t: int):
    """Eq. (1) with P_{1:t}: absolute instead of relative positions."""
    return eq1(
        X, np.concatenate([P[:t], P[:t]])[-len(X) :] if t == len(X) else np.roll(P, len(X) - t, axis=0), W_KQ, W_OV, t
    )


def eq1_positions_on_values(X, P, W_KQ, W_OV, t: int):
    """Eq. (1) with the positions added to the values as well."""
    T = len(X)
    f = 0.0
    for kq, ov in zip(W_KQ, W_OV, strict=True):
        keys = X[:t] + P[T - t : T]
        scores = keys @ kq @ X[t - 1]
        weights = np.exp(scores - scores.max())
        f = f + ov @ (keys.T @ (weights / weights.sum()))
    return f


#: "where || . ||_1 denotes the l_1-norm": whether of the entries or the operator norm of l_1 is not said; printed as the first.
DIV_NORM = "entries"


def _changed(table, old: bool):
    """The table of what is reached with its first entry `old` turned over; a tuple of norms stays one that fails."""
    if not isinstance(table, Mapping):
        return ("entries", "total variation")
    key, target = next((k, t) for k, of in table.items() for t, value in of.items() if value is old)
    return {**table, key: {**table[key], target: not old}}


def _one_more_reached(table):
    return _changed(table, False)


def _one_less_reached(table):
    return _changed(table, True)


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="pt.length",
            where="Sec. 2, PT sequences",
            title="a PT sequence of N_tr subsequences has T = (S+3) N_tr - 1 tokens",
            kind=Kind.EQUATION,
            wording=r"\tilde X=X_j^{\ell_1}||[\text{sep}]||X_j^{\ell_2}\dots X_j^{\ell_{N_{\text{tr}}}},\quad T=(S+3)N_{\text{tr}}-1",
            printed=pt_length,
            mutations=(
                replaced_by(lambda S, N_tr: (S + 2) * N_tr - 1, "S + 2", "the separator forgotten"),
                replaced_by(lambda S, N_tr: (S + 3) * N_tr, "no - 1", "a separator after the last subsequence"),
            ),
        ),
        Claim(
            id="vocab.size",
            where="Sec. 2, notation",
            title="V = M + sum_l M_l + G + 1",
            kind=Kind.EQUATION,
            wording=r"\mathcal V=\mathcal S\cup\mathcal U\cup\mathcal G\cup\{[\text{sep}]\},\quad V=M+\sum_{\ell=1}^LM_\ell+G+1",
            printed=vocabulary_size,
            mutations=(
                replaced_by(lambda M, U, L, G: M + sum(U) + G, "no [sep]", "the separator forgotten"),
                replaced_by(
                    lambda M, U, L, G: M + M * L + G + 1, "M L attributes", "shared values counted for each subject"
                ),
            ),
        ),
        Claim(
            id="icl.special",
            where="Sec. 2, ICL+Grm sequences",
            title="ICL sequences are the S_ft = 0 case of ICL+Grm",
            kind=Kind.EQUATION,
            wording=r"\text{Note that ICL sequences are a special case of ICL+Grm with }S_{\text{ft}}=0",
            printed=icl_as_special_case,
            mutations=(
                replaced_by(lambda S_ft: S_ft == 1, "S_ft = 1", "one grammar token left in"),
                replaced_by(lambda S_ft: True, "every S_ft", "as if the grammar made no difference"),
            ),
        ),
        Claim(
            id="div",
            where="Sec. 3.3, App. B.1",
            title="Div = min over pairs of types of the l1 norm between transition matrices; about 0.1 to 0.5 reached by greedy selection",
            kind=Kind.CONVENTION,
            wording=(
                r"\texttt{Div}:=\min_{\ell,\ell'}\lVert\text{TM}_\ell-\text{TM}_{\ell'}\rVert_1,\quad"
                r"\text{where }\lVert\cdot\rVert_1\text{ denotes the }\ell_1\text{-norm}\quad\ldots\quad "
                r"\text{To control for }\texttt{Div}\text{, we first randomly generate a large pool of transition matrices, and then use greedy selection "
                r"to curate a subset of transition matrices that are assigned to each attribute type.}\quad\ldots\quad "
                r"\text{We consider }\texttt{Div}\approx0.1,0.3,0.5"
            ),
            printed=(DIV_NORM,),
            mutations=(
                replaced_by(("operator",), "operator norm", "the induced 1-norm"),
                replaced_by(
                    ("entries", "total variation"), "both norms", "as if the values did not depend on the norm"
                ),
                Mutation("one more reached", "an unreachable Div claimed", _one_more_reached),
                Mutation("one less reached", "a reachable Div denied", _one_less_reached),
            ),
        ),
        Claim(
            id="eq1",
            where="Eq. (1)",
            title="the model; relative positional encoding on keys only; d = V + T; one-hot, tied unembedding",
            kind=Kind.EQUATION,
            wording=(
                r"g_h^t(\bm X)=\bm X_{1:t}^\top\bm\varphi((\bm X_{1:t}+\bm P_{\mathrm T-t+1:\mathrm T})\bm W_{KQ}^h\bm x_t),\quad "
                r"f^t(\bm X)=\sum_{h=1}^H\bm W_{OV}^hg_h^t(\bm X)"
            ),
            printed=eq1,
            mutations=(
                replaced_by(eq1_positions_from_the_start, "P_{1:t}", "absolute positions"),
                replaced_by(eq1_positions_on_values, "positions on values", "P added to the values as well"),
                Mutation("no softmax", "linear attention", lambda s: _linear),
            ),
        ),
    )


def _linear(X, P, W_KQ, W_OV, t: int):
    T = len(X)
    f = 0.0
    for kq, ov in zip(W_KQ, W_OV, strict=True):
        f = f + ov @ (X[:t].T @ ((X[:t] + P[T - t : T]) @ kq @ X[t - 1]))
    return f
