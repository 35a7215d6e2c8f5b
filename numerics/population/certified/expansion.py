"""The polynomial that stands for 1/Z, and what it leaves out.

Z = O + F >= zmin > 0, F = sum_v f_v.  Let q be a polynomial of degree N + 1 with q = 1 at Z = 0 and of one sign for Z >= zmin,

    N odd:   q = (1 - Z/z)^(N+1) >= 0,          N even:   q = (1 - Z/zmin) (1 - Z/z)^N <= 0,

z > 0 any centre (the mean of Z is best).  Then p = (1 - q) / Z is a polynomial of degree N and 1/Z = p + q/Z, so

    pi_v = f_v / Z = f_v p + pi_v q:      the error of f_v p as a probability is pi_v q, of one sign for ALL tokens.

Summed over the vocabulary the errors give q: the missing mass 1 - sum_v f_v p(F) (- O p(F)).  Taken in expectation on any
event, |E[q; event]| = E[|q|; event] =: mass is how far the approximate probabilities are from summing to P(event) -
known without a further moment.  Hence for weights h_v:

    |E[sum_v pi_v h_v; event] - approximation| <= mass * max |sum_v pi_v h_v|.

In powers of F with a = (z - O) / z in (0, 1):   1 - Z/z = a - F/z   and

    p = sum_{n < N} (a - F/z)^n / z + (a - F/z)^N / (z if N odd, zmin if even),
    c_k = (-1)^k z^-k sum_{n = k..N} C(n, k) a^(n-k) / (z or zmin):    one sign per k, so few roundings.
"""

from math import comb

import numpy as np

from numerics.population.certified.rounding import FloatArray


def coefficients(N: int, O: float, z: FloatArray, zmin: FloatArray) -> FloatArray:
    """(N + 1, ...) c_0..c_N for centres z > O and lower bounds zmin of Z; at most coefficient_roundings(N) each."""
    a = (z - O) / z
    powers, scales = [np.ones_like(a)], [np.ones_like(z)]
    for _ in range(N):
        powers.append(powers[-1] * a)
        scales.append(scales[-1] * z)
    last = z if N % 2 else zmin
    rows = []
    for k in range(N + 1):
        total = sum(comb(n, k) * powers[n - k] / (last if n == N else z) for n in range(k, N + 1))
        rows.append((-1) ** k * total / scales[k])
    return np.stack(rows)


def coefficient_roundings(N: int) -> int:
    """Roundings of a coefficient: a has 2, its power 3 N, binomial and division 2, the sum N, z^k and division N + 1."""
    return 5 * N + 8
