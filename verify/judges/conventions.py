"""Checks of conventions: index sets, beta and step sizes, the window, Theorem 1 against Theorem 2, the first step of W_KQ^rel."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from numerics.models.attention_only import prop1
from numerics.models.population_gradient import backpropagate, population_gradients
from numerics.population.enumerate import sequences
from numerics.world import World
from verify.court import Court
from verify.evidence import Finding, Route, finding
from verify.judges.compare import arrays, fact
from verify.judges.decided import apart
from verify.worlds import Case


def positions(statement: Callable[[int], dict[str, list[int]]], court: Court) -> Finding:
    """Where subjects, attributes and everything stand in actual sequences, for m = 2..5; p_0 is the last token."""
    evidence = []
    for m in range(2, 6):
        world = World.balanced(4, 1, 2, 2, n_grammar=1)
        tokens = next(sequences(world, m - 1)).tokens[0]
        T = len(tokens)
        subjects = [i - T + 1 for i, t in enumerate(tokens) if t < world.M]
        attributes = [i - T + 1 for i, t in enumerate(tokens) if world.type_of_token(int(t)) is not None]
        measured = {
            "query": subjects[-1:],
            "context subjects": subjects[:-1],
            "attributes": attributes,
            "all subjects": subjects,
            "all positions": list(range(1 - T, 1)),
        }
        said = {k: sorted(v) for k, v in statement(m).items()}
        for name, places in measured.items():
            agrees = said.get(name) == sorted(places)
            why = "read off the sequences"
            evidence.append(
                fact(Route.ENUMERATED, f"m={m}, T={T}", f"positions, {name}", places, said.get(name), agrees, why)
            )
    return finding(
        evidence,
        # Every sum that goes wrong, at the smallest m.
        counterexample="; ".join(
            f"{e.setting}: {e.quantity} {e.measured}, printed {e.printed}"
            for e in evidence
            if not e.agrees and e.setting.startswith("m=2,")
        ),
    )


PARAMETRISATIONS: dict[str, Callable[[float], float]] = {
    "W_KQ trained, step eta": lambda beta: 1 / beta,
    "W_KQ / beta trained, step eta": lambda beta: beta,
    "W_KQ trained, step eta * beta": lambda beta: 1.0,
    "W_KQ / sqrt(beta) trained, step eta": lambda beta: 1.0,
}


def bookkeeping(statement: dict[str, Callable[[float], float]], court: Court) -> Finding:
    """One autograd step on W_KQ^subj at finite beta in four parametrisations: what stands beside alpha in beta(... + alpha h(p)).

    alpha h(p) is the step of size 1 in the gradient per unit beta. W_KQ is trained in a network whose score matrix is W_KQ
    itself, W_KQ / beta and W_KQ / sqrt(beta) in networks that multiply theirs by that factor: three backward passes.
    """
    case = court.theorem_bench[1]
    evidence = []
    for beta in (2.0, 5.0):
        g = population_gradients(
            case.world, case.n_demos, "hat", 1.0, None, case.reading, beta=beta, eta_kq_subj=1.0
        ).kq_subj
        of_whole, of_scaled, of_root = (_scaled(case, beta, outside) for outside in (1.0, beta, math.sqrt(beta)))
        # What is added to W_KQ, divided by beta.
        measured = {
            "W_KQ trained, step eta": of_whole / beta,
            "W_KQ / beta trained, step eta": beta * of_scaled / beta,
            "W_KQ trained, step eta * beta": beta * of_whole / beta,
            "W_KQ / sqrt(beta) trained, step eta": math.sqrt(beta) * of_root / beta,
        }
        for name, factor in statement.items():
            literal = "W_KQ trained, step eta" if name not in measured else name
            evidence.append(
                arrays(
                    Route.AUTOGRAD, f"{case.name}, beta={beta:g}: {literal}", name, measured[literal], factor(beta) * g
                )
            )
    return finding(evidence, counterexample=apart(evidence, "measured {}, printed {}"))


def _scaled(case: Case, beta: float, outside: float) -> np.ndarray:
    """(d,) [sep] column of the gradient of the mean hat loss with respect to W_KQ^subj / outside, scores outside * (that matrix)."""
    model = prop1(case.world, case.n_demos, None, case.reading, outside)
    with torch.no_grad():
        for matrix in model.kq.values():
            matrix *= beta / outside
    backpropagate(model, case.world, case.n_demos, "hat")
    gradient = model.kq["subj"].grad
    assert gradient is not None
    return gradient.numpy()[:, case.world.sep_token]


def window(statement: Callable[[dict], float], court: Court) -> Finding:
    """Attention of the initial relation head on ICL sequences, where S + 2 >= T and where it is not."""
    evidence = []
    for case in court.bench:
        model = prop1(case.world, case.n_demos, case.window, case.reading)
        block = next(sequences(case.world, case.n_demos))
        alpha = model.attention("rel", torch.as_tensor(block.tokens)).detach().numpy()
        measured, T = alpha[0], case.T
        evidence.append(
            arrays(
                Route.AUTOGRAD,
                f"{case.name}, T={T}, S={case.p['S']}",
                "relation head's attention on p_0 … p_-(T-1)",
                measured[::-1],
                _on_positions(statement(case.p), case.p, T),
            )
        )
    return finding(
        evidence,
        counterexample=next(
            (f"{e.setting}: attention {e.measured}, printed {e.printed}" for e in evidence if not e.agrees), ""
        ),
    )


def _on_positions(value, p: dict, T: int) -> np.ndarray:
    """A statement gives one number for all positions, or a number per position."""
    return np.full(T, value) if np.isscalar(value) else np.asarray(value, dtype=float)


def uniform_window(p: dict) -> np.ndarray:
    """Derived: uniform over the last min(T, S+2) positions, 0 before."""
    w = min(p["T"], p["S"] + 2)
    return np.array([1 / w if i < w else 0.0 for i in range(p["T"])])


#: What Theorem 1's words stand for in Theorem 2; "small N_ft" is the m of the first.
INFORMAL = {"M large": {"M >> mL", "M > M_ft"}, "M_ft large": {"M_ft >> U"}, "N_ft small": {"M >> mL"}}


def statements_agree(statement: dict, court: Court) -> Finding:
    """Theorem 1 against Theorem 2: coefficients after lambda_2 = alpha_3, lambda_3 = alpha_2; positions; hypotheses."""
    import sympy as sp

    from paper_checks.contextual_recall.symbols import alpha_2, eta_ov
    from paper_checks.contextual_recall.symbols import m as m_symbol
    from verify.judges.coefficients import settled

    names = {"lambda_2": (m_symbol - 1) ** 2 * alpha_2, "lambda_3": alpha_2}
    evidence = []
    for part in ("kq", "ov"):
        first, second = statement[part]
        apart = []
        for key in {*first, *second}:
            one = sp.sympify(first.get(key, 0))
            one = one.subs({s: names[s.name] for s in one.free_symbols if s.name in names})
            # Theorem 2's coefficients are transcribed per unit of eta_OV^rel, which lambda_3 = alpha_2 contains.
            per_step = 1 if part == "kq" else eta_ov
            if settled(one - per_step * second.get(key, 0)) != 0:
                apart.append(key.value)
        evidence.append(
            fact(
                Route.SYMBOLIC,
                "symbolic",
                f"coefficients of W_{part.upper()}^rel",
                apart or "equal",
                "equal",
                not apart,
                "differences cancel to 0",
            )
        )
    first, second = statement["positions"]
    for m in (2, 6):
        a, b = first(m)["attributes"], second(m)["attributes"]
        evidence.append(
            fact(
                Route.SYMBOLIC,
                f"m={m}",
                "attribute positions",
                sorted(a),
                sorted(b),
                sorted(a) == sorted(b),
                "index sets",
            )
        )
    first, second = (
        frozenset().union(*(INFORMAL.get(word, {word}) for word in words)) for words in statement["hypotheses"]
    )
    evidence.append(
        fact(
            Route.SYMBOLIC,
            "wording",
            "hypotheses only in one of the two",
            sorted(first ^ second),
            "none",
            first == second,
            "sets of hypotheses; large M, M_ft and small N_ft stand for M >> mL, M > M_ft >> U",
        )
    )
    return finding(
        evidence,
        counterexample="; ".join(
            f"{e.quantity}, {e.setting}: {e.measured} against {e.printed}" for e in evidence if not e.agrees
        ),
    )


def first_kq(statement: dict, court: Court) -> Finding:
    """The first-step gradient of W_KQ^rel, by autograd of both objectives, on every coordinate of every column."""
    from verify.classes import kq_classes
    from verify.judges.coefficients import at, settled

    evidence = []
    for case in (*court.bench[:4], *court.bench[-5:]):
        labels = kq_classes(case.world, case.T)
        said = [
            float(at(settled(statement.get(k, 0)), case.p)) if statement.get(k) is not None else 0.0 for k in labels
        ]
        for name in ("hat", "true"):
            measured = getattr(case, f"autograd_{name}").full_kq_rel_first
            column = measured[:, case.world.sep_token]
            others = np.delete(measured, case.world.sep_token, axis=1)
            evidence.append(arrays(Route.AUTOGRAD, case.name, f"first-step gradient of W_KQ^rel, {name}", column, said))
            evidence.append(
                fact(
                    Route.AUTOGRAD,
                    case.name,
                    "its other columns",
                    float(np.abs(others).max()),
                    0.0,
                    float(np.abs(others).max()) == 0.0,
                    "no query token but [sep]: exact zeros",
                )
            )
    return finding(
        evidence, counterexample=next((f"{e.setting}: {e.quantity} {e.measured}" for e in evidence if not e.agrees), "")
    )
