"""Appendix C.2, "Proof": the gradient of the last-token loss, up to Eq. (11), and the index conventions of the proof.

Formulas that hold sequence by sequence are transcribed as functions of arrays: pi (V,), y (V,) one-hot, alpha and r (T,),
keys (T, d) the rows x_j + p_j, g (d,) the attended mean.
"""

from __future__ import annotations

import numpy as np

from paper_checks.claim import Claim, Kind, Mutation
from paper_checks.mutations import replaced_by


def gradient_f(pi, y):  # grad_f L = sum_v pi_v h(v) - h(y)
    return pi - y


def gradient_ov(error, g):  # grad_{W_OV} L = u g^T
    return np.outer(error, g)


def softmax_chain(alpha, r):  # dL/dlambda_j = alpha_j (r_j - rbar), rbar = sum_i alpha_i r_i
    return alpha * (r - np.dot(alpha, r))


def eq11(beta, alpha, r, keys):  # beta sum_j alpha_j (r_j - rbar) (x_j + p_j)
    return beta * (alpha * (r - np.dot(alpha, r))) @ keys


def printed_positions(m: int) -> dict[str, list[int]]:
    """Where the proof puts things, as relative positions, from its own rule p_i = h(p_{i-T+1}), T = 3m - 1.

    q = 3 N_ft is the query; p_{3k}, k = 1..m-1, the context subjects; p_{3i+2}, i = 1..m-1, the attributes; p_{3i}, i = 1..m, all
    subjects (the expected positional term); p_i, i = 1..T, all positions (the same term; Eq. (11) has x_j + p_j with x_1 .. x_T).
    """
    T = 3 * m - 1
    return {
        "query": [3 * (m - 1) - T + 1],
        "context subjects": [3 * k - T + 1 for k in range(1, m)],
        "attributes": [3 * i + 2 - T + 1 for i in range(1, m)],
        "all subjects": [3 * i - T + 1 for i in range(1, m + 1)],
        "all positions": [i - T + 1 for i in range(1, T + 1)],
    }


def main_text_positions(m: int) -> dict[str, list[int]]:
    """Eq. (4) and Eq. (7) of the main text: query p_{-1}, attributes p_{1-3i}, i = 1..N_ft."""
    return {"query": [-1], "attributes": [1 - 3 * i for i in range(1, m)]}


#: How the weights are trained and updated: what the update adds, divided by beta, per unit of the step size and of the
#: gradient per unit beta. Theorem 2 reads "beta (... + alpha h(p))" with alpha = eta * (gradient per unit beta).
PRINTED_BOOKKEEPING = {"factor beside alpha in beta(... + alpha h(p))": lambda beta: 1.0}


def claims() -> tuple[Claim, ...]:
    return (
        Claim(
            id="grad.f",
            where="App. C.2, second and third display of the proof",
            title="gradient with respect to f, and with respect to W_OV",
            kind=Kind.EQUATION,
            wording=(
                r"\bm u:=\nabla_f\mathcal L=\sum_{v\in\mathcal V}\pi_v\bm h(v)-\bm h(y),\quad "
                r"\pi_v=\frac{e^{\bm h(v)^\top f}}{\sum_ue^{\bm h(u)^\top f}},\quad "
                r"\nabla_{\bm W_{OV}^k}\mathcal L=\bm ug_k(\bm X)^\top=\bm u\sum_{i=1}^{\mathrm T}\alpha_i^k\bm x_i^\top"
            ),
            printed={"f": gradient_f, "ov": gradient_ov},
            mutations=(
                Mutation("pi + y", "sign of the target lost", lambda s: {**s, "f": lambda pi, y: pi + y}),
                Mutation("y - pi", "gradient for descent direction", lambda s: {**s, "f": lambda pi, y: y - pi}),
                Mutation(
                    "g u^T", "outer product transposed", lambda s: {**s, "ov": lambda error, g: np.outer(error, g).T}
                ),
            ),
        ),
        Claim(
            id="grad.softmax",
            where="App. C.2, the two displays before Eq. (11)",
            title="softmax Jacobian; dL/dlambda_j = alpha_j (r_j - rbar)",
            kind=Kind.EQUATION,
            wording=(
                r"\frac{\partial\alpha_i^k}{\partial\lambda_j^k}=\alpha_i^k(\mathds 1[i=j]-\alpha_j^k),\quad "
                r"\frac{\partial\mathcal L}{\partial\lambda_j^k}=\ldots=\alpha_j^k\left(r_j^k-\bar r^k\right),\quad "
                r"\bar r^k:=\sum_{i=1}^{\mathrm T}\alpha_i^kr_i^k"
            ),
            printed=softmax_chain,
            mutations=(
                replaced_by(lambda alpha, r: alpha * (r + np.dot(alpha, r)), "r + rbar", "sign of the mean"),
                replaced_by(lambda alpha, r: r - np.dot(alpha, r), "alpha dropped", "attention weight forgotten"),
                replaced_by(lambda alpha, r: alpha * (r - r.mean()), "plain mean", "rbar over all T, not attended"),
            ),
        ),
        Claim(
            id="eq11",
            where="Eq. (11)",
            title="gradient with respect to W_KQ, with its factor beta",
            kind=Kind.EQUATION,
            wording=(
                r"\lambda_i^k:=(\bm x_i+\bm p_i)^\top\bm W_{KQ}^k\bm h([\text{sep}]),\quad "
                r"\nabla_{\bm W_{KQ}^k}\mathcal L=\ldots=\beta\sum_{j=1}^{\mathrm T}\alpha_j^k(r_j^k-\bar r^k)(\bm x_j+\bm p_j)\bm h([\text{sep}])^\top"
            ),
            printed=eq11,
            mutations=(
                Mutation("minus", "sign of the gradient", lambda s: lambda b, a, r, k: -s(b, a, r, k)),
                Mutation("beta^2", "beta twice", lambda s: lambda b, a, r, k: b**2 * s(b, a, r, k)),
                replaced_by(lambda b, a, r, k: (a * r) @ k, "rbar dropped", "the softmax normalisation ignored"),
            ),
        ),
        Claim(
            id="beta.bookkeeping",
            where="Thm. 2; Eq. (6), (7), (11)",
            title="which parametrisation and step size make the updated weights read beta(... + alpha h(p))",
            kind=Kind.CONVENTION,
            wording=(
                r"\bm W_{KQ}^{\text{subj}}\approx\beta\Big(\sum_j\bm h(s_j)+\alpha_1\bm h(p_{-1})\Big)\bm h([\text{sep}])^\top,"
                r"\ \alpha_1:=\eta_{KQ}^{\text{subj}}m^{-1}(1-U_L^{-1})"
            ),
            printed=PRINTED_BOOKKEEPING,
            mutations=(
                replaced_by(
                    {"factor beside alpha in beta(... + alpha h(p))": lambda beta: beta**2},
                    "alpha beta^2",
                    "no parametrisation gives this",
                ),
                replaced_by(
                    {"factor beside alpha in beta(... + alpha h(p))": lambda beta: -1.0},
                    "ascent",
                    "the sign of the step",
                ),
            ),
        ),
        Claim(
            id="index",
            where="App. C.2, Thm. 2 and Eq. (12), against Eq. (7)",
            title="index conventions: q = 3 N_ft, p_{3k}, p_{3i+2}, p_{3i}, p_1 .. p_T, against p_{1-3i} in the main text",
            kind=Kind.EQUATION,
            wording=(
                r"\bm p_i=\bm h(p_{i-\mathrm T+1}),\quad q=3N_{\text{ft}},\quad\sum_{k=1}^{m-1}\ldots\bm p_{3k}\text{ [context subjects]},\quad "
                r"\sum_{i=1}^{m-1}\bm p_{3i+2}\text{ [attributes]},\quad\sum_{i=1}^m\mathds 1[a_i^{\ell_\star}=y]\bm p_{3i}\text{ [all subjects]},\quad "
                r"\sum_{i=1}^{\mathrm T}\ldots\bm p_i\text{ [and] }\bm x_j+\bm p_j,\quad\bm X=[\bm x_1,\dots,\bm x_{\mathrm T}]\text{ [all positions]}"
            ),
            printed=printed_positions,
            mutations=(
                Mutation(
                    "one to the right",
                    "positions counted from 1 in one place and from 0 in another",
                    lambda s: lambda m: {k: [i + 1 for i in v] for k, v in s(m).items()},
                ),
                Mutation(
                    "roles swapped",
                    "subjects where the attributes stand",
                    lambda s: lambda m: {**s(m), "attributes": s(m)["context subjects"]},
                ),
                Mutation(
                    "first one missing",
                    "the sum starts one too late",
                    lambda s: lambda m: {**s(m), "attributes": sorted(s(m)["attributes"])[1:]},
                ),
                Mutation(
                    "all positions from 1",
                    "p_1 .. p_T for p_0 .. p_{T-1}",
                    lambda s: lambda m: {**s(m), "all positions": [i + 1 for i in s(m)["all positions"]]},
                ),
                Mutation(
                    "query left out",
                    "m - 1 subjects for m",
                    lambda s: lambda m: {**s(m), "all subjects": s(m)["context subjects"]},
                ),
            ),
        ),
    )
