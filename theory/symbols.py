"""The scalar symbols of every derivation.

M      all subjects                      M_ft   finetuning subjects          L, U   types, values per type
m      subjects in a sequence (N_ft + 1) w      positions in the relation head's window
n_a    attribute positions in the window n_c    context subjects in the window
n_q    1 if the query is in the window   n_s    separators in the window     (w = n_a + n_c + n_q + n_s)
f_u    frequency in F of the value u     f_v    of a second value v of the same type
f_s    frequency in F of the subject's own value a_s (of the type that is being averaged over)
P_k    power sum sum_u f_u^k of one type
"""

import sympy

M, M_ft, L, U, m, w = sympy.symbols("M M_ft L U m w", positive=True)
n_a, n_c, n_q, n_s = sympy.symbols("n_a n_c n_q n_s", nonnegative=True)
eta_ov, eta_kq_subj, eta_kq_rel = sympy.symbols("eta_ov eta_kq_subj eta_kq_rel", positive=True)
f_u, f_v, f_s = sympy.symbols("f_u f_v f_s", nonnegative=True)


def power_sum(k: int) -> sympy.Symbol:
    """P_k = sum_u f_u^k of one type, for k >= 2 (P_1 = 1 never appears)."""
    if k < 2:
        raise ValueError(f"k = {k}: power sums are symbols for k >= 2 only (P_1 = 1)")
    return sympy.Symbol(f"P_{k}", positive=True)


def full_window() -> dict[sympy.Expr, sympy.Expr]:
    """The window that covers the sequence: n_a = n_c = m - 1, n_q = 1, n_s = m, w = T = 3m - 1."""
    return {n_a: m - 1, n_c: m - 1, n_q: sympy.Integer(1), n_s: m, w: 3 * m - 1}
