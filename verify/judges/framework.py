"""Checks of Section 2, Div and Eq. (1)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import torch

from numerics.models.attention_only import AttentionOnly
from numerics.pretraining.chains import NORMS
from numerics.pretraining.framework import in_context, in_context_with_grammar, pretraining
from verify.court import Court
from verify.evidence import Evidence, Finding, Route, finding
from verify.framework.reach import PRINTED, Search, is_reached
from verify.framework.statement import ALPHAS, BEST, TARGETS, Asked, Reached
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


G, L = 4, 8


@cache
def _values(asked: Asked, target: float) -> tuple[float, ...]:
    search, norm, alpha = asked
    return search.values(G, L, alpha, norm, target)


def _reached(asked: Asked) -> tuple[float, ...]:
    return tuple(target for target in TARGETS if is_reached(target, _values(asked, target)))


def _shown(asked: Asked, targets: tuple[float, ...] = TARGETS) -> str:
    return ", ".join(f"{t:g}: " + "/".join(f"{v:.3f}" for v in _values(asked, t)) for t in targets)


def _words(search: Search) -> str:
    starts = "first start only" if search.starts == 1 else f"best of {search.starts} starts"
    return f"G={G}, L={L}, pool of {search.pool}, {starts}"


def divergence(statement: tuple[str, ...] | Reached, court: Court) -> Finding:
    """Which of the printed Div can be selected: rounding to the printed decimal with each of three pools.

    A tuple names the norms for which one prior, alpha in {1, 5}, reaches all three with a pool of 1000 and the best of the
    starts. A mapping says of every search, norm, prior and Div whether it is reached. Selection and rule are those of
    `python -m verify.divergence`. Sampled: the pools are drawn.
    """
    evidence, why = [], f"nearer than {PRINTED} for every seed"
    if isinstance(statement, Mapping):
        for asked, said in statement.items():
            search, norm, alpha = asked
            found = {target: is_reached(target, _values(asked, target)) for target in said}
            setting = f"{_words(search)}, norm: {norm}, alpha={alpha:g}"
            shown, claimed = _shown(asked, tuple(said)), [f"{t:g}" for t, yes in said.items() if yes]
            words = f"reached: {', '.join(claimed) or 'none'}"
            evidence.append(fact(Route.SAMPLED, setting, "Div selected for", shown, words, found == dict(said), why))
        return _closed(evidence)
    for norm in NORMS:
        works = any(_reached((BEST, norm, alpha)) == TARGETS for alpha in ALPHAS)
        shown = "; ".join(f"alpha={alpha:g}: {_shown((BEST, norm, alpha))}" for alpha in ALPHAS)
        claim = "all three reached with one prior" if norm in statement else "not all three reached with one prior"
        setting = f"{_words(BEST)}, norm: {norm}"
        evidence.append(
            fact(Route.SAMPLED, setting, "Div selected for", shown, claim, works == (norm in statement), why)
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
