"""Scalar symbols of the constructions, next to those of theory.symbols.

S       grammar slots of a subsequence      G     grammar tokens           N_tr  subsequences of a PT sequence
k       number of the current subsequence   i     its current slot (1..S)  t     row, 1-based
N_u     subjects with the value u           N_y   the same for the target
n_l     tokens r_l so far, for the value's type l (between 0 and k)
n_j     attribute tokens the grammar head attends that are values of subject j (a token counts as often as it occurs)
b       e^beta                              rho, sigma  share of the relation head on r_l, of the subject head on subjects
"""

import sympy

S, G, N_tr, k, i = sympy.symbols("S G N_tr k i", positive=True, integer=True)
N_u, N_y = sympy.symbols("N_u N_y", positive=True, integer=True)
n_l, n_j = sympy.symbols("n_l n_j", nonnegative=True, integer=True)
b = sympy.Symbol("b", positive=True)
