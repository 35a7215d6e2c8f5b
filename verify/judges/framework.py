"""Checks of Section 2, Div and Eq. (1)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch

from numerics.models.attention_only import AttentionOnly
from numerics.pretraining.chains import NORMS, reached
from numerics.pretraining.framework import in_context, in_context_with_grammar, pretraining
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.compare import arrays, fact


def _closed(evidence: list[Evidence]) -> Finding:
    first = next((e for e in evidence if not e.agrees), None)
    return finding(
        evidence,
        counterexample=""
        if first is None
        else f"{first.setting}: {first.quantity} {first.measured}, the statement says {first.printed}",
    )


def pt_length(statement: Callable[[int, int], int], court: Court) -> Finding:
    evidence = []
    for S, n in itertools.product((1, 2, 10), (1, 2, 5)):
        measured = len(pretraining(0, [0] * n, [[0] * S] * n))
        said = statement(S, n)
        evidence.append(
            fact(
                Route.ENUMERATED, f"S={S}, N_tr={n}", "tokens", measured, said, measured == said, "a sequence, counted"
            )
        )
    return _closed(evidence)


def vocabulary(statement: Callable, court: Court) -> Finding:
    """Distinct tokens over all sequences of a world in the sense of Section 2 (no relation tokens there)."""
    evidence = []
    for table, G in (([[0, 0], [0, 1], [1, 2]], 2), ([[0], [0], [0], [1]], 1)):
        M, L = len(table), len(table[0])
        tokens = set()
        for j, kind, g in itertools.product(range(M), range(L), range(G)):
            for token in pretraining(j, [kind, kind], [[g], [g]]):
                tokens.add(("value", kind, table[j][kind]) if token[0] == "attribute" else token)
        U = [len({row[l] for row in table}) for l in range(L)]
        said = statement(M, U, L, G)
        evidence.append(
            fact(
                Route.ENUMERATED,
                f"M={M}, U={U}, G={G}",
                "distinct tokens",
                len(tokens),
                said,
                len(tokens) == said,
                "tokens of all sequences",
            )
        )
    return _closed(evidence)


def icl_special(statement: Callable[[int], bool], court: Court) -> Finding:
    """For which S_ft is the ICL+Grm sequence the ICL sequence, for all subjects and types of a small world?"""
    evidence = []
    for S_ft in range(3):
        same = all(
            in_context_with_grammar(kind, subjects, [[0] * S_ft] * 3) == in_context(kind, subjects)
            for kind in range(2)
            for subjects in itertools.product(range(3), repeat=3)
        )
        said = statement(S_ft)
        evidence.append(
            fact(Route.ENUMERATED, f"S_ft={S_ft}", "equal token by token", same, said, same == said, "27 x 2 sequences")
        )
    return _closed(evidence)


TARGETS = (0.1, 0.3, 0.5)


def divergence(statement: tuple[str, ...], court: Court) -> Finding:
    """The norms for which each of 0.1, 0.3, 0.5 is reached, rounded to the one decimal printed, for G = 4 and some alpha in {1, 5}.

    Greedy selection of 8 matrices from a pool of 1000, three seeds. Sampled: the pools are drawn.
    """
    evidence = []
    for norm in NORMS:
        by_target = {}
        for target in TARGETS:
            tries = {alpha: reached(4, 8, alpha, norm, target) for alpha in (1.0, 5.0)}
            good = [alpha for alpha, values in tries.items() if all(round(v, 1) == target for v in values)]
            nearest = min((v for values in tries.values() for v in values), key=lambda v: abs(v - target))
            by_target[target] = (bool(good), nearest)
        works = all(found for found, _ in by_target.values())
        measured = ", ".join(
            f"{t}: {'reached' if found else f'nearest {near:.3g}'}" for t, (found, near) in by_target.items()
        )
        evidence.append(
            fact(
                Route.SAMPLED,
                f"G=4, L=8, pool of 1000, norm: {norm}",
                "Div about 0.1, 0.3, 0.5",
                measured,
                "reached" if norm in statement else "not reached",
                works == (norm in statement),
                "rounded to the printed decimal, three seeds",
            )
        )
    return _closed(evidence)


def eq1(statement: Callable, court: Court) -> Finding:
    """The printed formula in numpy against the literal network, random weights, every position, float64."""
    evidence = []
    draw = np.random.default_rng(0)
    for V, T, H in ((5, 4, 2), (7, 6, 3)):
        d = V + T
        kq = [draw.normal(size=(d, d)) for _ in range(H)]
        ov = [draw.normal(size=(d, d)) for _ in range(H)]
        names = [f"h{k}" for k in range(H)]
        model = AttentionOnly(
            V,
            T,
            {n: torch.as_tensor(w) for n, w in zip(names, kq, strict=True)},
            {n: torch.as_tensor(w) for n, w in zip(names, ov, strict=True)},
            beta=1.0,
        )
        tokens = draw.integers(V, size=T)
        X, P = np.eye(d)[tokens], np.eye(d)[V + T - 1 - np.arange(T)]
        for t in range(1, T + 1):
            with torch.no_grad():
                measured = model(torch.as_tensor(tokens[None]), t).numpy()[0]
            said = statement(X, P, kq, ov, t)[:V]
            evidence.append(arrays(Route.AUTOGRAD, f"V={V}, T={T}, H={H}, t={t}", "logits h(v)^T f^t", measured, said))
    return _closed(evidence)
