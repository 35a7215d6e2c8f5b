"""The paper's symbols. All are positive; T stands for 3m - 1 and is substituted before anything is compared."""

from sympy import Symbol

M = Symbol("M", positive=True)
M_ft = Symbol("M_ft", positive=True)
L = Symbol("L", positive=True)
U = Symbol("U", positive=True)
m = Symbol("m", positive=True)
T = Symbol("T", positive=True)
V = Symbol("V", positive=True)
eta_ov = Symbol("eta_ov", positive=True)

#: alpha_2 of Theorem 2 as it is defined there.
alpha_2 = eta_ov / (L * T * U**2)
