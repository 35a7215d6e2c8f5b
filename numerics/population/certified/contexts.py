"""The second step by the sum over all multisets of contexts: no expansion, only rounding.

For a context with products C_v = prod phi_v(x_k), Z(context, q) = O + sum_v omega_v(q) C_v is a matrix product, and so
are the sums over q and over contexts:  H_v = sum_q omega_v(q) / Z,   pi summed over q = C_v H_v.  All terms of the P are
positive; those of the R carry lambda, |lambda_v| <= most_v.
"""

import numpy as np
import torch

from numerics.population.certified.multisets import CHUNK, count, draws
from numerics.population.certified.problem import SecondLaw, TypeProblem
from numerics.population.certified.rounding import Accumulator, gamma


def contexts_work(problem: TypeProblem) -> int:
    """Multiplications: contexts times Q (A'+1) times the matrix products."""
    number = count(problem.Q, problem.full) * problem.Q**problem.partial
    return number * problem.Q * (problem.A + 1) * 8


def contexts_stored(problem: TypeProblem) -> int:
    """Multisets held at a time."""
    return count(problem.Q, problem.full)


def context_law(problem: TypeProblem) -> SecondLaw:
    """The law of a type.  Cost O(C(Q+n-1, n) Q^partial Q A'), memory O(n C(Q+n-1, n)), n full slots."""
    p, Q, A = problem, problem.Q, problem.A
    device = p.omega.device
    chosen, chance = draws(Q, p.full)
    weighted = torch.cat([p.copies, torch.full((1,), float(p.others), dtype=torch.float64, device=device)])
    copies = torch.cat([p.copies, torch.zeros(1, dtype=torch.float64, device=device)])
    zero = torch.zeros(A + 1, Q, dtype=torch.float64, device=device)
    P1, P2, Pq, Rq = (Accumulator(zero) for _ in range(4))
    R1, R2 = Accumulator(zero[:1]), Accumulator(zero[:1])
    weighted_omega = p.omega * weighted[:, None]
    omega_own = p.omega * p.own
    for partial in range(Q) if p.partial else (None,):
        for low in range(0, len(chosen), CHUNK):
            index = torch.as_tensor(chosen[low : low + CHUNK], device=device)
            share = torch.as_tensor(chance[low : low + CHUNK], device=device) / (Q ** (1 + p.partial))
            C = torch.ones(len(index), A + 1, dtype=torch.float64, device=device)
            lam = torch.zeros_like(C)
            for k in range(p.full):
                C, lam = C * p.phi1.T[index[:, k]], lam + p.t1.T[index[:, k]]
            if partial is not None:
                C, lam = C * p.phi2.T[partial], lam + p.t2.T[partial]
            Y = share[:, None] / (C @ weighted_omega)
            pi = C * (Y @ p.omega.T)
            bar = ((lam * pi + C * (Y @ omega_own.T)) * copies).sum(1)
            Pq.add(C.T @ Y)
            Rq.add((C * lam).T @ Y)
            if p.full:
                place = torch.nn.functional.one_hot(index, Q).sum(1).to(torch.float64) / p.full
                P1.add(pi.T @ place)
                R1.add(bar[None] @ place)
            if partial is not None:
                P2.total[:, partial] += pi.sum(0)
                R2.total[:, partial] += bar.sum()
    query = Pq.value()
    bar_of_query = ((p.omega * Rq.value() + omega_own * query) * copies[:, None]).sum(0).cpu().numpy()
    n = p.full + p.partial
    passes = len(chosen) // CHUNK + 2 if p.partial else 3
    # chance 3 n + 2, C n (roundings + 1), Z the same again with omega and A + 5, sums over Q, CHUNK and classes.
    roundings = 5 * n + (2 * n + 4) * (p.roundings + 2) + 3 * A + 2 * Q + CHUNK + passes + 40
    found = [(x * 1.0).cpu().numpy() for x in (P1.value(), R1.value()[0], P2.value(), R2.value()[0], p.omega * query)]
    none = np.zeros(Q)
    relative = gamma(roundings)
    return SecondLaw(
        P1=found[0],
        R1=found[1],
        P1_error=relative * found[0],
        mass1=none,
        P2=found[2],
        R2=found[3],
        P2_error=relative * found[2],
        mass2=none,
        Pq=found[4],
        Rq=bar_of_query,
        Pq_error=relative * found[4],
        massq=none,
        order=None,
    )
